"""A study on the screen: kept by itself, saved, left, opened again."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from acting import add_cube, answer, settle, shown_labels, wait_until
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.readers import read_cube
from napari_dgc.study import Study
from napari_dgc.study.storing.study_file import open_study, save_study
from napari_dgc.study.view import Pin, View
from napari_dgc.ui.app_data import remember_study
from napari_dgc.ui.dock import ClusteringDock
from napari_dgc.ui.drafts import left_drafts
from napari_dgc.ui.sample_data import infected_leaf
from napari_dgc.ui.study_lock import StudyLock, is_open_elsewhere
from napari_dgc.ui.study_naming import suggest_name
from napari_dgc.ui.study_opening import get_study_reader


def state_of(study: Study) -> tuple:
    history = study.history
    return study.grouping, history.steps, history.index, study.view


def kept(dock: ClusteringDock) -> bool:
    keeper = dock.workspace.studies.keeper
    return keeper.autosave.flush(10) and keeper.autosave.error is None


def drop(viewer, path: Path) -> None:
    """Do what a drop on the canvas does."""
    viewer.window._qt_viewer._qt_open([str(path)], stack=False)


def opened(dock: ClusteringDock, path: Path) -> None:
    dock.workspace.studies.open(path)
    wait_until(lambda: not dock.workspace.studies.runner.running, 30)
    settle()


@pytest.fixture
def cube_file(tmp_path: Path, leaf: Cube) -> Path:
    folder = tmp_path / "cubes"
    folder.mkdir()
    np.save(folder / "leaf.npy", leaf.data)
    return folder / "leaf.npy"


@pytest.fixture
def saved(tmp_path: Path, cube_file: Path, first_map) -> Path:
    """A study of one cube that somebody has worked on, with an undone step."""
    study = Study()
    study.add_cubes([read_cube(cube_file, axes="byx")])
    study.accept_model(first_map.model)
    (done,) = first_map.maps
    study.set_map(0, done.clusters, done.statistics, done.confidence)
    study.merge((1,), 2)
    study.rename(2, "Leaf")
    study.set_role(2, "healthy")
    study.set_lock(2, True)
    study.cut(3)
    study.undo()
    study.set_view(View(0, frozenset({4}), (Pin(0, 5, 6),)))
    return save_study(study, tmp_path / "S.dgc.json")


def test_what_has_no_name_is_kept_and_offered_again(mapped, own_data_folder):
    dock = mapped
    dock.study.merge((1,), 2)
    assert kept(dock)
    (draft,) = own_data_folder.glob("unsaved/*/unsaved.dgc.json")
    assert dock.studies.state.text() in ("kept by itself", "saving…")
    assert open_study(draft).grouping == dock.study.grouping
    dock.shut()  # as when the window closes
    dock.studies.offer_drafts()
    assert dock.studies.offer.isVisible()
    assert "1 step" in dock.studies.offered.text()


def test_a_restored_study_has_everything(dock, saved, own_data_folder):
    draft = own_data_folder / "unsaved" / "one" / "unsaved.dgc.json"
    study = open_study(saved)
    draft.parent.mkdir(parents=True)
    save_study(study, draft)
    dock.studies.offer_drafts()
    dock.studies.restore_button.click()
    wait_until(lambda: dock.study.history is not None, 30)
    settle()
    assert state_of(dock.study) == state_of(study)
    assert not dock.studies.offer.isVisible()
    dock.study.merge((3,), 4)
    assert kept(dock)
    assert open_study(draft).grouping == dock.study.grouping


def test_save_as_and_after_each_step(mapped, tmp_path, monkeypatch):
    path = tmp_path / "Vine leaves.dgc.json"
    monkeypatch.setattr(
        "napari_dgc.ui.study_panel.QFileDialog.getSaveFileName",
        lambda *_: (str(path), ""),
    )
    QTest.keyClick(
        mapped.groups.table, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier
    )
    wait_until(path.is_file, 10)
    assert kept(mapped)
    wait_until(lambda: mapped.studies.state.text().startswith("saved"), 5)
    assert mapped.studies.title.text() == "Vine leaves"
    before = path.read_bytes()
    mapped.study.merge((1,), 2)
    assert kept(mapped)
    assert path.read_bytes() != before
    assert path.with_name(path.name + ".bak").read_bytes() == before
    mapped.workspace.undo()
    assert kept(mapped)
    assert json.loads(path.read_text("utf-8"))["index"] == 0
    mapped.workspace.visibility.hide({3})
    assert kept(mapped)
    assert open_study(path).view.hidden == {3}


def test_opening_brings_everything_back(dock, saved):
    study = open_study(saved)
    opened(dock, saved)
    assert state_of(dock.study) == state_of(study)
    assert dock.display.shown == 0
    names = [layer.name for layer in dock._viewer.layers]
    assert names.index("leaf groups") > names.index("leaf RGB")  # the map is on top
    shown = dock.display.entry.groups.layer.data
    np.testing.assert_array_equal(shown, study.group_map(0))
    assert dock.groups.table.model().rowCount() == len(study.grouping.groups)
    dock.workspace.redo()
    study.redo()
    assert dock.study.grouping == study.grouping
    assert kept(dock)
    assert open_study(saved).grouping == study.grouping


def test_closing_the_window_leaves_the_file_as_it_is(dock, saved):
    opened(dock, saved)
    before = state_of(dock.study)
    dock._viewer.layers.clear()  # what Viewer.close does first
    dock.shut()
    assert state_of(open_study(saved)) == before


def test_a_cube_removed_by_hand_leaves_the_study(dock, saved):
    opened(dock, saved)
    dock.cubes.remove_button.click()
    settle()
    assert dock.study.cubes == ()
    wait_until(lambda: kept(dock) and open_study(saved).cubes == (), 10)


def test_a_damaged_file_leaves_the_present_study(mapped, saved):
    saved.write_text(saved.read_text("utf-8")[:-40], "utf-8")
    mapped.study.merge((1,), 2)
    before = state_of(mapped.study)
    opened(mapped, saved)
    assert mapped.status.level == "error"
    assert "S.dgc.json" in mapped.status.text()
    assert state_of(mapped.study) == before
    assert len(mapped.study.cubes) == 1


def test_a_moved_cube_is_found_and_a_missing_one_asked_for(
    dock, saved, cube_file, tmp_path, monkeypatch
):
    away = tmp_path / "elsewhere" / "deep" / "other name.npy"
    away.parent.mkdir(parents=True)
    shutil.move(cube_file, away)
    opened(dock, saved)
    assert list(dock.study.missing) == [0]
    assert "leaf" in dock.studies.lost.text()
    assert dock.cubes.list.facts(0).startswith("not found")
    dock.studies.without_button.click()
    assert not dock.studies.missing.isVisible()
    dock.workspace.redo()  # merging goes on without its pixels
    settle()
    assert shown_labels(dock).any()
    dock.workspace.undo()
    settle()
    monkeypatch.setattr(
        "napari_dgc.ui.study_panel.QFileDialog.getOpenFileName",
        lambda *_: (str(away), ""),
    )
    dock.studies.fill_menu()
    next(a for a in dock.studies.menu.actions() if "missing" in a.text()).trigger()
    wait_until(lambda: not dock.study.missing, 20)
    settle()
    assert "healthy" in dock.cubes.list.facts(0)
    assert "not found" not in dock.cubes.list.facts(0)
    np.testing.assert_array_equal(dock.display.entry.bands.data, np.load(away))
    assert dock.study.history.steps == open_study(saved).history.steps
    assert kept(dock)
    # From now on it is found by itself, beside where it was found last.
    assert not open_study(saved).missing


def test_a_new_study_is_empty_and_the_old_one_safe(dock, saved):
    opened(dock, saved)
    before = state_of(dock.study)
    assert not dock.training.open, "there is a map already"
    dock.workspace.studies.begin()
    settle()
    assert dock.training.open, "First map is needed again"
    assert (dock.study.cubes, dock.study.model, dock.study.path) == ((), None, None)
    assert not len(dock._viewer.layers)
    assert state_of(open_study(saved)) == before


def test_a_full_disk_is_told_and_ends(mapped, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    mapped.workspace.studies.save_as(folder / "S.dgc.json")
    assert kept(mapped)
    shutil.rmtree(folder)
    folder.write_text("no folder any more")
    mapped.study.merge((1,), 2)
    wait_until(lambda: mapped.studies.state.text() == "not saved", 10)
    assert mapped.status.level == "error"
    folder.unlink()
    folder.mkdir()
    mapped.study.merge((3,), 2)
    wait_until(lambda: mapped.studies.state.text().startswith("saved"), 10)
    assert open_study(folder / "S.dgc.json").grouping == mapped.study.grouping


def test_plain_layers_are_named_when_saving(mapped, tmp_path):
    mapped.workspace.studies.save_as(tmp_path / "S")
    assert (tmp_path / "S.dgc.json").name == mapped.study.path.name
    wait_until(lambda: "leaf is in no file" in mapped.status.text(), 10)
    assert "Saved as S.dgc.json" in mapped.status.text()
    assert mapped.status.level == "warning"
    assert kept(mapped)


def test_deleting_a_draft_asks(dock, saved, own_data_folder):
    draft = own_data_folder / "unsaved" / "one" / "unsaved.dgc.json"
    draft.parent.mkdir(parents=True)
    save_study(open_study(saved), draft)
    dock.studies.offer_drafts()
    asked = []
    answer("Keep", asked)
    dock.studies.forget_button.click()
    assert draft.is_file()
    answer("Delete", asked)
    dock.studies.forget_button.click()
    assert len(asked) == 2
    assert not draft.exists()
    assert not dock.studies.offer.isVisible()


def test_a_study_dropped_on_napari_opens_the_dock(make_napari_viewer, saved):
    assert get_study_reader(str(saved.with_name("cube.npy"))) is None
    viewer = make_napari_viewer(show=True)
    viewer.open(saved, plugin="napari-dgc")
    dock = viewer.window._qt_window.findChild(ClusteringDock)
    wait_until(lambda: dock.study.path == saved, 30)
    settle()
    assert "leaf groups" in viewer.layers
    assert dock.study.grouping == open_study(saved).grouping


def test_the_last_study_is_offered_at_the_start_in_one_line(open_dock, saved):
    gone = saved.with_name("gone.dgc.json")
    gone.write_text("{}")
    for path in (saved, gone):
        remember_study(path)
    gone.unlink()
    dock = open_dock()
    panel = dock.studies
    assert panel.last.isVisible()
    assert panel.last_label.text().startswith("Last study: S, ")
    assert panel.last_label.toolTip() == str(saved)
    assert panel.last.height() <= panel.menu_button.height() + 4
    QTest.mouseClick(panel.open_last_button, Qt.MouseButton.LeftButton)
    wait_until(lambda: dock.study.path == saved, 30)
    settle()
    assert dock.study.grouping == open_study(saved).grouping
    assert not panel.last.isVisible()


def test_the_offer_of_the_last_study_goes_with_the_first_cube(open_dock, saved, leaf):
    remember_study(saved)
    dock = open_dock()
    assert dock.studies.last.isVisible()
    add_cube(dock, leaf)
    assert not dock.studies.last.isVisible()


def test_a_last_study_open_in_another_window_is_said_so(open_dock, saved):
    remember_study(saved)
    os.utime(saved, (1e9, 1e9))
    lock = StudyLock(saved)
    assert lock.hold()
    dock = open_dock()
    panel = dock.studies
    assert panel.last.isVisible()
    assert panel.last_label.text() == "Last study: S, open in another window"
    QTest.mouseClick(panel.open_last_button, Qt.MouseButton.LeftButton)
    settle()
    assert "open in another window" in dock.status.text()
    assert dock.study.path is None
    lock.release()
    # Closed there, it opens; and nothing was saved yet but what lies there.
    QTest.mouseClick(panel.open_last_button, Qt.MouseButton.LeftButton)
    wait_until(lambda: dock.study.path == saved, 30)
    settle(0.6)
    assert panel.state.text() == "opened"
    assert "September 2001" in panel.state.toolTip()
    dock.workspace.undo()
    wait_until(lambda: panel.state.text().startswith("saved "), 10)
    assert "2001" not in panel.state.toolTip()


def test_a_study_is_called_like_the_folder_of_its_cubes(tmp_path, leaf):
    def suggested(*paths, name="leaf"):
        study = Study()
        cubes = [replace(leaf, path=p, name=f"{name}{i}") for i, p in enumerate(paths)]
        study.add_cubes(cubes)
        return suggest_name(study)

    vine = tmp_path / "vine"
    days = [vine / "day3" / "a.mat", vine / "day5" / "a.mat"]
    assert suggested(vine / "a.mat", vine / "b.mat") == vine / "vine.dgc.json"
    assert suggested(*days) == vine / "vine.dgc.json"
    assert suggested(days[0]) == vine / "day3" / "day3.dgc.json"
    assert suggested(None) == Path("study.dgc.json")
    study = Study()
    study.add_cubes([replace(leaf, path=None, name="infected_leaf")])
    assert suggest_name(study) == Path("leaf_study.dgc.json")


def test_the_menu_offers_recent_studies(dock, saved):
    opened(dock, saved)
    dock.studies.fill_menu()
    recent = next(
        a.menu() for a in dock.studies.menu.actions() if a.text() == "Open recent"
    )
    assert [a.text() for a in recent.actions()] == [saved.name]


def test_a_run_keeps_the_study(leaf_dock, saved):
    leaf_dock.training.first_button.click()
    leaf_dock.workspace.studies.open(saved)
    assert "Wait until" in leaf_dock.status.text()
    wait_until(lambda: not leaf_dock.workspace.session.runner.running, 60)
    assert leaf_dock.study.path != saved


def test_a_run_begun_while_a_study_is_read_keeps_the_present_one(leaf_dock, saved):
    leaf_dock.workspace.studies.open(saved)
    leaf_dock.training.first_button.click()
    assert leaf_dock.workspace.session.runner.running
    wait_until(lambda: not leaf_dock.workspace.studies.runner.running, 30)
    assert "Not opened" in leaf_dock.status.text()
    wait_until(lambda: not leaf_dock.workspace.session.runner.running, 60)
    settle()
    assert [cube.name for cube in leaf_dock.study.cubes] == ["leaf"]
    assert leaf_dock.study.cluster_map(0) is not None
    assert open_study(saved).history.steps  # and the other one is as it was


def test_reading_is_cancelled(dock, saved, own_data_folder):
    draft = own_data_folder / "unsaved" / "one" / "unsaved.dgc.json"
    draft.parent.mkdir(parents=True)
    save_study(open_study(saved), draft)
    (one,) = left_drafts()
    dock.workspace.studies.restore(one)
    assert dock.studies.reading.isVisible()
    dock.studies.cancel_button.click()
    wait_until(lambda: not dock.workspace.studies.runner.running, 30)
    settle()
    assert not dock.studies.reading.isVisible()
    assert dock.study.cubes == ()
    assert "Cancelled" in dock.status.text()
    (again,) = left_drafts()  # free for the next who wants it
    assert again.path == draft
    dock.studies.fill_menu()
    unnamed = [a.menu() for a in dock.studies.menu.actions() if a.menu()][-1]
    (entry,) = unnamed.actions()
    entry.trigger()
    wait_until(lambda: dock.study.history is not None, 30)


def test_a_study_open_in_another_window_is_left_alone(dock, saved):
    other = StudyLock(saved)
    assert other.hold()
    opened(dock, saved)
    assert "another window" in dock.status.text()
    assert dock.study.cubes == ()
    other.release()
    opened(dock, saved)
    assert len(dock.study.cubes) == 1
    assert is_open_elsewhere(saved)
    opened(dock, saved)  # once more in the same window
    assert "open already" in dock.status.text()
    dock.workspace.studies.begin()
    assert not is_open_elsewhere(saved)


def test_nobody_saves_over_a_study_that_is_open(mapped, saved):
    other, before = StudyLock(saved), saved.read_bytes()
    assert other.hold()
    mapped.workspace.studies.save_as(saved)
    assert "another window" in mapped.status.text()
    assert mapped.workspace.studies.keeper.path is None
    assert kept(mapped)
    assert saved.read_bytes() == before
    other.release()


@pytest.mark.parametrize("where", ["dock", "canvas"])
def test_ctrl_s_is_ours_where_our_parts_have_the_focus(mapped, monkeypatch, where):
    asked = []
    dialogs = "napari_dgc.ui.study_panel.QFileDialog.getSaveFileName"
    monkeypatch.setattr(dialogs, lambda *_: asked.append("study") or ("", ""))
    qt_viewer = mapped._viewer.window._qt_viewer
    monkeypatch.setattr(
        type(qt_viewer), "_save_layers_dialog", lambda *_, **__: asked.append("layers")
    )
    mapped._viewer.window._qt_window.activateWindow()
    widget = mapped.groups.table if where == "dock" else qt_viewer.canvas.native
    widget.setFocus()
    wait_until(lambda: QApplication.focusWidget() is widget, 5)
    control, shift = (
        Qt.KeyboardModifier.ControlModifier,
        Qt.KeyboardModifier.ShiftModifier,
    )
    QTest.keyClick(widget, Qt.Key.Key_S, control)
    QTest.keyClick(widget, Qt.Key.Key_S, control | shift)
    assert asked == ["study", "study"]
    if where == "canvas":  # and napari's again, on a layer that is not ours
        mapped._viewer.add_points(np.zeros((1, 2)))
        settle()
        widget.setFocus()
        QTest.keyClick(widget, Qt.Key.Key_S, control)
        assert asked[2:] == ["layers"]


def test_work_goes_on_in_a_new_window(make_napari_viewer, saved):
    viewer = make_napari_viewer(show=True)
    drop(viewer, saved)
    first = viewer.window._qt_window.findChild(ClusteringDock)
    wait_until(lambda: first.study.path == saved, 30)
    settle()
    canvas = viewer.window._qt_viewer.canvas.native
    QTest.keyClick(canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    first.study.rename(2, "Blade")
    first.workspace.undo()
    first.workspace.visibility.hide({5})
    before = state_of(first.study)
    viewer.close()
    settle()
    viewer = make_napari_viewer(show=True)
    drop(viewer, saved)
    second = viewer.window._qt_window.findChild(ClusteringDock)
    wait_until(lambda: second.study.path == saved, 30)
    settle()
    assert state_of(second.study) == before
    assert before[3].hidden == {4, 5}
    second.workspace.redo()
    assert second.study.grouping.group(2).name == "Blade"


@pytest.mark.parametrize("steps", [0, 1])
def test_a_closed_window_leaves_what_is_worth_it(mapped, steps):
    for _ in range(steps):
        mapped.study.merge((1,), 2)
    before = mapped.study.grouping
    assert not left_drafts()  # ours, as long as the window is there
    mapped._viewer.close()
    settle()
    left = left_drafts()
    assert len(left) == steps  # a first map alone is made again in seconds
    for draft in left:
        assert open_study(draft.path).grouping == before
        assert len(open_study(draft.path).cubes) == 1


def test_a_sample_is_made_again(dock, tmp_path):
    study, path = Study(), tmp_path / "S.dgc.json"
    study.add_cubes([infected_leaf()[0][1]["metadata"]["napari_dgc_cube"]])
    save_study(study, path)
    opened(dock, path)
    assert not dock.study.missing
    np.testing.assert_array_equal(dock.study.cubes[0].data, study.cubes[0].data)


def test_another_cube_goes_into_the_open_study(dock, saved, leaf):
    opened(dock, saved)
    add_cube(dock, leaf)
    settle()
    assert len(dock.study.cubes) == 2
    assert kept(dock)
    assert [c.name for c in open_study(saved).cubes] == ["leaf", "leaf"]


def looks(study):
    return [replace(group, id=0) for group in study.grouping.groups]


def test_a_recipe_with_a_split_is_applied_by_the_menu(mapped, tmp_path, monkeypatch):
    study, path = mapped.study, tmp_path / "recipe.json"
    mapped.splitting.split(1, False)
    wait_until(lambda: not mapped.splitting.runner.running, 30)
    settle()
    (split,) = study.splits
    study.rename(1, "Halves")
    study.recipe().write(path)
    groups, labels = looks(study), shown_labels(mapped).copy()
    for _ in range(2):
        mapped.workspace.undo()
    study.rename(2, "Mine")  # the split is on no record any more
    monkeypatch.setattr(
        "napari_dgc.ui.study_panel.QFileDialog.getOpenFileName",
        lambda *_: (str(path), ""),
    )
    mapped.studies.fill_menu()
    action = next(
        a for a in mapped.studies.menu.actions() if a.text() == "Apply recipe…"
    )
    action.trigger()
    wait_until(lambda: not mapped.workspace.recipes.runner.running, 30)
    settle()
    assert looks(study) == groups  # an id given away is not given again
    np.testing.assert_array_equal(shown_labels(mapped), labels)
    assert "recipe.json is applied" in mapped.status.text()
    for _ in range(2):
        mapped.workspace.undo()
    settle()
    assert study.grouping.group(2).name == "Mine"
    assert split.parts[0] not in shown_labels(mapped)
    path.write_text("{}")
    action.trigger()
    assert mapped.status.level == "error"
    assert "recipe.json" in mapped.status.text()
