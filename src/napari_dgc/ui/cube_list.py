"""The list of cubes: a picture, a name, a warning, and what the cube holds."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from napari_dgc.cubes.cube import Cube
from napari_dgc.ui.cube_thumbnails import SIDE
from napari_dgc.ui.cube_wording import CubeWords

ROWS = 6  # in sight at once
_ROW = SIDE + 2  # pixels
_GAP = 6  # pixels between the parts of a row
_SIGN = "⚠"
_SIGN_COLORS = {"dark": QColor("#e69f00"), "light": QColor("#b35900")}
_FACTS = Qt.ItemDataRole.UserRole
_STRANGE = Qt.ItemDataRole.UserRole + 1


class CubeList(QListWidget):
    """Rows in the order of the study; they change in place, nothing scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("dgc_cubes")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setItemDelegate(_CubeDelegate(self))
        self._blank = QIcon(_square())
        self._fit()

    def show_cubes(
        self,
        cubes: Sequence[Cube],
        words: Sequence[CubeWords],
        icons: Sequence[QIcon | None],
        shown: int,
    ) -> None:
        """Show these cubes; the one at place `shown` is marked.

        Tells nobody: what is chosen is the user's to say.
        """
        self.blockSignals(True)
        try:
            while self.count() > len(cubes):
                self.takeItem(self.count() - 1)
            while self.count() < len(cubes):
                self.addItem(QListWidgetItem())
            for row, (cube, said, icon) in enumerate(
                zip(cubes, words, icons, strict=True)
            ):
                item = self.item(row)
                item.setText(cube.name)
                item.setIcon(icon or self._blank)
                item.setData(_FACTS, said.facts)
                item.setData(_STRANGE, said.strange)
                item.setToolTip(said.tip)
            if self.currentRow() != shown:
                self.setCurrentRow(shown)  # scrolls it into sight
        finally:
            self.blockSignals(False)
        self._fit()
        self.viewport().update()

    def facts(self, row: int) -> str:
        """What stands at a row's end."""
        return str(self.item(row).data(_FACTS))

    def is_strange(self, row: int) -> bool:
        """Whether a row bears the warning."""
        return bool(self.item(row).data(_STRANGE))

    def _fit(self) -> None:
        rows = min(max(self.count(), 1), ROWS)
        self.setFixedHeight(rows * _ROW + 2 * self.frameWidth() + 2)


class _CubeDelegate(QStyledItemDelegate):
    """Draws a row: the name gives way to what the cube holds."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Be as high as a picture, as wide as the list."""
        return QSize(1, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw picture and background as Qt does, the words ourselves."""
        own = QStyleOptionViewItem(option)
        self.initStyleOption(own, index)
        name, own.text = own.text, ""
        icon, own.icon = QIcon(own.icon), QIcon()  # Qt would tint the chosen one's
        list_ = option.widget
        list_.style().drawControl(
            QStyle.ControlElement.CE_ItemViewItem, own, painter, list_
        )
        color = option.palette.color(QPalette.ColorRole.Text)
        words = option.rect.adjusted(SIDE + 2 * _GAP, 0, -_GAP, 0)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        metrics = option.fontMetrics
        painter.save()
        square = QRect(0, 0, SIDE, SIDE)
        square.moveCenter(option.rect.center())
        square.moveLeft(option.rect.left() + 2)
        icon.paint(painter, square)
        facts = str(index.data(_FACTS) or "")
        painter.setPen(color)
        painter.drawText(words, right, facts)
        left = words.right() - metrics.horizontalAdvance(facts) - _GAP
        if index.data(_STRANGE):
            theme = "light" if color.lightness() < 128 else "dark"
            painter.setPen(_SIGN_COLORS[theme])
            left -= metrics.horizontalAdvance(_SIGN)
            place = QRect(left, words.top(), words.right() - left, words.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, _SIGN)
            painter.setPen(color)
            left -= _GAP
        words.setRight(left)
        text = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


def _square() -> QPixmap:
    """Stand in for a picture that is not there yet."""
    square = QPixmap(SIDE, SIDE)
    square.fill(QColor(128, 128, 128, 90))
    return square
