"""Leaves on the screen: found, clicked, painted, cut, measured, kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acting import Mouse, add_cube, answer, settle, wait_until
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit

from napari_dgc.cli import main
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.study.reporting.reporting import Report
from napari_dgc.ui.leaves_names import Mark
from napari_dgc.ui.leaves_table import Column

LEFT = Qt.MouseButton.LeftButton
GROUND, LEAF, SPOT = 6, 1, 2


def leaf_map() -> np.ndarray:
    """Three leaves, two of them with a lesion: 1 and 2 above, 3 below."""
    clusters = np.full((64, 64), GROUND, np.uint8)
    clusters[4:24, 4:28] = clusters[4:24, 36:60] = clusters[34:60, 10:54] = LEAF
    clusters[10:14, 10:14] = clusters[40:50, 30:40] = SPOT
    return clusters


@pytest.fixture
def dock(mapped):
    """A dock whose map has three leaves, with roles, and the leaves' dock."""
    study = mapped.study
    study.set_map(0, leaf_map(), None, np.full((64, 64), 200, np.uint8))
    study.set_role(LEAF, "healthy")
    study.set_role(SPOT, "lesion")
    study.set_role(GROUND, "background")
    mapped.setFocus()
    QTest.keyClick(mapped, Qt.Key.Key_L)
    settle()
    return mapped


@pytest.fixture
def leaves(dock):
    """That dock's leaves, found."""
    find(dock)
    return dock.leaves.dock


def find(dock):
    QTest.mouseClick(dock.leaves.dock.find_button, LEFT)
    wait(dock)


def wait(dock):
    shown = dock.leaves.dock
    wait_until(lambda: not dock.leaves.session.runner.running)
    settle()
    wait_until(lambda: all(row.lesions is not None for row in shown.model.rows))
    settle()


def press(dock, button):
    QTest.mouseClick(button, LEFT, pos=QPoint(8, button.height() // 2))
    wait(dock)


def place(leaves, row, column=Column.NAME):
    return leaves.table.visualRect(leaves.model.index(row, column)).center()


def click_row(leaves, row):
    QTest.mouseClick(leaves.table.viewport(), LEFT, pos=place(leaves, row))
    settle()


def texts(leaves, column):
    rows = range(leaves.model.rowCount())
    return [leaves.model.index(row, column).data() for row in rows]


def ours(dock, word="leaves"):
    return [layer.name for layer in dock._viewer.layers if word in layer.name]


def test_found_named_clicked_and_measured_as_roles_change(dock):
    study, shown = dock.study, dock.leaves.dock
    assert "Find leaves" in shown.words.text()
    assert ours(dock) == []
    begun = []
    dock.leaves.session.begun.connect(lambda *cube: begun.append(cube))
    find(dock)
    assert begun == [(1, 1)]
    shown.show_begun(2, 5)
    assert (shown.progress.value(), shown.progress.text()) == (1, "cube 2 of 5")
    assert not shown.progress.isVisible()
    assert shown.words.isVisible()
    assert "3 leaves found" in dock.status.text()
    assert texts(shown, Column.NAME) == ["All of leaf", "Leaf 1", "Leaf 2", "Leaf 3"]
    assert texts(shown, Column.PERCENT) == ["5.5", "3.3", "0.0", "8.7"]
    assert texts(shown, Column.LESIONS) == ["2", "1", "0", "1"]
    assert shown.table.isColumnHidden(Column.AREA)
    layer = shown.image.layer
    assert isinstance(layer, Labels)
    assert not layer.editable
    assert layer.contour > 0
    assert dock._viewer.layers.selection.active is dock.display.entry.groups.layer
    np.testing.assert_array_equal(layer.data > 0, leaf_map() != GROUND)
    # A leaf on the image, then a row.
    Mouse(dock._viewer).click((50, 20))
    assert shown.table.leaves == (3,)
    click_row(shown, 2)
    assert shown.table.leaves == (2,)
    assert np.hypot(*np.subtract(dock._viewer.camera.center[-2:], (14, 48))) < 2
    # A name, typed in the table, is on the image.
    QTest.mouseDClick(shown.table.viewport(), LEFT, pos=place(shown, 2))
    editor = shown.table.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "Flag leaf")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    wait(dock)
    assert study.leaves.names["leaf"] == ("Leaf 1", "Flag leaf", "Leaf 3")
    names = shown.image._names
    assert {mark.text for mark in names.marks} == {"1", "2 Flag leaf", "3"}
    # Roles: the numbers follow, and are the report's.
    study.set_role(SPOT, "healthy")
    wait(dock)
    assert texts(shown, Column.PERCENT) == ["0.0"] * 4
    assert texts(shown, Column.LESIONS) == ["0"] * 4
    assert "old" not in shown.words.text()
    study.set_role(SPOT, "ignore")
    wait(dock)
    assert "These leaves are old" in shown.words.text()
    rows = [replace(row, interval=None) for row in Report.of(study).rows()]
    assert list(shown.model.rows) == rows
    dock.workspace.undo()
    dock.workspace.undo()
    wait(dock)
    assert "old" not in shown.words.text()
    assert texts(shown, Column.PERCENT)[1] == "3.3"
    shown.least.setValue(1000)
    find(dock)
    assert texts(shown, Column.PIXELS)[1:] == ["1,144"]
    assert shown.table.leaves == ()


def test_painted_cut_merged_deleted_and_taken_back(dock, leaves, mouse):
    study, viewer = dock.study, dock._viewer

    def count():
        return len(study.leaves.names["leaf"])

    # Painted: a leaf more, in reading order.
    press(dock, leaves.edit_button)
    painting = viewer.layers.selection.active
    assert painting is leaves.image.layer
    assert (painting.editable, painting.mode) == (True, "paint")
    assert painting.selected_label == 4
    assert not leaves.find_button.isEnabled()
    mouse.drag((29, 4), (29, 20))
    assert count() == 3
    press(dock, leaves.edit_button)
    assert count() == 4
    assert study.leaves.maps["leaf"][29, 10] == 3
    assert study.leaves.edited == {"leaf"}
    assert not leaves.image.layer.editable
    press(dock, leaves.edit_button)
    mouse.drag((62, 4), (62, 20))
    press(dock, leaves.discard_button)
    assert count() == 4
    press(dock, leaves.undo_button)
    assert (count(), study.leaves.edited) == (3, frozenset())
    # Cut along a line; Esc and a line beside all cut nothing.
    press(dock, leaves.cut_button)
    QTest.keyClick(dock, Qt.Key.Key_Escape)
    assert not leaves.image.cutting
    press(dock, leaves.cut_button)
    before = viewer.camera.center
    mouse.drag((28, 5), (28, 60))
    assert viewer.camera.center == before
    assert "Not cut" in dock.status.text()
    assert not leaves.image.cutting
    press(dock, leaves.cut_button)
    mouse.drag((30, 20), (62, 20))
    wait(dock)
    assert count() == 4
    cut = study.leaves.maps["leaf"]
    assert cut[45, 12] != cut[45, 45]
    np.testing.assert_array_equal(cut > 0, leaf_map() != GROUND)
    # Two rows are one leaf; another is none.
    click_row(leaves, 1)
    QTest.mouseClick(
        leaves.table.viewport(), LEFT, Qt.KeyboardModifier.ControlModifier,
        place(leaves, 2),
    )  # fmt: skip
    assert leaves.table.leaves == (1, 2)
    press(dock, leaves.merge_button)
    assert count() == 3
    assert study.leaves.maps["leaf"][5, 5] == study.leaves.maps["leaf"][5, 50]
    click_row(leaves, 1)
    press(dock, leaves.delete_button)
    assert count() == 2
    assert study.leaves.maps["leaf"][5, 5] == 0
    for _ in range(3):
        press(dock, leaves.undo_button)
    assert count() == 3
    np.testing.assert_array_equal(study.leaves.maps["leaf"] > 0, leaf_map() != GROUND)
    # Found anew, what was edited can be kept.
    click_row(leaves, 2)
    press(dock, leaves.delete_button)
    for text, left in (("Cancel", 2), ("Keep these", 2), ("All anew", 3)):
        asked: list[str] = []
        answer(text, asked)
        find(dock)
        assert "by hand" in asked[0]
        assert count() == left


def test_layers_of_the_user_are_leaves_or_the_area(dock, leaves):
    viewer, study = dock._viewer, dock.study
    own = np.zeros((64, 64), np.int32)
    own[34:60, 10:54], own[4:24, 4:28] = 5, 90
    layer = viewer.add_labels(
        own, name="mine", features={"index": [5, 90], "Name": ["Low", "High"]}
    )
    wrong = viewer.add_labels(np.ones((20, 20), int), name="small")
    box = viewer.add_shapes(
        [np.array([[0, 0], [0, 40], [29, 40], [29, 0]])], name="box"
    )
    leaves.layer_menu.aboutToShow.emit()
    first = leaves.layer_menu.actions()[0].menu().actions()
    assert [action.text() for action in first] == ["mine", "small", "box"]
    first[0].trigger()
    wait(dock)
    assert study.leaves.names["leaf"] == ("High", "Low")
    leaves.layers.use_as_leaves(wrong)
    assert dock.status.level == "error"
    assert study.leaves.names["leaf"] == ("High", "Low")
    leaves.layers.use_as_area(box)
    wait(dock)
    area = study.leaves.areas["leaf"]
    assert area[:29, :40].all()
    assert not area[31:].any()
    assert ours(dock, "outside") == ["leaf outside"]
    assert texts(leaves, Column.NAME) == ["All of leaf", "High"]
    inside = int(((leaf_map() != GROUND) & area).sum())
    assert leaves.model.rows[0].tissue == inside
    assert Report.of(study).rows()[0].tissue == inside
    assert "looked at" in leaves.words.text()
    leaves.layer_menu.aboutToShow.emit()
    leaves.layer_menu.actions()[-1].trigger()
    wait(dock)
    assert "leaf" not in study.leaves.areas
    assert ours(dock, "outside") == []
    for gone in (layer, wrong, box):
        viewer.layers.remove(gone)


def test_measures_leaves_and_area_come_back_and_are_the_command_lines(
    dock, leaves, tmp_path
):
    study, path = dock.study, tmp_path / "s.dgc.json"
    table = tmp_path / "days.csv"
    table.write_text("day;file;plant\n3;leaf.mat;A\n")
    leaves.session.rename(1, "Flag")
    QTest.mouseClick(leaves.measures_button, LEFT)
    settle()
    form = leaves.form
    assert form.pixel.text() == "unknown"
    for box, text in ((form.pixel, "0.5"), (form.lesion, "20")):
        box.selectAll()
        QTest.keyClicks(box, text)
        QTest.keyClick(box, Qt.Key.Key_Return)
    form.take_table(table)
    wait(dock)
    assert "1 of 1" in form.days.text()
    assert dock.export.more.pixel.value() == 0.5
    assert texts(leaves, Column.AREA) == ["526", "120", "120", "286"]
    assert texts(leaves, Column.LESIONS) == ["1", "0", "0", "1"]  # 16 px are too few
    form.take_table(tmp_path / "none.csv")
    assert dock.status.level == "error"
    form.close()
    area = np.zeros((64, 64), bool)
    area[:, :40] = True
    leaves.session.look_at(area)
    wait(dock)
    dock.workspace.studies.save_as(path)
    keeper = dock.workspace.studies.keeper
    wait_until(lambda: path.exists() and not keeper.pending)
    numbers = [texts(leaves, column) for column in Column]
    dock.export.export(tmp_path / "screen")
    wait_until(lambda: not dock.export.runner.running)
    assert main(["report", str(path), "-q", "-o", str(tmp_path / "line")]) == 0
    for file in (tmp_path / "line").iterdir():
        if file.name == "report.html":
            continue  # this cube is in no file: the line cannot picture it
        mine = (tmp_path / "screen" / file.name).read_bytes()
        assert mine == file.read_bytes(), file.name
    assert (tmp_path / "line" / "severity_by_day.csv").exists()
    dock.workspace.studies.begin()
    settle()
    assert study.leaves is None
    assert leaves.model.rowCount() == 0
    assert ours(dock) == []
    dock.workspace.studies.open(path)
    wait_until(lambda: study.leaves is not None)
    wait_until(lambda: leaves.model.rowCount() == len(numbers[0]))
    wait(dock)
    assert [texts(leaves, column) for column in Column] == numbers
    assert not leaves.undo_button.isEnabled()


def test_nothing_painted_is_lost_when_cube_or_dock_goes(dock, leaves, mouse):
    study, viewer = dock.study, dock._viewer
    add_cube(dock, make_scene(SceneConfig(size=64, bands=40, leaves=1), 1, "b").cube)
    dock.cubes.list.setCurrentRow(0)
    wait(dock)
    press(dock, leaves.edit_button)
    mouse.drag((29, 4), (29, 20))
    dock.cubes.list.setCurrentRow(1)
    settle()
    assert len(study.leaves.names["leaf"]) == 4
    assert "Make a map first" in leaves.words.text()
    assert ours(dock) == []
    dock.cubes.list.setCurrentRow(0)
    wait(dock)
    assert texts(leaves, Column.NUMBER) == ["", "1", "2", "3", "4"]
    press(dock, leaves.edit_button)
    mouse.drag((62, 4), (62, 20))
    dock.leaves.toggle()
    settle()
    assert len(study.leaves.names["leaf"]) == 5
    assert ours(dock) == []
    dock.leaves.toggle()
    wait(dock)
    assert ours(dock) == ["leaf leaves"]
    press(dock, leaves.edit_button)
    viewer.layers.remove(leaves.image.layer)  # by the user: as good as Discard
    settle()
    assert not leaves.image.painting
    assert len(study.leaves.names["leaf"]) == 5
    callbacks = len(viewer.mouse_drag_callbacks)
    viewer.window.remove_dock_widget(leaves)
    settle()
    assert len(viewer.mouse_drag_callbacks) == callbacks - 1
    assert ours(dock) == []
    assert dock.leaves.dock is None
    study.set_role(SPOT, "ignore")  # nobody is left who would draw it
    settle()


def test_a_name_never_hides_a_number(dock, leaves):
    names = leaves.image._names
    marks = [Mark(1, "A name", 10, 10), Mark(2, "", 10, 12), Mark(3, "Far", 55, 50)]
    names.show_marks(marks, frozenset())
    written = {mark.number: text for mark, text, _ in names.texts()}
    assert written == {1: "1", 2: "2", 3: "3 Far"}
    long = Mark(7, "x" * 60, 0, 0)
    assert long.text == f"7 {'x' * 18}…"
