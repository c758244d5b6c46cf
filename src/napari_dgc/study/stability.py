"""How far the maps of a study hold under noise, where that was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_dgc.cubes.cube import Cube
from napari_dgc.study.mapping import Progress

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study

UNSTABLE = 0.8
"""A group whose pixels keep their cluster more rarely is called unstable."""

_IDS = 256


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredCube:
    """One map and how far it holds.

    Attributes
    ----------
    clusters : ndarray of uint8, shape (H, W)
        The map that was measured, itself: it says which cube this is of.
    agreement : ndarray of uint8, shape (H, W)
        Share of noisy views in which a pixel keeps its cluster, in 255ths.
    """

    clusters: NDArray[np.uint8]
    agreement: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Pixels per cluster id, and the sum of their shares of kept views."""

    count: NDArray[np.int64]
    kept: NDArray[np.float64]

    def share(self, clusters: Iterable[int]) -> float | None:
        """Mean over the clusters' pixels, 0..1; None without a pixel."""
        ids = list(clusters)
        count = int(self.count[ids].sum())
        return float(self.kept[ids].sum()) / count if count else None


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

    for piece in measure_stability(model, cube, device=device):
        if isinstance(piece, Stability):
            yield MeasuredCube(clusters, piece.agreement)
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
        self._measured: list[tuple[MeasuredCube, _Sums]] = []
        study.map_changed.connect(self._on_maps_changed)
        study.cubes_changed.connect(self._on_maps_changed)
        study.model_changed.connect(self._on_maps_changed)

    def put(self, measured: MeasuredCube) -> bool:
        """Keep a result; False where its map is no longer in the study."""
        if self._place(measured) is None:
            return False
        self._measured = [
            (old, sums)
            for old, sums in self._measured
            if old.clusters is not measured.clusters
        ]
        ids = measured.clusters.ravel()
        shares = measured.agreement.ravel() / np.float64(255)
        count = np.bincount(ids, minlength=_IDS)
        kept = np.bincount(ids, shares, minlength=_IDS).astype(np.float64)
        count[0] = 0  # no data
        kept[0] = 0
        self._measured.append((measured, _Sums(count, kept)))
        self.changed.emit()
        return True

    def agreement(self, index: int) -> NDArray[np.uint8] | None:
        """Share of views in which a pixel of cube `index` keeps its cluster.

        (H, W), in 255ths; None where it was not measured.
        """
        found = self._of(index)
        return None if found is None else found[0].agreement

    def share(self, clusters: Iterable[int], index: int) -> float | None:
        """Mean over the clusters' pixels in cube `index`, 0..1.

        None where it was not measured, or they have no pixel in it.
        """
        found = self._of(index)
        return None if found is None else found[1].share(clusters)

    def pooled(self, clusters: Iterable[int]) -> float | None:
        """Mean over the clusters' pixels in all cubes that were measured, 0..1."""
        if not self._measured:
            return None
        sums = [one for _, one in self._measured]
        return _Sums(
            np.sum([one.count for one in sums], axis=0),
            np.sum([one.kept for one in sums], axis=0),
        ).share(clusters)

    def __len__(self) -> int:
        """How many cubes were measured."""
        return len(self._measured)

    def _of(self, index: int) -> tuple[MeasuredCube, _Sums] | None:
        return next((m for m in self._measured if self._place(m[0]) == index), None)

    def _place(self, measured: MeasuredCube) -> int | None:
        """Index of the cube that has this very map."""
        study = self._study
        places = range(len(study.cubes))
        return next(
            (i for i in places if study.cluster_map(i) is measured.clusters), None
        )

    def _on_maps_changed(self, *_: object) -> None:
        left = [one for one in self._measured if self._place(one[0]) is not None]
        if len(left) < len(self._measured):
            self._measured = left
            self.changed.emit()
