"""Steps on the groups in words, by the groups' names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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


def word_step(change: Change | None) -> str:
    """Say what a step does, by the groups' names, such as "merged A into B"."""
    if change is None:
        return ""
    return word_operation(change.operation, change.before) or change.text


def word_names(names: Iterable[str]) -> str:
    """List names; from the fifth on they are counted."""
    names = list(names)
    if len(names) > _LONGEST_LIST:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return ", ".join(names)


def word_clusters(
    clusters: Iterable[int], listed: Callable[[Iterable[str]], str] = word_names
) -> str:
    """List clusters: "cluster 7", "clusters 2, 3"."""
    numbers = [str(cluster) for cluster in clusters]
    return f"cluster{'s' * (len(numbers) != 1)} {listed(numbers)}"


def word_operation(
    step: Operation,
    start: Grouping,
    listed: Callable[[Iterable[str]], str] = word_names,
) -> str:
    """Say what a step on `start` does; "" for the adoption of a recipe.

    Parameters
    ----------
    step : Operation
    start : Grouping
        The one it was taken on: its names are told.
    listed : callable
        Makes one text of several names.
    """

    def name(group: int) -> str:
        return start.group(group).name if group in start else f"group {group}"

    match step:
        case Merge(sources, target):
            return f"merged {listed(map(name, sources))} into {name(target)}"
        case TakeOut(cluster):
            return f"took cluster {cluster} out of {start.group_of(cluster).name}"
        case TakeApart(clusters):
            homes = dict.fromkeys(start.group_of(c).name for c in clusters)
            return f"took {word_clusters(clusters, listed)} out of {listed(homes)}"
        case Move(clusters, target):
            return f"moved {word_clusters(clusters, listed)} into {name(target)}"
        case Rename(group, new):
            return f"renamed {name(group)} to {new}"
        case Recolor(group):
            return f"coloured {name(group)}"
        case SetRole(group, role):
            return f"{name(group)} has {f'the role {role}' if role else 'no role'}"
        case SetLock(group, locked):
            return f"{'locked' if locked else 'unlocked'} {name(group)}"
        case Split():
            return _word_split(step, listed)
        case Cut(granularity):
            return f"cut the tree at {granularity} groups"
    return ""


def _word_split(step: Split, listed: Callable[[Iterable[str]], str]) -> str:
    text, new = f"split cluster {step.cluster}", word_clusters(step.parts, listed)
    if isinstance(step.rule, Pieces):
        return f"{text} by pieces in {step.rule.cube}: {new}"
    stay, *apart = step.pixels
    return f"{text}: {stay:,} pixels stay, {new} has {sum(apart):,}"
