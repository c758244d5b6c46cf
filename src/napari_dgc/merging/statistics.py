"""Gathering statistics from windows, and pooling them by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.palette import MAX_CLUSTER
from napari_dgc.merging.sums import ClusterStatistics, mean_of, std_of

__all__ = [
    "ClusterStatistics",
    "GroupStatistics",
    "StatisticsBuilder",
    "count_boundaries",
    "group_statistics",
]

T = TypeVar("T", bound=np.generic)

_PIXELS_PER_CHUNK = 16384  # 301 bands of float32: 20 MB


class StatisticsBuilder:
    """Gather the statistics of one cube, window by window.

    Parameters
    ----------
    highest_id : int
        The highest cluster id there may be, 1..255; ids below it may be
        missing.
    bands : int
        Number of bands C.

    Notes
    -----
    Each chunk of pixels is sorted by cluster and summed run by run: float32
    within a run (pairwise, so little is lost), float64 from run to run. Before
    that, each cluster's first mean is taken off its pixels, so that squares are
    of deviations and float32 loses nothing to a large mean; it is put back in
    the end. The cost hardly depends on K; a cube of 1000 x 1000 x 301 takes
    about a second.
    """

    def __init__(self, highest_id: int, bands: int) -> None:
        if not 1 <= highest_id <= MAX_CLUSTER or bands < 1:
            raise ValueError(
                f"ids up to {highest_id} and {bands} bands will not do; "
                f"give 1 to {MAX_CLUSTER} and at least one band"
            )
        rows = highest_id + 1
        self._count = np.zeros(rows, np.int64)
        self._confidence = np.zeros(rows)
        self._seen = np.zeros(rows, bool)
        # The sums are of deviations from `_origin`.
        self._origin = np.zeros((rows, bands), np.float32)
        self._sum = np.zeros((rows, bands))
        self._sum_squares = np.zeros((rows, bands))
        self._buffer = np.empty(bands * _PIXELS_PER_CHUNK, np.float32)

    def add(
        self,
        ids: NDArray[np.integer],
        confidence: NDArray[np.floating],
        spectra: NDArray[np.floating],
    ) -> None:
        """Add one window; windows must not overlap.

        Parameters
        ----------
        ids : ndarray of int, shape (h, w)
            Cluster ids, 0 = no data. Pixels of id 0 are counted but not summed, and
            their spectra may hold anything.
        confidence : ndarray of float, shape (h, w)
        spectra : ndarray of float, shape (C, h, w)
            Read as float32.

        Raises
        ------
        ValueError
            If shapes do not fit or an id is beyond the highest.
        """
        rows, bands = self._sum.shape
        if spectra.shape != (bands, *ids.shape) or confidence.shape != ids.shape:
            raise ValueError(
                f"ids {ids.shape}, confidence {confidence.shape} and spectra "
                f"{spectra.shape} do not fit together and {bands} bands"
            )
        if ids.size and not 0 <= ids.min() <= ids.max() < rows:
            raise ValueError(f"cluster ids go from 0 to {rows - 1} here")
        flat = ids.astype(np.uint8, copy=False).ravel()
        self._count += np.bincount(flat, minlength=rows)
        weights = np.where(flat > 0, np.ravel(confidence), 0)
        self._confidence += np.bincount(flat, weights, minlength=rows)
        pixels = np.asarray(spectra, np.float32).reshape(bands, -1)
        for start in range(0, flat.size, _PIXELS_PER_CHUNK):
            chunk = slice(start, start + _PIXELS_PER_CHUNK)
            self._add_chunk(flat[chunk], pixels[:, chunk])

    def _add_chunk(self, ids: NDArray[np.uint8], spectra: NDArray[Any]) -> None:
        order = np.argsort(ids, kind="stable")  # a radix sort for uint8
        ends = np.cumsum(np.bincount(ids, minlength=len(self._count)))
        # One buffer for all chunks: fresh memory would cost as much as the sums.
        # mode="clip" spares the bounds check; all indices are in bounds.
        values = self._buffer[: len(spectra) * ids.size].reshape(len(spectra), -1)
        np.take(spectra, order, axis=1, mode="clip", out=values)
        for id in range(1, len(ends)):
            run = values[:, ends[id - 1] : ends[id]]
            if not run.size:
                continue
            if not self._seen[id]:
                self._origin[id] = run.mean(axis=1)
                self._seen[id] = True
            run -= self._origin[id][:, None]
            self._sum[id] += run.sum(axis=1)
            self._sum_squares[id] += np.vecdot(run, run)

    def skip_rest(self, pixels: int) -> None:
        """Count what no window was added for as id 0, up to `pixels` in all."""
        self._count[0] += pixels - self._count.sum()

    def finish(self, cluster_map: NDArray[np.integer]) -> ClusterStatistics:
        """Count boundaries in the whole map and give the statistics.

        Parameters
        ----------
        cluster_map : ndarray of int, shape (H, W)
            The map the windows were parts of.

        Raises
        ------
        ValueError
            If the windows added do not cover this map.
        """
        rows = len(self._count)
        flat = np.asarray(cluster_map, np.intp)
        if flat.ndim != 2 or (flat.size and not 0 <= flat.min() <= flat.max() < rows):
            raise ValueError(f"a cluster map is 2-D with ids from 0 to {rows - 1}")
        if (np.bincount(flat.ravel(), minlength=rows) != self._count).any():
            raise ValueError("the windows added do not cover this cluster map")
        n, origin = self._count[:, None], self._origin.astype(np.float64)
        # sum x = sum d + n o;  sum x^2 = sum d^2 + 2 o sum d + n o^2
        return ClusterStatistics(
            count=self._count.copy(),
            sum=self._sum + n * origin,
            sum_squares=self._sum_squares + origin * (2 * self._sum + n * origin),
            confidence=self._confidence.copy(),
            boundary=count_boundaries(flat, rows - 1),
        )


def count_boundaries(
    cluster_map: NDArray[np.integer], highest_id: int
) -> NDArray[np.int64]:
    """Count 4-neighbour pairs by the two ids; see `ClusterStatistics.boundary`."""
    rows = highest_id + 1
    ids = np.asarray(cluster_map, np.intp)
    pairs = np.zeros(rows * rows, np.int64)
    for one, other in ((ids[:, :-1], ids[:, 1:]), (ids[:-1], ids[1:])):
        pairs += np.bincount((one * rows + other).ravel(), minlength=rows * rows)
    square = pairs.reshape(rows, rows)
    both = square + square.T
    np.fill_diagonal(both, square.diagonal())
    return both


@dataclass(frozen=True, slots=True, eq=False)
class GroupStatistics:
    """Pooled statistics, one row per group in table order.

    Attributes
    ----------
    ids : tuple of int
        Group ids.
    count : ndarray of int64, shape (G,)
    mean, std : ndarray of float64, shape (G, C)
        NaN for a group without pixels.
    confidence : ndarray of float64, shape (G,)
        Mean confidence, or NaN.
    boundary : ndarray of int64, shape (G, G)
        As in `ClusterStatistics`, between groups.
    """

    ids: tuple[int, ...]
    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    confidence: NDArray[np.float64]
    boundary: NDArray[np.int64]


def group_statistics(
    statistics: ClusterStatistics, grouping: Grouping
) -> GroupStatistics:
    """Pool clusters into groups, from the sums alone.

    Raises
    ------
    ValueError
        If the grouping holds a cluster the statistics lack.
    """
    rows = len(statistics.count)
    highest = max(grouping.clusters, default=0)
    if highest >= rows:
        raise ValueError(
            f"cluster {highest} has no statistics, which end at {rows - 1}"
        )
    # Clusters in the order of the groups, each group's from its start on: sums of
    # such runs take a fiftieth of the time of products with a table of members.
    order = [cluster for group in grouping.groups for cluster in group.clusters]
    sizes = [len(group.clusters) for group in grouping.groups]
    starts = np.cumsum([0, *sizes[:-1]]) if sizes else np.zeros(0, np.intp)

    def pooled(rows: NDArray[T]) -> NDArray[T]:
        return np.asarray(np.add.reduceat(rows[order], starts, axis=0))

    count, total = pooled(statistics.count), pooled(statistics.sum)
    boundary = pooled(pooled(statistics.boundary).T)
    # Inside a group, pairs of two of its clusters stood in both halves.
    inner = pooled(statistics.boundary.diagonal())
    np.fill_diagonal(boundary, (boundary.diagonal() + inner) // 2)
    return GroupStatistics(
        grouping.ids,
        count,
        mean_of(count, total),
        std_of(count, total, pooled(statistics.sum_squares)),
        mean_of(count, pooled(statistics.confidence)[:, None])[:, 0],
        boundary,
    )
