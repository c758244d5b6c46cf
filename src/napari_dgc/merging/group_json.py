"""Groups as plain JSON values, for steps and recipes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from napari_dgc.merging.fields import Fields, color_text
from napari_dgc.merging.grouping import Atom, Group, check_role


def group_to_json(group: Group) -> dict[str, Any]:
    """Write a group as plain JSON values; `group_from_json` reads them."""
    return {
        "value": group.value,
        "id": group.id,
        "name": group.name,
        "color": color_text(group.color),
        "role": group.role,
        "locked": group.locked,
        "clusters": list(group.clusters),
        "atoms": atom_lists(group.atoms),
    }


def group_from_json(data: object) -> Group:
    """Read a group; ValueError says which field is at fault."""
    fields = Fields(data, "a group")
    group = Group(
        id=fields.integer("id"),
        atoms=fields.atoms("atoms"),
        name=fields.text("name"),
        color=fields.color("color"),
        role=check_role(fields.optional_text("role")),
        locked=fields.flag("locked"),
    )
    if fields.integers("clusters") != group.clusters:
        raise ValueError(f"clusters and atoms of group {group.id} do not agree")
    if fields.integer("value") != group.value:
        raise ValueError(f"the value of group {group.id} is not its lowest cluster")
    return group


def atom_lists(atoms: Iterable[Atom]) -> list[list[int]]:
    """Write atoms as lists of cluster ids."""
    return [list(atom) for atom in atoms]
