"""What a training has come to, in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_dgc.clustering.step import Step


@dataclass(frozen=True, slots=True)
class Account:
    """Steps, active clusters and best score of a run.

    Attributes
    ----------
    steps : int
        0 until training proper has begun: a first map has none.
    active : int
        Clusters that hold more than 0.1 % of the pixels seen last.
    score : float or None
        The best so far.
    """

    steps: int = 0
    active: int = 0
    score: float | None = None

    def after(self, step: Step) -> Account:
        """Take a step down."""
        scores = [s for s in (self.score, step.score) if s is not None]
        trained = step.losses.get("total") is not None
        return Account(
            max(self.steps, step.index) if trained else self.steps,
            step.active or self.active,
            max(scores, default=None),
        )

    @property
    def words(self) -> str:
        """One line of it."""
        if not self.steps:
            return "first map made; open to train"
        parts = [f"{self.steps} step{'s' * (self.steps != 1)}"]
        if self.score is not None:
            parts.append(f"score {self.score:.2f}")
        if self.active:  # last: in a narrow dock the end is cut off
            parts.append(f"{self.active} clusters")
        return " · ".join(parts)
