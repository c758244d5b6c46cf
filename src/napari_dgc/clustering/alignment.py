"""Which ids stand for which class: best pairs, majority, or as the user says.

The tables of counts are those of `napari_dgc.clustering.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from napari_dgc.clustering.soundness import MAX_ID

ClassMapping = dict[int, list[int]]


def align_majority(table: Tensor) -> ClassMapping:
    """Give each id to the class that most of its pixels belong to.

    Of classes that share an id evenly the first gets it; an id without pixels
    belongs to no class.

    Parameters
    ----------
    table : Tensor of int64, shape (ids + 1, classes)

    Returns
    -------
    dict of int to list of int
        Class → ids, every class named.
    """
    mapping: ClassMapping = {t: [] for t in range(table.shape[1])}
    for p in torch.nonzero(table.sum(1)).flatten().tolist():
        if p:
            mapping[int(table[p].argmax())].append(p)
    return mapping


def align_hungarian(table: Tensor) -> ClassMapping:
    """Pair ids with classes one to one so that most pixels agree.

    With more ids than classes the left-over ids belong to no class, with
    fewer the left-over classes have no id; nor do an id and a class pair up
    that share no pixel.

    Parameters
    ----------
    table : Tensor of int64, shape (ids + 1, classes)

    Returns
    -------
    dict of int to list of int
        Class → ids, every class named.

    Notes
    -----
    It maximises the number of pixels that agree (the "clustering accuracy"
    of Yang et al. 2010, IEEE TIP 19(10)), as is usual, and not
    the mean IoU: a pairing with a higher mean IoU, or a better one for a rare
    class, may exist. With more ids than classes `align_majority` says better
    what merging can reach.
    """
    mapping: ClassMapping = {t: [] for t in range(table.shape[1])}
    rows, cols = linear_sum_assignment(table[1:].cpu().numpy(), maximize=True)
    for p, t in zip(rows.tolist(), cols.tolist(), strict=True):
        if int(table[p + 1, t]) > 0:
            mapping[t].append(p + 1)
    return mapping


def apply_mapping(table: Tensor, mapping: Mapping[int, Sequence[int]]) -> Tensor:
    """Count pixels by mapped class and true class.

    Parameters
    ----------
    table : Tensor of int64, shape (ids + 1, classes)
    mapping : mapping of int to sequence of int
        Class → ids. Ids up to 255 that `table` does not reach may be named:
        a cluster need not be active in these maps.

    Returns
    -------
    Tensor of int64, shape (classes + 1, classes)
        The last row holds the pixels whose id is in no class.

    Raises
    ------
    ValueError
        If an id or a class does not exist, or an id stands in it twice.
    """
    ids, classes = table.shape[0] - 1, table.shape[1]
    owner: dict[int, int] = {}
    for t, members in mapping.items():
        if not 0 <= t < classes:
            raise ValueError(f"class {t} does not exist; classes are 0..{classes - 1}")
        for p in members:
            if not 1 <= p <= MAX_ID:
                raise ValueError(
                    f"id {p} of class {t} does not exist; ids are 1..{MAX_ID}"
                )
            if p in owner:
                where = f"twice in class {t}"
                if owner[p] != t:
                    where = f"in two classes, {owner[p]} and {t}"
                raise ValueError(f"id {p} stands {where}")
            owner[p] = t
    rows = torch.tensor([owner.get(p, classes) for p in range(1, ids + 1)])
    out = torch.zeros((classes + 1, classes), dtype=torch.long, device=table.device)
    return out.index_add_(0, rows.long().to(table.device), table[1:])
