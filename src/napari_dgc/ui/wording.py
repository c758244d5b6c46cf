"""Steps on the groups in words: names, where the log has numbers."""

from __future__ import annotations

from collections.abc import Iterable

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.operations import Change
from napari_dgc.merging.steps import (
    Cut,
    Merge,
    Operation,
    Recolor,
    Rename,
    SetLock,
    SetRole,
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


def word_names(names: Iterable[str]) -> str:
    """List names; from the fifth on they are counted."""
    names = list(names)
    if len(names) > _LONGEST_LIST:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return ", ".join(names)


def _word_step(step: Operation, start: Grouping) -> str:
    def name(group: int) -> str:
        return start.group(group).name if group in start else f"group {group}"

    match step:
        case Merge(sources, target):
            return f"merged {word_names(map(name, sources))} into {name(target)}"
        case TakeOut(cluster):
            return f"took cluster {cluster} out of {start.group_of(cluster).name}"
        case Rename(group, new):
            return f"renamed {name(group)} to {new}"
        case Recolor(group):
            return f"coloured {name(group)}"
        case SetRole(group, role):
            return f"{name(group)} has {f'the role {role}' if role else 'no role'}"
        case SetLock(group, locked):
            return f"{'locked' if locked else 'unlocked'} {name(group)}"
        case Cut(granularity):
            return f"cut the tree at {granularity} groups"
    return ""
