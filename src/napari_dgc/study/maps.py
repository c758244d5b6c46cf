"""What segmenting left per cube: a small-integer map and its statistics."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.statistics import ClusterStatistics

_FULL = 255  # a confidence of 1 as it is kept


class CubeMaps:
    """Maps, confidences and statistics by the cube's place in the study."""

    def __init__(self) -> None:
        self.clusters: dict[int, NDArray[np.uint8]] = {}
        self.statistics: dict[int, ClusterStatistics] = {}
        self.confidence: dict[int, NDArray[np.uint8]] = {}
        self._pooled: ClusterStatistics | None = None  # once asked for

    def put(
        self,
        index: int,
        clusters: NDArray[np.uint8],
        statistics: ClusterStatistics | None,
        confidence: NDArray[np.floating] | NDArray[np.uint8] | None,
    ) -> None:
        """Keep a cube's map; what is not given with it is gone."""
        self.discard(index)
        self.clusters[index] = clusters
        if statistics is not None:
            self.statistics[index] = statistics
        if confidence is not None:
            self.confidence[index] = as_bytes(confidence)

    def discard(self, index: int) -> None:
        """Keep nothing of this cube."""
        self._pooled = None
        for by_cube in self._all:
            by_cube.pop(index, None)

    def remove(self, index: int) -> None:
        """Follow the removal of a cube: those after it move up."""
        self.discard(index)
        for by_cube in self._all:
            for i in sorted(i for i in by_cube if i > index):
                by_cube[i - 1] = by_cube.pop(i)

    def clear(self) -> None:
        """Keep nothing."""
        self._pooled = None
        for by_cube in self._all:
            by_cube.clear()

    def counts(self, index: int) -> NDArray[np.int64] | None:
        """Pixels per cluster id, row 0 no data; None where there is no map."""
        if index in self.statistics:
            return self.statistics[index].count
        clusters = self.clusters.get(index)
        return None if clusters is None else np.bincount(clusters.ravel())

    @property
    def pooled(self) -> ClusterStatistics | None:
        """Statistics over all cubes that have some; added up once, not per merge."""
        if self._pooled is None and self.statistics:
            self._pooled = reduce(add, self.statistics.values())
        return self._pooled

    @property
    def _all(self) -> tuple[dict[int, Any], ...]:
        return self.clusters, self.statistics, self.confidence


def as_bytes(
    confidence: NDArray[np.floating] | NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Confidence 0..1 in 255ths, a quarter of the memory; uint8 is taken as it is."""
    if confidence.dtype == np.uint8:
        return confidence.astype(np.uint8, copy=False)
    scaled: NDArray[np.uint8] = np.rint(np.clip(confidence, 0, 1) * _FULL).astype(
        np.uint8
    )
    return scaled
