"""Cubes in zarr stores, by the real library."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes, read_cube
from napari_dgc.study import Study
from napari_dgc.study.storing.study_file import open_study, save_study

zarr = pytest.importorskip("zarr")

C, H, W = 5, 9, 7
NM = [450.0, 550.0, 650.0, 750.0, 850.0]
DATA = np.random.default_rng(0).integers(1, 4000, (C, H, W)).astype(np.uint16)


def write(path: Path, data=DATA, **more) -> Path:
    zarr.save_array(str(path), data, zarr_format=more.pop("zarr_format", 3), **more)
    return path


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_is_read_chunk_by_chunk(tmp_path, zarr_format):
    path = tmp_path / "leaf.zarr"
    array = zarr.create_array(
        str(path), shape=DATA.shape, chunks=(2, 4, 4), dtype=DATA.dtype,
        zarr_format=zarr_format, attributes={"wavelengths_nm": NM},
    )  # fmt: skip
    array[:] = DATA
    cube = read_cube(path)
    assert (cube.name, cube.shape, cube.path) == ("leaf", (C, H, W), path)
    assert cube.saturation == 65535
    np.testing.assert_array_equal(cube.wavelengths, NM)
    np.testing.assert_array_equal(cube.data, DATA)
    np.testing.assert_array_equal(cube.data[2, ::3, ::-2], DATA[2, ::3, ::-2])
    np.testing.assert_array_equal(cube.data[:, [0, 8], 3], DATA[:, [0, 8], 3])
    np.testing.assert_array_equal(cube.spectrum(4, 5), DATA[:, 4, 5])
    # Lazily: a chunk that is gone reads as the fill value from then on.
    for chunk in path.rglob("*"):
        if chunk.is_file() and chunk.name not in ("zarr.json", ".zarray", ".zattrs"):
            chunk.unlink()
    assert not np.asarray(cube.data).any()


def test_a_store_that_would_hurt_is_refused(tmp_path):
    """Nothing is unpickled, waited for, or believed to be larger than it can be."""
    path = write(tmp_path / "leaf.zarr", zarr_format=2)
    about, chunk = path / ".zarray", path / "0.0.0"
    good, held = about.read_text(), chunk.read_bytes()

    def refused(words, **changes):
        about.write_text(json.dumps(json.loads(good) | changes))
        with pytest.raises(InputError, match=words):
            read_cube(path)

    refused("never done", compressor={"id": "pickle"})
    refused("never done", filters=[{"id": "delta", "dtype": "<u2"}, {"id": "Pickle"}])
    refused("GiB, of which", shape=[5, 10**6, 10**6])
    refused("GiB, of which", chunks=[10**4, 10**4, 10**4])
    about.write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"\.zarray cannot be read"):
        read_cube(path)
    about.write_text(good)
    for make in (os.mkfifo, lambda file: file.symlink_to(file.name)):
        chunk.unlink()
        make(chunk)
        with pytest.raises(InputError, match=r"0\.0\.0"):
            read_cube(path)
    chunk.unlink()
    chunk.write_bytes(held)
    np.testing.assert_array_equal(read_cube(path).data, DATA)


def test_a_group_names_its_cube_axes_and_wavelengths(tmp_path):
    path = tmp_path / "scene.zarr"
    group = zarr.open_group(str(path), mode="w")
    stored = group.create_array(
        "cube", shape=(H, W, C), dtype="float32", dimension_names=("y", "x", "band")
    )
    stored[:] = DATA.transpose(1, 2, 0)
    group.create_array("wavelength", shape=(C,), dtype="float64")[:] = (
        np.array(NM) / 1e3
    )
    group.create_array("other", shape=(3, 3, 3), dtype="float32")[:] = 1
    cube = read_cube(path)
    np.testing.assert_array_equal(cube.data, DATA)
    np.testing.assert_allclose(cube.wavelengths, NM)
    other = read_cube(path, "other", axes="xyb")
    assert other.shape == (3, 3, 3)
    with pytest.raises(InputError, match="it has cube, other, wavelength"):
        read_cube(path, "nothing")


def test_wavelengths_tell_the_axis_of_bands_and_axes_win(tmp_path):
    path = write(tmp_path / "a.zarr", DATA.transpose(1, 2, 0))
    zarr.open_array(str(path), mode="r+").attrs["wavelengths"] = NM
    np.testing.assert_array_equal(read_cube(path).data, DATA)
    plain = write(tmp_path / "b.zarr", DATA.transpose(1, 2, 0))
    np.testing.assert_array_equal(read_cube(plain, axes="yxb").data, DATA)
    assert read_cube(plain).shape == (H, W, C)  # bands first unless it says else


def test_a_store_is_one_cube_and_a_study_finds_it_again(tmp_path):
    path = write(tmp_path / "leaf.zarr")
    assert find_cubes(path) == [path]
    study = Study()
    study.add_cubes([read_cube(path)])
    saved = save_study(study, tmp_path / "S.dgc.json")
    np.testing.assert_array_equal(open_study(saved).cubes[0].data, DATA)


def test_what_is_no_cube_is_refused(tmp_path):
    flat = write(tmp_path / "flat.zarr", DATA[0])
    with pytest.raises(InputError, match="2 axes"):
        read_cube(flat)
    empty = tmp_path / "empty.zarr"
    empty.mkdir()
    with pytest.raises(InputError, match="no zarr store"):
        read_cube(empty)
    group = zarr.open_group(str(tmp_path / "two.zarr"), mode="w")
    for name in ("a", "b"):
        group.create_array(name, shape=(C, H, W), dtype="uint8")[:] = 1
    with pytest.raises(InputError, match="--key"):
        read_cube(tmp_path / "two.zarr")
