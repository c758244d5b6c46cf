"""A study: the cubes, model, maps and grouping of one piece of work.

The screen and the command line both drive a `Study`. It is the only thing
that changes in this package; after each change it emits what changed. It
knows no screen, starts no thread and, by itself, reads no pixel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping, Role
from napari_dgc.merging.history import History
from napari_dgc.merging.operations import (
    Change,
    Merge,
    Operation,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeOut,
)
from napari_dgc.merging.recipe import Recipe
from napari_dgc.merging.statistics import ClusterStatistics, StatisticsBuilder
from napari_dgc.merging.tree import ClusterTree, build_tree
from napari_dgc.reports.masks import write_label_tiff, write_png

if TYPE_CHECKING:
    from napari_dgc.clustering.inference import Window
    from napari_dgc.clustering.model import Model

MASK_FORMATS = ("tif", "png")


class Study:
    """Cubes, one model, one cluster map per cube and one grouping for all.

    Attributes
    ----------
    cubes_changed : Signal
        Emitted with the tuple of cubes after cubes came or went.
    model_changed : Signal
        Emitted with the new `Model` (or None).
    map_changed : Signal
        Emitted with the index of a cube whose cluster map is new.
    grouping_changed : Signal
        Emitted with the `Change`, after a step, an undo, a redo, or with
        None where the whole history is new.
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
        self._maps = _without(self._maps, index)
        self._statistics = _without(self._statistics, index)
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
        self._tree = build_tree(model.mean_spectra, model.counts, model.centroids)
        self._maps.clear()
        self._statistics.clear()
        self._history = History(Grouping.start(range(1, model.k + 1)))
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

    def do(self, operation: Operation) -> Change | None:
        """Do one step; returns what changed, or None where nothing did.

        Raises
        ------
        MergeError
            If the step is refused; nothing has changed then.
        """
        change = self._require_history().do(operation)
        return self._told(change)

    def undo(self) -> Change | None:
        """Take the last step back; None at the start."""
        return self._told(self._require_history().undo())

    def redo(self) -> Change | None:
        """Do the step taken back last again; None at the end."""
        return self._told(self._require_history().redo())

    def merge(self, sources: Sequence[int], target: int) -> Change | None:
        """Put groups into `target`, which keeps its id, name and colour."""
        return self.do(Merge(tuple(sources), target))

    def take_out(self, cluster: int) -> Change | None:
        """Take one cluster out of its group."""
        return self.do(TakeOut(cluster))

    def rename(self, group: int, name: str) -> Change | None:
        """Name a group."""
        return self.do(Rename(group, name))

    def recolor(self, group: int, color: tuple[int, int, int]) -> Change | None:
        """Give a group a colour, 0..255 each."""
        return self.do(Recolor(group, color))

    def set_role(self, group: int, role: Role | None) -> Change | None:
        """Say what a group is."""
        return self.do(SetRole(group, role))

    def set_lock(self, group: int, locked: bool) -> Change | None:
        """Protect a group from merging, or free it."""
        return self.do(SetLock(group, locked))

    def cut(self, granularity: int) -> Change | None:
        """Cut the tree of clusters at `granularity` groups."""
        history = self._require_history()
        if self._tree is None:
            raise RuntimeError("a study with a history has a tree")
        return self.do(self._tree.cut(history.current, granularity))

    def _told(self, change: Change | None) -> Change | None:
        if change is not None:
            self.grouping_changed.emit(change)
        return change

    def _require_history(self) -> History:
        if self._history is None:
            raise InputError(
                "study", "there is no model yet", "train or load a model first"
            )
        return self._history

    # -- out --------------------------------------------------------------

    def recipe(self) -> Recipe:
        """The current grouping as a recipe for this model."""
        history = self._require_history()
        if self._model is None:
            raise RuntimeError("a study with a history has a model")
        return Recipe.of(
            history.current, self._model.fingerprint, self._model.centroid_fingerprints
        )

    def apply_recipe(self, path: Path) -> None:
        """Start a new history from a recipe made for this model.

        Raises
        ------
        InputError
            If the file is damaged or was made for another model.
        """
        self._require_history()
        if self._model is None:
            raise RuntimeError("a study with a history has a model")
        grouping = Recipe.load(path).grouping(
            self._model.fingerprint, self._model.centroid_fingerprints
        )
        self._history = History(grouping)
        self.grouping_changed.emit(None)

    def export(
        self,
        folder: Path,
        *,
        formats: Sequence[str] = MASK_FORMATS,
        groups: Sequence[int] = (),
        force: bool = False,
    ) -> list[Path]:
        """Write the group map of every cube that has one, and the recipe.

        Parameters
        ----------
        folder : pathlib.Path
            Created if missing. Gets ``<name>_groups.tif`` (uint8 label
            values), ``<name>_groups.png`` (the colours on screen) per cube
            and ``recipe.json``.
        formats : sequence of {"tif", "png"}
            Which of them.
        groups : sequence of int
            If given, also ``<name>_mask.*`` of the pixels in these groups
            (1, the rest 0).
        force : bool
            Overwrite existing files.

        Returns
        -------
        list of pathlib.Path

        Raises
        ------
        InputError
            If a file exists (nothing is written then) or there is no map.
        """
        grouping = self._require_history().current
        if not self._maps:
            raise InputError(
                folder, "there is no cluster map to export", "segment a cube first"
            )
        chosen = [grouping.group(g) for g in groups]
        values = [group.value for group in chosen]
        colors = {group.value: group.color for group in grouping.groups}
        mask_color = {1: chosen[0].color} if chosen else {}
        jobs: list[tuple[Path, NDArray[np.uint8], Mapping[int, tuple[int, int, int]]]]
        jobs = []
        for index in sorted(self._maps):
            stem = self._export_stem(index)
            labels = np.take(grouping.lut(), self._maps[index])
            for suffix in formats:
                jobs.append((folder / f"{stem}_groups.{suffix}", labels, colors))
                if chosen:
                    mask = np.isin(labels, values).astype(np.uint8)
                    jobs.append((folder / f"{stem}_mask.{suffix}", mask, mask_color))
        recipe_path = folder / "recipe.json"
        paths = [*(path for path, _, _ in jobs), recipe_path]
        if not force:
            refuse_existing(paths)
        folder.mkdir(parents=True, exist_ok=True)
        for path, labels, palette in jobs:
            if path.suffix == ".tif":
                write_label_tiff(path, labels, force=True)
            else:
                write_png(path, labels, palette, force=True)
        self.recipe().save(recipe_path, force=True)
        return paths
