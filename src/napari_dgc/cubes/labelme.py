"""LabelMe's JSON annotation files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.checks import read_regular, refusing, require_file
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.outlines import paint, trace_outlines

SCENE_CLASSES = ("background", "healthy", "lesion")
_BACKGROUND = {"background", "_background_", "__background__"}
#: Our own field, which LabelMe keeps when it saves the file.
_CLASSES_FIELD = "classes"
_CIRCLE_CORNERS = 128


def read_labelme(
    path: Path, shape: tuple[int, int], classes: Sequence[str] | None = None
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Read a LabelMe file as a label map.

    Parameters
    ----------
    path : pathlib.Path
    shape : (int, int)
        (H, W) the map must have.
    classes : sequence of str, optional
        Class names by value; the first is the background.

    Returns
    -------
    labels : ndarray of int32, shape (H, W)
        0 outside all shapes; later shapes lie over earlier ones. A pixel
        belongs to a shape when its centre lies inside (see `outlines`).
        Polygons of one label and one ``group_id`` (null is none) make one
        shape by the even-odd rule, in the place of the first of them: an
        inner ring is a hole that shows what lies beneath.
    classes : tuple of str

    Raises
    ------
    InputError
        For damaged files, another image size, shapes without area, labels
        that are not among `classes`.

    Notes
    -----
    Without `classes` they are those the file lists (files written here do;
    labels added since come after them), else background, healthy, lesion
    where it holds no others, else background and the labels in order of
    first appearance.
    """
    require_file(path)
    with refusing(path, "is not a LabelMe file that can be read", "save it again"):
        content = json.loads(read_regular(path))
        shapes = content["shapes"]
        labels = [str(entry["label"]) for entry in shapes]
        height, width = content.get("imageHeight"), content.get("imageWidth")
        if None not in (height, width) and (int(height), int(width)) != shape:
            raise InputError(
                path,
                f"is drawn on {height} x {width} pixels, the cube has "
                f"{shape[0]} x {shape[1]}",
                "give the annotation of this cube",
            )
        names = _settle_classes(content, labels, classes)
        values = {name: value for value, name in reversed(list(enumerate(names)))}
        values |= dict.fromkeys(_BACKGROUND - values.keys(), 0)
        unknown = sorted(set(labels) - values.keys())
        if unknown:
            raise InputError(
                path,
                f"holds the label {unknown[0]!r}, known are {', '.join(names)}",
                "correct the label or the list of classes",
            )
        compounds: dict[object, tuple[int, list[NDArray[np.float64]]]] = {}
        for number, (label, entry) in enumerate(zip(labels, shapes, strict=True)):
            group = entry.get("group_id")
            key = number if group is None else (values[label], group)
            # A ring added later must not cover what was drawn since the first.
            _, rings = compounds.setdefault(key, (values[label], []))
            rings.append(_corners(path, entry))
        return paint(compounds.values(), shape), names


def write_labelme(
    path: str | Path,
    labels: NDArray[np.integer],
    classes: Sequence[str],
    image_path: str | Path,
) -> None:
    """Write a label map as LabelMe polygons.

    Parameters
    ----------
    path : str or pathlib.Path
        Written over where it exists; its folder must exist.
    labels : ndarray of integers, shape (H, W)
    classes : sequence of str
        Class names by value.
    image_path : str or pathlib.Path
        What the annotation belongs to, written into the file as given.

    Raises
    ------
    ValueError
        Where a label has no name.

    Notes
    -----
    Polygons follow the pixels' edges, enclosing regions come before those
    they enclose, and an enclosed background gets a polygon of its own:
    `read_labelme` gives the very same map back.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or (
        labels.size and (labels.min() < 0 or labels.max() >= len(classes))
    ):
        raise ValueError(
            f"labels must be (H, W) with values 0 to {len(classes) - 1}, one per class"
        )
    shapes = [
        {
            "label": classes[outline.value],
            "points": outline.points.astype(float).tolist(),
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
        }
        for outline in trace_outlines(labels)
    ]
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": Path(image_path).as_posix(),
        "imageData": None,
        "imageHeight": labels.shape[0],
        "imageWidth": labels.shape[1],
        _CLASSES_FIELD: list(classes),
    }
    Path(path).write_text(json.dumps(content, indent=1), encoding="utf-8")


def _settle_classes(
    content: Mapping[str, Any], labels: Sequence[str], classes: Sequence[str] | None
) -> tuple[str, ...]:
    """Give the class names by value."""
    if classes is not None:
        return tuple(classes)
    seen = [label for label in dict.fromkeys(labels) if label not in _BACKGROUND]
    listed = content.get(_CLASSES_FIELD)
    if isinstance(listed, list) and listed and all(isinstance(n, str) for n in listed):
        return (*listed, *(label for label in seen if label not in listed))
    if set(seen) <= set(SCENE_CLASSES):
        return SCENE_CLASSES
    return (SCENE_CLASSES[0], *seen)


def _corners(path: Path, entry: Mapping[str, Any]) -> NDArray[np.float64]:
    """Give a shape's corners (x, y), shape (n, 2) with n ≥ 3."""
    kind = entry.get("shape_type") or "polygon"
    points = np.asarray(entry["points"], np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise InputError(path, "holds a corner that is no number", "draw it again")
    if kind == "polygon" and len(points) >= 3:
        return points
    if kind == "rectangle" and len(points) in (2, 4):
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    if kind == "circle" and len(points) == 2:
        radius = np.hypot(*(points[1] - points[0]))
        turn = np.linspace(0, 2 * np.pi, _CIRCLE_CORNERS, endpoint=False)
        around = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        corners: NDArray[np.float64] = points[0] + radius * around
        return corners
    raise InputError(
        path,
        f"holds a {kind} of {len(points)} points labelled {entry['label']!r}, which "
        "has no area that can be read",
        "draw it as a polygon",
    )
