"""What a run has told so far, and what to tell the user of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from napari_dgc.merging.beginning import may_begin
from napari_dgc.ui.wording import word_outcome, word_stop

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.clustering.step import Step

SAME = "Your groups stay as they are."
_READY = "The map is ready."
_HOW = "Press A to begin as suggested; or slide Granularity, drag rows, or use M."
_HOW_FEW = "Slide Granularity, drag rows, or use M; N suggests what to merge."
_KEPT = "Your groups are kept; “Use new model” takes the new clusters instead."


class TrainingRecord:
    """The notices, scores and the best model of one run.

    Parameters
    ----------
    added : str
        What is said at the end where cubes are mapped that came later.

    Attributes
    ----------
    model : Model or None
        The one to use if the run ends here: the finished one, else the best so
        far, else the latest snapshot.
    stopped : bool
        To be set where the user has stopped the training.
    collapsed : bool
        Whether training ended because its clusters were collapsing.
    taken : tuple of str, or None
        To be set where a frame of the film was taken into use: what is said of it,
        and its level.
    """

    def __init__(self, added: str = "") -> None:
        self._added = added
        self.model: Model | None = None
        self.stopped = False
        self.collapsed = False
        self.taken: tuple[str, str] | None = None
        self._ended_at: int | None = None  # the step, where it ended early
        self._first_score: float | None = None
        self._best_score: float | None = None
        self._notices: dict[str, None] = {}  # each once, in order
        self._clock = _TimeLeft()

    @property
    def notices(self) -> tuple[str, ...]:
        """What the run had to tell, each once."""
        return tuple(self._notices)

    @property
    def scored(self) -> bool:
        """Whether training got as far as its first score."""
        return self._first_score is not None

    def take(self, step: Step) -> str:
        """Take a training step down; returns what it has to tell."""
        kept = self.model.steps_done if self.model is not None else None
        self.model = step.model or step.best or step.snapshot or self.model
        if step.score is not None and step.best is not None:
            if self._first_score is None or self._best_score is None:
                self._first_score = self._best_score = step.score
            elif step.best.steps_done != kept:
                self._best_score = step.score
        if step.ended in ("guard", "collapse"):
            self._ended_at = step.index
            self.collapsed = step.ended == "collapse"
        return self.note(step.notice)

    def note(self, notice: str) -> str:
        """Take a notice down, and give it back."""
        if notice:
            self._notices[notice] = None
        return notice

    def word_stage(self, step: Step) -> str:
        """Say what is being done, and how long it will take."""
        if step.stage == "reading":
            return "Reading the cubes"
        if step.stage == "finished":
            return "Mapping"
        if is_last(step):
            return "Training has ended"
        if step.stage != "training" or not step.total:
            return "Finding clusters"
        return f"Step {step.index} of {step.total}{self._clock.text(step)}"

    def word_outcome(self) -> str:
        """Say what came of the training; nothing where none went on."""
        if self.model is None:
            return ""
        if self.stopped:
            return word_stop(self.model.steps_done)
        if self._first_score is None or self._best_score is None:
            return ""
        return word_outcome(
            self.model.steps_done,
            self._first_score,
            self._best_score,
            ended_at=self._ended_at,
            collapsed=self.collapsed,
        )

    def word_end(self, *, kept: bool, same: bool) -> tuple[str, str]:
        """Say how a run that came to its end went.

        Parameters
        ----------
        kept : bool
            Whether the groups were kept and the new model is only offered.
        same : bool
            Whether the map is the one that was in use already.

        Returns
        -------
        text, level : str
            See `StatusLine.say`.
        """
        outcome = self.word_outcome()
        if self.taken is not None:
            lines, level = [self.taken[0]], self.taken[1]
        elif self._added:
            lines, level = [self._added], "good"
        elif kept:
            lines, level = [outcome or "Training is done.", _KEPT], "info"
        elif same:
            lines, level = [outcome or _READY, SAME], "good"
        else:
            lines, level = [outcome or _READY, word_how(self.model)], "good"
        if self.notices or self.collapsed:
            level = "warning"
        return " ".join((*lines, *self.notices)), level


def word_how(model: Model | None) -> str:
    """Say what to do next with a new map; so few groups are not cut for a start."""
    return _HOW_FEW if model is not None and not may_begin(model.k) else _HOW


def is_last(step: Step) -> bool:
    """Whether training ends with this step, by itself or because all are done."""
    return step.stage == "training" and bool(step.ended)


def are_one_map(model: Model, used: Model | None) -> bool:
    """Whether both are the same first map, cluster by cluster."""
    return (
        used is not None
        and model.steps_done == used.steps_done == 0
        and np.array_equal(model.cluster_ids, used.cluster_ids)
        and np.array_equal(model.owners, used.owners)
        and np.array_equal(model.centroids, used.centroids)
        and np.array_equal(model.front_end.projection, used.front_end.projection)
    )


class _TimeLeft:
    """Estimates the time left from the steps so far."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def text(self, step: Step) -> str:
        now = time.monotonic()
        if self._first is None:
            self._first = step.index, now
            return ""
        since, began = self._first
        if step.index - since < 3:
            return ""
        seconds = (now - began) / (step.index - since) * (step.total - step.index)
        if seconds < 60:
            return f", about {max(1, round(seconds))} s left"
        return f", about {int(seconds) // 60}:{int(seconds) % 60:02d} min left"
