"""What the cells of the group table hold: words, numbers, colours and signs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QFont

from napari_dgc.merging.grouping import Group, cluster_name
from napari_dgc.ui.signs import Sign
from napari_dgc.ui.stability_column import STABLE_ROLES, stable_cell
from napari_dgc.ui.swatches import Swatches
from napari_dgc.ui.wording import word_clusters

NO_ROLE = "role…"
SIGN_ROLE = Qt.ItemDataRole.UserRole
"""The `Sign` a cell shows and that is pressed like a button."""

_GREY = QColor(128, 128, 128)  # seen on dark and on light
_POINTED = QColor(230, 159, 0, 90)  # Merge mode's orange, on dark and on light
_ROLE = Qt.ItemDataRole


class Column(IntEnum):
    """The table's columns; the eye stands first on the screen."""

    NAME = 0
    PIXELS = 1
    PERCENT = 2
    ROLE = 3
    LOCK = 4
    EYE = 5
    STABLE = 6


HEADERS = {
    Column.NAME: ("Groups", "Colour and name; double-click to rename"),
    Column.PIXELS: ("Pixels", "Pixels of each group"),
    Column.PERCENT: ("%", "Share of all pixels with data"),
    Column.ROLE: ("Role", "What the group is; click to choose"),
    Column.LOCK: (Sign.LOCKED, "Lock: a locked group neither takes nor gives clusters"),
    Column.EYE: (Sign.EYE, "Drawn on the image or not; exports hold every group"),
    Column.STABLE: (
        "Stable",
        "Share of this group's pixels that stay in it when as much noise is added as "
        "was estimated, five times anew; over all cubes that were measured",
    ),
}
NUMBERS = (Column.PIXELS, Column.PERCENT)
COUNTED = (Column.NAME, *NUMBERS)
"""Their heads say which pixels are counted; pressed, they change it."""

Counts = NDArray[np.integer]


def _no_counts() -> list[Counts]:
    return []


class Cells:
    """Answers Qt's questions about cells, from groups, counts and what is hidden."""

    def __init__(self) -> None:
        self.hidden: frozenset[int] = frozenset()
        self.pointed: frozenset[int] = frozenset()
        self.everywhere = False  # pixels of all cubes, not of the one shown
        self.stable: Callable[[tuple[int, ...]], float | None] = lambda _: None
        self._swatches = Swatches()
        self._cube = ""
        self._here = _sum_up([])
        self._count_all: Callable[[], list[Counts]] = _no_counts
        self._all: tuple[int, Counts] | None = None

    def set_counts(
        self,
        counts: Counts | None,
        cube: str = "",
        count_all: Callable[[], list[Counts]] = _no_counts,
    ) -> None:
        """Take over the pixels per cluster id of the cube shown, and its name.

        `count_all` gives those of every cube that has a map: asked when needed.
        """
        self._cube, self._count_all = cube, count_all
        self._here = _sum_up([] if counts is None else [counts])
        self._all = None

    def pixels(self, clusters: Iterable[int]) -> int:
        """Pixels of clusters in the cube shown, or in all cubes."""
        counts = self._everywhere[1] if self.everywhere else self._here
        return int(counts[list(clusters)].sum())

    @property
    def total(self) -> int:
        """Valid pixels of the cube shown, or of all."""
        return int((self._everywhere[1] if self.everywhere else self._here).sum())

    def percent(self, pixels: int) -> str:
        """Share of all valid pixels of the cube shown, or of all cubes."""
        return _percent(pixels, self.total)

    @property
    def scope(self) -> str:
        """Which pixels are counted, in some words."""
        if self.everywhere:
            return f"all {self._everywhere[0]} cubes"
        return self._cube or "the cube shown"

    @property
    def cubes(self) -> int:
        """How many cubes have a map."""
        return self._everywhere[0]

    @property
    def _everywhere(self) -> tuple[int, Counts]:
        """Cubes with a map, and pixels per cluster id over all of them."""
        if self._all is None:
            every = self._count_all()
            self._all = len(every), _sum_up(every)
        return self._all

    def header(self, column: Column, role: int) -> object:
        """Give what the head of a column says, and which pixels are counted."""
        title, tip = HEADERS[column]
        if role == _ROLE.DisplayRole and not isinstance(title, Sign):
            named = column == Column.NAME and (self._cube or self.everywhere)
            return self.scope if named else title
        if role == _ROLE.ToolTipRole and column in COUNTED:
            other = self._cube if self.everywhere else f"all {self.cubes} cubes"
            switch = f"; click to count those of {other}" if self.cubes > 1 else ""
            return f"{tip}. Pixels and % are those of {self.scope}{switch}."
        return tip if role == _ROLE.ToolTipRole else None

    def of_group(self, group: Group, column: Column, role: int) -> object:
        """Give what a group's cell holds."""
        if column == Column.STABLE and role in STABLE_ROLES:
            return stable_cell(group.name, self.stable(group.clusters), role)
        if role == _ROLE.DisplayRole:
            if column == Column.NAME:
                return group.name
            if column == Column.ROLE:
                return group.role or NO_ROLE
        if role == _ROLE.EditRole:
            return group.role if column == Column.ROLE else group.name
        if role == _ROLE.DecorationRole and column == Column.NAME:
            return self._swatches[group.color]
        if role == SIGN_ROLE:
            return self._sign(group, column)
        if role == _ROLE.CheckStateRole and column in (Column.LOCK, Column.EYE):
            ticked = (
                group.locked if column == Column.LOCK else group.id not in self.hidden
            )
            return _ROLE_STATE[ticked]
        if role == _ROLE.BackgroundRole and group.id in self.pointed:
            return _POINTED
        if role == _ROLE.ForegroundRole and (
            (column == Column.ROLE and not group.role) or group.id in self.hidden
        ):
            return _GREY
        if role == _ROLE.ToolTipRole:
            return self._tip(group, column)
        return self._of_either(group.clusters, column, role)

    def of_member(
        self, group: Group, cluster: int, column: Column, role: int
    ) -> object:
        """Give what the cell of a cluster within a group holds."""
        name = cluster_name(cluster)
        if column == Column.STABLE and role in STABLE_ROLES:
            return stable_cell(name, self.stable((cluster,)), role)
        if role == _ROLE.DisplayRole and column == Column.NAME:
            return name
        if role == _ROLE.DecorationRole and column == Column.NAME:
            return self._swatches[group.color]  # as the image shows it
        if role == SIGN_ROLE and column == Column.LOCK and not group.locked:
            return Sign.OUT
        if role == _ROLE.ForegroundRole and group.id in self.hidden:
            return _GREY
        if role == _ROLE.ToolTipRole:
            if column in NUMBERS:
                return f"{name}: {self._shares((cluster,))}"
            if column != Column.LOCK:
                return (
                    f"{name}, a cluster of {group.name}. Drag it onto another group, "
                    "or below all rows for a group of its own (T)."
                )
            if group.locked:
                return f"{group.name} is locked: unlock it to take clusters out"
            return f"Take this cluster out of {group.name} (T)"
        return self._of_either((cluster,), column, role)

    def _of_either(self, clusters: Iterable[int], column: Column, role: int) -> object:
        if role == _ROLE.DisplayRole and column in NUMBERS:
            pixels = self.pixels(clusters)
            return f"{pixels:,}" if column == Column.PIXELS else self.percent(pixels)
        if role == _ROLE.TextAlignmentRole and column in NUMBERS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == _ROLE.FontRole and not self.pixels(clusters):
            font = QFont()
            font.setItalic(True)
            return font
        return None

    def _shares(self, clusters: Collection[int]) -> str:
        """Say how much clusters cover, of the cube shown and of all."""
        counted = [(self._cube or "the cube shown", self._here)]
        if self.cubes > 1:
            counted.append((f"all {self.cubes} cubes", self._everywhere[1]))
        parts = []
        for where, counts in counted:
            pixels, total = int(counts[list(clusters)].sum()), int(counts.sum())
            parts.append(f"{pixels:,} pixels, {_percent(pixels, total)} % of {where}")
        return "; ".join(parts)

    def _sign(self, group: Group, column: Column) -> Sign | None:
        if column == Column.EYE:
            return Sign.SHUT_EYE if group.id in self.hidden else Sign.EYE
        if column == Column.LOCK:
            return Sign.LOCKED if group.locked else Sign.UNLOCKED
        return Sign.DOWN if column == Column.ROLE else None

    def _tip(self, group: Group, column: Column) -> str:
        name = group.name
        if column == Column.EYE:
            if group.id in self.hidden:
                return f"{name} is not drawn: click to show it (V)"
            return f"{name} is drawn: click to hide it (V)"
        if column == Column.LOCK:
            if group.locked:
                return f"{name} is locked: it neither takes nor gives clusters"
            return f"Lock {name}: it would neither take nor give clusters"
        if column == Column.ROLE:
            return f"{name}: {group.role or 'no role yet'}; click to choose"
        if column in NUMBERS:
            return f"{name}: {self._shares(group.clusters)}"
        empty = "" if self.pixels(group.clusters) else f"; no pixel in {self.scope}"
        return f"{name}: {word_clusters(group.clusters)}{empty}. {_HINT}"


def _sum_up(every: Iterable[Counts]) -> Counts:
    """Add pixels per cluster id up, (256,) int64, no data left out."""
    total = np.zeros(256, np.int64)
    for counts in every:
        total[: len(counts)] += counts
    total[0] = 0
    return total


def _percent(pixels: int, total: int) -> str:
    return f"{100 * pixels / max(1, total):.1f}"


_HINT = "Drag onto a row to merge; click the square for another colour."
_ROLE_STATE = {True: Qt.CheckState.Checked, False: Qt.CheckState.Unchecked}
