"""The table as a tree: unfolding, moving and taking out members, staying put."""

from __future__ import annotations

import numpy as np
import tifffile
from acting import brute_force, pixel_in, settle, shown_labels, undo_all, wait_until
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QColorDialog, QLineEdit

from napari_dgc.ui.group_model import Column
from napari_dgc.ui.writer import write_labels

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def unfold(dock, group=3, members=(1, 5)):
    """Merge into a group and open it by its arrow, with the mouse."""
    dock.study.merge(members, group)
    settle()
    table, model = dock.groups.table, dock.groups.model
    table.collapse(model.index_of(group))  # it may have been unfolded before
    rect = table.visualRect(model.index_of(group))
    QTest.mouseClick(table.viewport(), LEFT, NONE, rect.center() - QPoint(
        rect.width() // 2 + 6, 0
    ))  # fmt: skip
    settle()
    assert table.isExpanded(model.index_of(group))


def cell(dock, group=None, cluster=None, column=Column.NAME):
    model = dock.groups.model
    index = model.index_of(group) if cluster is None else model.index_of_member(cluster)
    assert index.isValid()
    return index.siblingAtColumn(column)


def click(dock, index, modifiers=NONE, place=None):
    table = dock.groups.table
    rect = table.visualRect(index)
    assert rect.isValid()
    QTest.mouseClick(table.viewport(), LEFT, modifiers, place or rect.center())
    settle()


def drag(dock, rows, place):
    """Drag rows to a place in the table: the events Qt sends, in their order."""
    table, mime = dock.groups.table, dock.groups.model.mimeData(rows)
    common = (Qt.DropAction.MoveAction, mime, LEFT, NONE)
    for event, handle in (
        (QDragEnterEvent(place, *common), table.dragEnterEvent),
        (QDragMoveEvent(place, *common), table.dragMoveEvent),
        (QDropEvent(QPointF(place), *common), table.dropEvent),
    ):
        event.setDropAction(Qt.DropAction.MoveAction)
        handle(event)
        if event.type() == QEvent.Type.DragMove:
            settle()
            said = dock.status.text()
    settle()
    return said


def onto(dock, index):
    return dock.groups.table.visualRect(index).center()


def below_all_rows(dock):
    dock.groups.table.setMinimumHeight(300)  # room for all rows, and some
    settle()
    viewport = dock.groups.table.viewport()
    place = QPoint(60, viewport.height() - 3)
    assert not dock.groups.table.indexAt(place).isValid()
    return place


def steps(dock):
    return len(dock.study.history.operations)


def put(dock):
    """What must not move: scroll, unfolded groups, selection, rows."""
    table, model = dock.groups.table, dock.groups.model
    ids = dock.study.grouping.ids
    selection = dock.workspace.selection
    rows = table.selectionModel().selectedRows()
    return (
        table.verticalScrollBar().value(),
        {id for id in ids if table.isExpanded(model.index_of(id))},
        (selection.ids, selection.members),
        {(model.group_at(row).id, model.cluster_at(row)) for row in rows},
        [model.group_at(model.index(row, 0)).id for row in range(model.rowCount())],
    )


def a_group_of_several_unfolds_into_its_clusters_and_one_of_one_does_not(mapped):
    unfold(mapped)
    model = mapped.groups.model
    parent = cell(mapped, 3)
    rows = [model.index(row, 0, parent) for row in range(model.rowCount(parent))]
    assert [row.data() for row in rows] == ["Cluster 1", "Cluster 3", "Cluster 5"]
    assert model.rowCount(cell(mapped, 4)) == 0
    assert not model.rowCount(model.index(0, 0, parent))
    counts = np.bincount(mapped.study.cluster_map(0).ravel(), minlength=7)
    for cluster in (1, 3, 5):
        pixels = cell(mapped, cluster=cluster, column=Column.PIXELS).data()
        assert pixels == f"{counts[cluster]:,}"
        share = float(cell(mapped, cluster=cluster, column=Column.PERCENT).data())
        assert abs(share - 100 * counts[cluster] / counts[1:].sum()) <= 0.05
    table = mapped.groups.table
    table.edit(cell(mapped, cluster=5))
    assert table.viewport().findChild(QLineEdit) is None, "a cluster has no other name"


def test_nothing_moves_with_a_step(mapped):
    unfold(mapped)
    study, table = mapped.study, mapped.groups.table
    table.setMinimumHeight(0)
    table.setFixedHeight(90)
    settle()
    bar = table.verticalScrollBar()
    bar.setValue(2)
    mapped.workspace.selection.set({4}, {5})
    bar.setValue(2)
    settle()
    kept = put(mapped)
    assert kept[:3] == (2, {3}, ({4}, {5}))
    assert kept[3] == {(4, None), (3, 5)}
    for step in (
        lambda: study.recolor(3, (1, 2, 3)),
        lambda: study.rename(4, "Vein"),
        lambda: study.set_lock(6, True),
        lambda: study.set_lock(6, False),
        mapped.workspace.undo,
        mapped.workspace.redo,
        lambda: study.grouping_changed.emit(None) or (
            mapped.workspace.selection.set({4}, {5}), bar.setValue(2)
        ),
    ):  # fmt: skip
        step()
        settle()
        assert put(mapped) == kept
    study.merge((6,), 4)
    settle()
    assert put(mapped)[:4] == kept[:4]
    mapped.workspace.undo()
    settle()
    assert put(mapped) == kept
    study.cut(3)
    settle()
    assert put(mapped)[:2] == kept[:2]
    mapped.workspace.undo()
    settle()
    assert put(mapped) == kept


def a_group_that_comes_back_is_unfolded_as_it_was(mapped):
    unfold(mapped)
    kept = put(mapped)
    mapped.study.merge((3,), 4)
    settle()
    assert put(mapped)[1] == set()
    mapped.workspace.undo()
    settle()
    assert put(mapped) == kept
    mapped.workspace.undo()  # the group has one cluster now, nothing below it
    mapped.workspace.redo()
    settle()
    assert put(mapped) == kept


def test_a_step_on_the_current_row_does_not_scroll(mapped):
    unfold(mapped, 3, (1, 2, 4, 5))
    table = mapped.groups.table
    table.setMinimumHeight(0)
    table.setFixedHeight(90)
    settle()
    click(mapped, cell(mapped, 3))
    bar = table.verticalScrollBar()
    bar.setValue(3)
    before = bar.value()
    mapped.study.take_out(1)
    settle()
    assert bar.value() == before == 3


def a_member_dropped_on_another_group_is_one_step(mapped):
    unfold(mapped)
    before, count = mapped.study.grouping, steps(mapped)
    said = drag(mapped, [cell(mapped, cluster=5)], onto(mapped, cell(mapped, 4)))
    assert said == "Release: cluster 5 goes into Group 4."
    assert mapped.status.text() == "Moved cluster 5 into Group 4."
    grouping = mapped.study.grouping
    assert grouping.group(4).clusters == (4, 5)
    assert grouping.group(3).clusters == (1, 3)
    assert steps(mapped) == count + 1
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))
    mapped.workspace.undo()
    assert mapped.study.grouping == before


def members_and_groups_dropped_together_are_one_step(mapped):
    unfold(mapped)
    count = steps(mapped)
    rows = [cell(mapped, cluster=5), cell(mapped, cluster=1), cell(mapped, 6)]
    drag(mapped, rows, onto(mapped, cell(mapped, 2)))
    assert mapped.study.grouping.group(2).clusters == (1, 2, 5, 6)
    assert mapped.study.grouping.group(3).clusters == (3,)
    assert steps(mapped) == count + 1


def a_member_dropped_on_its_own_group_or_a_sibling_stays(mapped):
    unfold(mapped)
    before = mapped.study.grouping
    for target in (cell(mapped, 3), cell(mapped, cluster=1)):
        drag(mapped, [cell(mapped, cluster=5)], onto(mapped, target))
    assert mapped.study.grouping is before


def a_locked_group_takes_and_gives_no_member(mapped):
    unfold(mapped)
    mapped.study.set_lock(4, True)
    before = mapped.study.grouping
    said = drag(mapped, [cell(mapped, cluster=5)], onto(mapped, cell(mapped, 4)))
    assert said == "Group 4 is locked: it takes nothing."
    assert "locked" in mapped.status.text()
    assert mapped.study.grouping is before
    mapped.study.set_lock(3, True)
    before = mapped.study.grouping
    drag(mapped, [cell(mapped, cluster=5)], below_all_rows(mapped))
    assert "locked" in mapped.status.text()
    click(mapped, cell(mapped, cluster=5, column=Column.LOCK))
    assert mapped.study.grouping is before
    tip = Qt.ItemDataRole.ToolTipRole
    assert "unlock it" in cell(mapped, cluster=5, column=Column.LOCK).data(tip)


def members_dropped_beside_the_rows_become_groups_in_one_step(mapped):
    unfold(mapped)
    before, count = mapped.study.grouping, steps(mapped)
    rows = [cell(mapped, cluster=5), cell(mapped, cluster=1)]
    said = drag(mapped, rows, below_all_rows(mapped))
    assert said == "Release: clusters 1, 5 become groups."
    assert steps(mapped) == count + 1
    assert mapped.study.grouping.group(3).clusters == (3,)
    assert len(mapped.study.grouping.groups) == 6
    mapped.workspace.undo()
    assert mapped.study.grouping == before


def a_member_dropped_between_two_groups_becomes_one(mapped):
    unfold(mapped)
    rect = mapped.groups.table.visualRect(cell(mapped, 6))
    said = drag(mapped, [cell(mapped, cluster=5)], rect.topLeft() + QPoint(20, 1))
    assert said == "Release: cluster 5 becomes a group of its own."
    assert mapped.study.grouping.group_of(5).clusters == (5,)


def groups_have_no_place_between_rows(mapped):
    rect = mapped.groups.table.visualRect(cell(mapped, 6))
    place = rect.topLeft() + QPoint(20, 1)
    drag(mapped, [cell(mapped, 2)], place)
    assert mapped.study.grouping.group(6).clusters == (2, 6)


def the_way_out_of_a_member_and_the_key_take_it_out(mapped):
    unfold(mapped)
    count = steps(mapped)
    click(mapped, cell(mapped, cluster=5, column=Column.LOCK))
    assert mapped.study.grouping.group_of(5).clusters == (5,)
    assert steps(mapped) == count + 1
    mapped.workspace.undo()
    settle()
    click(mapped, cell(mapped, cluster=1))
    click(mapped, cell(mapped, cluster=3), SHIFT)
    assert mapped.workspace.selection.members == {1, 3}
    focus(mapped)
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_T)
    settle()
    assert steps(mapped) == count + 1
    assert mapped.study.grouping.group(3).clusters == (5,)
    new = {mapped.study.grouping.group_of(c).id for c in (1, 3)}
    assert mapped.workspace.selection.ids == new, "what came out is selected"
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_T)
    assert "arrow" in mapped.status.text()


def focus(dock):
    dock._viewer.window._qt_window.activateWindow()
    dock.groups.table.setFocus()
    wait_until(lambda: QApplication.focusWidget() is dock.groups.table, 5)


def arrows_and_shift_select_groups_and_members(mapped):
    unfold(mapped)
    click(mapped, cell(mapped, 2))
    focus(mapped)
    table = mapped.groups.table
    QTest.keyClick(table, Qt.Key.Key_Down)
    assert mapped.workspace.selection.ids == {3}
    QTest.keyClick(table, Qt.Key.Key_Down)
    assert mapped.workspace.selection.members == {1}
    for _ in range(3):
        QTest.keyClick(table, Qt.Key.Key_Down, SHIFT)
    selection = mapped.workspace.selection
    assert (selection.ids, selection.members) == ({4}, {1, 3, 5})
    QTest.keyClick(table, Qt.Key.Key_Up)
    QTest.keyClick(table, Qt.Key.Key_Up)
    QTest.keyClick(table, Qt.Key.Key_Up)
    QTest.keyClick(table, Qt.Key.Key_Up)
    assert selection.ids == {3}
    QTest.keyClick(table, Qt.Key.Key_Left)
    assert not table.isExpanded(cell(mapped, 3))


def test_a_selected_member_alone_is_bright_and_its_group_is_still_found(
    mapped, mouse, tmp_path
):
    unfold(mapped)
    place = pixel_in(mapped, 3)
    clusters = mapped.study.cluster_map(0)
    click(mapped, cell(mapped, cluster=1))
    layer = mapped.display.entry.groups.layer
    alpha = layer.colormap.map(shown_labels(mapped).astype(np.int32))[..., 3]
    np.testing.assert_array_equal(alpha == 1, clusters == 1)
    written = tmp_path / "groups.tif"
    data, attributes, _ = layer.as_layer_data_tuple()
    write_labels(str(written), data, attributes)
    np.testing.assert_array_equal(tifffile.imread(written), brute_force(mapped))
    mouse.click(place)
    assert mapped.workspace.selection.ids == {3}
    assert not mapped.workspace.selection.members
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def a_click_on_the_square_chooses_a_colour_as_one_step(mapped):
    count, selected = steps(mapped), mapped.workspace.selection.ids
    index = cell(mapped, 2)
    rect = mapped.groups.table.visualRect(index)

    def choose():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QColorDialog):
            QTimer.singleShot(20, choose)
            return
        seen.append(dialog.windowTitle())
        dialog.setCurrentColor(QColor(10, 20, 30))
        dialog.accept()

    seen = []
    QTimer.singleShot(20, choose)
    click(mapped, index, place=rect.topLeft() + QPoint(8, rect.height() // 2))
    assert seen == ["Group 2"]
    assert mapped.study.grouping.group(2).color == (10, 20, 30)
    assert steps(mapped) == count + 1
    assert mapped.workspace.selection.ids == selected
    mapped.workspace.undo()
    assert mapped.study.grouping.group(2).color != (10, 20, 30)


def menus_of_groups_and_members(mapped):
    unfold(mapped)
    table, model, study = mapped.groups.table, mapped.groups.model, mapped.study

    def menu(index):
        return {
            a.text(): a for a in table.make_menu(model.group_at(index), index).actions()
        }

    study.set_role(4, "lesion")
    study.set_role(6, "lesion")
    menu(cell(mapped, 4))["Select all groups with the role lesion"].trigger()
    assert mapped.workspace.selection.ids == {4, 6}
    menu(cell(mapped, 4))["Hide"].trigger()
    assert study.view.hidden == {4}
    menu(cell(mapped, 4))["Show"].trigger()
    assert not study.view.hidden
    menu(cell(mapped, 4))["Solo: show it alone"].trigger()
    assert mapped.workspace.visibility.solo == {4}
    menu(cell(mapped, 4))["End solo: show the others again"].trigger()
    mapped.workspace.selection.set((), {1, 5})
    menu(cell(mapped, 2))["Move clusters 1, 5 into Group 2"].trigger()
    assert study.grouping.group(2).clusters == (1, 2, 5)
    mapped.workspace.undo()
    settle()
    study.set_lock(6, True)
    targets = menu(cell(mapped, cluster=5))["Move clusters 1, 5 into"].menu().actions()
    assert [a.text() for a in targets] == ["Group 2", "Group 4", "Group 6"]
    assert [a.isEnabled() for a in targets] == [True, True, False]
    targets[1].trigger()
    assert study.grouping.group(4).clusters == (1, 4, 5)
    mapped.workspace.undo()
    menu(cell(mapped, cluster=3))["Take cluster 3 out of Group 3"].trigger()
    assert study.grouping.group_of(3).clusters == (3,)
    mapped.workspace.undo()
    menu(cell(mapped, 3))["Take out"].menu().actions()[-1].trigger()
    assert len(study.grouping.groups) == 6


def a_long_name_is_elided_and_its_tip_has_all_of_it(mapped):
    name = "n" * 60
    mapped.study.rename(2, name)
    settle()
    table, index = mapped.groups.table, cell(mapped, 2)
    assert table.fontMetrics().horizontalAdvance(name) > table.columnWidth(Column.NAME)
    assert name in index.data(Qt.ItemDataRole.ToolTipRole)
    assert not table.horizontalScrollBar().isVisible()
    assert table.textElideMode() == Qt.TextElideMode.ElideMiddle
    unit = table.fontMetrics().horizontalAdvance("Group 12")
    assert table.visualRect(index).width() > unit + 18


def every_cell_has_a_tip(mapped):
    unfold(mapped)
    tip = Qt.ItemDataRole.ToolTipRole
    for column in Column:
        assert cell(mapped, 3, column=column).data(tip)
        assert cell(mapped, cluster=5, column=column).data(tip)
        horizontal = Qt.Orientation.Horizontal
        assert mapped.groups.model.headerData(column, horizontal, tip)


def test_groups_and_members(mapped):
    for story in (
        a_group_of_several_unfolds_into_its_clusters_and_one_of_one_does_not,
        a_group_that_comes_back_is_unfolded_as_it_was,
        a_member_dropped_on_another_group_is_one_step,
        members_and_groups_dropped_together_are_one_step,
        a_member_dropped_on_its_own_group_or_a_sibling_stays,
        a_member_dropped_between_two_groups_becomes_one,
        groups_have_no_place_between_rows,
        the_way_out_of_a_member_and_the_key_take_it_out,
        arrows_and_shift_select_groups_and_members,
        a_click_on_the_square_chooses_a_colour_as_one_step,
        menus_of_groups_and_members,
        a_long_name_is_elided_and_its_tip_has_all_of_it,
        every_cell_has_a_tip,
        a_locked_group_takes_and_gives_no_member,
        members_dropped_beside_the_rows_become_groups_in_one_step,
    ):
        story(mapped)
        undo_all(mapped)
