"""The table of groups: selecting, dragging, naming."""

from __future__ import annotations

from qtpy.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QPoint,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from qtpy.QtGui import QAction, QColor, QDrag
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QComboBox,
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QTreeView,
    QWidget,
)

from napari_dgc.merging.grouping import ROLES, Group
from napari_dgc.ui.group_model import Column, GroupModel, ids_in
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.wording import word_names

_SWATCH = 14  # pixels
_MIN_HEIGHT = 140  # pixels: some six rows, with the header


class RoleDelegate(QStyledItemDelegate):
    """Chooses a role from a drop-down."""

    def createEditor(self, parent: QWidget, option, index) -> QComboBox:
        """Make the drop-down; it commits as soon as something is chosen."""
        box = QComboBox(parent)
        box.addItem("–", None)
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


class GroupTable(QTreeView):
    """Shows a `GroupModel`, its selection shared with the image.

    Signals
    -------
    recolor_wanted : int, tuple
        A colour was chosen for a group.
    take_out_wanted : int
        A cluster shall leave its group.
    said : str
        What letting go of the dragged rows here would do.
    """

    recolor_wanted = Signal(int, tuple)
    take_out_wanted = Signal(int)
    said = Signal(str)

    def __init__(self, model: GroupModel, selection: Selection) -> None:
        super().__init__()
        self._selection = selection
        self._quiet = False
        self._last_said = ""
        self.setModel(model)
        self._set_looks()
        self._set_manners()
        self.selectionModel().selectionChanged.connect(self._on_rows_selected)
        selection.changed.connect(self._on_selection_changed)

    def sizeHint(self) -> QSize:
        """Ask for a table of some eight rows."""
        return QSize(280, _MIN_HEIGHT + 60)

    def _set_looks(self) -> None:
        self.setObjectName("dgc_groups")
        self.setToolTip("Groups of clusters: select, rename, drag one onto another")
        self.setMinimumHeight(_MIN_HEIGHT)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        # napari's style draws boxes that cannot be seen in its dark theme.
        self.setStyleSheet(
            "QTreeView::indicator { width: 11px; height: 11px;"
            " border: 1px solid #8a8a8a; border-radius: 2px; }"
            "QTreeView::indicator:checked { background: #e69f00; }"
        )
        self.setAllColumnsShowFocus(True)
        self.setItemDelegateForColumn(Column.ROLE, RoleDelegate(self))
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setMinimumSectionSize(24)
        mode = QHeaderView.ResizeMode
        header.setSectionResizeMode(mode.Interactive)
        header.setSectionResizeMode(Column.NAME, mode.Stretch)
        space = self.fontMetrics().horizontalAdvance
        self.setColumnWidth(Column.PIXELS, space("1,000,000") + 6)
        self.setColumnWidth(Column.PERCENT, space("100.0") + 8)
        self.setColumnWidth(Column.ROLE, space("background") + 6)
        self.setColumnWidth(Column.LOCK, space("Lock") + 12)

    def _set_manners(self) -> None:
        view = QAbstractItemView
        self.setSelectionMode(view.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(view.SelectionBehavior.SelectRows)
        self.setEditTriggers(
            view.EditTrigger.DoubleClicked | view.EditTrigger.EditKeyPressed
        )
        self.setDragDropMode(view.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        # Between two rows there is nothing to drop on: a row is the target.
        self.setDragDropOverwriteMode(True)
        self.setDropIndicatorShown(True)
        self.setAutoScroll(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu_requested)

    # -- selection ----------------------------------------------------------

    def show_selection(self) -> None:
        """Select the rows of the selected groups, after rows came or went."""
        model: GroupModel = self.model()
        chosen = QItemSelection()
        for group in self._selection.ids:
            row = model.row_of(group)
            if row >= 0:
                last = model.index(row, len(Column) - 1)
                chosen.select(model.index(row, 0), last)
        self._quiet = True
        try:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().select(chosen, flags)
        finally:
            self._quiet = False

    def _on_rows_selected(self, *_: object) -> None:
        if self._quiet:
            return
        rows = self.selectionModel().selectedRows()
        self._selection.set(self.model().group_at(row).id for row in rows)

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        self.show_selection()
        if len(ids) == 1:  # chosen on the image: its row must be in sight
            row = self.model().row_of(next(iter(ids)))
            if row >= 0:
                self.scrollTo(self.model().index(row, 0))

    # -- drag ---------------------------------------------------------------

    def make_drag(self) -> QDrag:
        """Make the drag of the selected rows; its picture hides no row beneath."""
        rows = self.selectionModel().selectedRows()
        drag = QDrag(self)
        drag.setMimeData(self.model().mimeData(rows))
        if rows:
            swatch = rows[0].data(Qt.ItemDataRole.DecorationRole)
            drag.setPixmap(swatch.pixmap(_SWATCH, _SWATCH))
            drag.setHotSpot(QPoint(-_SWATCH, -_SWATCH))  # below right of the pointer
        return drag

    def startDrag(self, actions) -> None:
        """Drag a swatch instead of a picture of the rows."""
        self.make_drag().exec(actions, self.defaultDropAction())

    def dragMoveEvent(self, event) -> None:
        """Say what a release here would do, as on the image."""
        super().dragMoveEvent(event)
        target = self.model().group_at(self.indexAt(event.position().toPoint()))
        mime = event.mimeData()
        names = self._dragged(mime, target) if target is not None else ""
        text = f"Release: {names} goes into {target.name}." if names else ""
        if text != self._last_said:
            self._last_said = text
            if text:
                self.said.emit(text)

    def _dragged(self, mime: QMimeData, target: Group) -> str:
        """Names of the groups dragged, but for the one beneath."""
        model: GroupModel = self.model()
        rows = (model.row_of(id) for id in ids_in(mime) if id != target.id)
        groups = [model.group_at(model.index(row, 0)) for row in rows if row >= 0]
        return word_names(group.name for group in groups if group is not None)

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
        model: GroupModel = self.model()
        menu = QMenu(self)
        name = index.siblingAtColumn(Column.NAME)
        others = tuple(sorted(self._selection.ids - {group.id}))
        merge = self._add(
            menu,
            f"Merge the other selected groups into {group.name}",
            lambda: model.merge_wanted.emit(others, group.id),
        )
        merge.setEnabled(bool(others))
        menu.addSeparator()
        self._add(menu, "Rename", lambda: self.edit(name))
        self._add(menu, "Colour…", lambda: self._choose_color(group))
        self._add(
            menu,
            "Unlock" if group.locked else "Lock",
            lambda: model.lock_wanted.emit(group.id, not group.locked),
        )
        members = menu.addMenu("Take out")
        members.setEnabled(len(group.clusters) > 1 and not group.locked)
        for cluster in group.clusters:
            self._add(
                members,
                f"Cluster {cluster}",
                lambda _=False, c=cluster: self.take_out_wanted.emit(c),
            )
        return menu

    def _add(self, menu: QMenu, text: str, wish) -> QAction:
        action = menu.addAction(text)
        action.triggered.connect(wish)
        return action

    def _choose_color(self, group: Group) -> None:
        color = QColorDialog.getColor(QColor(*group.color), self, group.name)
        if color.isValid():
            rgb = (color.red(), color.green(), color.blue())
            self.recolor_wanted.emit(group.id, rgb)
