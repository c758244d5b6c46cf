"""Files that belong together appear together, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.staging import staged


def write(folder: Path, names: str, *, force: bool = False, fail: bool = False) -> None:
    with staged(folder, force=force) as stage:
        for name in names:
            (stage / name).write_text("new")
        if fail:
            raise ZeroDivisionError


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_all_files_appear_at_the_end(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with staged(out) as stage:
        (stage / "a.hdr").write_text("a")
        (stage / "a.dat").write_text("b")
        assert not (out / "a.hdr").exists()
    assert contents(out) == {"a.hdr": "a", "a.dat": "b"}


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with pytest.raises(ZeroDivisionError):
        write(out, "ab", fail=True)
    assert not (tmp_path / "new").exists()


def test_what_is_there_stays_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("old")
    with pytest.raises(InputError, match="exists already"):
        write(tmp_path, "ab")
    assert contents(tmp_path) == {"b": "old"}
    write(tmp_path, "ab", force=True)
    assert contents(tmp_path) == {"a": "new", "b": "new"}


def test_a_folder_in_the_way_stops_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "c").mkdir()  # no file can be put here
    with pytest.raises(InputError, match="is a folder"):
        write(tmp_path, "abc", force=True)
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "c"]


def test_a_file_for_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(InputError, match="cannot be written"), staged(tmp_path / "x"):
        pass


def test_a_move_that_fails_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("old")
    move = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.name == "c" and ".new." in str(self):
            raise OSError(28, "No space left on device")
        return move(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write(tmp_path, "abc", force=True)
    assert contents(tmp_path) == {"a": "old"}
