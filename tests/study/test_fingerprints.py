from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from spectral.io import envi

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import read_cube
from napari_dgc.study.storing.fingerprints import (
    cube_fingerprint,
    file_fingerprint,
    has_fingerprint,
)


def write_envi(folder: Path, name: str, data: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.hdr"
    envi.save_image(str(path), data, ext=".raw", interleave="bil", force=True)
    return path


def test_names_and_places_do_not_count_and_content_does(tmp_path: Path) -> None:
    data = np.random.default_rng(0).random((5, 6, 4)).astype(np.float32)
    one = write_envi(tmp_path, "one", data)
    fingerprint = file_fingerprint(one)
    assert file_fingerprint(one.with_suffix(".raw")) == fingerprint
    assert cube_fingerprint(read_cube(one)) == fingerprint
    (tmp_path / "else").mkdir()
    two = tmp_path / "else" / "two.hdr"
    shutil.copy(one, two)
    shutil.copy(one.with_suffix(".raw"), two.with_suffix(".raw"))
    assert has_fingerprint(two, fingerprint)
    two.write_text(two.read_text().replace("bands = 4", "bands = 3"))
    assert not has_fingerprint(two, fingerprint)
    shutil.copy(one, two)
    data[2, 2, 2] += 1
    assert not has_fingerprint(write_envi(tmp_path, "three", data), fingerprint)
    two.with_suffix(".raw").unlink()
    assert not has_fingerprint(two, fingerprint)
    with pytest.raises(InputError, match="data file is missing"):
        file_fingerprint(two)
    with pytest.raises(InputError, match="cannot be read"):
        file_fingerprint(tmp_path / "none.npy")


def test_of_a_large_file_some_pieces_are_read(tmp_path: Path) -> None:
    path = tmp_path / "large.npy"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)  # a hole: no disk is used, and no time to read it
    before = file_fingerprint(path)

    def change(place: int) -> str:
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"x")
        changed = file_fingerprint(path)
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"\0")
        assert file_fingerprint(path) == before
        return changed

    assert len({before, change(0), change(3 * 2**30 - 1)}) == 3
    assert change(2**20) == before  # between two pieces: the price of speed
    os.truncate(path, 3 * 2**30 + 1)
    assert file_fingerprint(path) != before
