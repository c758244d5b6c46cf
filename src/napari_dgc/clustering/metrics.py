"""How well maps agree with labels, from one table of counts.

Everything is computed in torch from a confusion table (P, T): entry (p, t)
counts the pixels of cluster or group id p whose true class is t. Row 0 is
"no data" and never scored. `apply_mapping` makes a *mapped* table of it,
(T + 1, T): rows are classes, the last one holds what no class was given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from napari_dgc.clustering.alignment import (
    align_hungarian,
    align_majority,
    apply_mapping,
)

__all__ = [
    "align_hungarian",
    "align_majority",
    "apply_mapping",
    "area_rmse",
    "ari",
    "confusion",
    "dice",
    "entropy",
    "iou",
    "nmi",
    "vi",
]


def confusion(
    prediction: ArrayLike | Tensor,
    truth: ArrayLike | Tensor,
    *,
    ids: int,
    classes: int,
    ignore_label: int | None = None,
) -> Tensor:
    """Count pixels by predicted id and true class.

    Parameters
    ----------
    prediction : array of int, any shape
        Ids 0..`ids`; 0 = no data.
    truth : array of int, the same shape
        Classes 0..`classes` - 1.
    ids, classes : int
        The highest id and the number of classes.
    ignore_label : int, optional
        A class that is left out of all scores.

    Returns
    -------
    Tensor of int64, shape (ids + 1, classes)

    Raises
    ------
    ValueError
        If the shapes differ, or a value is no whole number or outside its
        range.
    """
    p, t = _integers(prediction), _integers(truth)
    if p.shape != t.shape:
        raise ValueError(
            f"maps of {tuple(p.shape)} predicted and {tuple(t.shape)} true pixels"
        )
    p, t = p.reshape(-1), t.reshape(-1)
    keep = p != 0
    if ignore_label is not None:
        keep &= t != ignore_label
    p, t = p[keep], t[keep]
    for name, values, top in (("id", p, ids), ("class", t, classes - 1)):
        if len(values) and not 0 <= int(values.min()) <= int(values.max()) <= top:
            raise ValueError(
                f"a {name} lies outside 0..{top}: {int(values.min())}.."
                f"{int(values.max())}"
            )
    size = (ids + 1) * classes
    return (p * classes + t).bincount(minlength=size).view(ids + 1, classes)


def iou(mapped: Tensor) -> Tensor:
    """Intersection over union (Jaccard index) of each class.

    Parameters
    ----------
    mapped : Tensor of int64, shape (T + 1, T)
        As `apply_mapping` gives.

    Returns
    -------
    Tensor of float64, shape (T,)
        0..1; NaN for a class that no pixel has, predicted or true. True
        pixels in no class count as missed.
    """
    hit, predicted, true = _counts(mapped)
    return hit / (predicted + true - hit)


def dice(mapped: Tensor) -> Tensor:
    """Dice coefficient of each class: 2 |A and B| / (|A| + |B|).

    Parameters, range and NaN as for `iou`; 1 is perfect. It equals
    2 IoU / (1 + IoU).
    """
    hit, predicted, true = _counts(mapped)
    return 2 * hit / (predicted + true)


def area_rmse(mapped: Sequence[Tensor]) -> Tensor:
    """Root mean square error, over cubes, of each class's share of the area.

    Parameters
    ----------
    mapped : sequence of Tensor of int64, shape (T + 1, T)
        One mapped table per cube; cubes without a scored pixel do not count.

    Returns
    -------
    Tensor of float64, shape (T,)
        0..1 as a share of a cube's scored pixels, not of the class: a rare
        class has a small error even where it is missed altogether. NaN where
        no cube counts.

    Notes
    -----
    sqrt(mean over cubes of (predicted share − true share)²). DGC (arXiv
    2512.24172) names the score; its code takes the root of the mean over
    *classes* of one pooled image, one number in all. Per class and over
    cubes it says what a severity in percent is off by, and errors of
    opposite sign in two cubes do not cancel.
    """
    errors = []
    for table in mapped:
        if int(table.sum()):
            _, predicted, true = _counts(table)
            errors.append((predicted - true) / table.sum())
    if not errors:
        classes = mapped[0].shape[1] if mapped else 0
        return torch.full((classes,), torch.nan, dtype=torch.double)
    return torch.stack(errors).square().mean(0).sqrt()


def entropy(counts: Tensor) -> Tensor:
    """Entropy in nats of the distribution that counts stand for.

    Parameters
    ----------
    counts : Tensor, any shape
        Of 0 or more; such as ``table[1:].sum(1)``, the pixels of each id.

    Returns
    -------
    Tensor of float64, a single value
        0 (one cluster holds all, or there is nothing) to log(number of
        counts).
    """
    flat = counts.double()
    total: Tensor = torch.special.entr(flat / flat.sum().clamp(min=1)).sum()
    return total


def nmi(table: Tensor) -> float:
    """Normalised mutual information of ids and classes, 0..1.

    Parameters
    ----------
    table : Tensor of int64, shape (ids + 1, classes)

    Notes
    -----
    Divided by the arithmetic mean of both entropies, as scikit-learn does by
    default; DGC's code divides by the geometric mean. Two trivial partitions
    (one id, one class, or nothing at all) agree: 1.
    """
    h_id, h_class, joint = _entropies(table)
    if float(h_id + h_class) == 0:
        return 1.0
    shared = float(2 * (h_id + h_class - joint) / (h_id + h_class))
    return min(1.0, max(0.0, shared))


def vi(table: Tensor) -> float:
    """Variation of information in nats (Meilă 2007): 2 H(ids, classes) − both H.

    0 for equal partitions; at most log(number of scored pixels).

    Parameters
    ----------
    table : Tensor of int64, shape (ids + 1, classes)
    """
    h_id, h_class, joint = _entropies(table)
    return max(0.0, float(2 * joint - h_id - h_class))


def ari(table: Tensor) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985).

    1 for equal partitions, about 0 for chance, below 0 for worse; 1 where
    both are trivial, as scikit-learn has it.

    Parameters
    ----------
    table : Tensor of int64, shape (ids + 1, classes)
    """
    counts = table[1:].double()
    pairs = _pairs(counts).sum()
    rows, cols = _pairs(counts.sum(1)).sum(), _pairs(counts.sum(0)).sum()
    expected = rows * cols / _pairs(counts.sum()).clamp(min=1)
    best = (rows + cols) / 2
    if float(best - expected) == 0:
        return 1.0
    return float((pairs - expected) / (best - expected))


def _integers(values: ArrayLike | Tensor) -> Tensor:
    """Take whole numbers as int64, copied: NumPy's may be read-only."""
    if isinstance(values, Tensor):
        whole = not (values.is_floating_point() or values.is_complex())
        found = values
    else:
        array = np.asarray(values)
        whole = array.dtype.kind in "iub"
        found = torch.from_numpy(array.astype(np.int64)) if whole else torch.empty(0)
        if not array.size:
            return torch.empty(array.shape, dtype=torch.long)
    if not whole:
        raise ValueError("ids and classes must be whole numbers")
    return found.long()


def _counts(mapped: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    classes = mapped.shape[1]
    square = mapped[:classes].double()
    return square.diagonal(), square.sum(1), mapped.double().sum(0)


def _entropies(table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    counts = table[1:]
    return (
        entropy(counts.sum(1)),
        entropy(counts.sum(0)),
        entropy(counts.flatten()),
    )


def _pairs(counts: Tensor) -> Tensor:
    return counts * (counts - 1) / 2
