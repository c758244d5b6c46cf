"""Which curve is whose: a list that scrolls, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import QEvent, QItemSelectionModel, QPoint, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QMenu

from napari_dgc.reports.spectra import Spectrum
from napari_dgc.study.view import Pin
from napari_dgc.ui.swatches import Swatches

_WIDTH = 150  # pixels
_ROLE = Qt.ItemDataRole.UserRole
_PIN_TIP = "Right-click or Delete: unpin it"


class SpectraLegend(QListWidget):
    """Pinned pixels by number, then groups by colour and name.

    Signals
    -------
    group_clicked : (int, bool)
        A group's id, and whether Ctrl was held.
    group_pointed : object
        Id of the group under the mouse, or None.
    unpin_wanted : Pin
    unpin_all_wanted : ()
    """

    group_clicked = Signal(int, bool)
    group_pointed = Signal(object)
    unpin_wanted = Signal(object)
    unpin_all_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._swatches = Swatches()
        self._content: tuple = ()
        self.setFixedWidth(_WIDTH)
        self.setVisible(False)
        self.setToolTip("Click: select the group. Numbers are pinned pixels")
        self.setMouseTracking(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        self.setUniformItemSizes(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.itemEntered.connect(self._on_item_entered)
        self.customContextMenuRequested.connect(self._on_menu_wanted)

    def sizeHint(self) -> QSize:
        """Be no higher than the plot beside it."""
        return QSize(_WIDTH, 60)

    def minimumSizeHint(self) -> QSize:
        """Shrink with the dock."""
        return QSize(_WIDTH, 40)

    def show_spectra(
        self,
        groups: Mapping[int, Spectrum],
        pins: Sequence[tuple[int, Pin, str]],
    ) -> None:
        """List these; the place scrolled to stays."""
        content = (
            *((number, pin, text) for number, pin, text in pins),
            *((id, s.name, s.color, s.n) for id, s in groups.items()),
        )
        if content == self._content:
            return
        self._content = content
        self.setVisible(bool(content))
        place = self.verticalScrollBar().value()
        self.clear()
        for number, pin, text in pins:
            self._add(f"{number}  {text}", pin, f"Pixel {number}: {text}\n{_PIN_TIP}")
        for id, spectrum in groups.items():
            tip = f"{spectrum.name}: {spectrum.n:,} pixels"
            item = self._add(spectrum.name, id, tip)
            item.setIcon(self._swatches[spectrum.color])
        self.verticalScrollBar().setValue(place)

    def mark(self, ids: frozenset[int]) -> None:
        """Mark the selected groups."""
        flag = QItemSelectionModel.SelectionFlag
        for row in range(self.count()):
            chosen = self.item(row).data(_ROLE) in ids
            self.selectionModel().select(
                self.model().index(row, 0), flag.Select if chosen else flag.Deselect
            )

    def _add(self, text: str, data: object, tip: str) -> QListWidgetItem:
        item = QListWidgetItem(text)
        item.setData(_ROLE, data)
        item.setToolTip(tip)
        self.addItem(item)
        return item

    def name_pointed(self, id: int | None) -> None:
        """Underline the group whose curve is pointed at."""
        for row in range(self.count()):
            item = self.item(row)
            font = item.font()
            font.setUnderline(id is not None and item.data(_ROLE) == id)
            item.setFont(font)

    # -- the mouse: it selects groups, which `mark` then shows -------------------

    def mousePressEvent(self, event) -> None:
        """Select a group; Qt's own selecting would answer too."""
        item = self.itemAt(event.position().toPoint())
        data = None if item is None else item.data(_ROLE)
        if item is not None:
            self.setCurrentItem(item, QItemSelectionModel.SelectionFlag.NoUpdate)
        if event.button() == Qt.MouseButton.LeftButton and isinstance(data, int):
            control = Qt.KeyboardModifier.ControlModifier
            self.group_clicked.emit(data, bool(event.modifiers() & control))

    def mouseMoveEvent(self, event) -> None:
        """Point, but do not select by dragging."""
        item = self.itemAt(event.position().toPoint())
        if item is None:
            self.group_pointed.emit(None)
        else:
            self._on_item_entered(item)

    def mouseReleaseEvent(self, event) -> None:
        """Leave the selection as it is."""

    def leaveEvent(self, event: QEvent) -> None:
        """Point at nothing."""
        super().leaveEvent(event)
        self.group_pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete unpins; Space and Enter select."""
        item = self.currentItem()
        data = None if item is None else item.data(_ROLE)
        key = event.key()
        if isinstance(data, Pin) and key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.unpin_wanted.emit(data)
        elif isinstance(data, int) and key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
            self.group_clicked.emit(data, False)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = -1 if key == Qt.Key.Key_Up else 1
            row = min(max(self.currentRow() + step, 0), self.count() - 1)
            self.setCurrentRow(row, QItemSelectionModel.SelectionFlag.NoUpdate)
        else:
            event.ignore()

    def _on_item_entered(self, item: QListWidgetItem) -> None:
        data = item.data(_ROLE)
        self.group_pointed.emit(data if isinstance(data, int) else None)

    def _on_menu_wanted(self, place: QPoint) -> None:
        item = self.itemAt(place)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        pin = None if item is None else item.data(_ROLE)
        if isinstance(pin, Pin):
            menu.addAction("Unpin this pixel", lambda: self.unpin_wanted.emit(pin))
        menu.addAction("Unpin all pixels", self.unpin_all_wanted.emit)
        menu.popup(self.viewport().mapToGlobal(place))
