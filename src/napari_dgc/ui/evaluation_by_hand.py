"""Groups put to classes by hand."""

from __future__ import annotations

from napari_dgc.merging.grouping import Grouping
from napari_dgc.study.evaluating.comparison import Comparison


class ByHand:
    """The class of each group, by the group's id: a merge keeps the target's.

    A group without a class counts as wrong wherever it lies.
    """

    def __init__(self) -> None:
        self._classes: dict[int, str] = {}

    def __bool__(self) -> bool:
        return bool(self._classes)

    def clear(self) -> None:
        """Put no group to any class."""
        self._classes.clear()

    def begin(self, comparison: Comparison | None, grouping: Grouping | None) -> None:
        """Take over what a comparison has found, in place of all choices."""
        self._classes.clear()
        if comparison is None or grouping is None:
            return
        ids = {group.value: group.id for group in grouping.groups}
        for name, values in comparison.members.items():
            known = (ids[value] for value in values if value in ids)
            self._classes.update(dict.fromkeys(known, name))

    def put(self, group: int, name: str | None) -> None:
        """Put a group to a class, or to none."""
        self._classes.pop(group, None)
        if name is not None:
            self._classes[group] = name

    def mapping(self, grouping: Grouping) -> dict[str, list[int]]:
        """Class → label values of its groups, as `compare` takes it."""
        mapping: dict[str, list[int]] = {}
        for group in grouping.groups:
            if group.id in self._classes:
                mapping.setdefault(self._classes[group.id], []).append(group.value)
        return mapping
