"""Severity over time: plant and day by cube, as a table and as a plot."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from napari_dgc.cubes.checks import read_regular
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import check_free, write_whole
from napari_dgc.reports.csv_files import write_csv
from napari_dgc.reports.figures import save_figure
from napari_dgc.reports.severity import SeverityRow

Days = dict[str, tuple[str, float]]
"""Plant and day by the cube's name."""

_DAY = re.compile(
    r"(?:^|[_\-. ])(?:days?|dpi|dai|t|d)[_\-. ]?(\d+(?:\.\d+)?)(?:dpi|dai)?"
    r"(?=$|[_\-. ])|(?:^|[_\-. ])(\d+)[_\-. ]?(?:dpi|dai|days?|d)(?=$|[_\-. ])",
    re.IGNORECASE,
)
_EDGES = "_-. "
_DPI = 150
_REMEDY = "write a table with the columns file, plant and day"
_MOST_NAMED = 20  # plants a legend lists


def days_from_names(names: Iterable[str]) -> Days:
    """Read plant and day out of names such as ``plant3_day5`` or ``A1-7dpi``.

    Parameters
    ----------
    names : iterable of str
        Of cubes; a path's stem.

    Returns
    -------
    dict of str to (str, float)
        Names that tell no day are left out. The plant is what remains of the name
        without the day.

    Notes
    -----
    A day is a number behind ``day``, ``d``, ``t``, ``dpi`` or ``dai`` (days after
    inoculation), or before ``day``, ``d``, ``dpi`` or ``dai``, set off by ``_``, ``-``,
    a dot or a blank.
    """
    days = {}
    for name in names:
        found = _DAY.search(name)
        if found is not None:
            before, after = name[: found.start()], name[found.end() :]
            parts = [part.strip(_EDGES) for part in (before, after)]
            plant = "_".join(part for part in parts if part)
            days[name] = plant, float(found[1] or found[2])
    return days


def read_days(path: str | Path, names: Sequence[str]) -> Days:
    """Read a table of plants and days.

    Parameters
    ----------
    path : str or pathlib.Path
        CSV with the columns ``file``, ``plant`` and ``day`` in any order; commas,
        semicolons or tabs between them. A file may be named with or without its
        ending, and its folder is no matter.
    names : sequence of str
        The cubes'; lines about others are passed over.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, holds a day that is no number or
        a cube twice, or tells of none of the cubes.
    """
    try:
        text = read_regular(path).decode("utf-8-sig")
        return _parse_days(path, text, names)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"cannot be read ({error})", _REMEDY) from error


def _parse_days(path: str | Path, text: str, names: Sequence[str]) -> Days:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    columns = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    lacking = [name for name in ("file", "plant", "day") if name not in columns]
    if lacking:
        raise InputError(path, f"has no column {lacking[0]!r}", _REMEDY)
    days: Days = {}
    for line in reader:
        cells = {key: (line[columns[key]] or "").strip() for key in columns if key}
        name = _cube_of(cells["file"], names)
        if name is None:
            continue
        day = _number(cells["day"])
        if day is None:
            fault = f"line {reader.line_num}: the day {cells['day']!r} is no number"
            raise InputError(path, fault, "write days as numbers")
        if name in days:
            fault = f"line {reader.line_num}: {name} is listed twice"
            raise InputError(path, fault, "keep one line per cube")
        days[name] = cells["plant"], day
    if not days:
        raise InputError(path, "tells of none of the cubes", "check the column 'file'")
    return days


def write_series_csv(
    path: str | Path, rows: Iterable[SeverityRow], *, force: bool = False
) -> Path:
    """Write the cubes' severity by plant and day; cubes without a day are left out."""
    header = ["plant", "day", "cube", "lesion_%_of_tissue", "low", "high", "lesions"]
    lines = []
    for plant, series in _series(rows).items():
        for row in series:
            ends = None if row.interval is None else row.interval
            values = (
                row.lesion_percent,
                None if ends is None else ends.low,
                None if ends is None else ends.high,
            )
            shares = ["" if value is None else f"{value:.4f}" for value in values]
            count = "" if row.lesions is None else row.lesions.count
            lines.append([plant, f"{row.day:g}", row.cube, *shares, count])
    return write_csv(path, header, lines, force=force)


def write_series_picture(
    path: str | Path, rows: Iterable[SeverityRow], *, force: bool = False
) -> Path:
    """Draw the cubes' severity over days into a PNG, one line per plant.

    Bars are the intervals. Cubes without a day or without tissue are left out.

    Raises
    ------
    InputError
        If nothing is left to draw, the file exists and `force` is False, or it
        cannot be written.
    """
    check_free(path, force=force)
    figure = _figure(rows)
    if figure is None:
        raise InputError(path, "no cube has a day and tissue", "give a table of days")
    return write_whole(path, lambda file: save_figure(figure, file), force=force)


def series_png(rows: Iterable[SeverityRow]) -> bytes | None:
    """Draw the same as the bytes of a PNG; None where there is nothing to draw."""
    figure, file = _figure(rows), io.BytesIO()
    if figure is None:
        return None
    save_figure(figure, file)
    return file.getvalue()


def _figure(rows: Iterable[SeverityRow]) -> Figure | None:
    series = _series(row for row in rows if row.lesion_percent is not None)
    if not series:
        return None
    figure = Figure(figsize=(7.5, 4.5), dpi=_DPI, facecolor="white", layout="tight")
    axes = figure.add_subplot()
    lines = [_draw(axes, points) for points in series.values()]
    days = [row.day or 0.0 for points in series.values() for row in points]
    if all(day == round(day) for day in days):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("Day")
    axes.set_ylabel("Lesion, % of tissue")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) <= _MOST_NAMED:
        legend = axes.legend(
            lines, ["-"] * len(lines), frameon=False, fontsize=8, loc="center left",
            bbox_to_anchor=(1.0, 0.5),
        )  # fmt: skip
        for text, plant in zip(legend.get_texts(), series, strict=True):
            text.set_parse_math(False)
            text.set_text(plant if len(plant) <= 30 else f"{plant[:29]}…")
    return figure


def _draw(axes: Any, points: Sequence[SeverityRow]) -> Any:
    """Draw one plant; gives its line."""
    days = [row.day for row in points]
    shares = [row.lesion_percent or 0.0 for row in points]
    (line,) = axes.plot(days, shares, marker="o", markersize=4, linewidth=1.5)
    for day, row in zip(days, points, strict=True):
        if row.interval is not None:
            ends = [row.interval.low, row.interval.high]
            axes.plot([day, day], ends, color=line.get_color(), alpha=0.5)
    return line


def _series(rows: Iterable[SeverityRow]) -> dict[str, list[SeverityRow]]:
    """Put the cubes' rows by plant, days ascending."""
    series: dict[str, list[SeverityRow]] = {}
    for row in rows:
        if row.day is not None and not row.region:
            series.setdefault(row.plant, []).append(row)
    ordered = sorted(series.items(), key=lambda item: item[0])
    return {
        plant: sorted(points, key=lambda row: (row.day or 0.0, row.cube))
        for plant, points in ordered
    }


def _cube_of(file: str, names: Sequence[str]) -> str | None:
    name = Path(file.replace("\\", "/")).name
    for candidate in (name, Path(name).stem):
        if candidate in names:
            return candidate
    return None


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
