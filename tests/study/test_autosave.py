from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_study import act, make_study, map_all, small_model, state

from napari_dgc.cubes.errors import InputError
from napari_dgc.study import Study
from napari_dgc.study.storing import writer as writing
from napari_dgc.study.storing.autosave import Autosave
from napari_dgc.study.storing.study_file import (
    LoadedStudy,
    open_study,
    read_study,
    save_study,
)
from napari_dgc.study.view import View


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "data")


@pytest.fixture
def autosave(study: Study) -> Iterator[Autosave]:
    autosave = Autosave(study, patience=60)
    yield autosave
    autosave.close()


def test_nothing_is_written_before_there_is_a_name(
    study: Study, autosave: Autosave, tmp_path: Path
) -> None:
    study.merge([3], 2)
    assert not autosave.pending
    with pytest.raises(InputError, match="save it under a name"):
        autosave.save()
    with pytest.raises(InputError, match=r"\.dgc\.json"):
        autosave.save(tmp_path / "S.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["data"]
    autosave.save(tmp_path / "S.dgc.json")
    assert study.path == tmp_path / "S.dgc.json"
    assert autosave.flush()
    assert state(open_study(study.path)) == state(study)


def test_each_change_is_on_disk_after_a_flush(
    study: Study, autosave: Autosave, tmp_path: Path
) -> None:
    autosave.save(tmp_path / "S.dgc.json")
    changes = [
        lambda: study.merge([3], 2),
        study.undo,
        study.redo,
        lambda: study.set_view(View(1, frozenset({4}))),
        lambda: map_all(study, seed=3),
        lambda: study.remove_cube(0),
        lambda: study.accept_model(small_model(seed=5)),
        lambda: study.cut(3),
        lambda: study.cut(2, amend=True),
    ]
    seen = []
    for change in changes:
        change()
        assert autosave.flush()
        assert not autosave.pending
        seen.append(state(open_study(study.path)))
        assert seen[-1] == state(study)
    # All differ, but that a step taken again is the step.
    assert len({repr(one) for one in seen}) == len(changes) - 1


def test_the_operation_before_is_on_disk_when_the_next_is_taken(
    study: Study, autosave: Autosave, tmp_path: Path
) -> None:
    autosave.save(tmp_path / "S.dgc.json")
    assert autosave.flush()
    rng = np.random.default_rng(3)
    for _ in range(60):
        before = state(study)
        study.stepping.emit()  # as the next operation does
        assert state(open_study(study.path)) == before
        act(study, rng)


def test_a_moving_slider_does_not_wait(
    study: Study, autosave: Autosave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave.save(tmp_path / "S.dgc.json")
    autosave.flush()
    free = threading.Event()
    replace_file = writing.replace_file

    def slow(*arguments, **options):
        free.wait(60)
        replace_file(*arguments, **options)

    monkeypatch.setattr(writing, "replace_file", slow)  # a disk that hangs
    study.cut(5)
    for n in (4, 3, 2):
        study.cut(n, amend=True)
    assert autosave.pending  # the first is not yet on disk, and the slider moved on
    assert len(open_study(study.path).grouping.groups) == 8
    free.set()
    assert autosave.flush()
    assert state(open_study(study.path)) == state(study)


def test_a_disk_that_hangs_does_not_hold_an_operation_for_long(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave = Autosave(study, patience=0.01)
    autosave.save(tmp_path / "S.dgc.json")
    autosave.flush()
    free = threading.Event()
    replace_file = writing.replace_file

    def slow(*arguments, **options):
        free.wait(60)
        replace_file(*arguments, **options)

    monkeypatch.setattr(writing, "replace_file", slow)
    study.rename(1, "a")
    study.rename(1, "b")
    study.rename(1, "c")
    assert not autosave.flush(timeout=0.01)
    free.set()
    assert autosave.close()
    assert state(open_study(study.path)) == state(study)


def test_a_failed_write_is_told_and_tried_again(
    study: Study, autosave: Autosave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, saved = [], []
    autosave.failed.connect(failed.append)
    autosave.saved.connect(saved.append)
    autosave.save(tmp_path / "S.dgc.json")
    assert autosave.flush()
    before = state(study)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        study.merge([3], 2)
        assert not autosave.flush()
        assert "No space left" in str(failed[0])
        assert "No space left" in str(autosave.error)
        assert autosave.pending
        study.merge([4], 2)  # goes on all the same
        assert not autosave.flush()
        assert state(open_study(study.path)) == before
    assert autosave.flush()  # tries once more
    assert autosave.error is None
    assert state(open_study(study.path)) == state(study)
    assert saved[-1] == study.path
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_went_is_made_again(
    study: Study, autosave: Autosave, tmp_path: Path
) -> None:
    import shutil

    autosave.save(tmp_path / "work" / "S.dgc.json")
    assert autosave.flush()
    shutil.rmtree(tmp_path / "work")
    (tmp_path / "work").touch()  # in its place, a file
    study.rename(1, "x")
    assert not autosave.flush()
    assert "work" in str(autosave.error)
    (tmp_path / "work").unlink()
    study.rename(1, "y")
    assert autosave.flush()
    again = open_study(study.path)
    assert again.grouping == study.grouping


def test_operations_do_not_wait_for_maps(
    study: Study, autosave: Autosave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave.save(tmp_path / "S.dgc.json")
    assert autosave.flush()
    free, entered = threading.Event(), threading.Event()
    write_maps = writing.StudyWriter.write_maps

    def slow(self, *arguments):
        entered.set()
        free.wait(60)
        write_maps(self, *arguments)

    monkeypatch.setattr(writing.StudyWriter, "write_maps", slow)
    map_all(study, seed=8)
    assert entered.wait(60)
    # The record without the new maps is there: a step is held up by one map at most.
    assert json.loads(study.path.read_text("utf-8"))["cubes"][0]["clusters"] is None
    study.merge([3], 2)
    free.set()
    assert autosave.flush()
    assert state(open_study(study.path)) == state(study)


def test_opening_writes_nothing_and_leaving_a_study_finishes_it(
    study: Study, autosave: Autosave, tmp_path: Path
) -> None:
    other = make_study(tmp_path / "other", seed=4)
    save_study(other, tmp_path / "O.dgc.json")
    stamp = (tmp_path / "O.dgc.json").stat()
    autosave.save(tmp_path / "S.dgc.json")
    study.merge([3], 2)
    expected = state(study)
    *_, loaded = read_study(tmp_path / "O.dgc.json")
    assert isinstance(loaded, LoadedStudy)
    study.adopt(loaded)
    assert autosave.flush()
    assert state(open_study(tmp_path / "S.dgc.json")) == expected
    assert (tmp_path / "O.dgc.json").stat().st_mtime_ns == stamp.st_mtime_ns
    study.merge([5], 4)
    assert autosave.flush()
    assert state(open_study(tmp_path / "O.dgc.json")) == state(study)
    assert state(open_study(tmp_path / "S.dgc.json")) == expected


def test_closed_it_follows_no_longer(study: Study, tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    autosave = Autosave(study)
    autosave.save(tmp_path / "S.dgc.json")
    study.merge([3], 2)
    assert autosave.close()
    assert set(threading.enumerate()) <= threads
    expected = state(study)
    study.merge([4], 2)
    assert state(open_study(study.path)) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_killed_at_any_moment_it_lacks_at_most_the_last_operation(
    tmp_path: Path,
) -> None:
    rounds = 2000 if os.environ.get("NAPARI_DGC_FULL") == "1" else 30
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(rounds)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["rounds"] == sum(result["behind"].values()) == rounds
    assert result["operations"] > rounds
    assert result["splits"] > rounds / 5  # found on disk, round by round
