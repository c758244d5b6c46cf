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
from napari_dgc.study.mapping import Progress

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study

UNSTABLE = 0.8
"""A group that fewer of its pixels stay in under noise is called unstable."""


_IDS, _FULL = 256, 255


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredCube:
    """One map and how far it holds.

    Attributes
    ----------
    clusters : ndarray of uint8, shape (H, W)
        The map that was measured, itself: it says which cube this is of.
    agreement : ndarray of uint8, shape (H, W)
        Share of noisy views in which a pixel keeps its cluster, in 255ths.
    transitions : ndarray of int64, shape (256, 256)
        Pixels times views, by the map's id (row) and the id in a view (column).
    origins : ndarray of uint8, shape (256,)
        The model's cluster that each of the map's ids comes from; 0 for none.
    places : ndarray of int64, shape (U,)
        The pixels that do not keep their cluster in all views, as row * W + column.
    ids : ndarray of uint8, shape (views, U)
        The model's ids of those pixels in each view.
    """

    clusters: NDArray[np.uint8]
    agreement: NDArray[np.uint8]
    transitions: NDArray[np.int64]
    origins: NDArray[np.uint8]
    places: NDArray[np.int64]
    ids: NDArray[np.uint8]

    def staying(self, clusters: Iterable[int]) -> int:
        """Pixels of a group, times views, that noise leaves in it."""
        rows = np.array(list(clusters), np.intp)
        origins = np.unique(self.origins[rows])
        return int(self.transitions[np.ix_(rows, origins[origins > 0])].sum())


def measure_cube(
    model: Model, cube: Cube, clusters: NDArray[np.uint8], *, device: str = "auto"
) -> Iterator[Progress | MeasuredCube]:
    """Measure how far a cube's map holds under noise.

    Parameters
    ----------
    model : Model
        That the map was made with.
    cube : Cube
    clusters : ndarray of uint8, shape (H, W)
        The cube's map, which is handed on with the result. If clusters were split
        since, each part has the stability of the model's cluster it comes from.
    device : str
        As in `Config`.

    Yields
    ------
    Progress
        After each piece of work.
    MeasuredCube
        Last.
    """
    from napari_dgc.clustering.stability import Stability, measure_stability

    for piece in measure_stability(model, cube, clusters, device=device):
        if isinstance(piece, Stability):
            yield MeasuredCube(
                clusters,
                piece.agreement,
                piece.transitions,
                piece.origins,
                piece.places,
                piece.ids,
            )
        else:
            yield Progress(f"Stability of {cube.name}", piece)


class MapStability:
    """What was measured of a study's maps; forgotten where a map is another.

    Attributes
    ----------
    changed : Signal
        Emitted, without a value, after something was measured or forgotten.
    """

    changed = Signal()

    def __init__(self, study: Study) -> None:
        self._study = study
        self._measured: list[MeasuredCube] = []
        study.map_changed.connect(self._on_maps_changed)
        study.cubes_changed.connect(self._on_maps_changed)
        study.model_changed.connect(self._on_maps_changed)

    def put(self, measured: MeasuredCube) -> bool:
        """Keep a result; False where its map is no longer in the study."""
        if self._place(measured) is None:
            return False
        clusters = measured.clusters
        self._measured = [m for m in self._measured if m.clusters is not clusters]
        self._measured.append(measured)
        self.changed.emit()
        return True

    def agreement(self, index: int) -> NDArray[np.uint8] | None:
        """Share of views in which a pixel of cube `index` keeps its cluster.

        (H, W), in 255ths; None where it was not measured.
        """
        found = self._of(index)
        return None if found is None else found.agreement

    def group_agreement(
        self, index: int, grouping: Grouping
    ) -> NDArray[np.uint8] | None:
        """Share of views in which a pixel of cube `index` keeps its group.

        (H, W), in 255ths; None where it was not measured. Only the pixels that
        change their cluster are looked at: a step on the groups is followed at once.
        """
        found = self._of(index)
        if found is None:
            return None
        stays = np.zeros((_IDS, _IDS), bool)
        for group in grouping.groups:
            rows = np.array(group.clusters, np.intp)
            stays[np.ix_(rows, np.unique(found.origins[rows]))] = True
        stays[:, 0] = False
        held = found.clusters.ravel()[found.places]
        share = stays[held, found.ids].mean(axis=0)
        agreement = np.where(found.clusters > 0, np.uint8(_FULL), np.uint8(0))
        agreement.ravel()[found.places] = np.rint(_FULL * share)
        return agreement

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
        found = self._of(index)
        return None if found is None else _share([found], list(clusters))

    def pooled(self, clusters: Iterable[int]) -> float | None:
        """The same over all cubes that were measured; None where none was."""
        return _share(self._measured, list(clusters))

    def __len__(self) -> int:
        """How many cubes were measured."""
        return len(self._measured)

    def _of(self, index: int) -> MeasuredCube | None:
        return next((m for m in self._measured if self._place(m) == index), None)

    def _place(self, measured: MeasuredCube) -> int | None:
        """Index of the cube that has this very map."""
        study = self._study
        places = range(len(study.cubes))
        return next(
            (i for i in places if study.cluster_map(i) is measured.clusters), None
        )

    def _on_maps_changed(self, *_: object) -> None:
        left = [one for one in self._measured if self._place(one) is not None]
        if len(left) < len(self._measured):
            self._measured = left
            self.changed.emit()


def _share(measured: Sequence[MeasuredCube], clusters: list[int]) -> float | None:
    """Share of the clusters' pixels that noise leaves among them."""
    total = sum(int(one.transitions[clusters].sum()) for one in measured)
    return sum(one.staying(clusters) for one in measured) / total if total else None
