"""What a merge would do, before it is done: from the statistics alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.grouping import Grouping, Role
from napari_dgc.merging.statistics import ClusterStatistics, group_statistics
from napari_dgc.merging.sums import mean_of, std_of

RoleChanges = tuple[tuple[Role | None, float], ...]
"""Roles (None: groups without one) and percentage points of the valid pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class MergePreview:
    """A merge that has not been made.

    Attributes
    ----------
    count : int
        Pixels of the merged group.
    mean, std : ndarray of float64, shape (C,)
        Of the merged group; NaN without pixels.
    variance_change : float
        By how much the spread of all pixels about the means of their groups grows,
        as a share of what it is now: 0.02 is 2 %. Never negative.
    """

    count: int
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    variance_change: float


def preview_merge(
    statistics: ClusterStatistics,
    grouping: Grouping,
    sources: Sequence[int],
    target: int,
) -> MergePreview:
    """Say what merging groups into a target would give.

    Parameters
    ----------
    statistics : ClusterStatistics
        Of one cube or of several pooled.
    grouping : Grouping
        Its clusters must have rows in `statistics`.
    sources : sequence of int
        Group ids; the target among them is passed over.
    target : int

    Raises
    ------
    MergeError
        If there is no such group.
    """
    into = grouping.group(target)
    moved = [grouping.group(id) for id in sources if id != target]
    rows = [list(into.clusters), [c for group in moved for c in group.clusters]]
    both = rows[0] + rows[1]
    count, total, squares = (
        np.array([field[r].sum(axis=0) for r in (*rows, both)])
        for field in (statistics.count, statistics.sum, statistics.sum_squares)
    )
    mean = mean_of(count, total)
    std = std_of(count, total, squares)
    now = group_statistics(statistics, grouping)
    scatter = dict(zip(now.ids, _scatter(now.count, now.std), strict=True))
    before = sum(scatter.values())
    parts = sum(scatter[group.id] for group in (into, *moved))
    grown = max(0.0, float(_scatter(count, std)[2]) - parts)
    return MergePreview(
        int(count[2]),
        mean[2],
        std[2],
        grown / before if before > 0 else 0.0,
    )


def _scatter(count: NDArray[np.int64], std: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over pixels and bands of squared deviations from each row's mean, (R,)."""
    return np.asarray(count * np.nansum(np.square(std), axis=1))


def role_changes(
    statistics: ClusterStatistics,
    grouping: Grouping,
    sources: Sequence[int],
    target: int,
) -> RoleChanges:
    """Say how much of the valid pixels each role would win or lose by a merge.

    Parameters
    ----------
    statistics, grouping, sources, target
        As for `preview_merge`.

    Raises
    ------
    MergeError
        If there is no such group.
    """
    valid = max(1, int(statistics.count[1:].sum()))
    into = grouping.group(target).role
    change: dict[Role | None, float] = {}
    for group in (grouping.group(id) for id in sources if id != target):
        share = 100 * float(statistics.count[list(group.clusters)].sum()) / valid
        change[group.role] = change.get(group.role, 0.0) - share
        change[into] = change.get(into, 0.0) + share
    return tuple((role, points) for role, points in change.items() if points)
