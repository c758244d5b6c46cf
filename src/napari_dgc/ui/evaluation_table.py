"""The table of classes: their groups, to be chosen by hand, and their scores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
)

from napari_dgc.merging.grouping import Grouping
from napari_dgc.ui.evaluation_wording import (
    ALL_CLASSES,
    NO_CLASS,
    Row,
    shorten,
    word_groups,
)
from napari_dgc.ui.swatches import Swatches

_HEADS = (
    ("Class", "Click a class to see where it is right, missed and false"),
    ("Groups", "Click to choose the groups of a class by hand"),
    ("IoU", "Shared pixels / pixels of either; all classes: their mean"),
    ("Dice", "2 x shared pixels / pixels of both; all classes: their mean"),
    ("Area RMSE", "Error of the class's share of the area, over all cubes"),
)
_GROUPS = 1
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_MODES = QHeaderView.ResizeMode.Interactive, QHeaderView.ResizeMode.Stretch
_ROW, _WIDEST = 22, 190  # pixels of a line, and of the classes' names
_CHOOSABLE = " ▾"


class StayingMenu(QMenu):
    """Stays open while its boxes are checked: several groups are one wish."""

    def mouseReleaseEvent(self, event) -> None:
        """Check what is clicked, and stay."""
        action = self.actionAt(event.pos())
        if action is not None and action.isEnabled() and action.isCheckable():
            action.trigger()
        else:
            super().mouseReleaseEvent(event)


class ClassTable(QTableWidget):
    """One line for each class.

    Signals
    -------
    chosen : str or None
        The class whose line was clicked; None for all.
    assigned : int, str or None
        A group was put to a class by hand, or to none.
    """

    chosen = Signal(object)
    assigned = Signal(int, object)

    def __init__(self) -> None:
        super().__init__(0, len(_HEADS))
        self._rows: list[Row] = []
        self._grouping: Grouping | None = None
        self._swatches = Swatches()
        self.menu: StayingMenu | None = None
        for column, (head, tip) in enumerate(_HEADS):
            item = QTableWidgetItem(head)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)
        header = self.horizontalHeader()
        for column in range(len(_HEADS)):
            mode = QHeaderView.ResizeMode.ResizeToContents
            if column <= _GROUPS:
                mode = _MODES[column]
            header.setSectionResizeMode(column, mode)
        header.setHighlightSections(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.itemSelectionChanged.connect(self._on_selection_changed)
        self.cellClicked.connect(self._on_cell_clicked)

    def show_rows(
        self, rows: Sequence[Row], grouping: Grouping | None, chosen: str | None
    ) -> None:
        """Show other scores; the place scrolled to stays."""
        blocker = QSignalBlocker(self)
        place = self.verticalScrollBar().value()
        self._rows, self._grouping = list(rows), grouping
        self.setRowCount(len(rows))
        for at, row in enumerate(rows):
            names = "" if grouping is None else word_groups(row.groups, grouping)
            may = row.name not in (ALL_CLASSES, NO_CLASS)
            listed = f"{names or 'none'}{_CHOOSABLE}" if may else names
            texts = (row.name, listed, row.iou, row.dice, row.area)
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(names if column == _GROUPS else row.name)
                if column > _GROUPS:
                    item.setTextAlignment(_RIGHT)
                if row.name == ALL_CLASSES:
                    font = item.font()
                    font.setBold(True)
                    item.setFont(font)
                self.setItem(at, column, item)
        lines = {row.name: line for line, row in enumerate(rows)}
        self.clearSelection()
        if rows:
            self.selectRow(lines.get(chosen or ALL_CLASSES, 0))
        self.resizeColumnToContents(0)
        self.setColumnWidth(0, min(_WIDEST, self.columnWidth(0)))
        self.verticalScrollBar().setValue(place)  # Qt goes to the selected line
        del blocker
        self.viewport().update()
        self._check_menu()

    def _on_selection_changed(self) -> None:
        row = self.currentRow()
        if 0 <= row < len(self._rows):
            name = self._rows[row].name
            self.chosen.emit(None if name in (ALL_CLASSES, NO_CLASS) else name)

    def _on_cell_clicked(self, row: int, column: int) -> None:
        if column == _GROUPS and self._rows[row].name not in (ALL_CLASSES, NO_CLASS):
            self._offer(self._rows[row].name, row)

    def _offer(self, name: str, row: int) -> None:
        """Open the list of all groups, those of the class checked."""
        if self._grouping is None:
            return
        menu = StayingMenu(self)
        menu.setObjectName("dgc_class_groups")
        menu.setToolTipsVisible(True)
        menu.setProperty("class", name)
        for group in self._grouping.groups:
            action = menu.addAction(self._swatches[group.color], group.name)
            action.setCheckable(True)
            action.setData(group.id)
            action.triggered.connect(partial(self._on_checked, name, group.id))
        self.menu = menu
        self._check_menu()
        menu.aboutToHide.connect(self._on_menu_hidden)
        place = self.visualRect(self.model().index(row, _GROUPS)).bottomLeft()
        menu.popup(self.viewport().mapToGlobal(place))

    def _check_menu(self) -> None:
        """Check the class's groups in the open list, and say whose the others are."""
        if self.menu is None or self._grouping is None:
            return
        whose = {id: row.name for row in self._rows for id in row.groups}
        known = set(self._grouping.ids)
        for action in self.menu.actions():
            id = action.data()
            if id not in known:
                action.setEnabled(False)
                continue
            owner, name = whose.get(id, NO_CLASS), self._grouping.group(id).name
            mine = owner == self.menu.property("class")
            action.setChecked(mine)
            # Beside a swatch Qt's own check mark is but a frame around it.
            font = action.font()
            font.setBold(mine)
            action.setFont(font)
            other = "" if owner == NO_CLASS else f" ({shorten(owner)})"
            action.setText(f"✓ {name}" if mine else f"{name}{other}")

    def _on_checked(self, name: str, group: int, on: bool) -> None:
        self.assigned.emit(group, name if on else None)

    def _on_menu_hidden(self) -> None:
        if self.menu is not None:
            self.menu.deleteLater()
        self.menu = None
