"""What is said of the frames of a film, and of groups that went on with one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from napari_dgc.merging.carrying import Carried
from napari_dgc.study import Study
from napari_dgc.study.film import Film, Warned
from napari_dgc.ui.training_record import word_how
from napari_dgc.ui.wording import word_clusters, word_names

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model


def name_frame(step: int) -> str:
    """Name a frame: "step 50", "the first map"."""
    return f"step {step}" if step else "the first map"


def word_frame(film: Film, index: int) -> str:
    """Say what a frame is: "Step 50 of 300: score 1.05, 14 clusters active (best)."."""
    frame = film.frames[index]
    name = f"Step {frame.step} of {film.total}" if frame.step else "First map"
    score = "" if frame.score is None else f"score {frame.score:.2f}, "
    best = ", the best so far" if index == film.best_frame else ""
    plural = "s" * (frame.active != 1)
    return f"{name}: {score}{frame.active} cluster{plural} active{best}."


def word_use(step: int) -> str:
    """Name the step of taking a frame into use, for undo."""
    return f"use the clusters of {name_frame(step)}"


def word_replacing(study: Study, undo: str, redo: str) -> tuple[str, str]:
    """Name what undo and redo do where they bring another model back.

    `undo` and `redo` are what they do otherwise.
    """
    if study.undo_replaces and study.taking is not None:
        undo = study.taking.text
    if study.redo_replaces and study.later[0].taking is not None:
        redo = study.later[0].taking.text
    return undo, redo


def word_swapped(text: str, groups: int) -> str:
    """Say that another model is in use again: "Undone: use … . 5 groups, as …"."""
    plural = "s" * (groups != 1)
    way, _, step = text.partition(" ")
    done = "Undone" if way == "undo" else "Done again"
    return f"{done}: {step}. {groups} group{plural}, as they were."


def word_banner(step: int) -> str:
    """Say over the image what it shows."""
    name = name_frame(step)
    return f"{name[:1].upper()}{name[1:]} of the training  ·  Esc: back"


def word_warning(warned: Warned) -> str:
    """Tell a warning with its step; some name it themselves."""
    own = f"Step {warned.step}: "
    return f"{own}{warned.text.removeprefix(own)}"


def word_film(film: Film) -> str:
    """Say in few words what a film has to offer."""
    best = film.best_frame
    kept = f", best: {name_frame(film.best)}" if best >= 0 else ""
    return f"{len(film.frames)} snapshots{kept}"


def word_taken(
    step: int, carried: Carried | None, model: Model | None = None
) -> tuple[str, str]:
    """Say what became of the groups under a frame's clusters, and how grave it is.

    Returns
    -------
    text, level : str
        See `StatusLine.say`.
    """
    used = f"The clusters of {name_frame(step)} are in use."
    if carried is None or not (carried.kept or carried.lost):
        return f"{used} {word_how(model)}", "good"
    names = [group.name for group in carried.groups[: carried.kept]]
    lines = [used]
    if names:
        lines.append(f"Your groups are kept, matched by overlap: {word_names(names)}.")
    if carried.lost:
        lines.append(f"Lost, as no cluster matches: {word_names(_places(carried))}.")
    if carried.unmatched:
        own = "a group of its" if len(carried.unmatched) == 1 else "groups of their"
        lines.append(f"Not matched: {word_clusters(carried.unmatched)}, {own} own.")
    grave = bool(carried.lost or carried.unmatched)
    return " ".join(lines), "warning" if grave else "good"


def word_foreseen(carried: Carried | None) -> str:
    """Say which groups would be lost, with a blank after it; "" for none."""
    names = [lost.group.name for lost in carried.lost] if carried is not None else []
    if not names:
        return ""
    who = "this group matches" if len(names) == 1 else "these groups match"
    return f"On this cube {who} no cluster and would be lost: {word_names(names)}. "


def _places(carried: Carried) -> Iterable[str]:
    """Name each lost group, with where most of it is now."""
    for lost in carried.lost:
        yield (
            f"{lost.group.name} (now in {lost.into})" if lost.into else lost.group.name
        )
