"""What the values of a group map mean, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Color = tuple[int, int, int]

NO_DATA: Color = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class MapClass:
    """One value of a map.

    Attributes
    ----------
    value : int
        1..255.
    name : str
    color : tuple of int
        Red, green and blue, 0..255.
    role : str, optional
    """

    value: int
    name: str
    color: Color
    role: str | None = None


def meaning(classes: Sequence[MapClass]) -> str:
    """Say in one line what the values mean."""
    return "; ".join(
        f"{one.value} = {one.name}" + (f" ({one.role})" if one.role else "")
        for one in classes
    )


def names_by_value(classes: Sequence[MapClass], ground: str) -> tuple[str, ...]:
    """Names for the values 0, 1, ..., each of them once.

    Parameters
    ----------
    classes : sequence of MapClass
    ground : str
        The name of 0.

    Notes
    -----
    Of classes with one name, those after the first get their value behind it. A value
    without a class is called "unused n".
    """
    known = {one.value: one.name for one in classes}
    names = [ground]
    for value in range(1, max(known, default=0) + 1):
        name = known.get(value, f"unused {value}")
        while name in names:
            name = f"{name} ({value})"
        names.append(name)
    return tuple(names)
