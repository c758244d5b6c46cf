"""Eye, hide, solo and blink: what is drawn, what is said, and what stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from acting import settle, shown_labels, undo_all, wait_until
from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.history import History
from napari_dgc.merging.steps import Merge
from napari_dgc.study import Study
from napari_dgc.ui.group_cells import SIGN_ROLE
from napari_dgc.ui.group_model import Column
from napari_dgc.ui.signs import Sign
from napari_dgc.ui.visibility import Visibility

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def drawn(dock):
    """Ids of the groups that have any opaque pixel on the image."""
    layer = dock.display.entry.groups.layer
    values = shown_labels(dock)
    alpha = layer.colormap.map(values.astype(np.int32))[..., 3]
    seen = np.unique(values[alpha > 0])
    return {dock.study.grouping.group_of(int(v)).id for v in seen if v}


def press_eye(dock, group):
    model, table = dock.groups.model, dock.groups.table
    index = model.index_of(group).siblingAtColumn(Column.EYE)
    QTest.mouseClick(table.viewport(), LEFT, NONE, table.visualRect(index).center())
    settle()
    return index


def key(dock, which):
    dock._viewer.window._qt_window.activateWindow()
    dock.groups.table.setFocus()
    wait_until(lambda: QApplication.focusWidget() is dock.groups.table, 5)
    QTest.keyClick(dock.groups.table, which)
    settle()


def tools(dock):
    bar = dock.groups.tools
    buttons = (bar.hide_button, bar.solo_button, bar.blink_button, bar.all_button)
    return [button.isEnabled() for button in buttons], bar.label.text()


def an_eye_hides_and_shows_its_group_and_selects_nothing(mapped):
    mapped.workspace.selection.set({1})
    count = len(mapped.study.history.operations)
    index = press_eye(mapped, 2)
    assert drawn(mapped) == {1, 3, 4, 5, 6}
    assert mapped.study.view.hidden == {2}
    assert index.data(SIGN_ROLE) is Sign.SHUT_EYE
    name = index.siblingAtColumn(Column.NAME)
    grey = name.data(Qt.ItemDataRole.ForegroundRole)
    assert grey is not None
    assert mapped.groups.model.index_of(1).data(Qt.ItemDataRole.ForegroundRole) is None
    assert mapped.workspace.selection.ids == {1}
    assert len(mapped.study.history.operations) == count, "no step to undo"
    assert "1 hidden" in tools(mapped)[1]
    press_eye(mapped, 2)
    assert drawn(mapped) == {1, 2, 3, 4, 5, 6}
    assert index.data(SIGN_ROLE) is Sign.EYE


def a_press_on_an_eye_or_a_lock_drags_no_row(mapped):
    table = mapped.groups.table
    flags = QItemSelectionModel.SelectionFlag
    model = mapped.groups.model
    table.selectionModel().select(model.index_of(1), flags.ClearAndSelect | flags.Rows)
    lock = model.index_of(4).siblingAtColumn(Column.LOCK)
    QTest.mouseClick(table.viewport(), LEFT, NONE, table.visualRect(lock).center())
    assert mapped.study.grouping.group(4).locked
    assert mapped.workspace.selection.ids == {1}
    table.startDrag(Qt.DropAction.MoveAction)  # returns at once: nothing to drag
    assert mapped.study.grouping.ids == (1, 2, 3, 4, 5, 6)


def v_hides_the_selected_and_shows_them_where_all_are_hidden(mapped):
    assert tools(mapped) == ([False] * 4, "All shown")
    key(mapped, Qt.Key.Key_V)
    assert "Select groups first" in mapped.status.text()
    mapped.workspace.selection.set({2, 3})
    assert tools(mapped)[0] == [True, True, True, False]
    press_eye(mapped, 2)
    key(mapped, Qt.Key.Key_V)
    assert mapped.study.view.hidden == {2, 3}
    assert mapped.groups.tools.hide_button.text() == "Show"
    key(mapped, Qt.Key.Key_V)
    assert not mapped.study.view.hidden
    assert mapped.groups.tools.hide_button.text() == "Hide"


def test_the_keys_work_on_the_image_too(mapped):
    native = mapped._viewer.window._qt_viewer.canvas.native
    native.setFocus()
    settle()
    mapped.workspace.selection.set({2})
    QTest.keyClick(native, Qt.Key.Key_V)
    assert drawn(mapped) == {1, 3, 4, 5, 6}
    assert all(layer.visible for layer in mapped._viewer.layers), "napari's own V"
    QTest.keyClick(native, Qt.Key.Key_S)
    assert drawn(mapped) == {2}
    QTest.keyClick(native, Qt.Key.Key_S)
    QTest.keyClick(native, Qt.Key.Key_B)
    assert mapped.groups.tools.blinker.active
    QTest.keyClick(native, Qt.Key.Key_B)
    mapped.study.merge((1,), 2)
    mapped.workspace.selection.set((), {1})
    QTest.keyClick(native, Qt.Key.Key_T)
    assert mapped.study.grouping.group_of(1).clusters == (1,)


def solo_and_show_all(mapped):
    press_eye(mapped, 6)
    mapped.workspace.selection.set({2, 3})
    key(mapped, Qt.Key.Key_S)
    assert drawn(mapped) == {2, 3}
    assert mapped.study.view.hidden == {6}, "solo is not kept with the study"
    assert tools(mapped)[1] == "<b>2 of 6</b>"
    assert mapped.groups.tools.solo_button.isChecked()
    press_eye(mapped, 4)  # in solo an eye adds to what alone is shown
    assert drawn(mapped) == {2, 3, 4}
    key(mapped, Qt.Key.Key_S)
    assert drawn(mapped) == {1, 2, 3, 4, 5}
    assert not mapped.groups.tools.solo_button.isChecked()
    QTest.mouseClick(mapped.groups.tools.solo_button, LEFT)
    QTest.mouseClick(mapped.groups.tools.all_button, LEFT)
    assert drawn(mapped) == {1, 2, 3, 4, 5, 6}
    assert not mapped.study.view.hidden
    assert tools(mapped)[1] == "All shown"
    assert mapped.groups.tools.all_button.isHidden(), "it would cut the label"


def solo_and_hidden_follow_the_groups(mapped):
    mapped.workspace.visibility.set_solo({1, 2})
    mapped.study.merge((1,), 4)
    assert drawn(mapped) == {2, 4}
    assert tools(mapped)[1] == "<b>2 of 5</b>"
    mapped.workspace.visibility.set_solo(())
    mapped.workspace.visibility.hide({2})
    mapped.study.merge((2,), 4)
    assert drawn(mapped) == {3, 4, 5, 6}
    assert tools(mapped)[1] == "All shown"
    mapped.workspace.undo()
    assert drawn(mapped) == {3, 4, 5, 6}
    assert "1 hidden" in tools(mapped)[1]


def blinking_comes_and_goes_and_ends_by_itself_or_with_a_step(mapped):
    mapped.workspace.selection.set({3})
    seen = []
    visibility, blinker = mapped.workspace.visibility, mapped.groups.tools.blinker
    visibility.changed.connect(lambda: seen.append(3 in drawn(mapped)))
    key(mapped, Qt.Key.Key_B)
    assert mapped.groups.tools.blink_button.isChecked()
    wait_until(lambda: len(seen) >= 3, 10)
    assert seen[:3] == [False, True, False]
    eye = mapped.groups.model.index_of(3).siblingAtColumn(Column.EYE)
    assert eye.data(SIGN_ROLE) is Sign.EYE, "its eye does not blink"
    key(mapped, Qt.Key.Key_B)
    assert not blinker.active
    assert drawn(mapped) == {1, 2, 3, 4, 5, 6}
    key(mapped, Qt.Key.Key_B)
    assert 3 not in drawn(mapped)
    mapped.study.rename(1, "Cloth")
    assert not blinker.active
    assert not mapped.groups.tools.blink_button.isChecked()
    assert drawn(mapped) == {1, 2, 3, 4, 5, 6}
    blinker._timer.setInterval(1)
    blinker.start({3})
    wait_until(lambda: not blinker.active, 20)
    assert drawn(mapped) == {1, 2, 3, 4, 5, 6}
    assert not mapped.study.view.hidden


def a_hidden_group_blinks_too_and_is_hidden_again(mapped):
    mapped.workspace.visibility.hide({3})
    mapped.groups.tools.blinker._timer.setInterval(1)
    seen = []
    mapped.workspace.visibility.changed.connect(lambda: seen.append(3 in drawn(mapped)))
    mapped.groups.tools.blinker.start({3})
    wait_until(lambda: True in seen, 10)
    wait_until(lambda: not mapped.groups.tools.blinker.active, 20)
    assert 3 not in drawn(mapped)


def test_hiding_changes_no_export(mapped, tmp_path):
    def export(name):
        for _ in mapped.study.export(tmp_path / name, groups=[2]).run():
            pass
        return {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()}

    before = export("all")
    mapped.workspace.visibility.hide({2, 3})
    mapped.workspace.visibility.set_solo({4})
    mapped.workspace.selection.set((), {1})
    assert export("hidden") == before
    (tiff,) = [name for name in before if name.endswith("_groups.tif")]
    labels = tifffile.imread(tmp_path / "hidden" / tiff)
    np.testing.assert_array_equal(labels, mapped.study.group_map(0))


@pytest.fixture
def study():
    made = Study()
    made._begin(History(Grouping.start(range(1, 5))), None)
    return made


def test_what_is_hidden_when(study):
    visibility = Visibility(study)
    heard = []
    visibility.changed.connect(lambda: heard.append(visibility.hidden))
    visibility.toggle(2)
    visibility.set_solo({1, 3})
    visibility.toggle(3)
    visibility.toggle(1)  # none is left: solo is over
    visibility.blink({2}, lit=True)
    visibility.blink({2}, lit=False)  # no difference, not told
    visibility.show_all()
    visibility.blink((), lit=True)
    assert heard == [{2}, {2, 4}, {2, 3, 4}, {2}, set(), {2}, {2}, set()]
    visibility.set_solo({1})
    study.do(Merge((1,), 4))
    assert visibility.solo == {4}
    assert visibility.hidden == {2, 3}
    study.grouping_changed.emit(None)
    assert not visibility.solo


def test_eyes_keys_and_buttons(mapped):
    for story in (
        an_eye_hides_and_shows_its_group_and_selects_nothing,
        a_press_on_an_eye_or_a_lock_drags_no_row,
        v_hides_the_selected_and_shows_them_where_all_are_hidden,
        solo_and_show_all,
        solo_and_hidden_follow_the_groups,
        blinking_comes_and_goes_and_ends_by_itself_or_with_a_step,
        a_hidden_group_blinks_too_and_is_hidden_again,
    ):
        story(mapped)
        undo_all(mapped)
        mapped.workspace.visibility.set_solo(())
        mapped.workspace.visibility.show_all()
