"""The cluster maps of a study, and the splits that refine them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_dgc.merging.grouping import MergeError
from napari_dgc.merging.operations import Change
from napari_dgc.merging.splits import Centers, Split
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.merging.steps import Adopt
from napari_dgc.study.grouped import Grouped
from napari_dgc.study.maps import CubeMaps
from napari_dgc.study.moved import Moved

if TYPE_CHECKING:
    from napari_dgc.study.adopting import Refined
    from napari_dgc.study.splitting import Divided

_NOT_APPLIED = "the groups or the maps have changed meanwhile; apply the recipe again"
_ELSE = "the groups or the maps have changed meanwhile; split again"


class Mapped(Grouped):
    """One cluster map per cube, refined by splits.

    `map_changed` carries the index of a cube whose map is new; after a split that is
    taken, undone or redone it comes for every cube, after `grouping_changed`.
    `stability_changed` carries that of one whose stability was measured.
    """

    map_changed = Signal(int)
    stability_changed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._maps = CubeMaps()

    # -- what is shown --------------------------------------------------------

    def cluster_map(self, index: int) -> NDArray[np.uint8] | None:
        """Cluster ids of cube `index`, (H, W) uint8, 0 = no data."""
        return self._maps.clusters(index)

    def group_map(self, index: int) -> NDArray[np.uint8] | None:
        """Label values of cube `index`, (H, W) uint8, 0 = no data."""
        clusters = self.cluster_map(index)
        if clusters is None or self.grouping is None:
            return None
        return np.take(self.grouping.lut(), clusters)

    def statistics(self, index: int) -> ClusterStatistics | None:
        """Statistics per cluster of cube `index`."""
        return self._maps.statistics(index)

    def counts(self, index: int) -> NDArray[np.int64] | None:
        """Pixels per cluster id of cube `index`; None where it has no map."""
        return self._maps.counts(index)

    @property
    def pooled_statistics(self) -> ClusterStatistics | None:
        """Statistics per cluster over all cubes that have some."""
        return self._maps.pooled

    def confidence(self, index: int) -> NDArray[np.uint8] | None:
        """Confidence of cube `index` in 255ths, (H, W) uint8."""
        return self._maps.confidence.get(index)

    def moved(self, index: int) -> Moved | None:
        """Where noise moves pixels of cube `index`; None where nobody measured it."""
        return self._maps.moved.get(index)

    def set_moved(self, index: int, moved: Moved) -> None:
        """Keep what was measured of the map of cube `index`, until it gets another."""
        finest = self._maps.finest.get(index)
        if finest is None or not moved.fits(finest.shape):
            raise ValueError(f"cube {index} has no map of which this was measured")
        self._maps.moved[index] = moved
        self.stability_changed.emit(index)

    # -- what is kept -----------------------------------------------------------

    def finest_map(self, index: int) -> NDArray[np.uint8] | None:
        """The map refined by undone splits too: what a study's file keeps."""
        return self._maps.finest.get(index)

    def finest_statistics(self, index: int) -> ClusterStatistics | None:
        """Statistics of that map's clusters."""
        return self._maps.finest_statistics.get(index)

    # -- splits -----------------------------------------------------------------

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that count, in their order."""
        return () if self.history is None else self.history.splits

    @property
    def splits_on_record(self) -> tuple[Split, ...]:
        """Those and the undone ones: a map that is added is refined by all."""
        steps = () if self.history is None else self.history.steps
        return tuple(step for step in steps if isinstance(step, Split))

    def take_split(self, divided: Divided) -> Change:
        """Take the step of a split that was worked out, with its maps.

        Raises
        ------
        MergeError
            If it cannot be taken, or maps or groups are not those it was worked
            out for; then nothing has changed.
        """
        for index, part in divided.maps.items():
            if self.cluster_map(index) is not part.base:
                raise MergeError(_ELSE)
        if isinstance(divided.split.rule, Centers):
            for index in self._maps.finest.keys() - divided.maps.keys():
                clusters = self.cluster_map(index)
                if clusters is not None and divided.split.cluster in clusters:
                    raise MergeError(_ELSE)  # mapped meanwhile
        history = self._ready_history()
        change = history.do(divided.split)
        self._follow_splits()
        for index, part in divided.maps.items():
            self._maps.refine(index, part.clusters, part.statistics)
        return self._told(change)

    def take_recipe(self, refined: Refined) -> Change:
        """Take the steps of a recipe that was worked out, with its maps.

        Each of its splits is a step, and its groups are the last one.

        Raises
        ------
        MergeError
            If maps or groups are not those it was worked out for; then nothing has
            changed.
        """
        wanted = refined.wanted
        mapped = {i: self.cluster_map(i) for i in self._maps.finest}
        known = {i: one.clusters for i, one in wanted.maps.items()}
        if (
            self.grouping is not wanted.before
            or mapped.keys() != known.keys()
            or any(mapped[i] is not known[i] for i in known)
        ):
            raise MergeError(_NOT_APPLIED)
        history = self._ready_history()
        for split in wanted.splits:
            history.do(split)
        self._follow_splits()
        for index, part in refined.maps.items():
            self._maps.refine(index, part.clusters, part.statistics)
        change = history.do(Adopt(wanted.groups))
        history.reserve(wanted.next_id)
        whole = Change(change.operation, wanted.before, history.current, change.text)
        return self._told(whole, anew=bool(wanted.splits))

    def _told(self, change: Change, *, anew: bool = False) -> Change:
        anew |= self._follow_splits() or isinstance(change.operation, Split)
        super()._told(change)
        if anew:
            for index in sorted(self._maps.finest):
                self.map_changed.emit(index)
        return change

    def _follow_splits(self) -> bool:
        """Show maps and tree by the splits that count; whether they may differ."""
        return self._maps.follow(self.splits_on_record, self.splits)
