"""How well maps agree with labels, from one table of counts.

Everything is computed in torch from a confusion table (P, T): entry (p, t)
counts the pixels of cluster or group id p whose true class is t. Row 0 is
"no data" and never scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from torch import Tensor

ClassMapping = dict[int, list[int]]


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
        If the shapes differ or a value lies outside its range.
    """
    p = torch.as_tensor(prediction).reshape(-1).long()
    t = torch.as_tensor(truth).reshape(-1).long()
    if p.shape != t.shape:
        raise ValueError(f"{len(p)} predicted pixels for {len(t)} true ones")
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


def align_majority(table: Tensor) -> ClassMapping:
    """Give each id to the class that most of its pixels belong to."""
    mapping: ClassMapping = {t: [] for t in range(table.shape[1])}
    for p in torch.nonzero(table.sum(1)).flatten().tolist():
        if p:
            mapping[int(table[p].argmax())].append(p)
    return mapping


def align_hungarian(table: Tensor) -> ClassMapping:
    """Pair ids with classes one to one so that most pixels agree.

    With more ids than classes the left-over ids belong to no class, with
    fewer the left-over classes have no id.
    """
    mapping: ClassMapping = {t: [] for t in range(table.shape[1])}
    rows, cols = linear_sum_assignment(table[1:].numpy(), maximize=True)
    for p, t in zip(rows.tolist(), cols.tolist(), strict=True):
        if int(table[p + 1, t]) > 0:
            mapping[t].append(p + 1)
    return mapping


def apply_mapping(table: Tensor, mapping: Mapping[int, Sequence[int]]) -> Tensor:
    """Count pixels by mapped class and true class.

    Returns
    -------
    Tensor of int64, shape (classes + 1, classes)
        The last row holds the pixels whose id is in no class.

    Raises
    ------
    ValueError
        If an id or a class does not exist, or an id stands in two classes.
    """
    ids, classes = table.shape[0] - 1, table.shape[1]
    owner = torch.full((ids + 1,), classes, dtype=torch.long)
    for t, members in mapping.items():
        if not 0 <= t < classes:
            raise ValueError(f"class {t} does not exist; classes are 0..{classes - 1}")
        for p in members:
            if not 1 <= p <= 255:
                raise ValueError(
                    f"id {p} of class {t} does not exist; ids are 1..{ids}"
                )
            if p > ids:  # never seen in these maps
                continue
            if owner[p] != classes:
                raise ValueError(f"id {p} stands in classes {int(owner[p])} and {t}")
            owner[p] = t
    out = torch.zeros((classes + 1, classes), dtype=torch.long)
    return out.index_add_(0, owner[1:], table[1:])


def iou(mapped: Tensor) -> Tensor:
    """Intersection over union per class, (T,); NaN where a class is nowhere."""
    hit, predicted, true = _counts(mapped)
    return hit / (predicted + true - hit)


def dice(mapped: Tensor) -> Tensor:
    """2 |A and B| / (|A| + |B|) per class, (T,); 1 where perfect."""
    hit, predicted, true = _counts(mapped)
    return 2 * hit / (predicted + true)


def area_rmse(mapped: Sequence[Tensor]) -> Tensor:
    """Root mean square error of each class's share of the pixels, over cubes (T,)."""
    errors = []
    for table in mapped:
        _, predicted, true = _counts(table)
        errors.append((predicted - true) / table.sum().clamp(min=1))
    return torch.stack(errors).square().mean(0).sqrt()


def entropy(counts: Tensor) -> Tensor:
    """Entropy in nats of the distribution that counts stand for."""
    p = counts.double() / counts.sum().clamp(min=1)
    return -(p * p.clamp(min=1e-300).log()).sum()


def nmi(table: Tensor) -> float:
    """Normalised mutual information, arithmetic mean of the entropies."""
    h_id, h_class, joint = _entropies(table)
    if float(h_id + h_class) == 0:
        return 1.0
    return max(0.0, float(2 * (h_id + h_class - joint) / (h_id + h_class)))


def vi(table: Tensor) -> float:
    """Variation of information in nats; 0 for equal partitions (Meilă 2007)."""
    h_id, h_class, joint = _entropies(table)
    return max(0.0, float(2 * joint - h_id - h_class))


def ari(table: Tensor) -> float:
    """Adjusted Rand index (Hubert & Arabie 1985); 1 for equal partitions."""
    counts = table[1:].double()
    pairs = _pairs(counts).sum()
    rows, cols = _pairs(counts.sum(1)).sum(), _pairs(counts.sum(0)).sum()
    expected = rows * cols / _pairs(counts.sum()).clamp(min=1)
    best = (rows + cols) / 2
    if float(best - expected) == 0:
        return 1.0
    return float((pairs - expected) / (best - expected))


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
