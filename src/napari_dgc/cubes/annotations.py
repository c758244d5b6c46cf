"""Ground truth beside cubes: LabelMe files, tensors, MATLAB arrays, rasters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.arrays import load_tiff, map_npy
from napari_dgc.cubes.checks import require_file
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.labelme import SCENE_CLASSES, read_labelme, write_labelme
from napari_dgc.cubes.matlab import Variable, open_matlab

__all__ = [
    "SCENE_CLASSES",
    "Labels",
    "TensorReader",
    "read_labels",
    "require_size",
    "write_labelme",
]

#: Reads a `.pth` label map of the (H, W) given; it lives where torch may.
TensorReader = Callable[[Path, tuple[int, int]], NDArray[Any]]

_MATLAB_NAMES = ("labels", "label")
#: Above this a raster numbers instances, not classes.
_HIGHEST_LABEL = 1023


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A label map.

    Parameters
    ----------
    data : ndarray of uint8 or int32, shape (H, W)
        int32 only where a value lies outside 0..255.
    classes : tuple of str
        Class names by value; where the file knows none, "class 0" and on.
    named : bool
        Whether the names are the file's own (or were given), not numbers.
    """

    data: NDArray[Any]
    classes: tuple[str, ...]
    named: bool = True


def read_labels(
    source: str | Path,
    stem: str,
    shape: tuple[int, int],
    *,
    classes: Sequence[str] | None = None,
    ignore_label: int | None = None,
    read_tensor: TensorReader | None = None,
) -> Labels:
    """Read the labels of a cube.

    Parameters
    ----------
    source : str or pathlib.Path
        A file (LabelMe ``.json``, ``.pth``, ``.mat``, ``.tif``, ``.npy``), or
        a folder with ``<stem>.json``, else ``<stem>.pth``, else
        ``<stem>.mat`` (where it holds a map, see Notes), else
        ``<stem>_labels.tif``.
    stem : str
        The cube's name; of no account where `source` is a file.
    shape : (int, int)
        The cube's (H, W).
    classes : sequence of str, optional
        Class names by value. Give it where several LabelMe files with
        classes of your own are to agree on their values.
    ignore_label : int, optional
        A value that means "unlabelled": in rasters and arrays it may be
        negative, and needs no name.
    read_tensor : callable, optional
        What reads ``.pth``; without it such a file is refused (`study` joins
        the two, see `napari_dgc.study.evaluating.labels`).

    Returns
    -------
    Labels

    Raises
    ------
    InputError
        Where there are no labels, or not of this size, or no whole numbers
        from 0 to 1023.

    Notes
    -----
    A .mat file's map is its 2-D array of the cube's size, of several the one
    called ``labels`` or ``label``. A file without a 3-D array is no cube's: there a 2-D
    array of another size is an error, not passed over.
    """
    source = Path(source)
    path = _find(source, stem, shape) if source.is_dir() else source
    require_file(path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        data, names = read_labelme(path, shape, classes)
        return Labels(_compact(path, data), names)
    if suffix in (".tif", ".tiff"):
        raster = load_tiff(path)
    elif suffix == ".npy":
        raster = map_npy(path)
    elif suffix == ".mat":
        raster = _load_matlab(path, shape)
    elif suffix == ".pth" and read_tensor is not None:
        raster = read_tensor(path, shape)
    else:
        raise InputError(
            path,
            "is no label file known here",
            "give a .json, .pth, .mat, .tif or .npy file",
        )
    require_size(path, raster.shape, shape)
    labels = _compact(path, raster, ignore_label)
    scored = labels if ignore_label is None else labels[labels != ignore_label]
    highest = int(scored.max(initial=0))
    if classes is None:
        numbered = tuple(f"class {value}" for value in range(highest + 1))
        return Labels(labels, numbered, named=False)
    if highest >= len(classes):
        raise InputError(
            path,
            f"holds the label {highest}, known are 0 to {len(classes) - 1}",
            "correct the label or the list of classes",
        )
    return Labels(labels, tuple(classes))


def require_size(path: Path, found: Sequence[int], shape: tuple[int, int]) -> None:
    """Refuse labels that are not of the cube's size (H, W)."""
    if tuple(found) != tuple(shape):
        size = " x ".join(map(str, found)) or "a single value"
        raise InputError(
            path,
            f"is {size} pixels, the cube has {shape[0]} x {shape[1]}",
            "give the labels of this cube",
        )


def _find(folder: Path, stem: str, shape: tuple[int, int]) -> Path:
    """Find the label file of a cube in a folder."""
    for suffix in (".json", ".pth", ".mat", "_labels.tif"):
        path = folder / f"{stem}{suffix}"
        # Most often <stem>.mat is the cube itself.
        if path.is_file() and (suffix != ".mat" or _maps(path, shape)):
            return path
    raise InputError(
        folder,
        f"holds no labels of {stem!r}",
        f"put {stem}.json, {stem}.pth, {stem}.mat or {stem}_labels.tif there",
    )


def _maps(path: Path, shape: tuple[int, int]) -> list[Variable]:
    """List the arrays of a MATLAB file that may be the label map, best first."""
    variables = list(open_matlab(path).variables.values())
    flat = [v for v in variables if len(v.shape) == 2 and v.dtype.kind in "iufb"]
    fitting = [v for v in flat if v.shape == shape]
    named = [v for v in flat if v.name.rsplit("/", 1)[-1] in _MATLAB_NAMES]
    both = [v for v in named if v.shape == shape]
    if both or fitting or named:
        return both or fitting or named
    if any(len(v.shape) == 3 for v in variables):
        return []
    return [v for v in flat if min(v.shape) > 1]  # no mere lists


def _load_matlab(path: Path, shape: tuple[int, int]) -> NDArray[Any]:
    """Load the one 2-D array that can be the label map."""
    chosen = _maps(path, shape)
    if not chosen:
        raise InputError(
            path,
            f"holds no 2-D array of {shape[0]} x {shape[1]}, as the cube has",
            "give a file with a label map",
        )
    if len(chosen) > 1:
        raise InputError(
            path,
            f"holds several arrays that may be labels: {', '.join(map(str, chosen))}",
            f"call the right one {_MATLAB_NAMES[0]!r}",
        )
    require_size(path, chosen[0].shape, shape)
    return open_matlab(path).load(chosen[0].name)


def _compact(
    path: Path, raster: NDArray[Any], ignore_label: int | None = None
) -> NDArray[Any]:
    """Copy labels into the smallest type that holds them."""
    values = np.asarray(raster)
    if values.dtype.kind not in "iufb":
        raise InputError(path, f"holds {values.dtype}, no labels", "give whole numbers")
    scored = values if ignore_label is None else values[values != ignore_label]
    if scored.size and (
        not scored.min() >= 0  # NaN is not
        or (scored.dtype.kind == "f" and not (scored == np.rint(scored)).all())
    ):
        raise InputError(
            path,
            "holds values that are no labels",
            "give whole numbers of 0 or more",
        )
    if scored.size and scored.max() > _HIGHEST_LABEL:
        raise InputError(
            path,
            f"holds the label {scored.max():.0f}; classes go up to {_HIGHEST_LABEL}",
            "give class labels, or name the unlabelled value with --ignore-label",
        )
    small = values.size == 0 or (values.min() >= 0 and values.max() <= 255)
    return values.astype(np.uint8 if small else np.int32)
