"""What a cut of the tree makes of the unlocked groups, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import index
from typing import Any

from napari_dgc.merging import grouping as _grouping
from napari_dgc.merging.fields import Fields, color_text
from napari_dgc.merging.frozen import set_fields
from napari_dgc.merging.group_json import atom_lists
from napari_dgc.merging.grouping import Atom, MergeError, Role
from napari_dgc.merging.palette import Color


@dataclass(frozen=True, slots=True)
class Part:
    """One group a cut leaves: an old group's id or a new one, and its atoms.

    A new group that an earlier cut had taken away comes back with the name,
    colour and role it had; without a name, it gets its clusters'.
    """

    group: int
    atoms: tuple[Atom, ...]
    name: str | None = None
    color: Color | None = None
    role: Role | None = None

    def __post_init__(self) -> None:
        atoms = _grouping.sorted_atoms(self.atoms)
        if not atoms:
            raise MergeError("a part of a cut holds no cluster")
        if (self.name is None) is not (self.color is None):
            raise MergeError("a part of a cut that has a name has a colour")
        if self.name is not None and self.color is not None:
            set_fields(self, name=_grouping.check_name(self.name))
            set_fields(self, color=_grouping.check_color(self.color))
        set_fields(self, group=index(self.group), atoms=atoms)
        set_fields(self, role=_grouping.check_role(self.role))

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        data: dict[str, Any] = {"group": self.group, "atoms": atom_lists(self.atoms)}
        if self.name is not None and self.color is not None:
            look = {"name": self.name, "color": color_text(self.color)}
            data |= look | {"role": self.role}
        return data

    @classmethod
    def from_json(cls, data: object) -> Part:
        """Read what `to_json` wrote; ValueError says which field is at fault."""
        fields = Fields(data, "a part of a cut")
        group, atoms = fields.integer("group"), fields.atoms("atoms")
        if not isinstance(data, Mapping) or "name" not in data:
            return cls(group, atoms)
        role = _grouping.check_role(fields.optional_text("role"))
        return cls(group, atoms, fields.text("name"), fields.color("color"), role)
