"""Sufficient statistics: all that merging ever needs of the pixels.

Count, sum and sum of squares add up: over windows, over cubes, over the clusters
of a group. So a mean spectrum, a spread or a percentage of a group costs K rows,
for one cube as for a hundred.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.files import write_whole
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.palette import MAX_CLUSTER

_PIXELS_PER_CHUNK = 4096  # 301 bands of float32: 5 MB, stays in the cache
_FIELDS = ("count", "sum", "sum_squares", "confidence", "boundary")
_DTYPES = (np.int64, np.float64, np.float64, np.float64, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ClusterStatistics:
    """Sums over pixels by cluster; row 0 is "no data" and holds no spectrum.

    Attributes
    ----------
    count : ndarray of int64, shape (K + 1,)
        Pixels.
    sum, sum_squares : ndarray of float64, shape (K + 1, C)
        Of the spectra, band by band, in the cube's units (and squared).
    confidence : ndarray of float64, shape (K + 1,)
        Sum of the pixels' confidence.
    boundary : ndarray of int64, shape (K + 1, K + 1)
        Pairs of pixels side by side or one above the other with these two
        ids; symmetric, each pair within one cluster counted once.
    """

    count: NDArray[np.int64]
    sum: NDArray[np.float64]
    sum_squares: NDArray[np.float64]
    confidence: NDArray[np.float64]
    boundary: NDArray[np.int64]

    @property
    def k(self) -> int:
        """Number of clusters K."""
        return len(self.count) - 1

    def mean(self) -> NDArray[np.float64]:
        """Mean spectra, (K + 1, C); NaN where there is no pixel."""
        return _mean(self.count, self.sum)

    def std(self) -> NDArray[np.float64]:
        """Standard deviations over pixels (not over n - 1), (K + 1, C), or NaN."""
        return _std(self.count, self.sum, self.sum_squares)

    def __add__(self, other: ClusterStatistics) -> ClusterStatistics:
        """Pool two cubes of the same model.

        Raises
        ------
        ValueError
            If they have not the same numbers of clusters and bands.
        """
        if self.sum.shape != other.sum.shape:
            raise ValueError(
                f"statistics of {self.sum.shape} and {other.sum.shape} (clusters + 1, "
                "bands) do not add up; both must come from one model"
            )
        return ClusterStatistics(
            self.count + other.count,
            self.sum + other.sum,
            self.sum_squares + other.sum_squares,
            self.confidence + other.confidence,
            self.boundary + other.boundary,
        )

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write an .npz file, whole or not at all.

        Raises
        ------
        InputError
            If the file exists and `force` is False, or cannot be written.
        """
        arrays = {name: getattr(self, name) for name in _FIELDS}
        write_whole(Path(path), lambda file: np.savez(file, **arrays), force=force)

    @classmethod
    def load(cls, path: str | Path) -> ClusterStatistics:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        InputError
            If the file is missing, damaged or something else.
        """
        try:
            with np.load(Path(path), allow_pickle=False) as archive:
                arrays = [np.asarray(archive[name]) for name in _FIELDS]
            rows, bands = arrays[1].shape
            shapes = [(rows,), (rows, bands), (rows, bands), (rows,), (rows, rows)]
            for array, shape, dtype in zip(arrays, shapes, _DTYPES, strict=True):
                if array.shape != shape or array.dtype != dtype:
                    raise ValueError(f"{array.dtype} of {array.shape} in it")
        except FileNotFoundError as error:
            raise InputError(path, "is not there", "check the path") from error
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile,
                AttributeError, TypeError, NotImplementedError) as error:  # fmt: skip
            raise InputError(
                path,
                f"holds no cluster statistics or is damaged ({error})",
                "segment the cube again to renew it",
            ) from error
        return cls(*arrays)


class StatisticsBuilder:
    """Gather the statistics of one cube, window by window.

    Parameters
    ----------
    k : int
        Number of clusters, 1..255.
    bands : int
        Number of bands C.

    Notes
    -----
    Each chunk of pixels is multiplied by its one-hot assignments: two matrix
    products in float32, added up in float64. Before that, each cluster's first
    mean is taken off its pixels, so that squares are of deviations and float32
    loses nothing to a large mean; it is put back exactly in the end.
    """

    def __init__(self, k: int, bands: int) -> None:
        if not 1 <= k <= MAX_CLUSTER or bands < 1:
            raise ValueError(
                f"{k} clusters and {bands} bands will not do; "
                f"give 1 to {MAX_CLUSTER} clusters and at least one band"
            )
        self._count = np.zeros(k + 1, np.int64)
        self._confidence = np.zeros(k + 1)
        self._seen = np.zeros(k + 1, bool)
        # Bands first, as the windows come. Sums are of deviations from `_origin`.
        self._origin = np.zeros((bands, k + 1), np.float32)
        self._sum = np.zeros((bands, k + 1))
        self._sum_squares = np.zeros((bands, k + 1))

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
            Cluster ids, 0..K. Pixels of id 0 are counted but not summed, and
            their spectra may hold anything.
        confidence : ndarray of float, shape (h, w)
        spectra : ndarray of float, shape (C, h, w)
            Read as float32.

        Raises
        ------
        ValueError
            If shapes do not fit or an id is beyond K.
        """
        bands, rows = self._sum.shape
        if spectra.shape != (bands, *ids.shape) or confidence.shape != ids.shape:
            raise ValueError(
                f"ids {ids.shape}, confidence {confidence.shape} and spectra "
                f"{spectra.shape} do not fit together and {bands} bands"
            )
        flat = np.asarray(ids, np.intp).ravel()
        if flat.size and not 0 <= flat.min() <= flat.max() < rows:
            raise ValueError(f"cluster ids go from 0 to {rows - 1} here")
        self._count += np.bincount(flat, minlength=rows)
        weights = np.where(flat > 0, np.ravel(confidence), 0)
        self._confidence += np.bincount(flat, weights, minlength=rows)
        pixels = spectra.reshape(bands, -1)
        for start in range(0, flat.size, _PIXELS_PER_CHUNK):
            chunk = slice(start, start + _PIXELS_PER_CHUNK)
            self._add_chunk(flat[chunk], pixels[:, chunk])

    def _add_chunk(self, ids: NDArray[np.intp], spectra: NDArray[np.floating]) -> None:
        valid = ids > 0
        if not valid.all():
            ids, spectra = ids[valid], spectra[:, valid]
        present, column = np.unique(ids, return_inverse=True)
        if not present.size:
            return
        one_hot = np.zeros((ids.size, present.size), np.float32)
        one_hot[np.arange(ids.size), column] = 1
        values = np.asarray(spectra, np.float32)
        new = ~self._seen[present]
        if new.any():
            means = values @ one_hot / one_hot.sum(axis=0)
            self._origin[:, present[new]] = means[:, new]
            self._seen[present] = True
        values = values - self._origin[:, ids]
        self._sum[:, present] += values @ one_hot
        self._sum_squares[:, present] += np.square(values, out=values) @ one_hot

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
        n, origin = self._count, self._origin.astype(np.float64)
        # sum x = sum d + n o;  sum x^2 = sum d^2 + 2 o sum d + n o^2
        total = self._sum + n * origin
        squares = self._sum_squares + origin * (2 * self._sum + n * origin)
        return ClusterStatistics(
            n.copy(), total.T.copy(), squares.T.copy(), self._confidence.copy(),
            count_boundaries(flat, rows - 1),
        )  # fmt: skip


def count_boundaries(cluster_map: NDArray[np.integer], k: int) -> NDArray[np.int64]:
    """Count 4-neighbour pairs by the two ids, (K + 1, K + 1); see the class."""
    rows = k + 1
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
    if max(grouping.clusters, default=0) > statistics.k:
        raise ValueError(
            f"cluster {max(grouping.clusters)} has no statistics (K = {statistics.k})"
        )
    member = np.zeros((len(grouping.groups), statistics.k + 1), np.int64)
    for row, group in enumerate(grouping.groups):
        member[row, list(group.clusters)] = 1
    count, total = member @ statistics.count, member @ statistics.sum
    boundary = member @ statistics.boundary @ member.T
    # Inside a group, pairs of two of its clusters stood in both halves.
    inner = np.diagonal(member @ np.diag(statistics.boundary.diagonal()) @ member.T)
    np.fill_diagonal(boundary, (boundary.diagonal() + inner) // 2)
    return GroupStatistics(
        grouping.ids,
        count,
        _mean(count, total),
        _std(count, total, member @ statistics.sum_squares),
        _mean(count, (member @ statistics.confidence)[:, None])[:, 0],
        boundary,
    )


def _mean(count: NDArray[np.int64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    n = np.where(count > 0, count, np.nan)[:, None]
    return np.asarray(total / n)


def _std(
    count: NDArray[np.int64],
    total: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> NDArray[np.float64]:
    variance = _mean(count, squares) - np.square(_mean(count, total))
    return np.sqrt(np.maximum(variance, 0))  # rounding may leave a hair below 0
