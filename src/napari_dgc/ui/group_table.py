"""The table of groups: selecting, dragging, naming, unfolding."""

from __future__ import annotations

from qtpy.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor, QDrag, QMouseEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHeaderView,
    QMenu,
    QTreeView,
)

from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.ui.group_cells import SIGN_ROLE, Column
from napari_dgc.ui.group_delegates import (
    SWATCH,
    NameDelegate,
    RoleDelegate,
    SignDelegate,
    on_swatch,
)
from napari_dgc.ui.group_drag import Dragged, row_for_drop
from napari_dgc.ui.group_menu import GroupMenu
from napari_dgc.ui.group_model import GroupModel
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.visibility import Visibility

_MIN_HEIGHT = 140  # pixels: some six rows, with the header
_INDENT = 12  # pixels
_SIGN = 24  # pixels, the width of a column of signs


class GroupTable(QTreeView):
    """Shows a `GroupModel`, its selection shared with the image.

    Signals
    -------
    recolor_wanted : int, tuple
        A colour was chosen for a group.
    said : str
        What letting go of the dragged rows here would do.
    aimed : tuple of int, int
        Ids of the groups dragged over a target, and its; none: no merge is aimed at.
    """

    recolor_wanted = Signal(int, tuple)
    said = Signal(str)
    aimed = Signal(tuple, int)

    def __init__(
        self, model: GroupModel, selection: Selection, visibility: Visibility
    ) -> None:
        super().__init__()
        self._selection = selection
        self._menus = GroupMenu(model, selection, visibility)
        self._open: set[int] = set()  # ids of groups whose clusters are shown
        self._quiet = False  # selected rows are ours to set: tell nobody
        self._stepping = False  # between a step on the groups and its end
        self._pressed = QPoint()
        self._last_said = ""
        self.setModel(model)
        self._set_looks()
        self._set_manners()
        self.selectionModel().selectionChanged.connect(self._on_rows_selected)
        selection.changed.connect(self._on_selection_changed)
        self.expanded.connect(self._on_row_expanded)
        self.collapsed.connect(self._on_row_collapsed)

    def sizeHint(self) -> QSize:
        """Ask for a table of some eight rows."""
        return QSize(280, _MIN_HEIGHT + 60)

    def _set_looks(self) -> None:
        self.setObjectName("dgc_groups")
        self.setToolTip("Groups of clusters: select, rename, drag one onto another")
        self.setMinimumHeight(_MIN_HEIGHT)
        self.setIndentation(_INDENT)
        self.setUniformRowHeights(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # its number ends a name
        self.setAllColumnsShowFocus(True)
        self.setExpandsOnDoubleClick(False)  # that renames
        names = NameDelegate(self)
        names.swatch_pressed.connect(self._on_swatch_pressed)
        self.setItemDelegateForColumn(Column.NAME, names)
        self.setItemDelegateForColumn(Column.ROLE, RoleDelegate(self))
        for column in (Column.EYE, Column.LOCK):
            self.setItemDelegateForColumn(column, SignDelegate(self))
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.moveSection(header.visualIndex(Column.EYE), 0)
        header.setMinimumSectionSize(24)
        header.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        mode = QHeaderView.ResizeMode
        header.setSectionResizeMode(mode.Interactive)
        header.setSectionResizeMode(Column.NAME, mode.Stretch)
        space = self.fontMetrics().horizontalAdvance
        self.setColumnWidth(Column.PERCENT, space("100.0") + 8)
        self.setColumnWidth(Column.ROLE, space("background") + 16)
        self.setColumnWidth(Column.LOCK, _SIGN)
        self.setColumnWidth(Column.EYE, _SIGN)
        self._on_cells_changed()
        self.model().dataChanged.connect(self._on_cells_changed)

    def _on_cells_changed(self, *_: object) -> None:
        """Leave to the names what no number of this cube can need."""
        space = self.fontMetrics().horizontalAdvance
        widest = max(space(f"{self.model().total:,}"), space("Pixels"))
        self.setColumnWidth(Column.PIXELS, widest + 8)

    def _set_manners(self) -> None:
        view = QAbstractItemView
        self.setSelectionMode(view.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(view.SelectionBehavior.SelectRows)
        self.setEditTriggers(
            view.EditTrigger.DoubleClicked | view.EditTrigger.EditKeyPressed
        )
        self.setDragDropMode(view.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(True)
        self.setAutoScroll(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu_requested)

    # -- steps on the groups ------------------------------------------------

    def show_grouping(self, grouping: Grouping | None) -> None:
        """Follow a grouping; nothing moves, and what was unfolded is so again."""
        bar = self.verticalScrollBar()
        place = bar.value()
        self._quiet = self._stepping = True
        try:
            self.model().set_grouping(grouping)
        finally:
            self._quiet = False
        for group in self._open:
            index = self.model().index_of(group)
            if index.isValid():
                self.expand(index)
        self.executeDelayedItemsLayout()
        bar.setValue(place)  # Qt scrolls where the current row goes

    def _on_row_expanded(self, index: QModelIndex) -> None:
        self._open.add(self.model().group_at(index).id)

    def _on_row_collapsed(self, index: QModelIndex) -> None:
        self._open.discard(self.model().group_at(index).id)

    # -- selection ----------------------------------------------------------

    def show_selection(self) -> None:
        """Select the rows of what is selected, after rows came or went."""
        self._stepping = False
        self._select_rows()

    def _select_rows(self) -> None:
        model: GroupModel = self.model()
        chosen = QItemSelection()
        rows = [model.index_of(group) for group in self._selection.ids]
        rows += [model.index_of_member(c) for c in self._selection.members]
        for index in rows:
            if index.isValid():
                chosen.select(index, index.siblingAtColumn(len(Column) - 1))
        self._quiet = True
        try:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().select(chosen, flags)
        finally:
            self._quiet = False

    def _on_rows_selected(self, *_: object) -> None:
        if self._quiet:
            return
        model: GroupModel = self.model()
        rows = self.selectionModel().selectedRows()
        held = [(model.group_at(row), model.cluster_at(row)) for row in rows]
        self._selection.set(
            (group.id for group, cluster in held if group and cluster is None),
            (cluster for _, cluster in held if cluster is not None),
        )

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        self._select_rows()
        # Chosen on the image: its row must be in sight. A step moves nothing.
        if len(ids) == 1 and not self._stepping:
            index = self.model().index_of(next(iter(ids)))
            if index.isValid():
                self.scrollTo(index)

    def selectionCommand(self, index: QModelIndex, event=None):
        """Leave the selection alone where a press is for a cell's button."""
        if isinstance(event, QMouseEvent) and self._is_button(index, event):
            return QItemSelectionModel.SelectionFlag.NoUpdate
        return super().selectionCommand(index, event)

    def _is_button(self, index: QModelIndex, event: QMouseEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            self._pressed = event.position().toPoint()
        if event.button() == Qt.MouseButton.RightButton:
            return False
        if index.data(SIGN_ROLE) is not None:
            return True
        return (
            index.column() == Column.NAME
            and self.model().cluster_at(index) is None
            and on_swatch(self.visualRect(index), self._pressed)
        )

    # -- drag ---------------------------------------------------------------

    def make_drag(self) -> QDrag:
        """Make the drag of the selected rows; its picture hides no row beneath."""
        rows = self.selectionModel().selectedRows(Column.NAME)
        drag = QDrag(self)
        drag.setMimeData(self.model().mimeData(rows))
        if rows:
            swatch = rows[0].data(Qt.ItemDataRole.DecorationRole)
            drag.setPixmap(swatch.pixmap(SWATCH, SWATCH))
            drag.setHotSpot(QPoint(-SWATCH, -SWATCH))  # below right of the pointer
        return drag

    def startDrag(self, actions) -> None:
        """Drag a swatch instead of a picture of the rows."""
        pressed = self.indexAt(self._pressed)
        if self.selectionModel().isRowSelected(pressed.row(), pressed.parent()):
            self.make_drag().exec(actions, self.defaultDropAction())

    def dragEnterEvent(self, event) -> None:
        """Offer the lines between rows to clusters alone: they come out there."""
        dragged = Dragged.from_mime(event.mimeData())
        self.setDragDropOverwriteMode(bool(dragged.groups))
        super().dragEnterEvent(event)

    def dragMoveEvent(self, event) -> None:
        """Say what a release here would do, as on the image."""
        super().dragMoveEvent(event)
        grouping = self.model().grouping
        if grouping is None:
            return
        target = self.model().group_at(row_for_drop(self, event.position().toPoint()))
        dragged = Dragged.from_mime(event.mimeData())
        if (text := dragged.word_drop(grouping, target)) != self._last_said:
            self._last_said = text
            if text:
                self.said.emit(text)
            self.aimed.emit(*dragged.merging(grouping, target))

    def dragLeaveEvent(self, event) -> None:
        """Aim at nothing any more."""
        super().dragLeaveEvent(event)
        self._end_aim()

    def dropEvent(self, event) -> None:
        """Aim at nothing any more; then the drop is done, or refused."""
        self._end_aim()
        super().dropEvent(event)

    def _end_aim(self) -> None:
        self._last_said = ""
        self.aimed.emit((), -1)

    # -- menu -------------------------------------------------------------

    def _on_menu_requested(self, place: QPoint) -> None:
        index = self.indexAt(place)
        group = self.model().group_at(index)
        if group is not None:
            menu = self.make_menu(group, index)
            menu.exec(self.viewport().mapToGlobal(place))
            menu.deleteLater()

    def make_menu(self, group: Group, index: QModelIndex) -> QMenu:
        """Build what a right click on a row offers."""
        if self.model().cluster_at(index) is not None:
            return self._menus.for_member(self, index)
        name = index.siblingAtColumn(Column.NAME)
        return self._menus.for_group(
            self, group, lambda: self.edit(name), lambda: self._choose_color(group)
        )

    def _on_swatch_pressed(self, index: QModelIndex) -> None:
        if self.model().cluster_at(index) is None:
            self._choose_color(self.model().group_at(index))

    def _choose_color(self, group: Group) -> None:
        color = QColorDialog.getColor(QColor(*group.color), self, group.name)
        if color.isValid():
            rgb = (color.red(), color.green(), color.blue())
            self.recolor_wanted.emit(group.id, rgb)
