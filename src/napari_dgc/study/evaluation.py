"""Maps against labels: what `napari-dgc evaluate` prints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError

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
    """

    stem: str
    ids: NDArray[np.uint8]
    labels: NDArray[Any]
    classes: tuple[str, ...]


def evaluate(
    maps: Sequence[LabelledMap],
    alignment: Alignment | Mapping[int, Sequence[int]],
    *,
    ignore_label: int | None = None,
) -> dict[str, Any]:
    """Score maps against labels, all cubes with one mapping of ids to classes.

    Parameters
    ----------
    maps : sequence of LabelledMap
        Classes are matched by name: a healthy cube need not know lesions.
    alignment : {"hungarian", "majority"} or mapping of class to ids
    ignore_label : int, optional
        Label value that is left out of all scores.

    Returns
    -------
    dict
        ``classes`` (name → ``iou``, ``dice``, ``area_rmse``; a class that is
        nowhere is left out), ``mean_iou``, ``mapping`` (class index → ids),
        ``cubes`` (stem → mean IoU), ``nmi``, ``ari``, ``vi`` (of the ids
        themselves, no mapping). Pixels without data are not scored.

    Raises
    ------
    InputError
        If there is no map, no labelled pixel, or the mapping does not fit.
    """
    from napari_dgc.clustering import metrics

    if not maps:
        raise InputError("evaluate", "there is no map", "give a folder with maps")
    names = tuple(dict.fromkeys(name for item in maps for name in item.classes))
    ids = max(int(item.ids.max(initial=0)) for item in maps)
    tables = []
    for item in maps:
        if not item.classes:
            raise InputError(item.stem, "its labels name no class", "check the labels")
        place = np.array([names.index(name) for name in item.classes])
        labels, ids_here = item.labels, item.ids
        if ignore_label is not None:
            # Before names are pooled: the ignored value need not have a name.
            ids_here = np.where(labels == ignore_label, np.uint8(0), ids_here)
            labels = np.where(labels == ignore_label, 0, labels)
        tables.append(
            metrics.confusion(ids_here, place[labels], ids=ids, classes=len(names))
        )
    table = metrics.confusion([], [], ids=ids, classes=len(names))
    for one in tables:
        table = table + one
    if not int(table.sum()):
        raise InputError(
            "evaluate", "no pixel has both data and a label", "check the labels"
        )
    if alignment == "hungarian":
        mapping = metrics.align_hungarian(table)
    elif alignment == "majority":
        mapping = metrics.align_majority(table)
    elif isinstance(alignment, Mapping):
        mapping = {t: list(members) for t, members in alignment.items()}
    else:
        raise InputError(
            "--align", f"{alignment!r} is unknown", "use hungarian or majority"
        )
    try:
        mapped = [metrics.apply_mapping(one, mapping) for one in tables]
    except ValueError as error:
        raise InputError(
            "--mapping", str(error), "name each id at most once"
        ) from error
    pooled = metrics.apply_mapping(table, mapping)
    iou, dice = metrics.iou(pooled).tolist(), metrics.dice(pooled).tolist()
    areas = metrics.area_rmse(mapped).tolist()
    scored = [t for t in range(len(names)) if not math.isnan(iou[t])]
    return {
        "classes": {
            names[t]: {
                "iou": _number(iou[t]),
                "dice": _number(dice[t]),
                "area_rmse": _number(areas[t]),
            }
            for t in scored
        },
        "mean_iou": _mean(iou),
        "mapping": {str(t): sorted(mapping[t]) for t in sorted(mapping)},
        "cubes": {
            item.stem: _mean(metrics.iou(one).tolist())
            for item, one in zip(maps, mapped, strict=True)
        },
        "nmi": metrics.nmi(table),
        "ari": metrics.ari(table),
        "vi": metrics.vi(table),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else None
