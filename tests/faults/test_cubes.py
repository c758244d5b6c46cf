"""A cube's file that vanishes, or becomes shorter, between opening and segmenting."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from small_study import C, H, W, small_model

from napari_dgc.cubes.backing import guarded, reads_at_once
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import read_cube
from napari_dgc.study.mapping import MappedCube, map_cube

KINDS = ("leaf.npy", "leaf.tif", "plain.mat", "packed.mat", "leaf.img")


def opened(folder: Path, name: str) -> Cube:
    """A cube on disk, larger than what is read when it is opened."""
    path = folder / name
    data = np.random.default_rng(0).random((C, 8 * H, 8 * W)).astype(np.float32)
    if name == "leaf.npy":
        np.save(path, data)
    elif name == "leaf.tif":
        tifffile.imwrite(path, data, photometric="minisblack")
    elif name == "leaf.img":
        data.tofile(path)
        path.with_suffix(".hdr").write_text(
            f"ENVI\nsamples = {8 * W}\nlines = {8 * H}\nbands = {C}\n"
            "data type = 4\ninterleave = bsq\n"
        )
    else:
        chunks = (C, 16, 16) if name == "packed.mat" else None
        with h5py.File(path, "w") as file:
            file.create_dataset("cube", data=data, chunks=chunks)
    return read_cube(path, axes=None if name.endswith(("mat", "img")) else "byx")


def mapped(cube: Cube) -> np.ndarray:
    *_, last = map_cube(small_model(), cube, device="cpu")
    assert isinstance(last, MappedCube)
    return last.clusters


@pytest.mark.parametrize("name", KINDS)
def test_a_cube_cut_short_is_told_and_does_not_kill(tmp_path: Path, name: str) -> None:
    cube = opened(tmp_path, name)
    os.truncate(tmp_path / name, 5000)
    with pytest.raises(InputError, match=f"{name}: became shorter while it was in use"):
        mapped(cube)


@pytest.mark.parametrize("name", ["leaf.npy", "plain.mat", "leaf.img"])
def test_the_screen_is_told_too(tmp_path: Path, name: str) -> None:
    """What it shows, it reads as any array: without asking how the file is."""
    cube = opened(tmp_path, name)
    data = guarded(cube.data)
    assert (data.shape, data.ndim, data.dtype, len(data)) == (cube.shape, 3, "f4", C)
    np.testing.assert_array_equal(data, np.asarray(cube.data))
    assert data[1, 2, 3] == cube.data[1, 2, 3]
    assert reads_at_once(data)
    kept = data[0]
    os.truncate(tmp_path / name, 5000)
    assert kept[-1, -1] > 0  # it is no view of what is gone
    with pytest.raises(InputError, match="became shorter"):
        data[C - 1]
    assert guarded(kept) is kept


@pytest.mark.skipif(os.name == "nt", reason="open files cannot be deleted there")
@pytest.mark.parametrize("name", KINDS)
def test_a_cube_that_vanished_is_read_to_its_end(tmp_path: Path, name: str) -> None:
    cube = opened(tmp_path, name)
    wanted = mapped(cube)
    for path in tmp_path.iterdir():
        path.unlink()
    np.testing.assert_array_equal(mapped(cube), wanted)
    with pytest.raises(InputError, match="no such file"):
        read_cube(tmp_path / name)
