"""Room in the dock at 1280 x 800: what must be in sight, and what must not move."""

from __future__ import annotations

import numpy as np
import pytest
from acting import add_cube, settle, wait_until
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.ui.section import Section

CONFIG = SceneConfig(size=64, bands=40, leaves=1)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def full(mapped):
    """Six cubes and Merge mode on; as after a training, its section folded in."""
    for seed in range(1, 6):
        add_cube(mapped, make_scene(CONFIG, seed, f"leaf{seed}").cube)
    mapped.display.show(0)
    for seed in range(1, 6):
        clusters = mapped.study.cluster_map(0)
        mapped.study.set_map(seed, clusters, mapped.study.statistics(0))
    mapped.training.refresh()
    mapped.training.fold()
    mapped.workspace.gestures.set_merging(True)
    mapped.status.say("Short.")
    bar = mapped.area.verticalScrollBar()
    wait_until(lambda: not bar.isVisible(), 10)  # a busy machine lays out late
    watched = (mapped.cubes.list, mapped.groups.table, mapped.export)
    before: list[QRect] = []
    while (now := [place(mapped, widget) for widget in watched]) != before:
        before = now
        settle(0.3)
    return mapped


def place(dock, widget) -> QRect:
    """Where a widget is in the dock."""
    return QRect(widget.mapTo(dock, QPoint(0, 0)), widget.size())


def whole(widget) -> bool:
    """Whether all of a widget is in sight."""
    return widget.visibleRegion().boundingRect() == widget.rect()


def rows_in_sight(dock) -> int:
    table = dock.groups.table
    seen = table.viewport().visibleRegion().boundingRect()
    model = dock.groups.model
    rects = (table.visualRect(model.index(i, 0)) for i in range(model.rowCount()))
    return sum(seen.top() <= r.top() and r.bottom() <= seen.bottom() for r in rects)


def test_six_groups_six_cubes_export_and_suggestions_are_in_sight(full):
    assert rows_in_sight(full) == 6
    assert whole(full.cubes.list)
    assert full.cubes.list.count() == 6
    for widget in (full.export.export_button, full.groups.suggestions, full.status):
        wait_until(lambda w=widget: whole(w), 5)
        assert whole(widget), widget.objectName()


def test_the_suggestion_s_buttons_are_in_sight_once_n_asks_for_them(full):
    full.workspace.gestures.set_merging(False)
    native = full._viewer.window._qt_viewer.canvas.native
    native.setFocus()
    settle()
    QTest.keyClick(native, Qt.Key.Key_N)
    settle(0.1)
    panel = full.groups.suggestions
    for button in (panel.accept_button, panel.reject_button, panel.next_button):
        assert whole(button)
    assert rows_in_sight(full) == 6


def test_a_click_on_the_folded_line_opens_the_suggestions(full):
    panel = full.groups.suggestions
    assert not panel.accept_button.isVisible()
    QTest.mouseClick(panel.question, LEFT)
    settle()
    assert panel.accept_button.isVisible()


def test_no_button_of_the_dock_is_cut(full):
    for button in full.findChildren(QPushButton):
        if button.isVisible():
            words = button.fontMetrics().horizontalAdvance(button.text())
            assert words < button.width(), button.text()


def test_words_in_the_status_line_move_nothing(full):
    before = [place(full, w) for w in (full.groups.table, full.export, full.cubes)]
    for text in ("Short.", "Words that need two lines in a dock as narrow as this is."):
        full.status.say(text)
        settle()
        now = [place(full, w) for w in (full.groups.table, full.export, full.cubes)]
        assert now == before
    assert full.status.heightForWidth(full.status.width()) > 20, "it did need two"


def test_merge_mode_and_merging_move_nothing(full):
    watched = (full.cubes.list, full.groups.table, full.groups.tools, full.export)
    before = [place(full, widget) for widget in watched]
    full.workspace.gestures.set_merging(False)
    settle()
    assert [place(full, widget) for widget in watched] == before
    full.study.merge((1,), 2)
    full.study.set_role(2, "lesion")
    settle()
    assert [place(full, widget) for widget in watched] == before


@pytest.mark.parametrize("name", ["cubes", "training", "groups"])
def test_sections_fold_by_click_and_by_key(full, name):
    section = getattr(full, name)
    assert isinstance(section, Section)
    section.fold(False)
    settle()
    tall = section.height()
    QTest.mouseClick(section.heading, LEFT)
    settle()
    assert not section.open
    assert section.height() < tall
    assert section.heading.focusPolicy() & Qt.FocusPolicy.TabFocus
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
        was = section.open
        QTest.keyClick(section.heading, key)
        settle()
        assert section.open != was


def test_the_tree_folds_and_leaves_its_room_to_the_table(full):
    tall = full.groups.table.height()
    QTest.mouseClick(full.groups.tree_arrow, LEFT)
    settle()
    assert not full.groups.dendrogram.isVisible()
    assert full.groups.table.height() > tall
    full.study.merge((1,), 2)
    settle()
    assert not full.groups.dendrogram.isVisible(), "a step does not unfold it"
    QTest.mouseClick(full.groups.tree_arrow, LEFT)
    assert full.groups.dendrogram.isVisible()


def test_a_training_folds_in_at_its_end_and_says_how_it_went(leaf_dock):
    training = leaf_dock.training
    training.k.setValue(6)
    training.steps.setValue(4)
    training.fold()
    QTest.mouseClick(training.train_button, LEFT)
    training.train_button.click()
    assert training.open, "a run unfolds it"
    wait_until(lambda: training.plots.loss.steps)
    settle()
    assert training.plots.isVisible()
    assert training.stop_button.isVisible()
    wait_until(lambda: not leaf_dock.workspace.session.runner.running)
    settle()
    assert not training.open
    assert training.summary.startswith("4 steps · score ")
    assert not training.plots.isVisible()
    QTest.mouseClick(training.heading, LEFT)
    assert training.plots.isVisible()


def corners(dock) -> np.ndarray:
    """The image's corners on the canvas, and the canvas's size."""
    view = dock._viewer.window._qt_viewer.canvas.view
    transform = view.transform * view.scene.transform
    _, H, W = dock.display.entry.cube.shape
    first, last = transform.map([0, 0])[:2], transform.map([W, H])[:2]
    return np.array([first, last])


def fits(dock) -> bool:
    native = dock._viewer.window._qt_viewer.canvas.native
    (x0, y0), (x1, y1) = corners(dock)
    return x0 >= 0 and y0 >= 0 and x1 <= native.width() and y1 <= native.height()


def test_the_first_cube_is_fitted_into_the_canvas_and_no_later_one(leaf_dock):
    wait_until(lambda: fits(leaf_dock), 5)
    camera = leaf_dock._viewer.camera
    settle(0.2)
    camera.zoom *= 3
    camera.center = (0, 10, 12)
    before = camera.zoom, camera.center
    add_cube(leaf_dock, make_scene(CONFIG, 1, "second").cube)
    settle(0.2)
    leaf_dock.display.show(0)
    leaf_dock.parent().hide()
    settle(0.2)
    leaf_dock.parent().show()
    settle(0.3)
    assert (camera.zoom, camera.center) == before


def test_a_dock_that_opens_beside_a_cube_fits_it(make_napari_viewer, leaf):
    from napari_dgc.ui.cube_layers import cube_to_layers
    from napari_dgc.ui.dock import ClusteringDock

    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    for data, options, kind in cube_to_layers(leaf):
        viewer._add_layer_from_data(data, options, kind)
    settle(0.2)
    viewer.camera.zoom *= 4
    dock = ClusteringDock(viewer)
    viewer.window.add_dock_widget(dock, name="Deep Global Clustering")
    wait_until(lambda: fits(dock), 5)
    settle()
