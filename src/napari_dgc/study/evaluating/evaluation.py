"""Maps against labels: what `napari-dgc evaluate` prints."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole
from napari_dgc.reports.csv_files import write_csv

Alignment = Literal["hungarian", "majority"]


@dataclass(frozen=True, slots=True)
class LabelledMap:
    """One cube's map beside its true labels.

    Attributes
    ----------
    stem : str
    ids : ndarray of uint8, shape (H, W)
        Cluster ids or label values, 0 = no data.
    labels : ndarray of int, shape (H, W)
    classes : tuple of str
        Name of each value of `labels`.
    named : bool
        Whether the names are the labels' own; False where they only number
        the values, as those of rasters do.
    """

    stem: str
    ids: NDArray[np.uint8]
    labels: NDArray[Any]
    classes: tuple[str, ...]
    named: bool = True


def evaluate(
    maps: Sequence[LabelledMap],
    alignment: Alignment | Mapping[int, Sequence[int]] | Mapping[str, Sequence[int]],
    *,
    ignore_label: int | None = None,
) -> dict[str, Any]:
    """Score maps against labels, all cubes with one mapping of ids to classes.

    Parameters
    ----------
    maps : sequence of LabelledMap
        See Notes for what becomes of label files that disagree.
    alignment : {"hungarian", "majority"} or mapping of class to ids
        Classes by number or by name. An id that no class gets counts as
        wrong wherever it lies; one that no map holds does no harm.
    ignore_label : int, optional
        Label value that is left out of all scores: its pixels are not
        counted, and it is no class.

    Returns
    -------
    dict
        ``classes`` (name → ``iou``, ``dice``, ``area_rmse``; a class that is
        nowhere, neither true nor predicted, is left out), ``mean_iou`` (of
        those classes), ``mapping`` (class number → ids), ``cubes`` (stem →
        mean IoU over the classes in that cube, None where nothing is
        labelled), ``nmi``, ``ari``, ``vi`` (of the ids themselves, no
        mapping). Pixels without data are not scored. All but ``cubes`` and
        ``area_rmse`` pool the pixels of all cubes.

    Raises
    ------
    InputError
        If there is no map, no labelled pixel, the mapping does not fit, or a
        number would mean two classes.

    Notes
    -----
    Classes are matched by name, so value 1 may be "healthy" in one file and
    "lesion" in the next. They are numbered as they first appear, file after
    file. Rasters know no names: their value v is class v of the named files,
    if there are any. Wherever a number has to speak for all files (beside
    rasters, in a mapping by number, as the ignored label), files that number
    this class differently are refused.
    """
    from napari_dgc.clustering import metrics

    if not maps:
        raise InputError("evaluate", "there is no map", "give a folder with maps")
    names = pool_classes(maps)
    by_hand = None if isinstance(alignment, str) else _number_classes(alignment, names)
    _require_one_numbering(maps, names, alignment, ignore_label)
    ids = max(int(item.ids.max(initial=0)) for item in maps)
    tables = [_count(item, names, ids, ignore_label) for item in maps]
    table = tables[0]
    for one in tables[1:]:
        table = table + one
    if not int(table.sum()):
        raise InputError(
            "evaluate", "no pixel has both data and a label", "check the labels"
        )
    if by_hand is not None:
        mapping = by_hand
    elif alignment == "hungarian":
        mapping = metrics.align_hungarian(table)
    elif alignment == "majority":
        mapping = metrics.align_majority(table)
    else:
        raise InputError(
            "--align", f"{alignment!r} is unknown", "use hungarian or majority"
        )
    try:
        mapped = [metrics.apply_mapping(one, mapping) for one in tables]
    except ValueError as error:
        raise InputError(
            "--mapping",
            str(error),
            f"name ids once, and of the classes {_list_classes(names)}",
        ) from error
    scored = [t for t in range(len(names)) if t != ignore_label]
    pooled = metrics.apply_mapping(table, mapping)
    iou, dice = metrics.iou(pooled).tolist(), metrics.dice(pooled).tolist()
    areas = metrics.area_rmse(mapped).tolist()
    return {
        "classes": {
            names[t]: {"iou": iou[t], "dice": dice[t], "area_rmse": areas[t]}
            for t in scored
            if not math.isnan(iou[t])
        },
        "mean_iou": _mean(iou[t] for t in scored),
        "mapping": {str(t): sorted(mapping[t]) for t in sorted(mapping)},
        "cubes": {
            item.stem: _mean(metrics.iou(one)[scored].tolist())
            for item, one in zip(maps, mapped, strict=True)
        },
        "nmi": metrics.nmi(table),
        "ari": metrics.ari(table),
        "vi": metrics.vi(table),
    }


def scores_json(scores: Mapping[str, Any]) -> str:
    """Word what `evaluate` gave as the command prints it, with a line's end."""
    return json.dumps(scores, indent=2) + "\n"


def write_scores(
    path: str | Path, scores: Mapping[str, Any], *, force: bool = False
) -> Path:
    """Write what `evaluate` gave: all of it as JSON, or the classes' table as CSV.

    Parameters
    ----------
    path : str or pathlib.Path
        ``.csv`` for a table with a row per class; JSON with any other ending.
    scores : mapping
    force : bool
        Overwrite what is there.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    if Path(path).suffix.lower() != ".csv":
        data = scores_json(scores).encode()
        return write_whole(path, lambda file: file.write(data), force=force)
    header = ("class", "iou", "dice", "area_rmse")
    classes = scores["classes"].items()
    lines = [(name, *(one[of] for of in header[1:])) for name, one in classes]
    return write_csv(path, header, lines, force=force)


def pool_classes(maps: Sequence[LabelledMap]) -> tuple[str, ...]:
    """Give each class one number over all cubes: its place among these names."""
    for item in maps:
        if not item.classes:
            raise InputError(item.stem, "its labels name no class", "check the labels")
    own = (item.classes for item in maps if item.named)
    names = list(dict.fromkeys(name for classes in own for name in classes))
    numbered = max((len(i.classes) for i in maps if not i.named), default=0)
    return (*names, *(f"class {value}" for value in range(len(names), numbered)))


def _number_classes(
    mapping: Mapping[int, Sequence[int]] | Mapping[str, Sequence[int]],
    names: Sequence[str],
) -> dict[int, list[int]]:
    """Put a mapping's class names into numbers."""
    numbered: dict[int, list[int]] = {}
    for key, members in mapping.items():
        if isinstance(key, str) and key not in names:
            raise InputError(
                "--mapping",
                f"there is no class {key!r}",
                f"the classes are {_list_classes(names)}",
            )
        t = names.index(key) if isinstance(key, str) else key
        if t in numbered:
            raise InputError("--mapping", f"class {t} stands twice", "name it once")
        numbered[t] = list(members)
    return numbered


def _require_one_numbering(
    maps: Sequence[LabelledMap],
    names: Sequence[str],
    alignment: Alignment | Mapping[int, Sequence[int]] | Mapping[str, Sequence[int]],
    ignore_label: int | None,
) -> None:
    """Refuse numbers that mean one class here and another one there."""
    spoken: set[int] = set()
    if not all(item.named for item in maps):
        spoken |= set(range(len(names)))
    if not isinstance(alignment, str):
        spoken |= {key for key in alignment if not isinstance(key, str)}
    if ignore_label is not None:
        spoken.add(ignore_label)
    for item in maps:
        own = item.classes
        for t in sorted(spoken & set(range(len(names)))) if item.named else ():
            here = own[t] if t < len(own) else None
            if here is None and names[t] not in own:
                continue
            if here != names[t]:
                said = (
                    f"class {t} is {here!r} here"
                    if here is not None
                    else (f"{names[t]!r} is class {own.index(names[t])} here")
                )
                raise InputError(
                    item.stem,
                    f"{said}, and class {t} is {names[t]!r} in the labels before it",
                    "list the same classes in each label file, or name the classes "
                    "in --mapping",
                )


def _count(
    item: LabelledMap, names: Sequence[str], ids: int, ignore_label: int | None
) -> Any:
    """Count a cube's pixels by id and class, as `metrics.confusion` does."""
    from napari_dgc.clustering import metrics

    labels, found = item.labels, item.ids
    if ignore_label is not None:
        # Before names are looked up: the ignored value need not have one.
        found = np.where(labels == ignore_label, np.uint8(0), found)
        labels = np.where(labels == ignore_label, 0, labels)
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    if low < 0 or high >= len(item.classes):
        raise InputError(
            item.stem,
            f"its labels hold {low if low < 0 else high}, a value without a class",
            "check the labels, or name the unlabelled value with --ignore-label",
        )
    labels = renumber(labels, item, names)
    return metrics.confusion(found, labels, ids=ids, classes=len(names))


def renumber(
    labels: NDArray[Any], item: LabelledMap, names: Sequence[str]
) -> NDArray[Any]:
    """Give labels, numbered as in their own file, the numbers of `pool_classes`."""
    if not item.named:
        return labels
    own = [names.index(name) for name in item.classes]
    return np.asarray(np.array(own, np.int32)[labels])


def _list_classes(names: Sequence[str]) -> str:
    return ", ".join(f"{number} {name}" for number, name in enumerate(names))


def _mean(values: Iterable[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else None
