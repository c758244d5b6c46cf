"""Severity rows as a page shows them: a bar and numbers in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_dgc.reports.severity import SeverityRow

_SCALES = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0)
_NONE = "–"


@dataclass(frozen=True, slots=True)
class SeverityLine:
    """One cube or leaf, all but the bar in words.

    Attributes
    ----------
    bar : str
        Length of the bar, 0..100.
    ends : tuple of str, optional
        Where the line of the bounds begins, and its length, 0..100.
    """

    name: str
    plant: str
    day: str
    percent: str
    bounds: str
    lesions: str
    tissue: str
    lesion: str
    tissue_mm2: str
    lesion_mm2: str
    bar: str
    ends: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class SeverityTable:
    """Lines below each other, with the columns that they need.

    Attributes
    ----------
    first : str
        Heading of the names.
    scale : str
        End of the bars in %.
    lines : tuple of SeverityLine
    days, bounds, areas : bool
        Whether any line has them.
    """

    first: str
    scale: str
    lines: tuple[SeverityLine, ...]
    days: bool
    bounds: bool
    areas: bool

    @classmethod
    def of(cls, rows: Sequence[SeverityRow], first: str, scale: float) -> SeverityTable:
        """Word rows of cubes or of leaves."""
        return cls(
            first,
            f"{scale:g}",
            tuple(_line(row, scale) for row in rows),
            any(row.day is not None and not row.region for row in rows),
            any(row.interval is not None for row in rows),
            any(row.pixel_area is not None for row in rows),
        )


def nice_scale(rows: Sequence[SeverityRow]) -> float:
    """End of a scale, in %, that holds all bars and bounds."""
    highest = max(
        (
            row.lesion_percent if row.interval is None else row.interval.high
            for row in rows
            if row.lesion_percent is not None
        ),
        default=0.0,
    )
    return next((scale for scale in _SCALES if (highest or 0.0) <= scale), 100.0)


def _line(row: SeverityRow, scale: float) -> SeverityLine:
    share, interval = row.lesion_percent, row.interval
    ends = None
    if interval is not None:
        low, high = _place(interval.low, scale), _place(interval.high, scale)
        ends = f"{low:.2f}", f"{high - low:.2f}"
    return SeverityLine(
        name=_name(row),
        plant=row.plant,
        day="" if row.day is None else f"{row.day:g}",
        percent=_NONE if share is None else f"{share:.2f}",
        bounds=_NONE
        if interval is None
        else f"{interval.low:.2f} to {interval.high:.2f}",
        lesions=_NONE if row.lesions is None else f"{row.lesions.count:,}",
        tissue=f"{row.tissue:,}",
        lesion=f"{row.pixels['lesion']:,}",
        tissue_mm2=_area(row.area(row.tissue)),
        lesion_mm2=_area(row.area(row.pixels["lesion"])),
        bar=f"{_place(share or 0.0, scale):.2f}",
        ends=ends,
    )


def _name(row: SeverityRow) -> str:
    """The cube's; of a leaf its own, with the number that the picture shows."""
    if not row.region:
        return row.cube
    number = str(row.region)
    return row.leaf if number in row.leaf.split() else f"{number} {row.leaf}"


def _place(percent: float, scale: float) -> float:
    return 100 * min(percent, scale) / scale


def _area(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.2f}"
