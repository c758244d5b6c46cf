"""What a merge would do, before it is done: from the statistics alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.grouping import Grouping, Role
from napari_dgc.merging.likeness import spectral_angles
from napari_dgc.merging.statistics import ClusterStatistics, group_statistics
from napari_dgc.merging.sums import mean_of, std_of


@dataclass(frozen=True, slots=True, eq=False)
class MergePreview:
    """A merge that has not been made.

    Attributes
    ----------
    count : int
        Pixels of the merged group.
    mean, std : ndarray of float64, shape (C,)
        Of the merged group; NaN without pixels.
    angle : float
        Between the mean spectra of target and sources (pooled), in degrees; NaN
        where one of them has no pixel.
    variance_change : float
        By how much the spread of all pixels about the means of their groups grows,
        as a share of what it is now: 0.02 is 2 %. Never negative.
    role_changes : tuple of (role or None, float)
        Roles whose share of the valid pixels changes, in percentage points.
    """

    count: int
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    angle: float
    variance_change: float
    role_changes: tuple[tuple[Role | None, float], ...]


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
    angle = float("nan")
    if (count[:2] > 0).all():
        angle = float(np.degrees(spectral_angles(mean[:2])[0, 1]))
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
        angle,
        grown / before if before > 0 else 0.0,
        _role_changes(statistics, [(g.role, g.clusters) for g in moved], into.role),
    )


def _scatter(count: NDArray[np.int64], std: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over pixels and bands of squared deviations from each row's mean, (R,)."""
    return np.asarray(count * np.nansum(np.square(std), axis=1))


def _role_changes(
    statistics: ClusterStatistics,
    moved: Sequence[tuple[Role | None, tuple[int, ...]]],
    into: Role | None,
) -> tuple[tuple[Role | None, float], ...]:
    """Percentage points that each role wins or loses."""
    valid = max(1, int(statistics.count[1:].sum()))
    change: dict[Role | None, float] = {}
    for role, clusters in moved:
        share = 100 * float(statistics.count[list(clusters)].sum()) / valid
        change[role] = change.get(role, 0.0) - share
        change[into] = change.get(into, 0.0) + share
    return tuple((role, points) for role, points in change.items() if points)
