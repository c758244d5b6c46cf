"""From the sample to the mask, as the README tells it, with a real mouse."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import tifffile
from acting import Mouse, brute_force, pixel_in, settle, shown_labels, wait_until
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_dgc.ui.dock import ClusteringDock


def test_sample_train_merge_by_each_gesture_undo_export(make_napari_viewer, tmp_path):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    _, dock = viewer.window.add_plugin_dock_widget("napari-dgc")
    assert isinstance(dock, ClusteringDock)
    viewer.open_sample("napari-dgc", "infected_leaf")
    settle(0.3)
    assert [cube.name for cube in dock.study.cubes] == ["infected_leaf"]

    dock.training.k.setValue(10)
    dock.training.steps.setValue(6)
    dock.training.train_button.click()
    wait_until(lambda: not dock.workspace.session.runner.running, 120)
    settle(0.4)
    assert dock.training.plots.score.steps == [0, 6]
    groups = sorted(dock.study.grouping.groups, key=dock.groups.model.pixels)
    a, b, c, d, e = [group.id for group in groups[::-1]][:5]
    start = dock.study.grouping
    mouse = Mouse(viewer)

    mouse.click(pixel_in(dock, a))
    assert dock.workspace.selection.ids == {a}
    model = dock.groups.model
    drag = model.mimeData([model.index(model.row_of(a), 0)])
    move = Qt.DropAction.MoveAction
    model.dropMimeData(drag, move, -1, -1, model.index(model.row_of(b), 0))
    assert dock.workspace.selection.ids == {b}
    QTest.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_M)
    assert not dock.workspace.selection.ids  # in Merge mode all groups are seen alike
    mouse.drag(pixel_in(dock, c), pixel_in(dock, b))
    mouse.shift_click(pixel_in(dock, b))
    mouse.shift_click(pixel_in(dock, d))
    merged = {
        cluster for group in (a, b, c, d) for cluster in start.group(group).clusters
    }
    assert set(dock.study.grouping.group(b).clusters) == merged
    canvas = viewer.window._qt_viewer.canvas.native
    for _ in range(3):
        QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert dock.study.grouping == start
    for _ in range(3):
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(canvas, Qt.Key.Key_Z, both)
    np.testing.assert_array_equal(shown_labels(dock), brute_force(dock))

    dock.workspace.selection.set({b, e})
    dock.export.mask.setChecked(True)
    dock.export.export(tmp_path)
    wait_until(lambda: not dock.export.runner.running, 20)
    mask = tifffile.imread(tmp_path / "infected_leaf_mask.tif")
    chosen = [*merged, *start.group(e).clusters]
    expected = np.isin(dock.study.cluster_map(0), chosen)
    np.testing.assert_array_equal(mask > 0, expected)
    labels = tifffile.imread(tmp_path / "infected_leaf_groups.tif")
    np.testing.assert_array_equal(labels, brute_force(dock))


def test_the_dock_is_made_without_loading_torch():
    code = (
        "import sys, napari_dgc.ui.dock, napari_dgc.clustering.config;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
