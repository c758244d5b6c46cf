"""A study at one moment: taken on the screen's thread, written on another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.splits import Split
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.merging.steps import Operation
from napari_dgc.study.leaves import LeafRegions
from napari_dgc.study.modelled import Former, Taking
from napari_dgc.study.moved import Moved
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
    moved : mapping of int to Moved
    taking : Taking, optional
    earlier, later : tuple of Snapshot
        What was in use before this model, and after it; see `Modelled`.
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
    moved: Mapping[int, Moved] = field(default_factory=dict)
    taking: Taking | None = None
    earlier: tuple[Snapshot, ...] = ()
    later: tuple[Snapshot, ...] = ()

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
            moved=_known({i: study.moved(i) for i in places}),
            taking=study.taking,
            earlier=tuple(cls._former(one, study, number) for one in study.earlier),
            later=tuple(cls._former(one, study, number) for one in study.later),
        )

    @classmethod
    def _former(cls, former: Former, study: Study, number: int) -> Snapshot:
        maps, history = former.maps, former.history
        view = View(hidden=former.hidden, rejected=former.rejected)
        return cls(
            number,
            study.cubes,
            former.model,
            dict(maps.finest),
            dict(maps.finest_statistics),
            dict(maps.confidence),
            history.steps,
            history.index,
            history.current.next_id,
            view,
            moved=dict(maps.moved),
            taking=former.taking,
        )

    @property
    def formers(self) -> tuple[Snapshot, ...]:
        """Those before and after it."""
        return (*self.earlier, *self.later)

    @property
    def is_split(self) -> bool:
        """Whether there is a split among the steps."""
        return any(isinstance(step, Split) for step in self.steps)

    @property
    def contents(self) -> Iterator[object]:
        """Everything in it that lies in a file of its own."""
        yield from self.cubes
        yield self.model
        for by_cube in (self.clusters, self.statistics, self.confidence, self.moved):
            yield from by_cube.values()
        for former in self.formers:
            yield from former.contents


def _known(values: Mapping[int, Any]) -> dict[int, Any]:
    return {i: value for i, value in values.items() if value is not None}
