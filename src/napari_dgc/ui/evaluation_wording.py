"""What the dock "Evaluation" says: scores, mappings and their names, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping
from napari_dgc.study.evaluating.comparison import Comparison
from napari_dgc.study.evaluating.evaluation import Alignment
from napari_dgc.ui.notices import one_line

MAJORITY, HUNGARIAN, BY_HAND = "majority", "hungarian", "by hand"
HOW: dict[str, Alignment] = {MAJORITY: "majority", HUNGARIAN: "hungarian"}
"""What `evaluate` calls them; by hand there is a mapping instead."""
ALIGNMENTS = {
    MAJORITY: "Each group counts for the class that most of its pixels have.",
    HUNGARIAN: "Each class gets the one group that fits best; other groups are wrong.",
    BY_HAND: "Click a class's groups to choose them; groups of no class are wrong.",
}
ALL_CLASSES = "All classes"
NO_CLASS = "(no class)"
EMPTY = (
    "Drop label files here or on the image: LabelMe .json, .mat, .pth or _labels.tif, "
    "each named as its cube; or a folder of them."
)
_LONGEST = 24  # letters
NO_MAP = "The labels wait for a map: press First map."


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of classes.

    Attributes
    ----------
    name : str
        Of the class; ALL_CLASSES and NO_CLASS stand for themselves.
    groups : tuple of int
        Ids of its groups.
    iou, dice, area : str
        "" where there is none.
    """

    name: str
    groups: tuple[int, ...]
    iou: str = ""
    dice: str = ""
    area: str = ""


def make_rows(comparison: Comparison, grouping: Grouping) -> list[Row]:
    """All classes together, each class, and the groups of none.

    A comparison may be of the grouping before: groups it knows and this one does
    not are left out, until the next comparison comes.
    """
    scores = comparison.scores
    classes: Mapping[str, Mapping[str, float]] = scores["classes"]
    by_value = {group.value: group.id for group in grouping.groups}
    used: set[int] = set()
    rows = []
    for name, values in comparison.members.items():
        ids = tuple(by_value[value] for value in values if value in by_value)
        used.update(ids)
        one = classes[name]
        area = f"{one['area_rmse']:.2%}".replace("%", " %")
        rows.append(Row(name, ids, _number(one["iou"]), _number(one["dice"]), area))
    dice = [one["dice"] for one in classes.values()]
    mean = _number(sum(dice) / len(dice)) if dice else ""
    rows.insert(0, Row(ALL_CLASSES, (), _number(scores["mean_iou"]), mean))
    spare = tuple(group.id for group in grouping.groups if group.id not in used)
    if spare:
        rows.append(Row(NO_CLASS, spare))
    return rows


def word_groups(ids: Sequence[int], grouping: Grouping) -> str:
    """Names of groups, in the order of the table."""
    return ", ".join(group.name for group in grouping.groups if group.id in set(ids))


def shorten(name: str) -> str:
    """Cut a long name, for a place beside another one."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1].rstrip()}…"


def word_cube(iou: float | None) -> str:
    """Mean IoU of one cube."""
    return "nothing labelled" if iou is None else _number(iou)


def word_scores(scores: Mapping[str, Any], alignment: str) -> str:
    """Say what the mapping is, and the scores that need none."""
    return (
        f"NMI {scores['nmi']:.3f}, ARI {scores['ari']:.3f}, VI {scores['vi']:.3f} need "
        f"no mapping. {ALIGNMENTS[alignment]}"
    )


def word_result(comparison: Comparison) -> str:
    """One sentence for the status line."""
    cubes = comparison.scores["cubes"]
    of = next(iter(cubes)) if len(cubes) == 1 else f"{len(cubes)} cubes"
    mean = comparison.scores["mean_iou"]
    return f"Compared with the labels of {of}: mean IoU {word_cube(mean)}."


def first_of(faults: Sequence[InputError]) -> InputError:
    """The first of the files not taken, and how many more there are."""
    first, more = faults[0], len(faults) - 1
    if not more:
        return first
    rest = f"{first.remedy} ({more} more {'file' if more == 1 else 'files'} not taken)"
    return InputError(first.source, first.fault, rest)


def word_faults(faults: Sequence[InputError]) -> str:
    """Say which files were not taken, and why: the first in words."""
    return one_line(first_of(faults)) if faults else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
