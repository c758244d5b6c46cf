"""The activation matrix: its numbers, its words, what a click does, what it keeps."""

from __future__ import annotations

import csv
import gc
import weakref

import numpy as np
import pytest
from acting import add_cube, answer, settle, undo_all, wait_until
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QFontMetrics
from qtpy.QtTest import QTest

from napari_dgc.clustering.config import Config
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.study.mapping import train_and_map
from napari_dgc.ui.activation_view import Colors
from napari_dgc.ui.activation_wording import short_names, word_firing
from napari_dgc.ui.group_delegates import SWATCH

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
NAMES = ("leaf_day7_a", "leaf_day3_b", "leaf_day5_c")


@pytest.fixture(scope="session")
def three_maps():
    """A healthy leaf and two infected ones, with their first map."""
    kinds = (None, "near-black", "near-black")
    cubes = [
        make_scene(
            SceneConfig(size=48, bands=30, leaves=1, lesion=kind), seed, name
        ).cube
        for seed, (kind, name) in enumerate(zip(kinds, NAMES, strict=True))
    ]
    *_, done = train_and_map(cubes, Config(k=8, steps=0, device="cpu"))
    return cubes, done


@pytest.fixture
def study_dock(dock, three_maps):
    """A dock with three cubes and their maps."""
    cubes, done = three_maps
    for cube in cubes:
        add_cube(dock, cube)
    dock.workspace.session._cubes = dock.study.cubes
    dock.workspace.session._on_run_yielded(done)
    settle()
    return dock


@pytest.fixture
def matrix(study_dock):
    """Its activation matrix, opened by key."""
    study_dock.setFocus()
    QTest.keyClick(study_dock, Qt.Key.Key_X)
    settle()
    return study_dock.activation.dock


def names(matrix):
    return [head.name for head in matrix.model.matrix.heads]


def place(matrix, row, column):
    index = matrix.model.index(row, column)
    matrix.view.scrollTo(index)
    return matrix.view.visualRect(index).center()


def click(matrix, row, column):
    at = place(matrix, row, column)
    QTest.mouseClick(matrix.view.viewport(), LEFT, NO_KEY, at)
    settle()


def cells_are_the_shares_of_the_pixels(study_dock, matrix):
    study, shown = study_dock.study, matrix.model.matrix
    assert matrix.isVisible()
    assert shown.names == (NAMES[1], NAMES[2], NAMES[0])  # by day
    assert sorted(head.id for head in shown.heads) == sorted(study.grouping.ids)
    for row, head in enumerate(shown.heads):
        for column, cube in enumerate(shown.cubes):
            pixels = study.cluster_map(cube)
            share = np.isin(pixels, head.clusters).sum() / (pixels > 0).sum()
            assert shown.shares[row, column] == pytest.approx(share)
            assert shown.active[row, column] == (share > 1e-3)
            text = matrix.model.index(row, column).data()
            if share > 1e-3:
                assert float(text) == pytest.approx(100 * share, abs=0.51)
            else:
                assert text == ("·" if share else "")


def a_click_shows_the_cube_and_selects_the_group(study_dock, matrix):
    target = (study_dock.display.shown + 1) % 3
    column = matrix.model.matrix.cubes.index(target)
    click(matrix, 2, column)
    assert study_dock.display.shown == target
    head = matrix.model.matrix.heads[2]
    assert study_dock.workspace.selection.ids == {head.id}
    assert head.name in study_dock.status.text()
    assert matrix.view.chosen == {2}
    assert matrix.view.cube == target


def a_head_selects_or_shows_alone(study_dock, matrix):
    shown = study_dock.display.shown
    heads = matrix.view.verticalHeader()
    at = QPoint(30, heads.sectionViewportPosition(1) + 5)
    QTest.mouseClick(heads.viewport(), LEFT, NO_KEY, at)
    settle()
    chosen = matrix.model.matrix.heads[1]
    assert study_dock.workspace.selection.ids == {chosen.id}
    assert study_dock.display.shown == shown
    column = next(i for i, c in enumerate(matrix.model.matrix.cubes) if c != shown)
    across = matrix.view.horizontalHeader()
    at = QPoint(across.sectionViewportPosition(column) + 5, 5)
    QTest.mouseClick(across.viewport(), LEFT, NO_KEY, at)
    settle()
    assert study_dock.display.shown == matrix.model.matrix.cubes[column]
    assert study_dock.workspace.selection.ids == {chosen.id}


def a_cluster_within_a_group_is_selected_by_itself(study_dock, matrix):
    study_dock.study.merge((1,), 2)
    QTest.mouseClick(matrix.clusters_button, LEFT)
    settle()
    assert len(names(matrix)) == 8
    heads = matrix.model.matrix.heads
    row = next(i for i, head in enumerate(heads) if head.clusters == (1,))
    assert study_dock.study.grouping.group(2).name in heads[row].name
    click(matrix, row, 0)
    assert study_dock.workspace.selection.members == {1}
    assert not study_dock.workspace.selection.ids
    assert matrix.view.chosen == {row}


def merges_and_undo_leave_the_other_rows_where_they_are(study_dock, matrix):
    before = [head.id for head in matrix.model.matrix.heads]
    target, source = before[2], before[5]
    study_dock.study.merge((source,), target)
    settle()
    merged = [head.id for head in matrix.model.matrix.heads]
    assert merged == [id for id in before if id != source]
    pooled = matrix.model.matrix.shares[merged.index(target)]
    clusters = study_dock.study.grouping.group(target).clusters
    for column, cube in enumerate(matrix.model.matrix.cubes):
        pixels = study_dock.study.cluster_map(cube)
        assert pooled[column] == pytest.approx(np.isin(pixels, clusters).mean())
    study_dock.workspace.undo()
    settle()
    assert [head.id for head in matrix.model.matrix.heads] == before
    study_dock.workspace.redo()
    study_dock.study.take_apart((min(clusters),))
    settle()
    apart = [head.id for head in matrix.model.matrix.heads]
    assert len(apart) == len(before)
    (fresh,) = set(apart) - set(merged)
    assert abs(apart.index(fresh) - apart.index(target)) == 1


def a_rename_and_a_colour_reach_the_heads(study_dock, matrix):
    id = matrix.model.matrix.heads[0].id
    study_dock.study.rename(id, "Cloth")
    study_dock.study.recolor(id, (1, 2, 3))
    settle()
    assert names(matrix)[0] == "Cloth"
    assert matrix.model.matrix.heads[0].color == (1, 2, 3)


def rows_that_fire_in_some_cubes_say_so(study_dock, matrix):
    shown = matrix.model.matrix
    some = [r for r in range(len(shown.heads)) if 0 < shown.active[r].sum() < 3]
    assert some  # the lesion's clusters are not in the healthy leaf
    tip = matrix.model.headerData(
        some[0], Qt.Orientation.Vertical, Qt.ItemDataRole.ToolTipRole
    )
    firing = [n for n, on in zip(shown.names, shown.active[some[0]], strict=True) if on]
    assert f"{len(firing)} of 3 cubes only: {', '.join(firing)}" in tip
    # No name gives way to the words beside it, nor does a longer one later.
    study_dock.study.rename(shown.heads[some[0]].group, "Lesion margin, young")
    settle()
    heads = matrix.view.verticalHeader()
    bold = heads.font()
    bold.setBold(True)
    plain, wide = QFontMetrics(heads.font()), QFontMetrics(bold)
    for row, head in enumerate(matrix.model.matrix.heads):
        name = plain.horizontalAdvance(head.name)
        words = wide.horizontalAdvance(word_firing(matrix.model.matrix, row))
        assert heads.width() >= SWATCH + 26 + name + words


def the_sentence_follows_the_mouse(matrix):
    hint = matrix.words.text()
    viewport = matrix.view.viewport()
    QTest.mouseMove(viewport, place(matrix, 1, 0))
    settle(0.02)
    QTest.mouseMove(viewport, place(matrix, 1, 1))
    settle()
    head, cube = matrix.model.matrix.heads[1], matrix.model.matrix.names[1]
    assert head.name in matrix.words.text()
    assert cube in matrix.words.text()
    assert "cubes." in matrix.words.text()
    QTest.mouseMove(matrix.groups_button)
    settle()
    wait_until(lambda: matrix.words.text() == hint, 2)


def orders_of_rows_and_cubes(study_dock, matrix):
    matrix.rows.setCurrentIndex(1)
    matrix.columns.setCurrentIndex(2)
    settle()
    listed = [head.id for head in matrix.model.matrix.heads]
    assert listed == list(study_dock.study.grouping.ids)
    assert matrix.model.matrix.names == NAMES
    matrix.columns.setCurrentIndex(1)
    settle()
    assert sorted(matrix.model.matrix.names) == sorted(NAMES)
    # The healthy leaf is at an end: the infected ones are alike.
    assert matrix.model.matrix.names[1] != NAMES[0]


def test_what_is_missing_is_said(dock, three_maps):
    cubes, _ = three_maps
    dock.activation.toggle()
    settle()
    matrix = dock.activation.dock
    assert matrix.pages.currentWidget() is matrix.empty
    assert "Add files" in matrix.empty.text()
    assert not matrix.saving.button.isEnabled()
    add_cube(dock, cubes[0])
    settle()
    assert "First map" in matrix.empty.text()


def test_a_cube_without_a_map_has_no_column_and_is_counted(study_dock, matrix):
    other = make_scene(SceneConfig(size=40, bands=30, leaves=1), 9, "later").cube
    add_cube(study_dock, other)
    assert matrix.model.columnCount() == 3
    assert matrix.words.text().startswith("1 cube has no map yet")
    study_dock.display.remove(1)
    settle()
    assert matrix.model.matrix.names == (NAMES[2], NAMES[0])


def saved_is_what_is_shown(study_dock, matrix, tmp_path):
    path = tmp_path / "activation.csv"
    matrix.saving.save(path)
    wait_until(lambda: not matrix.saving.runner.running)
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *body = csv.reader(file)
    shown = matrix.model.matrix
    assert head[4:] == [f"{name}_%" for name in shown.names]
    assert [row[0] for row in body] == names(matrix)
    numbers = np.array([[float(x) for x in row[4:]] for row in body])
    np.testing.assert_allclose(numbers, 100 * shown.shares, atol=1e-4)
    assert f"Wrote {path}" in study_dock.status.text()
    path.write_text("mine")
    asked: list[str] = []
    answer("Cancel", asked)
    matrix.saving.save(path)
    settle()
    assert asked == [f"activation.csv is in {tmp_path} already."]
    assert path.read_text() == "mine"


def test_two_docks_share_the_place_below_the_image(study_dock, matrix):
    height = study_dock._viewer.window._qt_window.height()
    study_dock.groups.spectra_button.click()
    settle()
    spectra = study_dock.spectra.dock
    assert not spectra.visibleRegion().isEmpty()
    assert matrix.visibleRegion().isEmpty()
    study_dock.activation.toggle()  # behind: to the front
    settle()
    assert not matrix.visibleRegion().isEmpty()
    study_dock.activation.toggle()
    settle()
    assert not study_dock.activation.shown
    assert study_dock.spectra.shown
    assert study_dock._viewer.window._qt_window.height() == height


def hidden_it_computes_nothing_and_makes_up_for_it(study_dock, matrix):
    study_dock.activation.toggle()
    settle()
    before = matrix.model.matrix
    study_dock.study.merge((1,), 2)
    settle()
    assert matrix.model.matrix is before
    study_dock.activation.toggle()
    settle()
    assert len(matrix.model.matrix.heads) == 7


def closed_for_good_it_goes_and_comes_again(study_dock, matrix):
    gone = weakref.ref(matrix)
    study_dock._viewer.window.remove_dock_widget(matrix)
    assert study_dock.activation.dock is None
    del matrix
    settle()
    study_dock.study.merge((1,), 2)
    settle()
    gc.collect()
    study_dock.activation.toggle()
    settle()
    assert study_dock.activation.dock is not gone()
    assert len(study_dock.activation.dock.model.matrix.heads) == 7


def test_what_it_shows_and_what_the_mouse_does(study_dock, matrix, tmp_path):
    cells_are_the_shares_of_the_pixels(study_dock, matrix)
    rows_that_fire_in_some_cubes_say_so(study_dock, matrix)
    the_sentence_follows_the_mouse(matrix)
    a_click_shows_the_cube_and_selects_the_group(study_dock, matrix)
    a_head_selects_or_shows_alone(study_dock, matrix)
    saved_is_what_is_shown(study_dock, matrix, tmp_path)
    orders_of_rows_and_cubes(study_dock, matrix)


def test_it_follows_the_groups(study_dock, matrix):
    a_rename_and_a_colour_reach_the_heads(study_dock, matrix)
    undo_all(study_dock)
    merges_and_undo_leave_the_other_rows_where_they_are(study_dock, matrix)
    undo_all(study_dock)
    hidden_it_computes_nothing_and_makes_up_for_it(study_dock, matrix)
    undo_all(study_dock)
    a_cluster_within_a_group_is_selected_by_itself(study_dock, matrix)
    QTest.mouseClick(matrix.groups_button, LEFT)
    undo_all(study_dock)
    closed_for_good_it_goes_and_comes_again(study_dock, matrix)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_least_active_cell_stands_out_from_the_ground(theme, qapp):
    colors = Colors(theme)
    shades = [colors.of(share).lightnessF() for share in (0.0011, 0.01, 0.1, 1)]
    away = [abs(shade - colors.ground.lightnessF()) for shade in shades]
    assert min(away) > 0.12
    assert away[0] < away[-1]


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["leaf_01_day3", "leaf_02_day5"], [("01_day3", "01 day3")] * 1),
        (
            ["p_07_2024-05-01_left", "p_08_2024-05-09_left"],
            [("07_2024-05-01", "07 01")],
        ),
        (["leaf", "leaf_b"], [("leaf", "leaf")]),
        (["only one"], [("only one", "only one")]),
    ],
)
def test_column_heads_leave_out_what_all_names_share(names, short):
    assert short_names(names)[: len(short)] == short
