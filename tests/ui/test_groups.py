"""The table of groups: dropping, editing, undoing, and staying put."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from acting import add_cube, brute_force, pixel_in, settle, shown_labels, undo_all
from qtpy.QtCore import QEvent, QItemSelectionModel, QMimeData, QPoint, QPointF, Qt
from qtpy.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox, QLineEdit

from napari_dgc.merging.palette import cluster_color, role_shades
from napari_dgc.ui.group_model import Column


def drop(dock, sources, target, *, below_last=False):
    """Drag rows of the table onto a row: the events Qt sends, in their order."""
    model, table = dock.groups.model, dock.groups.table
    mime = model.mimeData([model.index(model.row_of(s), 0) for s in sources])
    rect = table.visualRect(model.index(model.row_of(target), 0))
    place = rect.center()
    if below_last:
        table.setMinimumHeight(table.height() + 200)  # else the rows may fill it
        settle()
        place.setY(table.viewport().height() - 2)
    action = Qt.DropAction.MoveAction
    common = (action, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    viewport = table.viewport()
    for event in (
        QDragEnterEvent(place, *common),
        QDragMoveEvent(place, *common),
        QDropEvent(QPointF(place), *common),
    ):
        event.setDropAction(action)
        if event.type() == QEvent.Type.Drop:
            table.dropEvent(event)
        elif event.type() == QEvent.Type.DragEnter:
            table.dragEnterEvent(event)
        else:
            table.dragMoveEvent(event)
    settle()
    assert viewport.isVisible()
    return event


def ids_in_table(dock):
    model = dock.groups.model
    return [model.group_at(model.index(r, 0)).id for r in range(model.rowCount())]


def rows_dropped_on_a_row_go_into_it(mapped):
    target = mapped.study.grouping.group(3)
    event = drop(mapped, [1, 5], 3)
    kept = mapped.study.grouping.group(3)
    assert kept.clusters == (1, 3, 5)
    assert (kept.id, kept.name, kept.color) == (3, target.name, target.color)
    assert ids_in_table(mapped) == [2, 3, 4, 6]
    assert not event.isAccepted()  # else the view would remove rows itself
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))
    layer = mapped.display.entry.groups.layer
    np.testing.assert_allclose(
        np.array(layer.colormap.color_dict[1][:3]) * 255, target.color, atol=0.6
    )


def what_is_dropped_on_itself_beside_the_rows_or_from_elsewhere_does_nothing(
    mapped,
):
    before = mapped.study.grouping
    drop(mapped, [2], 2)
    drop(mapped, [2], 6, below_last=True)
    model, foreign = mapped.groups.model, QMimeData()
    foreign.setText("[1, 2]")
    move = Qt.DropAction.MoveAction
    assert not model.canDropMimeData(foreign, move, -1, -1, model.index(3, 0))
    assert not model.dropMimeData(foreign, move, -1, -1, model.index(3, 0))
    assert mapped.study.grouping is before


def a_locked_row_refuses_the_drop(mapped):
    mapped.study.set_lock(3, True)
    before = mapped.study.grouping
    drop(mapped, [1], 3)
    assert mapped.study.grouping is before
    assert "lock" in mapped.status.text()


def undo_and_redo_bring_back_map_names_colours_and_selection(mapped):
    study = mapped.study
    mapped.workspace.selection.set({1, 2})
    states = [
        (study.grouping, shown_labels(mapped).copy(), mapped.workspace.selection.ids)
    ]
    drop(mapped, [1], 2)
    states.append(
        (study.grouping, shown_labels(mapped).copy(), mapped.workspace.selection.ids)
    )
    study.recolor(2, (1, 2, 3))
    study.rename(2, "Cloth")
    drop(mapped, [4, 2], 6)
    last = (study.grouping, shown_labels(mapped).copy(), mapped.workspace.selection.ids)
    assert states[1][2] == {2}
    for _ in range(4):
        mapped.workspace.undo()
    assert study.grouping == states[0][0]
    np.testing.assert_array_equal(shown_labels(mapped), states[0][1])
    assert mapped.workspace.selection.ids == {1, 2}
    mapped.workspace.undo()
    assert "Nothing to undo" in mapped.status.text()
    for _ in range(4):
        mapped.workspace.redo()
    assert study.grouping == last[0]
    np.testing.assert_array_equal(shown_labels(mapped), last[1])
    assert mapped.workspace.selection.ids == last[2]
    mapped.workspace.redo()
    assert "Nothing to redo" in mapped.status.text()


def pixels_and_shares_are_those_of_the_map(mapped):
    drop(mapped, [1], 2)
    model, labels = mapped.groups.model, brute_force(mapped)
    for group in mapped.study.grouping.groups:
        row = model.row_of(group.id)
        count = int((labels == group.value).sum())
        pixels = model.index(row, Column.PIXELS).data()
        assert pixels == f"{count:,}"
        share = 100 * count / (labels > 0).sum()
        assert abs(float(model.index(row, Column.PERCENT).data()) - share) <= 0.05


def test_order_scroll_and_selection_stay_after_a_step(mapped):
    table = mapped.groups.table
    table.setFixedHeight(84)
    settle()
    bar = table.verticalScrollBar()
    assert bar.maximum() > 2
    bar.setValue(2)
    mapped.workspace.selection.set({4})
    settle()
    bar.setValue(2)
    drop(mapped, [6], 5)
    assert bar.value() == 2
    assert ids_in_table(mapped) == [1, 2, 3, 4, 5]
    assert mapped.workspace.selection.ids == {4}
    mapped.workspace.undo()
    settle()
    assert bar.value() == 2
    assert ids_in_table(mapped) == [1, 2, 3, 4, 5, 6]


def selecting_rows_highlights_the_image_without_a_loop(mapped):
    heard = []
    mapped.workspace.selection.changed.connect(heard.append)
    model, table = mapped.groups.model, mapped.groups.table
    flags = QItemSelectionModel.SelectionFlag
    select = table.selectionModel().select
    select(model.index(1, 0), flags.ClearAndSelect | flags.Rows)
    select(model.index(3, 0), flags.Select | flags.Rows)
    assert heard == [frozenset({2}), frozenset({2, 4})]
    alphas = mapped.display.entry.groups.layer.colormap.color_dict
    assert [alphas[v][3] == 1 for v in range(1, 7)] == [False, True, False, True] + [
        False
    ] * 2


def a_name_typed_in_the_table_is_one_step(mapped):
    model, table = mapped.groups.model, mapped.groups.table
    index = model.index(1, Column.NAME)
    table.setCurrentIndex(index)
    table.edit(index)
    editor = table.viewport().findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "Halo")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    settle()
    assert mapped.study.grouping.group(2).name == "Halo"
    assert index.data() == "Halo"
    mapped.workspace.undo()
    assert index.data() == "Group 2"


def an_empty_name_is_refused(mapped):
    index = mapped.groups.model.index(0, Column.NAME)
    mapped.groups.model.setData(index, "  ")
    assert index.data() == "Group 1"
    assert "name" in mapped.status.text()


def test_role_and_lock_are_set_in_the_table(mapped):
    model, table = mapped.groups.model, mapped.groups.table
    index = model.index(0, Column.ROLE)
    table.edit(index)
    box = table.viewport().findChild(QComboBox)
    box.setCurrentIndex(box.findText("lesion"))
    box.activated.emit(box.currentIndex())
    settle()
    assert mapped.study.grouping.group(1).role == "lesion"
    assert index.data() == "lesion"
    lock = model.index(0, Column.LOCK)
    checked = Qt.CheckState.Checked
    model.setData(lock, checked, Qt.ItemDataRole.CheckStateRole)
    assert mapped.study.grouping.group(1).locked
    assert model.data(lock, Qt.ItemDataRole.CheckStateRole) == checked


def the_menu_merges_the_selected_and_takes_out_members(mapped):
    model, table = mapped.groups.model, mapped.groups.table
    mapped.workspace.selection.set({1, 2, 3})

    def entry(menu, text):
        return next(a for a in menu.actions() if text in a.text())

    index = model.index(2, 0)
    menu = table.make_menu(model.group_at(index), index)
    entry(menu, "Merge").trigger()
    assert mapped.study.grouping.group(3).clusters == (1, 2, 3)
    index = model.index(0, 0)
    menu = table.make_menu(model.group_at(index), index)
    entry(entry(menu, "Take out").menu(), "Cluster 2").trigger()
    assert mapped.study.grouping.group(3).clusters == (1, 3)
    assert mapped.study.grouping.group_of(2).id > 6


def test_a_selected_group_that_merges_leaves_its_target_selected(mapped, mouse):
    mouse.click(pixel_in(mapped, 1))
    drop(mapped, [1], 4)
    assert mapped.workspace.selection.ids == {4}


def a_drag_of_rows_says_what_a_release_does_and_hides_nothing(mapped):
    table, model = mapped.groups.table, mapped.groups.model
    mapped.workspace.selection.set({1})
    drag = table.make_drag()
    assert drag.hotSpot().x() < 0
    assert drag.pixmap().height() < table.visualRect(model.index(0, 0)).height()
    place = table.visualRect(model.index(model.row_of(3), 0)).center()
    move, left = Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    table.dragMoveEvent(QDragMoveEvent(place, move, drag.mimeData(), left, none))
    assert mapped.status.text().startswith("Release: Group 1 goes into Group 3 ·")


def press(table, index):
    """Press a cell of the table as the mouse does, in its middle."""
    place = table.visualRect(index).center()
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mouseClick(table.viewport(), button, none, place)
    settle(0.1)


def one_click_opens_the_roles_and_one_chooses(mapped):
    table, model, study = mapped.groups.table, mapped.groups.model, mapped.study
    mapped.workspace.selection.set({3})
    cell = model.index(model.row_of(2), Column.ROLE)
    assert cell.data() == "role…"
    press(table, cell)
    box = table.findChild(QComboBox)
    assert box.view().isVisible()
    assert box.currentText() == "no role"
    assert mapped.workspace.selection.ids == {3}
    view = box.view()
    place = view.visualRect(view.model().index(box.findText("lesion"), 0)).center()
    QTest.qWait(QApplication.doubleClickInterval())  # a double click chooses nothing
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mouseMove(view.viewport(), place)
    QTest.mouseClick(view.viewport(), button, none, place)
    settle(0.1)
    group = study.grouping.group(2)
    assert (group.role, group.color) == ("lesion", role_shades("lesion")[0])
    assert cell.data() == "lesion"
    assert not view.isVisible()
    layer = mapped.display.entry.groups.layer
    shown = 255 * np.array(layer.colormap.color_dict[2][:3])
    np.testing.assert_allclose(shown, group.color)
    tip = mapped.groups.undo_button.toolTip()
    assert tip == "Undo: Group 2 has the role lesion (Ctrl+Z)"
    mapped.workspace.undo()  # one step: role and colour
    group = study.grouping.group(2)
    assert (group.role, group.color) == (None, cluster_color(2))
    assert not study.history.can_undo


def the_menu_offers_roles_too(mapped):
    table, model = mapped.groups.table, mapped.groups.model
    mapped.study.set_role(2, "healthy")
    group = mapped.study.grouping.group(2)
    menu = table.make_menu(group, model.index_of(2))
    (roles,) = [a.menu() for a in menu.actions() if a.text() == "Role"]
    assert [a.text() for a in roles.actions() if a.isChecked()] == ["healthy"]
    roles.actions()[-1].trigger()
    assert mapped.study.grouping.group(2).role == "ignore"


def swatch(index):
    """Colour of the square at the start of a row."""
    icon = index.data(Qt.ItemDataRole.DecorationRole)
    return icon.pixmap(14, 14).toImage().pixelColor(7, 7).getRgb()[:3]


def clusters_of_a_group_have_the_colour_that_the_image_shows(mapped):
    mapped.study.merge((1, 3), 2)
    for _ in range(2):
        group = mapped.study.grouping.group(2)
        for cluster in (1, 2, 3):
            row = mapped.groups.model.index_of_member(cluster)
            assert row.data() == f"Cluster {cluster}"
            assert swatch(row) == group.color
        mapped.study.set_role(2, "healthy")


def heads(table):
    """What the heads of the columns say."""
    model, side = table.model(), Qt.Orientation.Horizontal
    columns = (Column.NAME, Column.PIXELS, Column.PERCENT)
    return [model.headerData(c, side, Qt.ItemDataRole.DisplayRole) for c in columns]


def press_head(table, column):
    header = table.header()
    place = QPoint(header.sectionViewportPosition(column) + 20, header.height() // 2)
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mouseClick(header.viewport(), button, none, place)
    settle()


def test_the_table_says_whose_pixels_it_counts_and_counts_all_on_a_click(mapped):
    study, table, model = mapped.study, mapped.groups.table, mapped.groups.model
    assert heads(table) == ["leaf", "Pixels", "%"]
    press_head(table, Column.PIXELS)  # one cube: nothing else to count
    assert heads(table)[0] == "leaf"
    (leaf,), clusters = study.cubes, study.cluster_map(0)
    add_cube(mapped, replace(leaf, name="right half"))
    half = clusters.copy()
    half[:, : half.shape[1] // 2] = 0
    study.set_map(1, half)
    both = np.bincount(clusters.ravel()) + np.bincount(half.ravel(), minlength=7)
    here = np.bincount(clusters.ravel())
    mapped.display.show(0)
    settle()

    def cells(group):
        row = model.row_of(group)
        return [model.index(row, c).data() for c in (Column.PIXELS, Column.PERCENT)]

    def wanted(counts, cluster):
        share = 100 * counts[cluster] / counts[1:].sum()
        return [f"{counts[cluster]:,}", f"{share:.1f}"]

    assert cells(2) == wanted(here, 2)
    tip = model.index(model.row_of(2), Column.PERCENT).data(Qt.ItemDataRole.ToolTipRole)
    for counts, where in ((here, "leaf"), (both, "all 2 cubes")):
        pixels, share = wanted(counts, 2)
        assert f"{pixels} pixels, {share} % of {where}" in tip
    press_head(table, Column.PERCENT)
    assert heads(table)[0] == "all 2 cubes"
    assert cells(2) == wanted(both, 2)
    assert f"{wanted(both, 2)[1]} % of all 2 cubes." in model.describe({2})
    mapped.display.show(1)  # stays so with another cube
    settle()
    assert cells(2) == wanted(both, 2)
    press_head(table, Column.NAME)
    assert heads(table)[0] == "right half"
    assert cells(2) == wanted(np.bincount(half.ravel(), minlength=7), 2)


def test_the_table(mapped):
    for story in (
        rows_dropped_on_a_row_go_into_it,
        a_locked_row_refuses_the_drop,
        undo_and_redo_bring_back_map_names_colours_and_selection,
        pixels_and_shares_are_those_of_the_map,
        selecting_rows_highlights_the_image_without_a_loop,
        a_name_typed_in_the_table_is_one_step,
        an_empty_name_is_refused,
        the_menu_merges_the_selected_and_takes_out_members,
        a_drag_of_rows_says_what_a_release_does_and_hides_nothing,
        one_click_opens_the_roles_and_one_chooses,
        the_menu_offers_roles_too,
        clusters_of_a_group_have_the_colour_that_the_image_shows,
        what_is_dropped_on_itself_beside_the_rows_or_from_elsewhere_does_nothing,
    ):
        story(mapped)
        undo_all(mapped)
