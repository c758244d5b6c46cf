"""Tables of a page: groups, indices, and which group fires in which cube."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.reports.classes import Color, MapClass
from napari_dgc.reports.indices import UsableIndex
from napari_dgc.reports.severity import TISSUE
from napari_dgc.reports.spectra import Spectrum

_COLUMNS = 6  # of one table: what a printed page holds
_MOST_ROWS = 150  # of indices cube by cube; the CSV has them all
_ACTIVE = 1e-3


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a legend; `share` in words."""

    name: str
    role: str | None
    rgb: Color
    share: str

    @property
    def color(self) -> str:
        """For CSS."""
        return css(self.rgb)


@dataclass(frozen=True, slots=True)
class Cell:
    """A number in words; its shade for CSS, and "on" or "off" where that is told."""

    text: str
    shade: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The name of a column; a colour for CSS where it is a group's."""

    name: str
    color: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A name, words and numbers."""

    name: str
    words: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    color: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: `heads` stand above names and words, `columns` above numbers."""

    caption: str
    heads: tuple[str, ...]
    columns: tuple[Head, ...]
    rows: tuple[Row, ...]


def css(color: Color) -> str:
    """Write a colour as CSS has it."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def named(number: int, word: str) -> str:
    """Count things: "1 cube", "3 cubes"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def legend_entries(
    label_map: NDArray[np.uint8], classes: Sequence[MapClass]
) -> tuple[Entry, ...]:
    """The classes that an (H, W) map holds, with their share of its valid pixels."""
    counts = np.bincount(label_map.ravel(), minlength=256)
    valid = max(1, int(counts[1:].sum()))
    return tuple(
        Entry(
            one.name,
            role_beside(one.name, one.role),
            one.color,
            _percent(counts[one.value] / valid),
        )
        for one in classes
        if counts[one.value]
    )


def group_table(groups: Sequence[tuple[MapClass, tuple[int, ...]]]) -> Grid:
    """All groups, with the clusters they are made of."""
    rows = [
        Row(
            one.name,
            (one.role or "none", ", ".join(map(str, clusters))),
            (Cell(str(one.value)),),
            css(one.color),
        )
        for one, clusters in groups
    ]
    heads = ("Group", "Role", "Clusters")
    return Grid(
        "Groups and the clusters they are made of",
        heads,
        (Head("Value in maps"),),
        tuple(rows),
    )


def activation_tables(
    classes: Sequence[MapClass], cubes: Sequence[str], shares: NDArray[np.float64]
) -> list[Grid]:
    """Shares in %, the larger of both sides downwards; wide ones in several tables."""
    groups = [Head(one.name, css(one.color)) for one in classes]
    names = [Head(name) for name in cubes]
    down, along, values, first = groups, names, shares, "Group"
    if len(names) > len(groups):
        down, along, values, first = names, groups, shares.T, "Cube"
    tables = []
    for start in range(0, len(along), _COLUMNS):
        stop = start + _COLUMNS
        part = "" if len(along) <= _COLUMNS else f", part {start // _COLUMNS + 1}"
        rows = [
            Row(head.name, (), tuple(_shaded(x) for x in line[start:stop]), head.color)
            for head, line in zip(down, values.tolist(), strict=True)
        ]
        caption = f"Share of each group in each cube, in %{part}"
        tables.append(Grid(caption, (first,), tuple(along[start:stop]), tuple(rows)))
    return tables


def index_tables(
    indices: Sequence[UsableIndex],
    pooled: Sequence[Spectrum],
    spectra: Sequence[Spectrum],
) -> list[Grid]:
    """What each index is; its values by group, and by cube for tissue."""
    if not indices or not pooled:
        return []
    heads = tuple(Head(one.index.name) for one in indices)
    tables = [
        Grid(
            "Values over all cubes",
            ("Group",),
            heads,
            tuple(
                Row(s.name, (), cells, css(s.color))
                for s, cells in zip(pooled, _values(indices, pooled), strict=True)
            ),
        )
    ]
    tissue = [spectrum for spectrum in spectra if spectrum.role in TISSUE]
    if len({s.cube for s in tissue}) > 1 and len(tissue) <= _MOST_ROWS:
        rows = zip(tissue, _values(indices, tissue), strict=True)
        tables.append(
            Grid(
                "Values of the groups that are tissue, cube by cube",
                ("Cube", "Group"),
                heads,
                tuple(Row(s.cube, (s.name,), cells) for s, cells in rows),
            )
        )
    what = [
        Row(
            one.index.name,
            (
                one.index.meaning,
                one.index.formula,
                ", ".join(f"{nm:.1f}" for nm in one.centres),
                one.index.source,
            ),
        )
        for one in indices
    ]
    told = ("Index", "Stands for", "Formula", "Bands used, nm", "Source")
    tables.append(Grid("What the indices are", told, (), tuple(what)))
    return tables


def _values(
    indices: Sequence[UsableIndex], spectra: Sequence[Spectrum]
) -> list[tuple[Cell, ...]]:
    """A row of cells for each spectrum."""
    columns = [one.of(spectra) for one in indices]
    return [
        tuple(Cell(_value(x)) for x in values) for values in zip(*columns, strict=True)
    ]


def _value(x: float) -> str:
    """Three decimals, or two digits of what would vanish in them."""
    if not math.isfinite(x):
        return "–"
    return f"{x:.3f}" if abs(x) >= 0.01 or not x else f"{x:.2g}"


def _shaded(share: float) -> Cell:
    """By the square root: rare groups are what is looked for."""
    depth = round(math.sqrt(min(1.0, share)), 3)
    r, g, b = (round(255 - depth * (255 - c)) for c in (126, 170, 214))
    active = share > _ACTIVE
    shade = css((r, g, b)) if active else ""
    return Cell(f"{100 * share:.2f}", shade, "on" if active else "off")


def _percent(share: float) -> str:
    return "less than 0.1 %" if 0 < share < 5e-4 else f"{100 * share:.1f} %"


def role_beside(name: str, role: str | None) -> str | None:
    """The role, where the name does not say it."""
    return None if name.lower() == role else role
