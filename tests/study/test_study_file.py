from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import act, make_study, map_all, small_model, state, write_cubes

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import read_cube
from napari_dgc.study import Study
from napari_dgc.study.storing.study_file import (
    LoadedStudy,
    open_study,
    read_located,
    read_study,
    save_study,
    search_cubes,
)
from napari_dgc.study.view import Pin, View


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(tmp_path / "data")


def worked_on(study: Study) -> Study:
    """Names, colours, roles, a lock, steps undone, ids given away and gone, a view."""
    study.merge([3, 5], 2)
    study.rename(2, "Läsion “alt”")
    study.recolor(2, (1, 2, 250))
    study.set_role(2, "lesion")
    study.set_lock(1, True)
    study.take_out(5)
    study.undo()
    study.set_role(4, "healthy")  # drops the step undone; its new id is not reused
    study.cut(5)
    study.cut(3, amend=True)
    study.undo()
    view = View(1, frozenset({2, 9}), (Pin(0, 3, 2),), (650.5, 550.0, 450.0))
    study.set_view(view.rejecting((7,), (4, 2)).rejecting((1,), (8,)))
    return study


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_study(path)
    return str(caught.value)


# ---- there and back ------------------------------------------------------------


def test_everything_comes_back(study: Study, tmp_path: Path) -> None:
    path = save_study(worked_on(study), tmp_path / "S.dgc.json")
    assert study.path == path
    again = open_study(path)
    assert again.path == path
    assert state(again) == state(study)
    assert again.missing == {}
    for mine, yours in zip(study.cubes, again.cubes, strict=True):
        np.testing.assert_array_equal(mine.data, yours.data)
    # Undo and redo go on where they were, through every grouping there was.
    while study.history.can_undo:
        study.undo(), again.undo()
        assert state(again) == state(study)
    while study.history.can_redo:
        study.redo(), again.redo()
        assert state(again) == state(study)
    assert study.take_out(5).operation == again.take_out(5).operation


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(0, 40))
def test_any_history_comes_back(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: int
) -> None:
    folder = tmp_path_factory.mktemp("any")
    study = make_study(folder, mapped=False)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        act(study, rng)
    again = open_study(save_study(study, folder / "S.dgc.json"))
    assert state(again) == state(study)
    one, two = (np.random.default_rng(seed + 1) for _ in range(2))
    for _ in range(5):
        act(study, one)
        act(again, two)
    assert state(again) == state(study)


def test_a_study_without_a_model_and_one_without_cubes(tmp_path: Path) -> None:
    bare = Study()
    assert state(open_study(save_study(bare, tmp_path / "e.dgc.json"))) == state(bare)
    bare.add_cubes([read_cube(write_cubes(tmp_path)[1], axes="yxb")])
    assert state(open_study(save_study(bare, tmp_path / "c.dgc.json"))) == state(bare)
    only_model = Study()
    only_model.accept_model(small_model())
    again = open_study(save_study(only_model, tmp_path / "m.dgc.json"))
    assert state(again) == state(only_model)


def test_equal_studies_give_equal_bytes(study: Study, tmp_path: Path) -> None:
    one = save_study(worked_on(study), tmp_path / "S.dgc.json").read_bytes()
    assert json.loads(one)["format"] == "napari-dgc study"
    shutil.rmtree(tmp_path / "S.dgc")
    again = worked_on(make_study(tmp_path / "data"))
    assert save_study(again, tmp_path / "S.dgc.json").read_bytes() == one
    assert save_study(open_study(again.path), again.path).read_bytes() == one


def test_its_paths_are_relative_and_survive_a_move(
    study: Study, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.move(tmp_path / "data", home / "data")
    study = make_study(home / "data")
    save_study(study, home / "work" / "S.dgc.json")
    said = json.loads((home / "work" / "S.dgc.json").read_text("utf-8"))
    assert [cube["path"] for cube in said["cubes"]] == [
        "../data/leaf 1.mat",
        "../data/叶 2.npy",
    ]
    assert said["model"]["path"].startswith("S.dgc/")
    shutil.move(home, tmp_path / "elsewhere")
    again = open_study(tmp_path / "elsewhere" / "work" / "S.dgc.json")
    assert state(again) == state(study)
    assert again.missing == {}


def test_adopting_tells_each_thing_once(study: Study, tmp_path: Path) -> None:
    save_study(worked_on(study), tmp_path / "S.dgc.json")
    (*pieces, loaded) = read_study(tmp_path / "S.dgc.json")
    assert isinstance(loaded, LoadedStudy)
    done = [piece.done for piece in pieces]
    assert done == sorted(done)
    assert len(done) >= 4
    screen, seen = Study(), []
    for name in ("path", "cubes", "model", "map", "grouping", "view"):
        signal = getattr(screen, f"{name}_changed")
        signal.connect(lambda *_, name=name: seen.append((name, state(screen))))
    # A listener that shows the first cube, as the screen does, changes no view.
    screen.cubes_changed.connect(lambda _: screen.set_view(View(shown=0)))
    screen.adopt(loaded)
    names = [name for name, _ in seen]
    assert names == ["path", "cubes", "view", "model", "map", "map", "grouping", "view"]
    expected = state(study)
    assert seen[0][1] == expected  # all is in place before anything is told
    assert state(screen) == expected


def test_at_each_signal_there_is_a_study_that_can_be_opened(
    study: Study, tmp_path: Path
) -> None:
    seen = []

    def save(*_: object) -> None:
        path = save_study(study, tmp_path / "S.dgc.json")
        seen.append(state(open_study(path)) == state(study))

    worked_on(study)
    for name in ("cubes", "model", "map", "grouping", "view"):
        getattr(study, f"{name}_changed").connect(save)
    study.accept_model(
        small_model(seed=5, k=4)
    )  # groups were hidden: the view changes too
    map_all(study, seed=5)
    study.merge([3], 2)
    study.remove_cube(0)  # with a pin on it
    assert seen == [True] * 8


# ---- cubes that moved -------------------------------------------------------------


def test_moved_and_renamed_cubes_are_found_by_their_content(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    # One is beside the study under another name; a decoy of its size has the old one.
    shutil.move(tmp_path / "data" / "叶 2.npy", tmp_path / "b.npy")
    decoy = np.load(tmp_path / "b.npy")
    decoy[0, 0, 0] += 1
    np.save(tmp_path / "data" / "叶 2.npy", decoy)
    *_, loaded = read_study(path)
    assert list(loaded.moved) == [1]
    assert loaded.cubes[1].path == tmp_path / "b.npy"
    assert loaded.cubes[1].name == "叶 2"
    again = Study()
    again.adopt(loaded)
    assert again.missing == {}
    save_study(again, path)
    *_, loaded = read_study(path)
    assert (loaded.moved, loaded.faults) == ({}, [])


def test_a_cube_whose_content_changed_is_told_and_can_be_accepted(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    npy = tmp_path / "data" / "叶 2.npy"
    np.save(npy, np.load(npy) + 1)
    *_, loaded = read_study(path)
    assert "not what the study was made of" in str(loaded.faults[0])
    again = Study()
    again.adopt(loaded)
    assert list(again.missing) == [1]
    again = open_study(path, find=lambda reference: reference.path)
    assert again.missing == {}
    save_study(again, path)
    assert open_study(path).missing == {}


def test_cubes_beside_a_found_one_are_found(tmp_path: Path) -> None:
    study = make_study(tmp_path / "old")
    path = save_study(study, tmp_path / "work" / "S.dgc.json")
    shutil.move(tmp_path / "old", tmp_path / "new")
    assert sorted(open_study(path).missing) == [0, 1]
    asked = []

    def find(reference):
        asked.append(reference.name)
        return tmp_path / "new" / "leaf 1.mat"

    again = open_study(path, find=find)
    assert asked == ["leaf 1"]
    assert again.missing == {}
    assert state(again) == state(study)


def test_a_missing_cube_keeps_its_place_and_its_maps(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(worked_on(study), tmp_path / "S.dgc.json")
    before = path.read_bytes()
    shutil.move(tmp_path / "data" / "leaf 1.mat", tmp_path / "away.bin")
    again = open_study(path, find=lambda reference: None)
    assert [reference.name for reference in again.missing.values()] == ["leaf 1"]
    assert state(again) == state(study)
    with pytest.raises(InputError, match="missing; say where it is now"):
        again.cubes[0].block(slice(0, 1), slice(0, 1))
    # The maps go on without it, and nothing is lost by saving.
    again.export(tmp_path / "out")
    save_study(again, path)
    assert path.read_bytes() == before
    # Found later, by searching a folder or by hand.
    (tmp_path / "there").mkdir()
    shutil.move(tmp_path / "away.bin", tmp_path / "there" / "x.mat")
    ((index, cube),) = search_cubes(again.missing, [tmp_path / "there"])
    by_hand = read_located(again.missing[0], tmp_path / "there" / "x.mat")
    np.testing.assert_array_equal(by_hand.data, cube.data)
    seen = []
    again.cubes_changed.connect(seen.append)
    again.locate(index, cube)
    assert (again.missing, len(seen)) == ({}, 1)
    assert state(again) == state(study)
    np.testing.assert_array_equal(again.cubes[0].data, study.cubes[0].data)
    save_study(again, path)
    assert open_study(path).missing == {}


def test_a_cube_of_another_shape_is_not_the_missing_one(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    (tmp_path / "data" / "叶 2.npy").unlink()
    np.save(tmp_path / "small.npy", np.random.default_rng(0).random((4, 4, 6)))
    with pytest.raises(InputError, match="6 x 4 x 4, 叶 2 was 6 x 9 x 7"):
        open_study(path, find=lambda reference: tmp_path / "small.npy")


def test_a_cube_in_no_file_is_missing_and_can_be_given(tmp_path: Path) -> None:
    study = Study()
    cube = Cube(np.random.default_rng(0).random((6, 9, 7)), name="simulated")
    study.add_cubes([cube])
    study.accept_model(small_model())
    map_all(study)
    path = save_study(study, tmp_path / "S.dgc.json")
    again = open_study(path)
    assert [reference.path for reference in again.missing.values()] == [None]
    assert state(again) == state(study)
    again = open_study(path, find=lambda reference: cube)
    assert again.missing == {}


# ---- damage ---------------------------------------------------------------------


def test_a_damaged_file_is_refused_or_says_the_same(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(worked_on(study), tmp_path / "S.dgc.json")
    whole, expected = path.read_bytes(), state(study)
    rng = np.random.default_rng(0)
    damaged = tmp_path / "T.dgc.json"
    outcomes = {"refused": 0, "equal": 0}
    sources = set()
    for number in range(300):
        content = bytearray(whole)
        if number % 3:
            bit = int(rng.integers(0, 8 * len(content)))
            content[bit // 8] ^= 1 << bit % 8
        else:
            del content[int(rng.integers(0, len(content))) :]
        damaged.write_bytes(content)
        try:
            again = open_study(damaged)
        except InputError as error:
            sources.add(error.source)
            outcomes["refused"] += 1
        else:
            assert state(again) == expected
            outcomes["equal"] += 1
    assert outcomes["refused"] > 250
    assert sources == {str(damaged)}


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "[" * 100_000, "\ud800"])
def test_what_is_no_study_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "S.dgc.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert "is no study of napari-dgc, or is damaged" in refused(path)
    assert "cannot be read" in refused(tmp_path / "none.dgc.json")
    assert "cannot be read" in refused(tmp_path)


def test_laid_out_anew_it_is_still_good(study: Study, tmp_path: Path) -> None:
    path = save_study(worked_on(study), tmp_path / "S.dgc.json")
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")), indent=3))
    assert state(open_study(path)) == state(study)


def test_the_backup_is_the_state_before_and_is_named(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    first = path.read_bytes()
    backup = tmp_path / "S.dgc.json.bak"
    assert not backup.exists()
    before = state(study)
    study.merge([3], 2)
    save_study(study, path)
    assert backup.read_bytes() == first
    second = path.read_bytes()
    path.write_bytes(second[: len(second) // 2])
    assert "open S.dgc.json.bak beside it" in refused(path)
    again = open_study(backup)
    assert again.path == path
    assert state(again) == before
    # Saving over the damaged file leaves the intact backup alone.
    again.rename(2, "saved again")
    save_study(again, path)
    assert backup.read_bytes() == first
    assert state(open_study(path)) == state(again)
    backup.write_bytes(b"")
    path.write_bytes(b"{")
    assert ".bak" not in refused(path)


def test_a_newer_version_says_so(study: Study, tmp_path: Path) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    path.write_text(path.read_text("utf-8").replace('"version":1', '"version":3'))
    assert "version 3, this program knows up to 2; update" in refused(path)


def test_another_model_in_its_place_is_refused(study: Study, tmp_path: Path) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    (file,) = (tmp_path / "S.dgc").rglob("model.safetensors")
    small_model(seed=9).save(file)
    assert "the study was made with" in refused(path)
    file.write_bytes(b"nothing")
    assert "model.safetensors" in refused(path)
    file.unlink()
    assert "no such model file" in refused(path)


def rewrite(path: Path, change) -> None:
    """Change what a study's file says, checksum and all."""
    from napari_dgc.study.storing.record import _checksum, _dumps

    data = json.loads(path.read_text("utf-8"))
    del data["checksum"]
    change(data)
    data["checksum"] = _checksum(_dumps(data).encode())
    path.write_text(_dumps(data), "utf-8")


def test_a_step_that_cannot_be_taken_is_named(study: Study, tmp_path: Path) -> None:
    path = save_study(worked_on(study), tmp_path / "S.dgc.json")
    good = path.read_bytes()
    rewrite(path, lambda data: data["operations"][2].update(group=77))
    assert "step 3 cannot be taken: there is no group 77" in refused(path)
    path.write_bytes(good)
    rewrite(path, lambda data: data["operations"][1].update(step="fly"))
    assert "step 2: there is no step called 'fly'" in refused(path)
    path.write_bytes(good)
    rewrite(path, lambda data: data["operations"].insert(1, data["operations"][0]))
    assert "step 2 cannot be taken" in refused(path)
    path.write_bytes(good)
    rewrite(path, lambda data: data.update(index=99))
    assert "99 of 7 steps" in refused(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cubes", {}),
        ("cubes", [{"name": "x"}]),
        ("index", -1),
        ("index", True),
        ("next_id", None),
        ("operations", None),
        ("model", None),
        ("view", []),
        ("version", "1"),
    ],
)
def test_fields_of_the_wrong_kind_are_refused(
    study: Study, tmp_path: Path, key: str, value: object
) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    rewrite(path, lambda data: data.update({key: value}))
    assert "S.dgc.json" in refused(path)
    rewrite(path, lambda data: data.pop(key))
    assert "S.dgc.json" in refused(path)


def test_a_map_that_is_gone_is_told_and_the_study_opens(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(worked_on(study), tmp_path / "S.dgc.json")
    (lost,) = (tmp_path / "S.dgc").rglob("leaf 1_clusters.tif")
    (other,) = (tmp_path / "S.dgc").rglob("叶 2_stats.npz")
    lost.unlink()
    other.write_bytes(other.read_bytes()[:-1])
    *_, loaded = read_study(path)
    assert loaded.maps == {}
    assert [Path(fault.source) for fault in loaded.faults] == [lost, other]
    assert loaded.history.current == study.grouping


# ---- writing --------------------------------------------------------------------


def test_only_what_is_new_is_written(study: Study, tmp_path: Path) -> None:
    def written() -> dict[Path, int]:
        return {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}

    path = save_study(study, tmp_path / "S.dgc.json")
    first = written()
    save_study(study, path)
    assert written() == first
    study.merge([3], 2)
    save_study(study, path)
    second = written()
    assert {p for p in first if first[p] != second[p]} == {path}
    # A study that was opened writes nothing but its file either.
    again = open_study(path)
    again.undo()
    save_study(again, path)
    assert {p for p in second if second[p] != written()[p]} == {
        path,
        path.with_name("S.dgc.json.bak"),
    }
    # Another map of the same cube leaves the old one, which the backup names.
    map_all(again, seed=5)
    save_study(again, path)
    assert state(open_study(path)) == state(again)
    assert state(open_study(path.with_name("S.dgc.json.bak")))[2] == state(study)[2]


def test_what_a_killed_writer_left_is_removed_in_time(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    (folder,) = (tmp_path / "S.dgc").iterdir()
    old, maps = tmp_path / ".S.dgc.json.0a.tmp", folder / ".leaf 1_clusters.tif.0b.tmp"
    fresh, alien = tmp_path / ".S.dgc.json.0c.tmp", tmp_path / ".T.dgc.json.0d.tmp"
    for file in (old, maps, fresh, alien):
        file.touch()
        if file is not fresh:
            os.utime(file, (0, 0))
    again = open_study(path)
    again.merge([3], 2)
    save_study(again, path)
    assert [file.exists() for file in (old, maps, fresh, alien)] == [
        False,
        False,
        True,
        True,
    ]


def test_a_copy_under_another_name_is_complete(study: Study, tmp_path: Path) -> None:
    save_study(worked_on(study), tmp_path / "S.dgc.json")
    save_study(study, tmp_path / "T.dgc.json")
    (tmp_path / "S.dgc.json").unlink()
    shutil.rmtree(tmp_path / "S.dgc")
    assert state(open_study(tmp_path / "T.dgc.json")) == state(study)


def test_names_that_cannot_be_are_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in \.dgc\.json"):
        save_study(study, tmp_path / "S.json")
    (tmp_path / "F.dgc.json").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        save_study(study, tmp_path / "F.dgc.json")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file, not a folder"):
        save_study(study, tmp_path / "file" / "S.dgc.json")
    path = save_study(study, tmp_path / "S.dgc.json")
    with pytest.raises(InputError, match="exists already"):
        save_study(study, path, force=False)


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from napari_dgc.cubes.errors import InputError
from napari_dgc.study.storing.study_file import open_study, save_study
path = Path(sys.argv[1])
study = open_study(path)
for n in range(60):
    study.rename(1 + n % 8, f"a name that takes some room on the disk {n}")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = path.stat().st_size + 100
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    save_study(study, path)
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs setrlimit")
def test_a_full_disk_is_told_and_the_old_file_stays(
    study: Study, tmp_path: Path
) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True
    )
    assert "S.dgc.json: cannot be written (File too large)" in done.stdout, done.stderr
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert state(open_study(path)) == state(study)


@pytest.mark.skipif(os.name == "nt", reason="file modes")
@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_cannot_be_written_to(study: Study, tmp_path: Path) -> None:
    path = save_study(study, tmp_path / "S.dgc.json")
    before = path.read_bytes()
    study.merge([3], 2)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="cannot be written"):
            save_study(study, path)
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == before


def test_a_disk_without_links_gets_copies(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)  # as FAT does
    path = save_study(study, tmp_path / "S.dgc.json")
    first = path.read_bytes()
    study.merge([3], 2)
    save_study(study, path)
    assert path.with_name("S.dgc.json.bak").read_bytes() == first
    assert not list(tmp_path.glob(".*"))
