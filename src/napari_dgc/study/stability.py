"""How far the maps of a study hold under noise, where that was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.refining import fold_lut
from napari_dgc.study.mapping import Progress
from napari_dgc.study.moved import Moved

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study

UNSTABLE = 0.8
"""A group that fewer of its pixels stay in under noise is called unstable."""


_IDS, _FULL = 256, 255


@dataclass(frozen=True, slots=True, eq=False)
class CubeStability:
    """One cube and what noise does to its map.

    Attributes
    ----------
    cube : Cube
    model : Model
        That maps it.
    moved : Moved
    """

    cube: Cube
    model: Model
    moved: Moved


def measure_cubes(
    model: Model, cubes: Sequence[Cube], *, device: str = "auto"
) -> Iterator[Progress | CubeStability]:
    """Measure how far the maps of some cubes hold under noise.

    Parameters
    ----------
    model : Model
        That the maps were made with.
    cubes : sequence of Cube
    device : str
        As in `Config`.

    Yields
    ------
    Progress
        After each piece of work, over all cubes together.
    CubeStability
        As soon as a cube is done.

    Raises
    ------
    InputError
        If a cube cannot be read, or has other bands than the model.
    """
    from napari_dgc.clustering.stability import Stability, measure_stability

    sizes = [cube.shape[1] * cube.shape[2] for cube in cubes]
    for at, cube in enumerate(cubes):
        of = f" ({at + 1} of {len(cubes)})" if len(cubes) > 1 else ""
        for piece in measure_stability(model, cube, device=device):
            if isinstance(piece, Stability):
                yield CubeStability(cube, model, Moved(piece.places, piece.ids))
            else:
                done = (sum(sizes[:at]) + piece * sizes[at]) / sum(sizes)
                yield Progress(f"Stability of {cube.name}{of}", done)


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """What noise does to the pixels of a map, added up.

    Attributes
    ----------
    moved : Moved
    clusters : ndarray of uint8, shape (H, W)
        The map that this was made of, itself.
    transitions : ndarray of int64, shape (R, R)
        Pixels times views, by the map's id (row) and the model's id in a view (column).
    """

    moved: Moved
    clusters: NDArray[np.uint8]
    transitions: NDArray[np.int64]


class MapStability:
    """What was measured of a study's maps, for the clusters and groups of now.

    The study keeps which pixels noise moves between the model's clusters; all else is
    added up from those pixels and from the counts. So a split, an undo or reopening
    the study asks for no new measurement: each part of a split cluster has the share
    of its own pixels.

    Attributes
    ----------
    changed : Signal
        Emitted, without a value, after something was measured or forgotten, or a map
        that was measured was split.
    """

    changed = Signal()

    def __init__(self, study: Study) -> None:
        self._study = study
        self._counted: dict[int, _Counted] = {}
        self._any = False
        for signal in (
            study.stability_changed,
            study.map_changed,
            study.cubes_changed,
            study.model_changed,
        ):
            signal.connect(self._on_maps_changed)

    def put(self, measured: CubeStability) -> bool:
        """Keep a result; False where cube, map or model are gone meanwhile."""
        study = self._study
        for index, cube in enumerate(study.cubes):
            if cube is measured.cube and study.model is measured.model:
                if study.cluster_map(index) is None:
                    return False
                study.set_moved(index, measured.moved)
                return True
        return False

    @property
    def measured(self) -> tuple[int, ...]:
        """Places of the cubes that were measured."""
        every = range(len(self._study.cubes))
        return tuple(i for i in every if self._study.moved(i) is not None)

    @property
    def unmeasured(self) -> tuple[int, ...]:
        """Places of those that have a map and can be measured."""
        study, every = self._study, range(len(self._study.cubes))
        return tuple(
            i
            for i in every
            if study.moved(i) is None
            and study.cluster_map(i) is not None
            and i not in study.missing
        )

    def __len__(self) -> int:
        """How many cubes were measured."""
        return len(self.measured)

    def agreement(self, index: int) -> NDArray[np.uint8] | None:
        """Share of views in which a pixel of cube `index` keeps the model's cluster.

        (H, W), in 255ths; None where it was not measured.
        """
        grouping = self._study.grouping
        if grouping is None:
            return None
        origins = self._origins()
        alone = np.arange(_IDS)[:, None] == np.arange(_IDS)
        return self._agreement(index, alone[origins])

    def group_agreement(
        self, index: int, grouping: Grouping
    ) -> NDArray[np.uint8] | None:
        """Share of views in which a pixel of cube `index` keeps its group.

        (H, W), in 255ths; None where it was not measured. Only the pixels that
        change their cluster are looked at: a step on the groups is followed at once.
        """
        origins, stays = self._origins(), np.zeros((_IDS, _IDS), bool)
        for group in grouping.groups:
            rows = np.array(group.clusters, np.intp)
            stays[np.ix_(rows, np.unique(origins[rows]))] = True
        return self._agreement(index, stays)

    def share(self, clusters: Iterable[int], index: int) -> float | None:
        """Share of a group's pixels in cube `index` that stay in it, 0..1.

        Parameters
        ----------
        clusters : iterable of int
            The group's. A pixel that goes from one of them to another stays.
        index : int

        Returns
        -------
        float or None
            None where it was not measured, or the group has no pixel in it.
        """
        return self._share([index], list(clusters))

    def pooled(self, clusters: Iterable[int]) -> float | None:
        """The same over all cubes that were measured; None where none was."""
        return self._share(self.measured, list(clusters))

    def total(self, index: int, grouping: Grouping) -> tuple[int, int]:
        """Pixels of cube `index` that keep their group, and all; times views."""
        found = self._of(index)
        if found is None:
            return 0, 0
        stay = sum(self._staying(found, list(g.clusters)) for g in grouping.groups)
        return stay, int(found.transitions.sum())

    # -- what is added up ---------------------------------------------------------

    def _agreement(
        self, index: int, stays: NDArray[np.bool_]
    ) -> NDArray[np.uint8] | None:
        """Share of views in which pixels go where `stays` (256, 256) lets them."""
        moved, clusters = self._study.moved(index), self._study.cluster_map(index)
        if moved is None or clusters is None:
            return None
        share = stays[clusters.ravel()[moved.places], moved.ids].mean(axis=0)
        agreement: NDArray[np.uint8] = (clusters > 0) * np.uint8(_FULL)
        agreement.ravel()[moved.places] = np.rint(_FULL * share)
        return agreement

    def _origins(self) -> NDArray[np.uint8]:
        """The model's cluster that each id (256,) comes from."""
        return fold_lut(self._study.splits)

    def _share(self, places: Iterable[int], clusters: list[int]) -> float | None:
        found = [one for i in places if (one := self._of(i)) is not None]
        total = sum(int(one.transitions[_known(clusters, one)].sum()) for one in found)
        return sum(self._staying(o, clusters) for o in found) / total if total else None

    def _staying(self, one: _Counted, clusters: list[int]) -> int:
        rows = np.array(_known(clusters, one), np.intp)
        columns = np.unique(self._origins()[rows]).astype(np.intp)
        return int(one.transitions[np.ix_(rows, columns)].sum())

    def _of(self, index: int) -> _Counted | None:
        moved, clusters = self._study.moved(index), self._study.cluster_map(index)
        if moved is None or clusters is None:
            self._counted.pop(index, None)
            return None
        known = self._counted.get(index)
        if known is None or known.moved is not moved or known.clusters is not clusters:
            known = self._counted[index] = self._count(index, moved, clusters)
        return known

    def _count(self, index: int, moved: Moved, clusters: NDArray[np.uint8]) -> _Counted:
        counts = self._study.counts(index)
        if counts is None:
            counts = np.bincount(clusters.ravel())
        held = clusters.ravel()[moved.places].astype(np.int64)
        highest = max(int(moved.ids.max(initial=0)), int(held.max(initial=0)))
        rows = max(len(counts), 1 + highest)
        pairs = held * rows + moved.ids  # (views, U)
        shape = (rows, rows)
        transitions = np.bincount(pairs.ravel(), minlength=rows * rows).reshape(shape)
        still = np.zeros(rows, np.int64)
        still[: len(counts)] = counts
        still -= np.bincount(held, minlength=rows)[:rows]
        ids = np.arange(rows)
        transitions[ids, self._origins()[:rows]] += moved.views * still
        transitions[0] = 0  # no data
        return _Counted(moved, clusters, transitions)

    def _on_maps_changed(self, *_: object) -> None:
        any_now = bool(self.measured)
        if any_now or self._any:
            self._any = any_now
            self.changed.emit()


def _known(clusters: list[int], one: _Counted) -> list[int]:
    """Those of the clusters that have a row."""
    return [id for id in clusters if id < len(one.transitions)]
