"""Whole files or none."""

from __future__ import annotations

import os

import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import check_free, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_writes_and_makes_folders(tmp_path):
    path = tmp_path / "a" / "b" / "mask.tif"
    assert write_whole(path, lambda file: file.write(b"new")) == path
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["mask.tif"]
    umask = os.umask(0)
    os.umask(umask)
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask, "others may read it"


def test_does_not_overwrite_unasked(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match=r"x\.csv: it exists already; use --force"):
        write_whole(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"
    write_whole(path, lambda file: file.write(b"new"), force=True)
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["x.csv"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_half_way_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "x.csv"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half")
        raise failure

    with pytest.raises(failure):
        write_whole(path, fail, force=True)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x.csv"]


def test_a_full_disk_is_told_in_one_line(tmp_path):
    def fail(file):
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match=r"cannot be written \(No space left"):
        write_whole(tmp_path / "x", fail)
    assert names(tmp_path) == []


def test_places_that_will_not_do(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        write_whole(tmp_path, lambda file: None, force=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"cannot be written|is a file, not a folder"):
        write_whole(tmp_path / "file" / "y", lambda file: None)
    with pytest.raises(InputError, match="exists already"):
        check_free(tmp_path / "file", force=False)
    check_free(tmp_path / "file", force=True)
