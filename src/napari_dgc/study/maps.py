"""What segmenting left per cube: a small-integer map and its statistics.

Splits refine a map, and taking one back makes it coarse again. So the finest map is
kept, refined by every split on record, and what is shown is a look-up in it: no undo
and no redo reads a pixel of a cube, nor does reopening a study.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.refining import fold_lut, fold_statistics
from napari_dgc.merging.splits import Split
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.study.moved import Moved

_FULL = 255  # a confidence of 1 as it is kept


class CubeMaps:
    """Maps, confidences and statistics by the cube's place in the study.

    Attributes
    ----------
    finest : dict of int to ndarray of uint8, shape (H, W)
        Refined by every split on record, those undone too; what is saved.
    finest_statistics : dict of int to ClusterStatistics
    confidence : dict of int to ndarray of uint8, shape (H, W)
    moved : dict of int to Moved
        Where noise moves pixels of the map, if that was measured.
    splits : tuple of Split
        Those on record, in their order.
    """

    def __init__(self) -> None:
        self.finest: dict[int, NDArray[np.uint8]] = {}
        self.finest_statistics: dict[int, ClusterStatistics] = {}
        self.confidence: dict[int, NDArray[np.uint8]] = {}
        self.moved: dict[int, Moved] = {}
        self.splits: tuple[Split, ...] = ()
        self._undone: tuple[Split, ...] = ()
        # As shown, where splits are undone; made when asked for.
        self._folded: dict[int, NDArray[np.uint8]] = {}
        self._folded_statistics: dict[int, ClusterStatistics] = {}
        self._pooled: ClusterStatistics | None = None  # once asked for

    # -- what is shown --------------------------------------------------------

    def clusters(self, index: int) -> NDArray[np.uint8] | None:
        """The map as the splits that count make it; None where there is none."""
        finest = self.finest.get(index)
        if finest is None or not self._undone:
            return finest
        if index not in self._folded:
            self._folded[index] = np.take(fold_lut(self._undone), finest)
        return self._folded[index]

    def statistics(self, index: int) -> ClusterStatistics | None:
        """Sums over that map's clusters, a row for each; None where there are none."""
        finest = self.finest_statistics.get(index)
        if finest is None or not self.splits:
            return finest
        if index not in self._folded_statistics:
            rows = 1 + max(max(split.ids) for split in self.splits)
            sums = finest.grown(rows)
            if self._undone:
                sums = fold_statistics(sums, fold_lut(self._undone))
            self._folded_statistics[index] = sums
        return self._folded_statistics[index]

    def counts(self, index: int) -> NDArray[np.int64] | None:
        """Pixels per cluster id, row 0 no data; None where there is no map."""
        statistics, clusters = self.statistics(index), self.clusters(index)
        if statistics is not None:
            return statistics.count
        return None if clusters is None else np.bincount(clusters.ravel())

    @property
    def pooled(self) -> ClusterStatistics | None:
        """Statistics over all cubes that have some; added up once, not per merge."""
        found = [s for i in self.finest_statistics if (s := self.statistics(i))]
        if self._pooled is None and found:
            rows = max(len(one.count) for one in found)
            self._pooled = reduce(add, (one.grown(rows) for one in found))
        return self._pooled

    # -- what changes -----------------------------------------------------------

    def put(
        self,
        index: int,
        clusters: NDArray[np.uint8],
        statistics: ClusterStatistics | None,
        confidence: NDArray[np.floating] | NDArray[np.uint8] | None,
    ) -> None:
        """Keep a cube's map; what is not given with it is gone.

        The map is refined by the splits on record, or holds no pixel of their
        parts.
        """
        self.discard(index)
        self.finest[index] = clusters
        if statistics is not None:
            self.finest_statistics[index] = statistics
        if confidence is not None:
            self.confidence[index] = as_bytes(confidence)

    def refine(
        self,
        index: int,
        clusters: NDArray[np.uint8],
        statistics: ClusterStatistics | None,
    ) -> None:
        """Put a refined map and its sums in place of a cube's."""
        moved = self.moved.get(index)
        self.put(index, clusters, statistics, self.confidence.get(index))
        if moved is not None:
            self.moved[index] = moved

    def recount(self, index: int, statistics: ClusterStatistics) -> None:
        """Put sums over other spectra of the same map in place of a cube's."""
        self.finest_statistics[index] = statistics
        self._folded_statistics.pop(index, None)
        self._pooled = None

    def follow(self, on_record: Sequence[Split], counting: Sequence[Split]) -> bool:
        """Show the maps by the splits that count; whether they may differ now.

        Parameters
        ----------
        on_record : sequence of Split
            Those undone included; maps forget the others for good.
        counting : sequence of Split
            The first ones of them.
        """
        undone = tuple(on_record[len(counting) :])
        gone = [split for split in self.splits if split not in on_record]
        if gone:
            lut = fold_lut(gone)
            for index, finest in self.finest.items():
                self.finest[index] = np.take(lut, finest)
            for index, sums in self.finest_statistics.items():
                self.finest_statistics[index] = fold_statistics(
                    sums.grown(int(lut[: len(sums.count)].max(initial=0)) + 1), lut
                )
        changed = tuple(on_record) != self.splits or undone != self._undone
        self.splits = tuple(on_record)
        if changed:
            self._undone = undone
            self._forget_shown()
        return changed

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
        for by_cube in self._all:
            by_cube.clear()
        self.splits = self._undone = ()
        self._pooled = None

    @property
    def nbytes(self) -> int:
        """Bytes of what is kept of every cube's pixels."""
        kept = (self.finest, self.confidence)
        return sum(one.nbytes for by_cube in kept for one in by_cube.values())

    def _forget_shown(self) -> None:
        self._folded.clear()
        self._folded_statistics.clear()
        self._pooled = None

    @property
    def _all(self) -> tuple[dict[int, Any], ...]:
        return (
            self.finest,
            self.finest_statistics,
            self.confidence,
            self.moved,
            self._folded,
            self._folded_statistics,
        )


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
