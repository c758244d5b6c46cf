"""What has happened in words: steps on the groups by name, and how training went."""

from __future__ import annotations

from collections.abc import Iterable

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.operations import Change
from napari_dgc.merging.splits import Pieces, Split
from napari_dgc.merging.steps import (
    Cut,
    Merge,
    Move,
    Operation,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeApart,
    TakeOut,
)

_LONGEST_LIST = 4


def word_change(change: Change) -> str:
    """Say what a step, an undo or a redo has done."""
    undone = change.text.startswith("undo ")
    # An undone step began with what is there after the undoing.
    start = change.after if undone else change.before
    text = _word_step(change.operation, start) or change.text
    if undone:
        return f"Undone: {text}."
    if change.text.startswith("redo "):
        return f"Done again: {text}."
    return f"{text[:1].upper()}{text[1:]}."


def word_step(change: Change | None) -> str:
    """Say what a step does, by the groups' names, such as "merged A into B"."""
    if change is None:
        return ""
    return _word_step(change.operation, change.before) or change.text


def word_names(names: Iterable[str]) -> str:
    """List names; from the fifth on they are counted."""
    names = list(names)
    if len(names) > _LONGEST_LIST:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return ", ".join(names)


def word_clusters(clusters: Iterable[int]) -> str:
    """List clusters: "cluster 7", "clusters 2, 3"."""
    numbers = [str(cluster) for cluster in clusters]
    return f"cluster{'s' * (len(numbers) != 1)} {word_names(numbers)}"


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


def _word_split(step: Split) -> str:
    text, new = f"split cluster {step.cluster}", word_clusters(step.parts)
    if isinstance(step.rule, Pieces):
        return f"{text} by pieces in {step.rule.cube}: {new}"
    stay, *apart = step.pixels
    return f"{text}: {stay:,} pixels stay, {new} has {sum(apart):,}"


def _word_step(step: Operation, start: Grouping) -> str:
    def name(group: int) -> str:
        return start.group(group).name if group in start else f"group {group}"

    match step:
        case Merge(sources, target):
            return f"merged {word_names(map(name, sources))} into {name(target)}"
        case TakeOut(cluster):
            return f"took cluster {cluster} out of {start.group_of(cluster).name}"
        case TakeApart(clusters):
            homes = dict.fromkeys(start.group_of(c).name for c in clusters)
            return f"took {word_clusters(clusters)} out of {word_names(homes)}"
        case Move(clusters, target):
            return f"moved {word_clusters(clusters)} into {name(target)}"
        case Rename(group, new):
            return f"renamed {name(group)} to {new}"
        case Recolor(group):
            return f"coloured {name(group)}"
        case SetRole(group, role):
            return f"{name(group)} has {f'the role {role}' if role else 'no role'}"
        case SetLock(group, locked):
            return f"{'locked' if locked else 'unlocked'} {name(group)}"
        case Split():
            return _word_split(step)
        case Cut(granularity):
            return f"cut the tree at {granularity} groups"
    return ""
