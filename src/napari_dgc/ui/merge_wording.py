"""What a merge not made yet is in words and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from napari_dgc.merging.beginning import Beginning
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.preview import MergePreview, RoleChanges
from napari_dgc.merging.ranking import Reasons
from napari_dgc.study.stability import UNSTABLE
from napari_dgc.ui.wording import word_names

_LONGEST = 26  # letters of a name


def word_reasons(reasons: Reasons, cubes: int) -> str:
    """Say in one line why two groups may belong together.

    Parameters
    ----------
    reasons : Reasons
    cubes : int
        Cubes with statistics: with fewer than two nothing is known of where
        groups appear, with none nothing of outlines.
    """
    parts = [_apart(reasons.angle)]
    if cubes:
        parts.append(f"outline {100 * reasons.outline:.0f} % shared")
    if cubes > 1:
        parts.append(f"same cubes {reasons.together:.2f}")
    return " · ".join(parts)


def explain_reasons(reasons: Reasons, cubes: int) -> str:
    """Say the same at length, one reason a line."""
    over = f" over all {cubes} cubes" if cubes > 1 else ""
    lines = [f"Mean spectra{over}: {reasons.angle:.1f}° apart (0° is the same colour)"]
    if not math.isnan(reasons.embedding):
        lines.append(
            f"What the model learned: {reasons.embedding:.1f}° apart (0° is the same)"
        )
    if cubes:
        lines.append(
            f"Outline: {100 * reasons.outline:.0f} % of the shorter one runs along "
            "the other group"
        )
    if cubes > 1:
        lines.append(
            f"Cubes: {reasons.together:.2f} alike in how much of each cube they cover "
            "(1: always in proportion, 0: never in one cube)"
        )
    return "\n".join(lines)


def word_beginning(beginning: Beginning) -> str:
    """Say in one line why to begin with so many groups."""
    return (
        f"Joins up to {_degrees(beginning.joined)} apart · "
        f"keeps {_degrees(beginning.apart)} or more apart"
    )


def explain_beginning(beginning: Beginning) -> str:
    """Say the same at length."""
    return (
        f"Clusters up to {_degrees(beginning.joined)} apart are put together; what "
        f"stays apart is {_degrees(beginning.apart)} apart or more.\n"
        "This is the clearest gap in the tree of clusters. It does what the slider "
        f"does at {beginning.groups} groups: your merges and locks stay."
    )


def word_release(
    grouping: Grouping,
    sources: Sequence[int],
    target: int,
    preview: MergePreview | None,
    *,
    angle: float = math.nan,
    roles: RoleChanges = (),
    cubes: int = 1,
) -> str:
    """Say what letting go of groups over a target would do.

    Parameters
    ----------
    grouping : Grouping
    sources : sequence of int
        Group ids, the target's not among them.
    target : int
    preview : MergePreview, optional
        Over all cubes; None where there are no statistics.
    angle : float
        Between sources and target, in degrees, as suggestions tell it; NaN where
        one of them has no pixel.
    roles : RoleChanges
        What follows in the cube shown.
    cubes : int
        Cubes with statistics: of several it is said which ones are meant.
    """
    into, moved = grouping.group(target), [grouping.group(id) for id in sources]
    if into.locked:
        return f"{into.name} is locked: it takes nothing."
    for group in moved:
        if group.locked:
            return f"{group.name} is locked: it goes nowhere."
    go = "goes" if len(moved) == 1 else "go"
    names = word_names(_shorten(group.name) for group in moved)
    parts = [f"Release: {names} {go} into {_shorten(into.name)}"]
    if preview is None:
        return f"{parts[0]}."
    if math.isnan(angle):
        parts.append("one side without a pixel")
    else:
        over = " (all cubes)" if cubes > 1 else ""
        parts.append(_apart(angle))
        parts.append(f"spread {_signed(100 * preview.variance_change)} %{over}")
    won = [f"{role} {_signed(points)} points" for role, points in roles if role]
    if won and cubes > 1:
        won[-1] += " (this cube)"
    return " · ".join(parts + won)


def word_stability(name: str, share: float | None) -> str:
    """Say how far a group holds under noise.

    Parameters
    ----------
    name : str
    share : float or None
        Of its pixels, 0..1, that stay in it; None where that is not known.
    """
    if share is None:
        return f"{name}: without a pixel in the cubes that were measured"
    return (
        f"{name}: {100 * share:.0f} % of its pixels stay in it under noise, over all "
        "measured cubes"
    )


def word_unstable(name: str, share: float | None) -> str:
    """Warn of a group that does not hold under noise; else say nothing."""
    if share is None or share >= UNSTABLE:
        return ""
    return (
        f"{name} is unstable: {100 * share:.0f} % of its pixels keep their group under "
        "noise"
    )


def _shorten(name: str) -> str:
    """Cut a long name in its middle: a second line is all the status has."""
    return name if len(name) <= _LONGEST else f"{name[:14]}…{name[-11:]}"


def _apart(angle: float) -> str:
    return f"{_degrees(angle)} apart"


def _degrees(angle: float) -> str:
    """Give an angle in degrees, with a decimal where it is small."""
    return f"{angle:.{1 if angle < 9.95 else 0}f}°"


def _signed(value: float) -> str:
    """Give a number its sign and a decimal, or two where one would show nothing."""
    digits = 1 if abs(value) >= 0.05 else 2
    return f"{value:+.{digits}f}".replace("-", "−")
