"""A study: the cubes, model, maps and grouping of one piece of work.

The screen and the command line both drive a `Study`. It is the only thing
that changes in this package; after each change it emits what changed. It
knows no screen, starts no thread and, by itself, reads no pixel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_dgc.cubes.agreement import check_same_bands
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.operations import Change
from napari_dgc.merging.recipe import Recipe
from napari_dgc.merging.refining import fold_lut, fold_statistics
from napari_dgc.merging.splits import Split
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.study.adopting import Refined, Wanted, refine_maps
from napari_dgc.study.exports import DEFAULT_FORMATS, Export
from napari_dgc.study.grouped import tree_of
from napari_dgc.study.leafed import Leafed
from napari_dgc.study.storing.locating import check_fits
from napari_dgc.study.storing.reference import CubeReference, missing_reference
from napari_dgc.study.storing.writer import StudyWriter

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.storing.loading import LoadedStudy


class Study(Leafed):
    """Cubes, one model, one cluster map per cube and one grouping for all.

    Its signals carry: the tuple of cubes; the new `Model`; the index of a cube
    whose map is new; the `Change` after a step, an undo or a redo, or None where
    the whole history is new; the new `View`; the path of its file or None.
    """

    cubes_changed = Signal(tuple)
    path_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._cubes: list[Cube] = []
        self._path: Path | None = None
        self.writer = StudyWriter()
        self.adopting = False

    # -- its file -----------------------------------------------------------

    @property
    def path(self) -> Path | None:
        """Its file; None if it was never saved."""
        return self._path

    @path.setter
    def path(self, path: Path | None) -> None:
        if path != self._path:
            self._path = path
            self.path_changed.emit(path)

    def adopt(self, loaded: LoadedStudy) -> None:
        """Become the study that was read from a file; what was here is gone.

        Emits each of `path_changed`, `cubes_changed`, `model_changed`, `map_changed`
        per map, `grouping_changed(None)`, `leaves_changed` and `view_changed`, in this
        order, when all is in place; those of model and grouping only where there is a
        model, or was one (None, then).
        """
        self.adopting = True  # until what follows has been told in full
        with_model = loaded.model is not None or self._model is not None
        try:
            self._cubes = list(loaded.cubes)
            self._maps.clear()
            for index, clusters in loaded.maps.items():
                statistics = loaded.statistics.get(index)
                confidence = loaded.confidence.get(index)
                self._maps.put(index, clusters, statistics, confidence)
            self._maps.moved.update(loaded.stability)
            self._view, self._model = loaded.view, loaded.model
            self._leaves = loaded.leaves
            self.writer = loaded.writer
            self._history = loaded.history
            self._taking = loaded.taking
            self._earlier[:] = reversed(loaded.earlier)
            self._later[:] = reversed(loaded.later)
            self._tip = () if loaded.history is None else loaded.history.steps
            self._tree = None if loaded.model is None else tree_of(loaded.model)
            self._follow_splits()
            self.path = loaded.path
            self.cubes_changed.emit(self.cubes)
            if with_model:
                self.model_changed.emit(loaded.model)
            for index in loaded.maps:
                self.map_changed.emit(index)
            if with_model:
                self.grouping_changed.emit(None)
            self.leaves_changed.emit(loaded.leaves)
        finally:
            self.adopting = False
        # Whoever heard of new cubes may have shown the first one meanwhile.
        self._view = loaded.view
        self.view_changed.emit(loaded.view)

    @property
    def missing(self) -> dict[int, CubeReference]:
        """Cubes whose file was not found, by place.

        They are among `cubes` and keep their maps, but reading their pixels raises
        InputError.
        """
        found = ((i, missing_reference(cube)) for i, cube in enumerate(self._cubes))
        return {i: reference for i, reference in found if reference is not None}

    def locate(self, index: int, cube: Cube) -> None:
        """Put the cube that was found in the place of a missing one.

        Emits `cubes_changed`.

        Raises
        ------
        InputError
            If its shape or its bands are not those of the missing one.
        """
        reference = self.missing[index]
        check_fits(reference, cube)
        others = [c for i, c in enumerate(self._cubes) if i not in self.missing]
        check_same_bands([*others, cube])
        self._cubes[index] = replace(cube, name=reference.name)
        self.cubes_changed.emit(self.cubes)

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
        before = [cube.name for cube in self._cubes]
        del self._cubes[index]
        for maps in (self._maps, *(one.maps for one in self._earlier + self._later)):
            maps.remove(index)
        self._lose_leaves(before, index)
        self.set_view(self._view.without_cube(index))
        self.cubes_changed.emit(self.cubes)

    def prepare(
        self,
        cubes: Mapping[int, Cube],
        statistics: Mapping[int, ClusterStatistics] = MappingProxyType({}),
    ) -> None:
        """Put the same cubes, prepared otherwise, in the place of those here.

        With the `statistics` of the finest maps over the spectra as they are now. Maps
        and groups stay. Emits `cubes_changed`, then `map_changed` per map.
        """
        for index, cube in cubes.items():
            if cube.shape != self._cubes[index].shape:
                raise ValueError(f"{cube.name} is another cube than the one prepared")
            self._cubes[index] = cube
        for index, sums in statistics.items():
            self._maps.recount(index, sums)
        self.cubes_changed.emit(self.cubes)
        for index in sorted(cubes):
            if self.finest_map(index) is not None:
                self.map_changed.emit(index)

    # -- model and maps ---------------------------------------------------

    def set_map(
        self,
        index: int,
        clusters: NDArray[np.uint8],
        statistics: ClusterStatistics | None = None,
        confidence: NDArray[np.floating] | NDArray[np.uint8] | None = None,
        *,
        splits: Sequence[Split] = (),
    ) -> None:
        """Give cube `index` its cluster map, statistics and confidence, (H, W).

        `splits` are those by which the map is refined; the ones that are not on
        record any more are taken back in it.
        """
        _, H, W = self._cubes[index].shape
        if clusters.shape != (H, W):
            raise ValueError(
                f"the map of {self._cubes[index].name} is {clusters.shape}, "
                f"its cube {(H, W)}; segment that cube again"
            )
        gone = [split for split in splits if split not in self.splits_on_record]
        if gone:
            clusters = np.take(fold_lut(gone), clusters)
            if statistics is not None:
                statistics = fold_statistics(statistics, fold_lut(gone))
        self._maps.put(index, clusters, statistics, confidence)
        self.map_changed.emit(index)

    # -- out --------------------------------------------------------------

    def _require_model(self) -> Model:
        if self._model is None:
            raise InputError(
                "study", "there is no model yet", "train or load a model first"
            )
        return self._model

    def recipe(self) -> Recipe:
        """The current grouping as a recipe for this model."""
        history, model = self._require_history(), self._require_model()
        prints = model.centroid_fingerprints
        splits = history.splits
        return Recipe.of(history.current, model.fingerprint, prints, splits)

    def apply_recipe(self, path: str | Path) -> Change:
        """Adopt a recipe made for this model; its splits refine the maps first.

        Each split is a step to undo, and its groups are one. It blocks where there is
        something to split: the screen lets a worker do that, by `refine_maps`.

        Raises
        ------
        InputError
            If the file is damaged or was made for another model, or if it and this
            study split clusters in different ways; if a cube cannot be read.
        """
        self._ready_history()
        recipe = Recipe.read(path)
        *_, refined = refine_maps(Wanted.of(self, recipe))
        if not isinstance(refined, Refined):
            raise RuntimeError("a recipe was not worked out")
        return self.take_recipe(refined)

    def export(
        self,
        folder: str | Path,
        *,
        groups: Sequence[int] = (),
        formats: Sequence[str] = DEFAULT_FORMATS,
    ) -> Export:
        """Prepare writing every group map, and masks of `groups` if given.

        The `Export` writes when it is run, in a worker if need be.
        """
        return Export.of(self, folder, groups, formats)
