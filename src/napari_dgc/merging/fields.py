"""Read plain JSON fields strictly, with words for what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Atom, check_color, sorted_atoms
from napari_dgc.merging.palette import MAX_CLUSTER, Color

T = TypeVar("T")


class Fields:
    """A JSON object whose fields are read by type.

    Parameters
    ----------
    data : object
        What ``json.loads`` gave.
    what : str
        What it should describe, for the error.

    Raises
    ------
    ValueError
        Here and from every reader: a field is missing or of the wrong type.
    """

    def __init__(self, data: object, what: str) -> None:
        if not isinstance(data, Mapping):
            raise ValueError(f"{what} is not a JSON object")
        self._data: Mapping[str, Any] = data
        self._what = what

    def cluster_ids(self) -> list[int]:
        """Read the names of all fields as cluster ids, ascending."""
        known = {str(id): id for id in range(1, MAX_CLUSTER + 1)}
        for key in self._data:
            if key not in known:
                raise ValueError(f"{self._what} holds {key!r}, no cluster id")
        return sorted(known[key] for key in self._data)

    def require_version(self, known: int, source: str | Path) -> None:
        """Raise InputError, naming `source`, where a newer program wrote this."""
        version = self.integer("version")
        if version > known:
            raise InputError(
                source,
                f"has version {version}, this program knows up to {known}",
                "update napari-dgc",
            )

    def has(self, key: str) -> bool:
        """Whether there is such a field."""
        return key in self._data

    def value(self, key: str) -> Any:
        """Any JSON value."""
        try:
            return self._data[key]
        except KeyError:
            raise ValueError(f"{self._what} has no field {key!r}") from None

    def integer(self, key: str) -> int:
        """Read a whole number (true and false are none)."""
        return self._integer(self.value(key), key)

    def optional_integer(self, key: str) -> int | None:
        """Read a whole number, or None where it is null or missing."""
        value = self._data.get(key)
        return None if value is None else self._integer(value, key)

    def integers(self, key: str) -> tuple[int, ...]:
        """Read a list of whole numbers."""
        return tuple(self._integer(item, key) for item in self.items(key))

    def optional_integers(self, key: str) -> tuple[int, ...] | None:
        """Read a list of whole numbers, or None where it is null or missing."""
        return None if self._data.get(key) is None else self.integers(key)

    def text(self, key: str) -> str:
        """Read a string."""
        return self._typed(self.value(key), str, key, "text")

    def optional_text(self, key: str) -> str | None:
        """Read a string, or None where it is null."""
        value = self.value(key)
        return None if value is None else self._typed(value, str, key, "text")

    def flag(self, key: str) -> bool:
        """Read true or false."""
        return self._typed(self.value(key), bool, key, "true or false")

    def items(self, key: str) -> list[Any]:
        """Read a list of anything."""
        return self._typed(self.value(key), list, key, "a list")

    def optional_items(self, key: str) -> list[Any]:
        """Read a list of anything, empty where it is missing: older files lack it."""
        return self.items(key) if key in self._data else []

    def atoms(self, key: str) -> tuple[Atom, ...]:
        """Read a list of lists of cluster ids."""
        return sorted_atoms(
            [
                [self._integer(c, key) for c in self._typed(atom, list, key, "a list")]
                for atom in self.items(key)
            ]
        )

    def color(self, key: str) -> Color:
        """Read a colour written as "#rrggbb"."""
        text = self.text(key)
        digits = text.removeprefix("#")
        if len(digits) != 6 or digits == text or not set(digits) <= set(_HEX):
            raise ValueError(
                f"{key!r} of {self._what} should be a colour such as #1a2b3c, "
                f"not {text!r}"
            )
        return check_color(bytes.fromhex(digits))

    def optional_color(self, key: str) -> Color | None:
        """Read a colour, or None where it is missing: older files lack it."""
        return self.color(key) if key in self._data else None

    def _integer(self, value: object, key: str) -> int:
        if isinstance(value, bool):
            value = None  # JSON's true is not the number 1
        return self._typed(value, int, key, "a whole number")

    def _typed(self, value: object, kind: type[T], key: str, wanted: str) -> T:
        if not isinstance(value, kind):
            raise ValueError(f"{key!r} of {self._what} should be {wanted}")
        return value


_HEX = "0123456789abcdefABCDEF"


def finite_number(value: object, what: str) -> float:
    """A number as JSON gave it; ValueError, naming `what`, for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} should be a number")
    try:
        number = float(value)
    except OverflowError as error:  # a whole number of hundreds of digits
        raise ValueError(f"{what} is too large a number") from error
    if not math.isfinite(number):
        raise ValueError(f"{what} should be a number, not {number}")
    return number


def color_text(color: Color) -> str:
    """Write a colour as "#rrggbb"."""
    return f"#{bytes(color).hex()}"
