"""Cubes come from files, folders and open layers; one is shown at a time."""

from __future__ import annotations

import numpy as np
import pytest
from acting import add_cube, settle, wait_until
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, write_scene_envi
from napari_dgc.ui.layout_form import LayoutForm

CONFIG = SceneConfig(size=40, bands=20, leaves=1)


@pytest.fixture
def folder(tmp_path):
    for seed in (0, 1):
        write_scene_envi(tmp_path / f"s{seed}.hdr", CONFIG, seed)
    return tmp_path


def read(dock, *paths):
    dock.cubes.add_paths(paths)
    wait_until(lambda: not dock.cubes._openings, 30)
    settle()


def visible(dock):
    return {layer.name for layer in dock._viewer.layers if layer.visible}


def test_an_empty_dock_says_what_to_do(dock):
    assert dock.cubes.empty.isVisible()
    assert "Open Sample" in dock.cubes.empty.text()
    assert not dock.training.first_button.isEnabled()
    assert not dock.training.train_button.isEnabled()


def test_a_folder_is_read_and_one_cube_shown(dock, folder):
    read(dock, folder)
    assert [cube.name for cube in dock.study.cubes] == ["s0", "s1"]
    assert dock.cubes.list.count() == 2
    assert dock.status.text().startswith("2 cubes ready.")
    shown = dock.study.cubes[dock.display.shown].name
    assert visible(dock) == {shown, f"{shown} RGB"}
    assert dock.training.first_button.isEnabled()


def test_choosing_a_cube_shows_its_layers_and_hides_the_others(dock, folder):
    read(dock, folder)
    for row in (0, 1, 0):
        dock.cubes.list.setCurrentRow(row)
        settle()
        name = dock.study.cubes[row].name
        assert visible(dock) == {name, f"{name} RGB"}


def test_nothing_is_ready_while_the_layout_is_asked_for(leaf_dock, tmp_path):
    path = tmp_path / "stack.npy"
    np.save(path, np.random.default_rng(0).random((9, 8, 7)).astype(np.float32))
    asked: list[str] = []

    def cancel() -> None:
        form = QApplication.activeModalWidget()
        if isinstance(form, LayoutForm):
            asked.append(leaf_dock.status.text())
            form.reject()

    timer = QTimer()
    timer.timeout.connect(cancel)
    timer.start(400)  # ms: some rounds of the panel's poll
    read(leaf_dock, path)
    timer.stop()
    assert asked == ["Reading 1 cube…"]
    assert "ready" not in leaf_dock.status.text()


def test_bad_paths_are_told_in_one_line(dock, tmp_path):
    dock.cubes.add_paths([tmp_path / "missing.hdr"])
    assert dock.status.level == "error"
    assert "missing.hdr" in dock.status.text()
    assert "\n" not in dock.status.text()
    assert not dock.study.cubes


def test_a_cube_of_another_sensor_is_refused(leaf_dock):
    other = Cube(np.random.default_rng(0).random((7, 9, 9), np.float32), name="other")
    add_cube(leaf_dock, other)
    assert len(leaf_dock.study.cubes) == 1
    assert leaf_dock.status.level == "error"
    assert "remove the other cubes first" in leaf_dock.status.text()
    assert visible(leaf_dock) == {"leaf", "leaf RGB"}
    picture = leaf_dock.display.entry.picture
    assert leaf_dock._viewer.layers.selection.active is picture
    picture.visible = False
    cubes = leaf_dock.cubes.list
    cubes.itemClicked.emit(cubes.item(0))
    assert picture.visible


def test_open_layers_are_used_and_said_so(dock):
    data = np.random.default_rng(0).random((12, 30, 20)).astype(np.float32)
    dock._viewer.add_image(data, name="mine", scale=(1, 2, 3))
    dock._viewer.add_image(data[0], name="flat")
    dock.cubes.layers_button.click()
    assert [cube.name for cube in dock.study.cubes] == ["mine"]
    assert dock.study.cubes[0].shape == (12, 30, 20)
    assert "first axis" in dock.status.text()
    dock.cubes.layers_button.click()  # a second time: nothing new
    assert len(dock.study.cubes) == 1
    assert "No open layer" in dock.status.text()


def test_a_cube_that_was_open_before_the_dock_is_there(make_napari_viewer, leaf):
    from napari_dgc.ui.cube_layers import cube_to_layers
    from napari_dgc.ui.dock import ClusteringDock

    viewer = make_napari_viewer(show=True)
    for data, options, kind in cube_to_layers(leaf):
        viewer._add_layer_from_data(data, options, kind)
    dock = ClusteringDock(viewer)
    viewer.window.add_dock_widget(dock)
    assert dock.study.cubes == (leaf,)
    assert dock.display.entry.picture is not None


def test_removing_a_cube_closes_its_layers_and_deleting_its_layer_removes_it(
    dock, folder
):
    read(dock, folder)
    dock.cubes.list.setCurrentRow(0)
    gone = dock.study.cubes[0].name
    dock.cubes.remove_button.click()
    settle()
    assert not [la.name for la in dock._viewer.layers if la.name.startswith(gone)]
    assert len(dock.study.cubes) == 1
    assert dock.status.text() == f"{gone} is out of the study. Its file stays."
    dock._viewer.layers.remove(dock.display.entry.bands)
    settle()
    assert not dock.study.cubes
    assert not dock._viewer.layers
    assert dock.cubes.empty.isVisible()


def test_a_deleted_label_layer_comes_back_when_its_cube_is_chosen(mapped):
    mapped._viewer.layers.remove(mapped.display.entry.groups.layer)
    settle()
    mapped.display.show(0)
    assert mapped.display.entry.groups.layer in mapped._viewer.layers
    assert mapped.display.entry.groups.layer.data.any()


def test_a_duplicated_layer_is_no_second_cube(leaf_dock):
    bands = leaf_dock.display.entry.bands
    leaf_dock._viewer.add_image(bands.data, name="copy", metadata=bands.metadata)
    assert len(leaf_dock.study.cubes) == 1
