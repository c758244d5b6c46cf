"""What has happened in words: steps on the groups by name, and how training went."""

from __future__ import annotations

from napari_dgc.merging.operations import Change
from napari_dgc.merging.wording import (
    word_clusters,
    word_names,
    word_operation,
    word_step,
)

__all__ = [
    "word_change",
    "word_clusters",
    "word_names",
    "word_offer",
    "word_outcome",
    "word_step",
    "word_stop",
]


def word_change(change: Change) -> str:
    """Say what a step, an undo or a redo has done."""
    undone = change.text.startswith("undo ")
    # An undone step began with what is there after the undoing.
    start = change.after if undone else change.before
    text = word_operation(change.operation, start) or change.text
    if undone:
        return f"Undone: {text}."
    if change.text.startswith("redo "):
        return f"Done again: {text}."
    return f"{text[:1].upper()}{text[1:]}."


def word_outcome(
    kept_step: int,
    first_score: float,
    best_score: float,
    *,
    ended_at: int | None = None,
    collapsed: bool = False,
) -> str:
    """Say what has come of a training.

    Parameters
    ----------
    kept_step : int
        Steps that the kept model was trained for; 0 is the first map.
    first_score, best_score : float
        Of the first map and of the kept model; higher is better.
    ended_at : int, optional
        The step at which training ended by itself.
    collapsed : bool
        Whether it did because clusters were melting together.
    """
    scores = "(score {1}, first map {0})".format(*_apart(first_score, best_score))
    if collapsed:
        kept = (
            f"The better map of step {kept_step} is kept {scores}."
            if kept_step
            else "The first map is kept."
        )
        return f"Clusters began to melt together, so training was ended. {kept}"
    ended = "" if ended_at is None else f"Training ended by itself at step {ended_at}. "
    if kept_step:
        return f"{ended}Training has improved the map {scores}."
    return f"{ended}Training found nothing better than the first map, which is kept."


def word_stop(kept_step: int) -> str:
    """Say which map there is after Stop; 0 steps are the first map."""
    if kept_step:
        return f"Stopped. The best map so far is kept: that of step {kept_step}."
    return "Stopped. The first map is kept: nothing better was found yet."


def word_offer(kept_step: int) -> str:
    """Say what a stopped run has to offer in place of the clusters in use."""
    what = f"the best so far, of step {kept_step}," if kept_step else "its first map"
    return f"Stopped. The clusters in use stay; “Use new model” takes {what} instead."


def _apart(first: float, second: float) -> tuple[str, str]:
    """Two numbers with two decimals, or more where they would look alike."""
    texts = f"{first:.2f}", f"{second:.2f}"
    for digits in (3, 4):
        if texts[0] == texts[1]:
            texts = f"{first:.{digits}f}", f"{second:.{digits}f}"
    return texts
