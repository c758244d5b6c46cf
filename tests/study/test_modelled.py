"""A model in the place of another: undo brings all of the one before back exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_study import act, make_study, small_model, state, take

from napari_dgc.study import Study
from napari_dgc.study.moved import Moved
from napari_dgc.study.splitting import Whole, split_by_pieces
from napari_dgc.study.storing.autosave import Autosave
from napari_dgc.study.storing.study_file import open_study, save_study


def full_state(study: Study) -> object:
    moved = [study.moved(i) for i in range(len(study.cubes))]
    kept = [one and (one.places.tolist(), one.ids.tolist()) for one in moved]
    finest = [study.finest_map(i).tolist() for i in range(len(study.cubes))]
    return state(study), study.splits_on_record, kept, finest


def work(study: Study, seed: int, steps: int = 12) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        act(study, rng)
    groups = study.grouping.ids
    study.set_view(replace(study.view, hidden=frozenset(groups[:1])))
    study.set_view(study.view.rejecting((1,), (2,)))


@pytest.fixture
def study(tmp_path) -> Study:
    study = make_study(tmp_path / "data")
    study.set_moved(1, Moved(np.array([3, 5]), np.array([[1, 2], [2, 2]], "u1")))
    work(study, 1)
    return study


def split(study: Study) -> None:
    """Split the first cluster that can be."""
    mosaic = np.full(study.cluster_map(0).shape, 3, np.uint8)
    mosaic[:, 3] = 4
    study.set_map(0, mosaic)
    for group in study.grouping.groups:
        if group.locked:
            study.set_lock(group.id, False)
    *_, divided = split_by_pieces(Whole.of(study, 3), 0)
    study.take_split(divided)


def test_undo_brings_all_back_and_redo_all_again(study):
    split(study)
    study.undo()  # a step that could be redone is one to come back to, too
    before = full_state(study)
    take(study, 4)
    assert study.undo_replaces
    assert study.taking.text == "use model 4"
    after = full_state(study)
    assert after != before
    for _ in range(2):
        told = []
        study.map_changed.connect(told.append)
        change = study.undo()
        study.map_changed.disconnect(told.append)
        assert change.text == "undo use model 4"
        assert told == [0, 1]
        assert full_state(study) == before
        assert study.redo_replaces
        assert study.redo().text == "redo use model 4"
        assert full_state(study) == after
    study.undo()
    assert study.undo().text.startswith("undo")  # the user's own steps go on
    assert not study.redo_replaces
    study.redo()
    study.redo()
    assert full_state(study) == after


def test_it_is_so_after_saving_and_opening_too(study, tmp_path):
    split(study)
    states = [full_state(study)]
    for seed in (2, 5):
        take(study, seed)
        states.append(full_state(study))
    split(study)
    study.undo()
    file = save_study(study, tmp_path / "S.dgc.json")
    again = open_study(file)
    assert full_state(again) == full_state(study)
    assert again.undo_replaces
    again.undo()
    assert full_state(again) == states[1]
    again = open_study(save_study(again, tmp_path / "T" / "T.dgc.json"))  # elsewhere
    again.undo()
    assert full_state(again) == states[0]
    again = open_study(save_study(again, file))
    assert full_state(again) == states[0]
    again.redo()
    assert full_state(again) == states[1]
    again.redo()
    assert state(again)[0] == state(study)[0]
    assert study.path == file.absolute()


def test_autosave_writes_it_as_one_step(study, tmp_path):
    save_study(study, tmp_path / "S.dgc.json")
    before = full_state(study)
    saver = Autosave(study)
    take(study, 3)
    study.undo()
    assert saver.close(20)
    again = open_study(study.path)
    assert full_state(again) == before
    again.redo()
    assert again.model.fingerprint == small_model(3).fingerprint
    assert (again.cluster_map(1) > 0).any()


def test_a_step_after_undo_ends_redo(study, tmp_path):
    take(study, 3)
    study.undo()
    group = study.grouping.ids[0]
    study.rename(group, "Another way")
    assert not study.redo_replaces
    study.undo()
    study.redo()
    assert study.grouping.group(group).name == "Another way"
    again = open_study(save_study(study, tmp_path / "S.dgc.json"))
    assert not again.later
    assert not again.earlier


def test_a_training_of_its_own_has_no_way_back(study):
    take(study, 3)
    study.accept_model(small_model(9))
    assert not study.undo_replaces
    assert study.undo() is None


def test_cubes_that_go_and_come_meanwhile(study):
    kept = study.cluster_map(1).copy()
    take(study, 3)
    gone = study.cubes[0]
    study.remove_cube(0)
    study.add_cubes([gone])
    study.undo()
    np.testing.assert_array_equal(study.cluster_map(0), kept)
    assert study.moved(0) is not None
    assert study.cluster_map(1) is None


def test_a_map_that_is_gone_ends_the_way_back_and_is_told(study, tmp_path):
    before = state(study)[0]
    take(study, 3)
    file = save_study(study, tmp_path / "S.dgc.json")
    for path in (tmp_path / "S.dgc" / before).glob("*_clusters.tif"):
        path.unlink()
    from napari_dgc.study.storing.loading import load_study

    loaded = load_study(file)
    assert len(loaded.faults) == 1
    assert "_clusters.tif" in str(loaded.faults[0])
    again = open_study(file)
    assert state(again) == state(study)
    assert not again.undo_replaces
    assert again.undo() is not None  # each cluster is a group, as far as there is a way
