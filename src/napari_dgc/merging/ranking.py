"""Pairs of groups in order of likeness, with the reasons for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

FARTHEST = 25.0
"""Degrees: pairs that cost more are not asked about (docs/engine.md, "Suggestions")."""

_NONE = np.empty(0, np.intp)


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why two groups may belong together.

    Attributes
    ----------
    angle : float
        Between their mean spectra as the tree sees them, in degrees.
    embedding : float
        Between their centroids on the sphere, in degrees; NaN where unknown.
    outline : float
        Share of the shorter outline that runs along the other group, 0..1.
    together : float
        How alike their shares are over the cubes, 0..1: 1 for always in the same
        proportion, 0 for never in one cube.
    """

    angle: float
    embedding: float
    outline: float
    together: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A merge worth looking at.

    Attributes
    ----------
    source, target : int
        Group ids; the target keeps its id, name, colour and role.
    cost : float
        What pairs are ranked by, in radians; lower is liker.
    reasons : Reasons
    """

    source: int
    target: int
    cost: float
    reasons: Reasons


class Ranking(Sequence[Suggestion]):
    """Suggestions in order of their cost, each made when it is looked at.

    Parameters
    ----------
    source, target : ndarray of int, shape (P,)
        Group ids.
    costs : sequence of ndarray of float64, shape (P,)
        Cost (radians); then angle, embedding (radians), outline and together.

    Attributes
    ----------
    closest : float
        Angle of the first of all pairs given, in degrees; NaN for none. Only those
        that cost no more than `FARTHEST` are suggested.
    """

    def __init__(
        self,
        source: NDArray[np.integer] = _NONE,
        target: NDArray[np.integer] = _NONE,
        costs: Sequence[NDArray[np.float64]] = (),
    ) -> None:
        self._source, self._target, self._costs = source, target, tuple(costs)
        self._order = _NONE  # places of those suggested; the others need no sorting
        self.closest = math.nan
        if len(source):
            cost, angle = self._costs[:2]
            near = np.flatnonzero(cost <= math.radians(FARTHEST))
            self._order = near[np.lexsort((source[near], target[near], cost[near]))]
            first = self._order[0] if len(near) else cost.argmin()
            self.closest = math.degrees(float(angle[first]))

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, at: int) -> Suggestion: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Suggestion, ...]: ...
    def __getitem__(self, at: int | slice) -> Suggestion | tuple[Suggestion, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        at = self._order[at]  # what is further apart is out of range
        source, target = int(self._source[at]), int(self._target[at])
        cost, angle, embedding, outline, together = (float(f[at]) for f in self._costs)
        reasons = Reasons(
            math.degrees(angle), math.degrees(embedding), outline, together
        )
        return Suggestion(source, target, cost, reasons)

    def into(self, group: int) -> Ranking:
        """Keep the pairs of one group, which becomes the target of all."""
        own = (self._source == group) | (self._target == group)
        source, target = self._source[own], self._target[own]
        return Ranking(
            np.where(target == group, source, target),
            np.full(len(source), group),
            [field[own] for field in self._costs],
        )
