"""Six cubes in the list: pictures, shares by role, warnings, and the keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acting import add_cube, brute_force, settle, undo_all, wait_until
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.reports.severity import severity
from napari_dgc.study.mapping import map_cube
from napari_dgc.ui.cube_list import ROWS
from napari_dgc.ui.cube_wording import role_shares, word_cube, word_percent
from napari_dgc.ui.group_model import Column

CONFIG = SceneConfig(size=64, bands=40, leaves=1)
COMMA, PERIOD = Qt.Key.Key_Comma, Qt.Key.Key_Period


@pytest.fixture(scope="module")
def others() -> list[Cube]:
    """Five more leaves of the same camera."""
    return [make_scene(CONFIG, seed, f"leaf{seed}").cube for seed in range(1, 6)]


@pytest.fixture
def six(mapped, others):
    """A dock with six cubes, each with its map."""
    for cube in others:
        add_cube(mapped, cube)
        map_last(mapped)
    settle()
    return mapped


def map_last(dock):
    index = len(dock.study.cubes) - 1
    *_, done = map_cube(dock.study.model, dock.study.cubes[index], device="cpu")
    dock.study.set_map(index, done.clusters, done.statistics, done.confidence)


def severity_table(dock):
    """Lesion as a share of tissue in %, as the severity table has it."""
    roles = {g.value: g.role for g in dock.study.grouping.groups}
    maps = {str(i): dock.study.group_map(i) for i in range(len(dock.study.cubes))}
    return [row.lesion_percent for row in severity(maps, roles)]


def canvas(dock):
    native = dock._viewer.window._qt_viewer.canvas.native
    native.setFocus()
    settle()
    return native


def six_rows_are_in_sight_each_with_its_own_picture(six):
    rows = six.cubes.list
    wait_until(lambda: not six.cubes.thumbnails.runner.running)
    settle()
    assert rows.count() == ROWS == 6
    room = rows.viewport().rect()
    assert all(room.contains(rows.visualItemRect(rows.item(i))) for i in range(6))
    pictures = {rows.item(i).icon().pixmap(26, 26).toImage().text() or
                rows.item(i).icon().cacheKey() for i in range(6)}  # fmt: skip
    assert len(pictures) == 6
    image = rows.item(0).icon().pixmap(26, 26).toImage()
    colors = {image.pixel(x, y) for x in range(0, 26, 5) for y in range(0, 26, 5)}
    assert len(colors) > 5, "a picture, not a square"


def shares_by_role_follow_every_step_in_all_cubes(six):
    study = six.study
    study.set_role(1, "lesion")
    study.set_role(2, "healthy")
    study.merge((3,), 1)
    settle()
    tables = severity_table(six)
    for index in range(6):
        labels = brute_force(six, index)
        valid = (labels > 0).sum()
        pixels = {}
        for group, role in ((1, "lesion"), (2, "healthy")):
            value = study.grouping.group(group).value
            pixels[role] = int((labels == value).sum())
            share = word_percent(100 * pixels[role] / valid)
            tip = six.cubes.list.item(index).toolTip()
            assert f"{role} {share} of all valid pixels" in tip
        percent = 100 * pixels["lesion"] / sum(pixels.values())
        assert percent == pytest.approx(tables[index])
        told = f"lesion {word_percent(percent)} of t"
        assert six.cubes.list.facts(index) == f"{told}issue"
        assert f"{told}he tissue: " in tip
    before = six.cubes.list.facts(0)
    study.merge((4,), 2)
    settle()
    assert six.cubes.list.facts(0) != before
    six.workspace.undo()
    settle()
    assert six.cubes.list.facts(0) == before


def without_a_role_the_tooltip_says_how_to_give_one(six):
    assert six.cubes.list.facts(0) == ""
    assert "Give groups a role" in six.cubes.list.item(0).toolTip()


def comma_and_period_go_through_the_cubes_on_the_canvas_and_in_the_dock(six):
    six.display.show(0)
    for which, expected in ((PERIOD, 1), (PERIOD, 2), (COMMA, 1), (COMMA, 0)):
        QTest.keyClick(canvas(six), which)
        assert six.display.shown == expected
        assert six.cubes.list.currentRow() == expected
        assert f"{expected + 1} of 6" in six.status.text()
    QTest.keyClick(canvas(six), COMMA)
    assert six.display.shown == 0
    assert "first cube" in six.status.text()
    six._viewer.window._qt_window.activateWindow()
    six.groups.table.setFocus()
    wait_until(lambda: QApplication.focusWidget() is six.groups.table, 5)
    QTest.keyClick(six.groups.table, PERIOD)
    assert six.display.shown == 1
    mine = six._viewer.add_labels(np.zeros((8, 8), np.uint8), name="mine")
    assert six._viewer.layers.selection.active is mine
    QTest.keyClick(canvas(six), PERIOD)
    assert six.display.shown == 1, "on the user's own layer it is not ours"


def a_click_on_a_cube_says_which_it_is_as_the_keys_do(six):
    QTest.keyClick(canvas(six), PERIOD)
    row = six.cubes.list.visualItemRect(six.cubes.list.item(4)).center()
    QTest.mouseClick(six.cubes.list.viewport(), Qt.MouseButton.LeftButton, pos=row)
    assert six.display.shown == 4
    assert "5 of 6" in six.status.text()


def a_period_in_a_name_steps_to_no_cube(six):
    table = six.groups.table
    six.display.show(0)
    six._viewer.window._qt_window.activateWindow()
    table.setFocus()
    table.edit(six.groups.model.index(0, Column.NAME))
    editor = table.viewport().findChild(QLineEdit)
    editor.setFocus()
    settle()
    editor.selectAll()
    QTest.keyClicks(editor, "a.b,c")
    assert editor.text() == "a.b,c"
    assert six.display.shown == 0
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    settle()


def the_list_stays_where_it_was_scrolled_to(six, others):
    for number, cube in enumerate(others):
        add_cube(six, replace(cube, name=f"again{number}"))
    six.display.show(0)
    settle()
    bar = six.cubes.list.verticalScrollBar()
    assert bar.maximum() > 0
    bar.setValue(bar.maximum())
    place = bar.value()
    six.study.set_role(1, "lesion")
    six.study.merge((3,), 1)
    settle()
    assert bar.value() == place


def test_six_cubes(six, others):
    without_a_role_the_tooltip_says_how_to_give_one(six)
    the_hint_goes_with_the_first_map(six)
    six_rows_are_in_sight_each_with_its_own_picture(six)
    a_period_in_a_name_steps_to_no_cube(six)
    a_click_on_a_cube_says_which_it_is_as_the_keys_do(six)
    shares_by_role_follow_every_step_in_all_cubes(six)
    comma_and_period_go_through_the_cubes_on_the_canvas_and_in_the_dock(six)
    undo_all(six)
    the_list_stays_where_it_was_scrolled_to(six, others)


def test_a_cube_of_another_gain_is_marked_and_told(mapped, others):
    ramp = np.linspace(0.4, 1.6, 40, dtype=np.float32)[:, None, None]
    odd = replace(others[0], data=np.asarray(others[0].data) * ramp, name="odd")
    for cube in (others[1], odd):
        add_cube(mapped, cube)
    assert mapped.training.map_button.isVisible()
    assert mapped.cubes.list.facts(1) == "no map yet"
    QTest.mouseClick(mapped.training.map_button, Qt.MouseButton.LeftButton)
    wait_until(lambda: not mapped.workspace.session.runner.running)
    settle()
    assert [mapped.cubes.list.is_strange(i) for i in range(3)] == [False, False, True]
    assert mapped.status.level == "warning"
    assert "odd is unlike what the model has seen" in mapped.status.text()
    assert "⚠" in mapped.cubes.list.item(2).toolTip()
    assert "near enough" in mapped.cubes.list.item(1).toolTip()


def test_the_first_state_hints_at_a_diseased_cube(leaf_dock, others):
    assert not leaf_dock.cubes.hint.isVisible(), "one cube: nothing to choose"
    add_cube(leaf_dock, others[0])
    assert leaf_dock.cubes.hint.isVisible()
    assert "diseased" in leaf_dock.cubes.hint.text()


def the_hint_goes_with_the_first_map(six):
    assert not six.cubes.hint.isVisible()


def test_a_little_is_not_nothing(leaf):
    assert word_percent(0.0) == "0.0 %"
    assert word_percent(0.01) == "<0.1 %"
    assert word_percent(3.2) == "3.2 %"


def test_an_unmapped_or_missing_cube_says_so(mapped, leaf):
    grouping = mapped.study.grouping
    assert word_cube(leaf, None, grouping).facts == "no map yet"
    assert word_cube(leaf, None, None).facts == "64 × 64"
    assert word_cube(leaf, None, None, missing=True).facts == "not found"
    nothing = np.zeros(7, np.int64)
    assert role_shares(nothing, grouping) == {}


def test_what_the_percent_is_of_is_said(mapped, leaf):
    study = mapped.study
    counts = study.counts(0)
    study.set_role(1, "lesion")
    words = word_cube(leaf, counts, study.grouping)
    share = word_percent(100 * counts[1] / counts[1:].sum())
    assert words.facts == f"lesion {share} of image"
    assert "of both roles" in words.tip
    study.set_role(2, "healthy")
    none = counts.copy()
    none[[1, 2]] = 0
    words = word_cube(leaf, none, study.grouping)
    assert words.facts == "no tissue"
    assert "of both roles" not in words.tip
