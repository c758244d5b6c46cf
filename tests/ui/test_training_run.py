"""Runs in the background: maps, snapshots, stopping, failing, closing."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from acting import add_cube, answer, brute_force, settle, shown_labels, wait_until
from napari.qt.threading import WorkerBase
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QThreadPool

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.study.mapping import Progress


@pytest.fixture(scope="session")
def second_leaf() -> Cube:
    return make_scene(SceneConfig(size=48, bands=40, leaves=1), 1, "second").cube


def train(dock, *, steps=0, k=6):
    dock.training.k.setValue(k)
    dock.training.device.setCurrentText("cpu")
    if steps:
        dock.training.steps.setValue(steps)
        dock.training.train_button.click()
    else:
        dock.training.first_button.click()
    assert dock.workspace.session.runner.running


def finish(dock, seconds=120):
    wait_until(lambda: not dock.workspace.session.runner.running, seconds)
    settle()


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "reader"]


class Vanishing:
    """A lazily read array whose source goes away: every read fails from then on."""

    def __init__(self, data: np.ndarray, error: Exception) -> None:
        self._data, self._error = data, error
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim
        self.gone = False
        self.reader: str | None = None

    def __getitem__(self, key):
        if self.gone:
            self.reader = threading.current_thread().name
            raise self._error
        return self._data[key]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._data, dtype)


def test_first_map_comes_within_seconds_and_is_shown(leaf_dock):
    train(leaf_dock)
    took = wait_until(lambda: leaf_dock.study.model is not None, 30)
    assert took < 15  # seconds, most of them for loading torch on a busy machine
    finish(leaf_dock)
    labels = shown_labels(leaf_dock)
    np.testing.assert_array_equal(labels, brute_force(leaf_dock))
    assert labels.any()
    layer = leaf_dock.display.entry.groups.layer
    assert not layer.editable
    assert leaf_dock._viewer.layers.selection.active is layer
    assert leaf_dock.groups.model.rowCount() == 6
    assert leaf_dock.status.level == "good"


def test_the_map_lies_on_its_cube(dock, leaf):
    scaled = replace(leaf)
    add_cube(dock, scaled)
    bands = dock.display.entry.bands
    bands.scale, bands.translate = (1, 0.5, 0.25), (0, 7, 9)
    train(dock)
    finish(dock)
    layer = dock.display.entry.groups.layer
    assert tuple(layer.scale) == (0.5, 0.25)
    assert tuple(layer.translate) == (7, 9)


def test_training_shows_progress_loss_score_and_snapshots(leaf_dock):
    previews, texts, steps = [], [], []
    leaf_dock.workspace.session.progressed.connect(
        lambda text, done: texts.append(text)
    )
    leaf_dock.workspace.session.stepped.connect(steps.append)
    train(leaf_dock, steps=28)
    wait_until(lambda: leaf_dock.display.previewing, 60)
    assert leaf_dock.study.model is None  # a snapshot is not in use
    previews.append(shown_labels(leaf_dock).copy())
    assert previews[0].any()
    finish(leaf_dock)
    best = [step.best for step in steps if step.best is not None][-1]
    assert leaf_dock.study.model.steps_done == best.steps_done
    assert not leaf_dock.display.previewing
    assert any(text.startswith("Step ") and "left" in text for text in texts)
    plots = leaf_dock.training.plots
    assert len(plots.loss.steps) >= 5
    assert plots.score.steps == [0, 25, 28]
    assert plots.score.values == [step.score for step in steps if step.score]
    assert "of 6 active" in leaf_dock.training.active.text()
    np.testing.assert_array_equal(shown_labels(leaf_dock), brute_force(leaf_dock))


def test_stop_answers_within_a_second_and_keeps_the_best_so_far(leaf_dock):
    steps = []
    leaf_dock.workspace.session.stepped.connect(steps.append)
    train(leaf_dock, steps=5000)
    wait_until(lambda: len(leaf_dock.training.plots.score.steps) >= 2, 60)
    assert readers()
    leaf_dock.training.stop_button.click()
    took = wait_until(lambda: not leaf_dock.workspace.session._training, 5)
    assert took < 1
    assert not readers()
    finish(leaf_dock)
    # None was in use: the best is now, which need not be the latest.
    assert leaf_dock.study.model is [s.best for s in steps if s.best is not None][-1]
    assert leaf_dock.status.text().startswith("Stopped. The ")
    np.testing.assert_array_equal(shown_labels(leaf_dock), brute_force(leaf_dock))


def test_a_stopped_run_does_not_replace_the_model_in_use_unless_asked(mapped):
    model = mapped.study.model
    mapped.study.merge((1,), 2)
    seen: list[str] = []
    answer("Train anew", seen)
    train(mapped, steps=5000, k=5)
    assert "1 step" in seen[0]
    wait_until(lambda: mapped.training.plots.loss.steps, 60)
    mapped.training.stop_button.click()
    finish(mapped)
    assert mapped.study.model is model
    assert len(mapped.study.history.operations) == 1
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))
    assert mapped.training.use_button.isVisible()
    answer("Use new model", seen)
    mapped.training.use_button.click()
    finish(mapped)
    assert mapped.study.model is not model
    assert not mapped.study.history.operations
    assert not mapped.training.use_button.isVisible()


def test_steps_taken_while_training_runs_are_kept(mapped):
    model = mapped.study.model
    mapped.training.follow.setChecked(False)
    train(mapped, steps=6, k=5)
    assert "present groups stay" in mapped.status.text()
    mapped.study.merge((1,), 2)
    grouping = mapped.study.grouping
    finish(mapped)
    assert mapped.study.model is model
    assert mapped.study.grouping == grouping
    assert "Your groups are kept" in mapped.status.text()
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))
    answer("Use new model", [])
    mapped.training.use_button.click()
    finish(mapped)
    assert mapped.study.model.k == 5
    assert not mapped.study.history.operations
    assert not mapped.training.use_button.isVisible()


def test_a_notice_of_the_run_is_in_its_last_line(mapped):
    session = mapped.workspace.session
    told = Progress("Mapping leaf", 0.5, "The cuda device ran out of memory.")
    session._on_run_yielded(told)
    assert mapped.status.text() == told.notice
    session._on_run_yielded(Progress("Mapping leaf", 1.0))
    session._on_run_succeeded()
    assert "The map is ready. Press A to begin" in mapped.status.text()
    assert told.notice in mapped.status.text()
    assert mapped.status.level == "warning"


def test_another_cube_shown_while_previews_come_leaves_the_groups_locked(
    mapped, second_leaf, first_map
):
    add_cube(mapped, second_leaf)
    mapped.display.show(0)
    cubes, clusters = mapped.study.cubes, first_map.maps[0].clusters
    mapped.display.preview(cubes[0], clusters, [*range(1, 7)])
    assert not mapped.groups.isEnabled()
    mapped.display.show(1)
    assert not mapped.groups.isEnabled()
    assert "next snapshot" in mapped.status.text()
    mapped.display.end_previews()
    assert mapped.groups.isEnabled()


def test_without_cubes_the_groups_stay_and_another_sensor_is_not_mapped(mapped):
    mapped.display.remove(0)
    settle()
    assert not mapped.groups.merge_button.isEnabled()
    assert "groups stay" in mapped.status.text()
    data = np.random.default_rng(0).random((7, 9, 9), np.float32)
    add_cube(mapped, Cube(data, name="other"))
    assert len(mapped.study.cubes) == 1
    assert not mapped.training.map_button.isVisible()


def test_merges_are_not_lost_without_asking(mapped):
    mapped.study.merge((1,), 2)
    grouping = mapped.study.grouping
    seen: list[str] = []
    answer("Cancel", seen)
    mapped.training.train_button.click()
    (question,) = seen
    assert "1 step (merges, names, roles, colours)" in question
    assert "stay until the new clusters are ready" in question
    assert "“Cancel”: everything stays as it is" in question
    assert not mapped.workspace.session.runner.running
    assert mapped.study.grouping is grouping


@pytest.mark.parametrize(
    "error",
    [RuntimeError("CUDA out of memory"), OSError("the drive was pulled out")],
    ids=["runtime error", "other error"],
)
def test_an_error_in_the_worker_reaches_the_user(dock, leaf, error):
    data = Vanishing(np.asarray(leaf.data), error)
    add_cube(dock, Cube(data, leaf.wavelengths, "gone"))
    train(dock, steps=5000)
    wait_until(lambda: dock.training.plots.loss.steps, 60)
    told: list[str] = []
    notification_manager.notification_ready.connect(lambda n: told.append(n.message))
    data.gone = True
    finish(dock, 20)
    assert data.reader != threading.main_thread().name
    assert dock.status.level == "error"
    assert str(error) in dock.status.text()
    assert any(str(error) in text for text in told)
    assert dock.study.model is None
    assert dock.training.train_button.isEnabled()
    assert not dock.display.previewing


def test_a_real_torch_error_reaches_the_user(leaf_dock):
    """A device that torch knows by name and cannot use."""
    leaf_dock.training.device.setCurrentText("mps")
    leaf_dock.training.first_button.click()
    finish(leaf_dock, 30)
    assert leaf_dock.status.level == "error"
    assert "mps" in leaf_dock.status.text()


def test_a_failed_run_leaves_model_and_groups_alone(mapped):
    mapped.study.merge((1,), 2)
    model, grouping = mapped.study.model, mapped.study.grouping
    answer("First map anew", [])
    mapped.training.device.setCurrentText("mps")
    mapped.training.first_button.click()
    finish(mapped, 30)
    assert mapped.study.model is model
    assert mapped.study.grouping is grouping
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def test_a_new_cube_is_mapped_with_the_model_in_use(mapped, second_leaf):
    mapped.study.merge((1,), 2)
    grouping = mapped.study.grouping
    add_cube(mapped, second_leaf)
    assert mapped.training.map_button.isVisible()
    assert "Map new cubes" in mapped.status.text()
    mapped.training.map_button.click()
    finish(mapped)
    name = second_leaf.name
    assert mapped.status.text() == f"{name} is mapped; your groups hold for it too."
    assert mapped.study.grouping is grouping
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped, 1))
    assert not mapped.training.map_button.isVisible()


def test_a_cube_removed_during_the_run_is_left_out(leaf_dock, second_leaf):
    add_cube(leaf_dock, second_leaf)
    train(leaf_dock, steps=10)
    wait_until(lambda: leaf_dock.training.plots.loss.steps, 60)
    leaf_dock.display.remove(0)
    finish(leaf_dock)
    assert [cube.name for cube in leaf_dock.study.cubes] == ["second"]
    np.testing.assert_array_equal(shown_labels(leaf_dock), brute_force(leaf_dock))


def test_closing_the_window_while_training_leaves_no_thread(leaf_dock):
    train(leaf_dock, steps=5000)
    wait_until(lambda: leaf_dock.training.plots.loss.steps, 60)
    worker = leaf_dock.workspace.session.runner._worker
    leaf_dock._viewer.close()
    began = time.monotonic()
    assert QThreadPool.globalInstance().waitForDone(3000)
    assert time.monotonic() - began < 2
    settle()
    assert not readers()
    assert not worker.is_running
    assert worker not in WorkerBase._worker_set


def test_closing_the_dock_stops_the_run_and_gives_the_keys_back(mapped):
    viewer, layer = mapped._viewer, mapped.display.entry.groups.layer
    train(mapped, steps=5000)
    wait_until(lambda: mapped.training.plots.loss.steps, 60)
    mapped.workspace.gestures.set_merging(True)
    viewer.window.remove_dock_widget(mapped)
    assert QThreadPool.globalInstance().waitForDone(3000)
    settle()
    assert not readers()
    assert viewer.camera.mouse_pan
    assert not layer.keymap
    assert not layer.mouse_drag_callbacks or all(
        callback.__qualname__.split(".")[0] != "Gestures"
        for callback in layer.mouse_drag_callbacks
    )
    viewer.layers.clear()  # nobody is left to stumble over it
    settle()
