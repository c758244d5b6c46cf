"""How cells of the group table are drawn, pressed and edited."""

from __future__ import annotations

from qtpy.QtCore import (
    QEvent,
    QModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from qtpy.QtGui import QColor, QPalette, QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from napari_dgc.merging.grouping import ROLES
from napari_dgc.ui.group_cells import SIGN_ROLE
from napari_dgc.ui.signs import SIDE, Sign, sign_pixmap

SWATCH = 14  # pixels
_AROUND = 4  # pixels beside the swatch that count as it
_NONE = "no role"
_PRESSES = (QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick)


def on_swatch(cell: QRect, place: QPoint) -> bool:
    """Whether a place is on the colour at the start of a name's cell."""
    return 0 <= place.x() - cell.left() < SWATCH + _AROUND


class NameDelegate(QStyledItemDelegate):
    """A name with its colour, which can be pressed.

    Signals
    -------
    swatch_pressed : QModelIndex
    """

    swatch_pressed = Signal(QModelIndex)

    def editorEvent(self, event, model, option, index) -> bool:
        """Notice a click on the colour."""
        if _is_click(event, QEvent.Type.MouseButtonRelease) and on_swatch(
            option.rect, event.position().toPoint()
        ):
            self.swatch_pressed.emit(index)
            return True
        return super().editorEvent(event, model, option, index)


class _Signed(QStyledItemDelegate):
    """Draws signs in the colour of the text beside them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._pixmaps: dict[tuple[Sign, int, float], QPixmap] = {}

    def paint(self, painter, option, index) -> None:
        """Draw the sign on the row's background."""
        super().paint(painter, option, index)
        sign = index.data(SIGN_ROLE)
        if sign is not None:
            chosen = bool(option.state & QStyle.StateFlag.State_Selected)
            role = QPalette.ColorRole
            color = option.palette.color(role.HighlightedText if chosen else role.Text)
            scale = painter.device().devicePixelRatioF()
            middle = self._middle(option.rect)
            place = middle - QPoint(SIDE // 2 - 1, SIDE // 2 - 1)
            painter.drawPixmap(place, self._pixmap(sign, color, scale))

    def _middle(self, cell: QRect) -> QPoint:
        """Give where the sign is."""
        return cell.center()

    def _pixmap(self, sign: Sign, color: QColor, scale: float) -> QPixmap:
        key = sign, color.rgba(), scale
        if key not in self._pixmaps:
            self._pixmaps[key] = sign_pixmap(sign, color, scale=scale)
        return self._pixmaps[key]


class SignDelegate(_Signed):
    """A cell that is a button: it shows its sign instead of a box to tick."""

    def initStyleOption(self, option: QStyleOptionViewItem, index) -> None:
        """Leave out the box."""
        super().initStyleOption(option, index)
        option.features &= ~QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator

    def sizeHint(self, option, index) -> QSize:
        """Ask for rows that signs have air in; it is the same for all."""
        return super().sizeHint(option, index).expandedTo(QSize(0, SIDE + 4))

    def editorEvent(self, event, model, option, index) -> bool:
        """Press the cell by mouse or Space."""
        by_key = event.type() == QEvent.Type.KeyPress and event.key() in (
            Qt.Key.Key_Space,
            Qt.Key.Key_Select,
        )
        if by_key or _is_click(event, *_PRESSES):
            return model.setData(index, None, Qt.ItemDataRole.CheckStateRole)
        return False


class RoleDelegate(_Signed):
    """Chooses a role from a drop-down, which a click opens."""

    def _middle(self, cell: QRect) -> QPoint:
        return QPoint(cell.right() - 6, cell.center().y())

    def editorEvent(self, event, model, option, index) -> bool:
        """Open the list by a click: it looks as if that did."""
        if _is_click(event, QEvent.Type.MouseButtonRelease) and index.data(SIGN_ROLE):
            self.parent().edit(index)
            return True
        return super().editorEvent(event, model, option, index)

    def createEditor(self, parent: QWidget, option, index) -> QComboBox:
        """Make the drop-down; it commits as soon as something is chosen."""
        box = QComboBox(parent)
        box.addItem(_NONE, None)
        for role in ROLES:
            box.addItem(role, role)
        box.activated.connect(lambda _: self._commit(box))
        # Open at once, when Qt has put it in place: one click less.
        opening = QTimer(box)
        opening.setSingleShot(True)
        opening.timeout.connect(box.showPopup)
        opening.start(0)
        return box

    def setEditorData(self, editor: QComboBox, index: QModelIndex) -> None:
        """Show the present role."""
        editor.setCurrentIndex(editor.findData(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QComboBox, model, index: QModelIndex) -> None:
        """Wish for the chosen role."""
        model.setData(index, editor.currentData())

    def _commit(self, editor: QComboBox) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)


def _is_click(event, *types: QEvent.Type) -> bool:
    return event.type() in types and event.button() == Qt.MouseButton.LeftButton
