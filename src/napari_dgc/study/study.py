"""A study: the cubes, model, maps and grouping of one piece of work.

The screen and the command line both drive a `Study`. It is the only thing
that changes in this package; after each change it emits what changed. It
knows no screen, starts no thread and, by itself, reads no pixel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_dgc.cubes.agreement import check_same_bands
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping, Role
from napari_dgc.merging.history import History
from napari_dgc.merging.operations import Change
from napari_dgc.merging.recipe import Recipe
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.merging.steps import (
    Adopt,
    Merge,
    Operation,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeOut,
)
from napari_dgc.merging.tree import ClusterTree, build_tree
from napari_dgc.study.exports import MAP_FORMATS, Export, file_stems

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model


class Study:
    """Cubes, one model, one cluster map per cube and one grouping for all.

    Its signals carry: the tuple of cubes; the new `Model`; the index of a cube
    whose map is new; the `Change` after a step, an undo or a redo, or None where
    the whole history is new.
    """

    cubes_changed = Signal(tuple)
    model_changed = Signal(object)
    map_changed = Signal(int)
    grouping_changed = Signal(object)

    def __init__(self) -> None:
        self._cubes: list[Cube] = []
        self._maps: dict[int, NDArray[np.uint8]] = {}
        self._statistics: dict[int, ClusterStatistics] = {}
        self._model: Model | None = None
        self._tree: ClusterTree | None = None
        self._history: History | None = None

    # -- cubes ------------------------------------------------------------

    @property
    def cubes(self) -> tuple[Cube, ...]:
        """The cubes, in the order they were added."""
        return tuple(self._cubes)

    def add_cubes(self, cubes: Iterable[Cube]) -> None:
        """Add cubes; each must have the bands of those already there.

        Raises
        ------
        InputError
            If a cube has another number of bands, or other wavelengths.
        """
        added = list(cubes)
        if not added:
            return
        check_same_bands([*self._cubes, *added])
        self._cubes.extend(added)
        self.cubes_changed.emit(self.cubes)

    def remove_cube(self, index: int) -> None:
        """Take one cube, its map and its statistics out of the study."""
        del self._cubes[index]
        for by_cube in (self._maps, self._statistics):
            _drop(by_cube, index)
        self.cubes_changed.emit(self.cubes)

    # -- model and maps ---------------------------------------------------

    @property
    def model(self) -> Model | None:
        """The model in use."""
        return self._model

    @property
    def tree(self) -> ClusterTree | None:
        """The tree of the model's clusters."""
        return self._tree

    def accept_model(self, model: Model) -> None:
        """Take a model into use: maps are cleared, each cluster is a group."""
        self._model = model
        ids = model.cluster_ids.tolist()
        self._tree = build_tree(
            model.mean_spectra, model.counts, model.centroids, cluster_ids=ids
        )
        self._maps.clear()
        self._statistics.clear()
        self._history = History(Grouping.start(ids))
        self.model_changed.emit(model)
        self.grouping_changed.emit(None)

    def set_map(
        self,
        index: int,
        clusters: NDArray[np.uint8],
        statistics: ClusterStatistics | None = None,
    ) -> None:
        """Give cube `index` its cluster map (H, W), with its statistics."""
        _, H, W = self._cubes[index].shape
        if clusters.shape != (H, W):
            raise ValueError(
                f"the map of {self._cubes[index].name} is {clusters.shape}, "
                f"its cube {(H, W)}; segment that cube again"
            )
        self._maps[index] = clusters
        if statistics is None:
            self._statistics.pop(index, None)
        else:
            self._statistics[index] = statistics
        self.map_changed.emit(index)

    def cluster_map(self, index: int) -> NDArray[np.uint8] | None:
        """Cluster ids of cube `index`, (H, W) uint8, 0 = no data."""
        return self._maps.get(index)

    def group_map(self, index: int) -> NDArray[np.uint8] | None:
        """Label values of cube `index`, (H, W) uint8, 0 = no data."""
        clusters = self._maps.get(index)
        if clusters is None or self.grouping is None:
            return None
        return np.take(self.grouping.lut(), clusters)

    def statistics(self, index: int) -> ClusterStatistics | None:
        """Statistics per cluster of cube `index`."""
        return self._statistics.get(index)

    @property
    def pooled_statistics(self) -> ClusterStatistics | None:
        """Statistics per cluster over all cubes that have some."""
        if not self._statistics:
            return None
        return reduce(add, self._statistics.values())

    # -- grouping ---------------------------------------------------------

    @property
    def history(self) -> History | None:
        """Every grouping so far, and which one is current."""
        return self._history

    @property
    def grouping(self) -> Grouping | None:
        """The current grouping."""
        return None if self._history is None else self._history.current

    def do(self, operation: Operation) -> Change:
        """Take one step; a refused one raises MergeError and changes nothing."""
        return self._told(self._require_history().do(operation))

    def undo(self) -> Change | None:
        """Take the last step back; None at the start."""
        change = self._require_history().undo()
        return None if change is None else self._told(change)

    def redo(self) -> Change | None:
        """Take the step undone last again; None at the end."""
        change = self._require_history().redo()
        return None if change is None else self._told(change)

    def merge(self, sources: Sequence[int], target: int) -> Change:
        """Put groups into `target`, which keeps its id, name and colour."""
        return self.do(Merge(tuple(sources), target))

    def take_out(self, cluster: int) -> Change:
        """Take one cluster out of its group."""
        return self.do(TakeOut(cluster))

    def rename(self, group: int, name: str) -> Change:
        """Name a group."""
        return self.do(Rename(group, name))

    def recolor(self, group: int, color: tuple[int, int, int]) -> Change:
        """Give a group a colour, 0..255 each."""
        return self.do(Recolor(group, color))

    def set_role(self, group: int, role: Role | None) -> Change:
        """Say what a group is."""
        return self.do(SetRole(group, role))

    def set_lock(self, group: int, locked: bool) -> Change:
        """Protect a group from merging, or free it."""
        return self.do(SetLock(group, locked))

    def cut(self, granularity: int, *, amend: bool = False) -> Change:
        """Cut the tree of clusters so that there are `granularity` groups.

        Parameters
        ----------
        granularity : int
        amend : bool
            Take the place of the last step, which was a cut: a slider on the
            move is one step to undo.
        """
        history = self._require_history()
        if self._tree is None:
            raise RuntimeError("a study with a history has a tree")
        if amend:
            return self._told(history.amend(self._tree.cut(history.base, granularity)))
        return self._told(history.do(self._tree.cut(history.current, granularity)))

    def _told(self, change: Change) -> Change:
        if change.changed:
            self.grouping_changed.emit(change)
        return change

    def _require_model(self) -> Model:
        if self._model is None:
            raise InputError(
                "study", "there is no model yet", "train or load a model first"
            )
        return self._model

    def _require_history(self) -> History:
        if self._history is None:
            raise InputError(
                "study", "there is no model yet", "train or load a model first"
            )
        return self._history

    # -- out --------------------------------------------------------------

    def recipe(self) -> Recipe:
        """The current grouping as a recipe for this model."""
        history, model = self._require_history(), self._require_model()
        prints = model.centroid_fingerprints
        return Recipe.of(history.current, model.fingerprint, prints)

    def apply_recipe(self, path: str | Path) -> Change:
        """Adopt a recipe made for this model, as one step to undo.

        Raises
        ------
        InputError
            If the file is damaged or was made for another model.
        """
        history, model = self._require_history(), self._require_model()
        prints = model.centroid_fingerprints
        grouping = Recipe.read(path).grouping(model.fingerprint, prints)
        return self._told(history.do(Adopt(grouping.groups)))

    def export(
        self,
        folder: str | Path,
        *,
        groups: Sequence[int] = (),
        formats: Sequence[str] = MAP_FORMATS,
    ) -> Export:
        """Prepare writing every group map, and masks of `groups` if given.

        The `Export` writes when it is run, in a worker if need be.
        """
        recipe = self.recipe()
        if not self._maps:
            raise InputError(folder, "there is no map to export", "map a cube first")
        grouping = self._require_history().current
        stems = file_stems([cube.name for cube in self._cubes])
        return Export(
            folder=Path(folder),
            grouping=grouping,
            recipe=recipe,
            maps={stems[i]: self._maps[i] for i in sorted(self._maps)},
            model=self._model,
            groups=tuple(grouping.group(g) for g in groups),
            formats=tuple(formats),
        )


def _drop(by_cube: dict[int, Any], index: int) -> None:
    """Drop one cube's value; those after it move up."""
    by_cube.pop(index, None)
    for i in sorted(i for i in by_cube if i > index):
        by_cube[i - 1] = by_cube.pop(i)
