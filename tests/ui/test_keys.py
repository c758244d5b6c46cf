"""Our keys win on the canvas and in the dock, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from acting import pixel_in, settle, wait_until
from app_model.types import KeyBinding
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QShortcut,
)

from napari_dgc.ui.group_model import Column
from napari_dgc.ui.keys import CLAIMED, KEYS, LOOK, MERGE, MOUSE, STUDY, key_help

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def canvas(dock):
    native = dock._viewer.window._qt_viewer.canvas.native
    native.setFocus()
    settle()
    return native


def activate(dock):
    """Give the window and the dock the focus, as a click into it does."""
    dock._viewer.window._qt_window.activateWindow()
    dock.groups.table.setFocus()
    wait_until(lambda: QApplication.focusWidget() is dock.groups.table, 5)


def test_no_key_and_no_action_is_there_twice():
    for field in ("qt", "napari", "action"):
        values = [getattr(key, field) for key in KEYS]
        assert len(set(values)) == len(values)


def test_undo_and_redo_with_the_focus_on_the_canvas(mapped):
    start = mapped.study.grouping
    mapped.study.merge((1,), 2)
    merged = mapped.study.grouping
    QTest.keyClick(canvas(mapped), Qt.Key.Key_Z, CTRL)
    assert mapped.study.grouping == start
    QTest.keyClick(canvas(mapped), Qt.Key.Key_Z, CTRL | SHIFT)
    assert mapped.study.grouping == merged


def test_undo_and_redo_with_the_focus_in_the_dock(mapped):
    start = mapped.study.grouping
    mapped.study.merge((1,), 2)
    merged = mapped.study.grouping
    activate(mapped)
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_Z, CTRL)
    assert mapped.study.grouping == start
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_Z, CTRL | SHIFT)
    assert mapped.study.grouping == merged


def test_m_and_escape_on_canvas_and_dock(mapped):
    label = mapped.display.entry.groups.layer.selected_label
    QTest.keyClick(canvas(mapped), Qt.Key.Key_M)
    assert mapped.workspace.gestures.merging
    assert mapped.display.entry.groups.layer.selected_label == label  # napari's M
    QTest.keyClick(canvas(mapped), Qt.Key.Key_Escape)
    assert not mapped.workspace.gestures.merging
    activate(mapped)
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_M)
    assert mapped.workspace.gestures.merging
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_Escape)
    assert not mapped.workspace.gestures.merging


def test_escape_outside_merge_mode_selects_nothing(mapped, mouse):
    mouse.click(pixel_in(mapped, 1))
    assert mapped.workspace.selection.ids
    QTest.keyClick(canvas(mapped), Qt.Key.Key_Escape)
    assert not mapped.workspace.selection.ids


def test_napari_has_its_keys_back_on_a_layer_of_the_users(mapped):
    mine = mapped._viewer.add_labels(np.zeros((8, 8), np.uint8), name="mine")
    mine.paint((4, 4), 1)
    assert mine.data.any()
    mapped.study.merge((1,), 2)
    merged = mapped.study.grouping
    QTest.keyClick(canvas(mapped), Qt.Key.Key_Z, CTRL)
    assert not mine.data.any()  # napari undid the stroke
    assert mapped.study.grouping is merged  # and we nothing
    mine.paint((4, 4), 1)
    QTest.keyClick(canvas(mapped), Qt.Key.Key_M)
    assert mine.selected_label == 2  # napari's M: the next new label
    assert not mapped.workspace.gestures.merging
    activate(mapped)  # and in the dock they are ours all the same
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_Z, CTRL)
    assert mapped.study.grouping is not merged
    mapped._viewer.layers.selection.active = mapped.display.entry.picture
    QTest.keyClick(canvas(mapped), Qt.Key.Key_M)
    assert mapped.workspace.gestures.merging


def test_a_name_being_typed_keeps_its_letters_and_its_own_undo(mapped):
    table = mapped.groups.table
    mapped.study.merge((1,), 2)
    merged = mapped.study.grouping
    activate(mapped)
    table.edit(mapped.groups.model.index(0, Column.NAME))
    editor = table.viewport().findChild(QLineEdit)
    editor.setFocus()
    settle()
    editor.selectAll()
    QTest.keyClicks(editor, "MH")
    assert editor.text() == "MH"
    assert not mapped.workspace.gestures.merging
    QTest.keyClick(editor, Qt.Key.Key_Z, CTRL)
    assert mapped.study.grouping is merged


def test_h_shows_every_key(mapped):
    activate(mapped)
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_H)
    settle()
    box = mapped.findChild(QDialog, "dgc_keys")
    assert box.isVisible()
    label = box.findChild(QLabel)
    assert label.text() == key_help()
    assert all(key.qt in label.text() and key.help in label.text() for key in KEYS)
    assert label.width() >= label.sizeHint().width()  # nothing is cut off
    assert box.width() < 1280
    assert box.height() < 800
    box.findChild(QDialogButtonBox).button(
        QDialogButtonBox.StandardButton.Close
    ).click()
    assert not box.isVisible()
    settle()


def test_every_bound_key_is_listed_and_every_listed_key_is_bound(mapped):
    listed = {key.qt for key in KEYS}
    shortcuts = {s.key().toString() for s in mapped.findChildren(QShortcut)}
    assert shortcuts | CLAIMED == {QKeySequence(qt).toString() for qt in listed}
    assert len(shortcuts) + len(CLAIMED) == len(KEYS)
    for layer in mapped.display.entry.layers:
        own = {str(KeyBinding.from_str(key.napari)) for key in KEYS}
        assert {str(key) for key in layer.keymap} == own
    assert {key.action for key in KEYS} == set(mapped._actions)


def test_keys_stand_under_their_themes():
    text = key_help()
    places = [text.index(f"<b>{theme}</b>") for theme in (LOOK, MERGE, STUDY)]
    assert places == sorted(places)
    for entries, theme in ((KEYS, "M"), (MOUSE, "Click on the image")):
        assert any(theme in str(entry) for entry in entries)
    assert places[1] < text.index(">M</b>") < places[2]
    assert places[0] < text.index("Click on the image") < places[1]


@pytest.mark.parametrize("which", ["bands", "picture", "groups"])
def test_keys_are_ours_on_each_of_our_layers(mapped, which):
    entry = mapped.display.entry
    layers = {"bands": entry.bands, "picture": entry.picture}
    mapped._viewer.layers.selection.active = layers.get(which, entry.groups.layer)
    start = mapped.study.grouping
    mapped.study.merge((1,), 2)
    merged = mapped.study.grouping
    QTest.keyClick(canvas(mapped), Qt.Key.Key_Z, CTRL)
    assert mapped.study.grouping == start
    QTest.keyClick(canvas(mapped), Qt.Key.Key_Z, CTRL | SHIFT)
    assert mapped.study.grouping == merged
    QTest.keyClick(canvas(mapped), Qt.Key.Key_M)
    assert mapped.workspace.gestures.merging
    QTest.keyClick(canvas(mapped), Qt.Key.Key_Escape)
    assert not mapped.workspace.gestures.merging


def test_naparis_keys_come_back_when_the_dock_goes(mapped):
    layers = mapped.display.entry.layers
    mapped.shut()
    assert not any(layer.keymap for layer in layers)
    callbacks = (
        mapped._viewer.mouse_drag_callbacks + mapped._viewer.mouse_move_callbacks
    )
    assert not any("napari_dgc" in callback.__module__ for callback in callbacks)
