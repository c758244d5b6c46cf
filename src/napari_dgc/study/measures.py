"""What a study's severity is reckoned with: pixel size, smallest lesion, days."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_dgc.merging.fields import Fields, finite_number

if TYPE_CHECKING:
    from napari_dgc.reports.time_series import Days


@dataclass(frozen=True, slots=True)
class Measures:
    """Settings of the tables, kept with the study.

    Attributes
    ----------
    pixel_mm : float, optional
        Width of a pixel of all cubes; None for what each file says, if anything.
    min_lesion : int
        Pixels a piece must have to be counted as a lesion.
    days : tuple of (str, str, float)
        File stem of a cube, its plant and its day, as a table said. Empty: the
        names of the cubes are asked.
    days_file : str
        The table's name, to be shown.
    """

    pixel_mm: float | None = None
    min_lesion: int = 1
    days: tuple[tuple[str, str, float], ...] = ()
    days_file: str = ""

    def __post_init__(self) -> None:
        size = self.pixel_mm
        if size is not None and not (math.isfinite(size) and size > 0):
            raise ValueError(f"a pixel of {size} mm; use a width above 0")
        if self.min_lesion < 1:
            raise ValueError(f"lesions from {self.min_lesion} pixels; use 1 or more")

    @property
    def pixel_area(self) -> float | None:
        """Of a pixel, in mm²; None where the files are asked."""
        return None if self.pixel_mm is None else self.pixel_mm**2

    @property
    def by_cube(self) -> Days:
        """Plant and day by file stem."""
        return {stem: (plant, day) for stem, plant, day in self.days}


def measures_to_json(measures: Measures) -> dict[str, Any]:
    """Give plain JSON values."""
    return {
        "pixel_mm": None if measures.pixel_mm is None else float(measures.pixel_mm),
        "min_lesion": measures.min_lesion,
        "days": [[stem, plant, float(day)] for stem, plant, day in measures.days],
        "days_file": measures.days_file,
    }


def measures_from_json(data: object) -> Measures:
    """Read what `measures_to_json` gave; ValueError says what is at fault."""
    fields = Fields(data, "the measures")
    size = fields.value("pixel_mm")
    days = tuple(map(_day_from_json, fields.items("days")))
    return Measures(
        None if size is None else finite_number(size, "'pixel_mm' of the measures"),
        fields.integer("min_lesion"),
        days,
        fields.text("days_file"),
    )


def _day_from_json(data: object) -> tuple[str, str, float]:
    row = data if isinstance(data, list) else []
    if [type(value) for value in row] not in ([str, str, float], [str, str, int]):
        raise ValueError("a day of the measures should be cube, plant and day")
    return row[0], row[1], finite_number(row[2], "a day of the measures")
