"""The activation matrix drawn: coloured cells, row heads with names and words."""

from __future__ import annotations

import math

import pyqtgraph as pg
from napari.utils.theme import get_theme
from qtpy.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFontMetrics, QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QTableView,
)

from napari_dgc.merging.activation import ACTIVE
from napari_dgc.ui.activation_model import SHARE_ROLE, SHORTEST_ROLE, ActivationModel
from napari_dgc.ui.activation_wording import explain_cell, word_firing
from napari_dgc.ui.group_delegates import SWATCH
from napari_dgc.ui.swatches import Swatches

_NARROWEST, _WIDEST = 42, 150  # pixels of a column
_ROW = 20  # pixels
_MOST_NAME = 190  # pixels of a name in a row's head
_BEFORE, _BETWEEN, _AFTER = 10, 10, 6  # pixels about a row's name and its words
_STEPS = 64
_COLORMAP = "viridis"


class Colors:
    """The theme's colours, and those of shares: the larger, the further from it."""

    def __init__(self, theme: str) -> None:
        found = get_theme(theme)
        self.text = QColor(found.text.as_hex())
        self.ground = QColor(found.background.as_hex())
        self.head = QColor(found.foreground.as_hex())
        self.chosen = QColor(found.highlight.as_hex())
        colormap = pg.colormap.get(_COLORMAP)
        # Not from its very end: the least active cell must stand out from the ground.
        stops = [0.15 + 0.85 * i / (_STEPS - 1) for i in range(_STEPS)]
        if self.ground.lightnessF() > 0.5:
            stops = [1 - 0.9 * i / (_STEPS - 1) for i in range(_STEPS)]
        self._shares = [colormap.map(stop, mode="qcolor") for stop in stops]

    def of(self, share: float) -> QColor:
        """Colour of an active cell; logarithmic, so that 0.2 % is told from 2 %."""
        place = 1 - math.log(max(share, ACTIVE)) / math.log(ACTIVE)
        return self._shares[round(min(place, 1.0) * (_STEPS - 1))]


class CellDelegate(QStyledItemDelegate):
    """Draws a cell as its colour with the number in it."""

    def __init__(self, view: ActivationView) -> None:
        super().__init__(view)
        self._view = view

    def paint(self, painter: QPainter, option, index: QModelIndex) -> None:
        """Draw colour, number, and a frame under the mouse."""
        colors, share = self._view.colors, index.data(SHARE_ROLE)
        ground = colors.ground if share is None else colors.of(share)
        painter.fillRect(option.rect, ground)
        text = index.data()
        if text:
            dark = ground.lightnessF() > 0.45 and share is not None
            black, white = QColor(0, 0, 0), QColor(255, 255, 255)
            painter.setPen(colors.text if share is None else black if dark else white)
            painter.drawText(option.rect, Qt.AlignmentFlag.AlignCenter, text)
        if index == self._view.pointed:
            painter.setPen(colors.text)
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))


class RowHeads(QHeaderView):
    """A row's colour and name, and in how many cubes it fires, in words."""

    def __init__(self, view: ActivationView) -> None:
        super().__init__(Qt.Orientation.Vertical, view)
        self._view = view
        self._swatches = Swatches()
        self.setSectionsClickable(True)
        self.setDefaultSectionSize(_ROW)
        self.setMinimumSectionSize(_ROW)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def words_width(self) -> int:
        """Pixels that the words need."""
        matrix = self._view.model().matrix
        space = self._bold().horizontalAdvance
        if matrix is None:
            return 0
        rows = range(len(matrix.heads))
        return max({space(word_firing(matrix, row)) for row in rows}, default=0)

    def _bold(self) -> QFontMetrics:
        font = self.font()
        font.setBold(True)
        return QFontMetrics(font)

    def sizeHint(self) -> QSize:
        """Ask for room for names and words, at most half of the view."""
        matrix = self._view.model().matrix
        if matrix is None:
            return QSize(0, 0)
        space = self.fontMetrics().horizontalAdvance
        names = max((space(head.name) for head in matrix.heads), default=0)
        around = SWATCH + _BEFORE + _BETWEEN + _AFTER + 2
        width = around + min(names, _MOST_NAME) + self.words_width()
        return QSize(min(width, max(120, self._view.width() // 2)), 0)

    def paintSection(self, painter: QPainter, rect: QRect, row: int) -> None:
        """Draw one head."""
        matrix, colors = self._view.model().matrix, self._view.colors
        if matrix is None or not rect.isValid():
            return
        painter.save()
        head = matrix.heads[row]
        chosen = row in self._view.chosen
        painter.fillRect(rect, colors.chosen if chosen else colors.head)
        swatch = self._swatches[head.color].pixmap(SWATCH, SWATCH)
        top = rect.top() + (rect.height() - SWATCH) // 2
        painter.drawPixmap(rect.left() + 4, top, swatch)
        painter.setPen(colors.text)
        words, fires = word_firing(matrix, row), matrix.active[row].sum()
        font = painter.font()
        font.setBold(bool(0 < fires < len(matrix.cubes)))
        painter.setFont(font)
        inner = rect.adjusted(SWATCH + _BEFORE, 0, -_AFTER, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignRight, words)
        taken = painter.fontMetrics().horizontalAdvance(words) + _BETWEEN
        font.setBold(False)
        painter.setFont(font)
        name = painter.fontMetrics().elidedText(
            head.name, Qt.TextElideMode.ElideMiddle, inner.width() - taken
        )
        painter.drawText(inner, middle | Qt.AlignmentFlag.AlignLeft, name)
        painter.restore()


class CubeHeads(QHeaderView):
    """The cubes' names, in short where they are alike; that on show stands out."""

    def __init__(self, view: ActivationView) -> None:
        super().__init__(Qt.Orientation.Horizontal, view)
        self._view = view
        self.setSectionsClickable(True)
        self.setMinimumSectionSize(_NARROWEST)
        self.setFixedHeight(_ROW + 2)

    def paintSection(self, painter: QPainter, rect: QRect, column: int) -> None:
        """Draw one head."""
        matrix, colors = self._view.model().matrix, self._view.colors
        if matrix is None or not rect.isValid():
            return
        painter.save()
        shown = matrix.cubes[column] == self._view.cube
        painter.fillRect(rect, colors.chosen if shown else colors.head)
        painter.setPen(colors.text)
        model, metrics = self._view.model(), painter.fontMetrics()
        inner = rect.adjusted(2, 0, -2, 0)
        text = model.headerData(column, Qt.Orientation.Horizontal)
        if metrics.horizontalAdvance(text) > inner.width():
            text = model.headerData(column, Qt.Orientation.Horizontal, SHORTEST_ROLE)
        middle = Qt.TextElideMode.ElideMiddle
        text = metrics.elidedText(text, middle, inner.width())
        painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()


class ActivationView(QTableView):
    """Shows an `ActivationModel`.

    Attributes
    ----------
    chosen : frozenset of int
        Rows that are selected.
    cube : int
        Place in the study of the cube on show.
    pointed : QModelIndex
        The cell under the mouse.

    Signals
    -------
    said : str
        What is under the mouse; empty when it has left.
    wanted : int, int
        Row and column that were clicked on; -1 for the one that a head has not.
    """

    said = Signal(str)
    wanted = Signal(int, int)

    def __init__(self, model: ActivationModel, theme: str) -> None:
        super().__init__()
        self.colors = Colors(theme)
        self.chosen = frozenset[int]()
        self.cube = -1
        self.pointed = QModelIndex()
        self.setObjectName("dgc_activation")
        self.setModel(model)
        self.setItemDelegate(CellDelegate(self))
        self.setVerticalHeader(RowHeads(self))
        self.setHorizontalHeader(CubeHeads(self))
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        per_pixel = QAbstractItemView.ScrollMode.ScrollPerPixel
        self.setHorizontalScrollMode(per_pixel)
        self.setVerticalScrollMode(per_pixel)
        self.setCornerButtonEnabled(False)
        self.entered.connect(self._on_entered)
        self.viewportEntered.connect(self._point_nowhere)
        self.clicked.connect(lambda i: self.wanted.emit(i.row(), i.column()))
        self.verticalHeader().sectionClicked.connect(
            lambda row: self.wanted.emit(row, -1)
        )
        self.horizontalHeader().sectionClicked.connect(
            lambda column: self.wanted.emit(-1, column)
        )

    def set_theme(self, theme: str) -> None:
        """Take over the theme's colours."""
        self.colors = Colors(theme)
        self.repaint_all()

    def mark(self, rows: frozenset[int], cube: int) -> None:
        """Let the heads of these rows, and of the cube on show, stand out."""
        if (rows, cube) != (self.chosen, self.cube):
            self.chosen, self.cube = rows, cube
            self.repaint_all()

    def repaint_all(self) -> None:
        """Draw cells and heads anew."""
        for part in (self, self.verticalHeader(), self.horizontalHeader()):
            part.viewport().update()

    def fit(self) -> None:
        """Share the width among the columns, as far as numbers stay readable."""
        heads, count = self.horizontalHeader(), self.model().columnCount()
        self.verticalHeader().setFixedWidth(self.verticalHeader().sizeHint().width())
        if count:
            bar = self.verticalScrollBar()
            taken = self.verticalHeader().width() + 2 * self.frameWidth()
            taken += bar.sizeHint().width()
            width = (self.width() - taken) // count
            heads.setDefaultSectionSize(min(max(width, _NARROWEST), _WIDEST))

    def show_column(self, column: int) -> None:
        """Scroll a column into sight, and no row."""
        row = max(0, self.rowAt(0))
        self.scrollTo(self.model().index(row, column))

    def resizeEvent(self, event) -> None:
        """Share the new width."""
        super().resizeEvent(event)
        self.fit()

    def leaveEvent(self, event) -> None:
        """Point at nothing."""
        super().leaveEvent(event)
        self._point_nowhere()

    def _on_entered(self, index: QModelIndex) -> None:
        old, self.pointed = self.pointed, index
        for one in (old, index):
            if one.isValid():
                self.update(one)
        self.said.emit(explain_cell(self.model().matrix, index.row(), index.column()))

    def _point_nowhere(self) -> None:
        old, self.pointed = self.pointed, QModelIndex()
        if old.isValid():
            self.update(old)
            self.said.emit("")
