"""A study at one moment: taken on the screen's thread, written on another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.splits import Split
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.merging.steps import Operation
from napari_dgc.study.leaves import LeafRegions
from napari_dgc.study.view import View

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """References to what a study holds; nothing of it is changed in place.

    Attributes
    ----------
    number : int
        Later ones have higher numbers.
    cubes : tuple of Cube
    model : Model, optional
    clusters, confidence : mapping of int to ndarray of uint8, shape (H, W)
        By the cube's place.
    statistics : mapping of int to ClusterStatistics
    steps : tuple of Operation
        Those undone included.
    index : int
        How many of them count.
    next_id : int
        The lowest group id never given away.
    view : View
    leaves : LeafRegions, optional
    """

    number: int
    cubes: tuple[Cube, ...]
    model: Model | None
    clusters: Mapping[int, NDArray[np.uint8]]
    statistics: Mapping[int, ClusterStatistics]
    confidence: Mapping[int, NDArray[np.uint8]]
    steps: tuple[Operation, ...]
    index: int
    next_id: int
    view: View
    leaves: LeafRegions | None = None

    @classmethod
    def of(cls, study: Study, number: int) -> Snapshot:
        """Take one; costs microseconds, and no pixel is touched."""
        places = range(len(study.cubes))
        history = study.history
        return cls(
            number=number,
            cubes=study.cubes,
            model=study.model,
            clusters=_known({i: study.finest_map(i) for i in places}),
            statistics=_known({i: study.finest_statistics(i) for i in places}),
            confidence=_known({i: study.confidence(i) for i in places}),
            steps=() if history is None else history.steps,
            index=0 if history is None else history.index,
            next_id=0 if history is None else history.current.next_id,
            view=study.view,
            leaves=study.leaves,
        )

    @property
    def is_split(self) -> bool:
        """Whether there is a split among the steps."""
        return any(isinstance(step, Split) for step in self.steps)

    @property
    def contents(self) -> Iterator[object]:
        """Everything in it that lies in a file of its own."""
        yield from self.cubes
        yield self.model
        for by_cube in (self.clusters, self.statistics, self.confidence):
            yield from by_cube.values()


def _known(values: Mapping[int, Any]) -> dict[int, Any]:
    return {i: value for i, value in values.items() if value is not None}
