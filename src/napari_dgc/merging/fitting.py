"""The colour a group takes with its role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from napari_dgc.merging.births import own_colors
from napari_dgc.merging.grouping import Grouping, Role
from napari_dgc.merging.palette import Color, is_given, role_shades
from napari_dgc.merging.steps import Operation, Recolor


def fitting_color(
    grouping: Grouping, id: int, role: Role | None, steps: Iterable[Operation] = ()
) -> Color | None:
    """Choose the colour a group shall take together with a role, for `SetRole`.

    The first shade of the role's family that no other group has; where all are
    taken, the one that fewest have. Without a role it is a colour of its clusters
    again.

    Parameters
    ----------
    grouping : Grouping
    id : int
        The group.
    role : {"background", "healthy", "lesion", "ignore"} or None
    steps : iterable of Operation
        The steps taken so far: a group recoloured by one of them keeps its colour,
        as does one whose colour no group gets by itself.

    Returns
    -------
    tuple of int or None
        None where the colour shall stay.

    Raises
    ------
    MergeError
        If there is no such group.
    """
    group = grouping.group(id)
    by_hand = any(isinstance(step, Recolor) and step.group == id for step in steps)
    if role == group.role or by_hand or not is_given(group.color):
        return None
    worn = Counter(other.color for other in grouping.groups if other.id != id)
    shades = own_colors(group.clusters) if role is None else role_shades(role)
    return min(shades, key=lambda color: worn[color])  # the first one at a tie
