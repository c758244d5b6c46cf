"""Finding cubes, plain arrays, and files that are none."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import tifffile

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes, read_cube

CUBE = np.random.default_rng(1).random((7, 5, 4)).astype("f4")


def write(path, array, **options):
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        tifffile.imwrite(path, array, photometric="minisblack", **options)
    return path


both = pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.tiff"])


@both
@pytest.mark.parametrize("dtype", ["f4", "f8", "u2", ">u2", "u1"])
def test_arrays_are_read_in_the_order_stated(tmp_path, name, dtype):
    data = (CUBE * 200).astype(dtype)
    path = write(tmp_path / name, data.transpose(1, 2, 0).copy())
    cube = read_cube(path, axes="yxb")
    np.testing.assert_array_equal(cube.data, data)
    assert isinstance(cube.data, np.memmap)
    assert cube.wavelengths is None
    kind = np.dtype(dtype)
    assert cube.saturation == (np.iinfo(kind).max if kind.kind == "u" else None)


@both
def test_arrays_do_not_tell_their_axes(tmp_path, name):
    path = write(tmp_path / name, CUBE)
    with pytest.raises(InputError, match="--axes yxb or --axes byx") as caught:
        read_cube(path)
    assert 'axes="yxb"' in str(caught.value)


def test_compressed_tiff_is_read(tmp_path):
    path = write(tmp_path / "a.tif", CUBE, compression="zlib")
    np.testing.assert_array_equal(read_cube(path, axes="byx").data, CUBE)


def test_fortran_order_is_read(tmp_path):
    path = write(tmp_path / "a.npy", np.asfortranarray(CUBE))
    np.testing.assert_array_equal(read_cube(path, axes="byx").data, CUBE)


@both
@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.ones((4, 5), "f4"), "2 axes"),
        (np.ones((1, 4, 5), "f4"), "a single band|2 axes"),
        (np.full((3, 4, 5), np.nan, "f4"), "no finite value"),
        (np.ones((3, 4, 5), "c8"), "complex"),
    ],
)
def test_arrays_that_are_no_cubes_are_refused(tmp_path, name, array, says):
    path = write(tmp_path / name, array)
    with pytest.raises(InputError, match=says) as caught:
        read_cube(path, axes="byx")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((3, 0, 5)), "is empty"),
        (np.full((2, 3, 4), "text"), "does not hold numbers"),
        (np.ones((2, 3, 4), bool), "does not hold numbers"),
    ],
)
def test_npy_without_numbers_is_refused(tmp_path, array, says):
    path = write(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=says):
        read_cube(path, axes="byx")


class _Trap:
    sprung = False

    def __reduce__(self):
        return (setattr, (_Trap, "sprung", True))


def test_nothing_is_unpickled(tmp_path):
    objects = np.empty((2, 2, 2), object)
    objects[:] = _Trap()
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    with pytest.raises(InputError, match="never unpickled"):
        read_cube(tmp_path / "a.npy", axes="byx")
    (tmp_path / "b.npy").write_bytes(pickle.dumps(_Trap()))
    with pytest.raises(InputError):
        read_cube(tmp_path / "b.npy", axes="byx")
    np.savez(tmp_path / "c.npz", cube=CUBE)
    (tmp_path / "c.npz").rename(tmp_path / "c.npy")
    with pytest.raises(InputError):
        read_cube(tmp_path / "c.npy", axes="byx")
    assert not _Trap.sprung


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.npy", {}),
        ("a.tif", {}),
        ("a.tif", {"metadata": None}),
        ("a.tif", {"metadata": None, "compression": "zlib"}),
        ("a.tif", {"compression": "zlib"}),
    ],
)
def test_a_file_cut_short_is_refused_or_whole(tmp_path, name, options, caplog):
    content = write(tmp_path / name, CUBE, **options).read_bytes()
    cut = tmp_path / f"cut_{name}"
    refused = 0
    for length in (*range(0, len(content), 41), len(content) - 1):
        cut.write_bytes(content[:length])
        try:
            data = np.asarray(read_cube(cut, axes="byx").data)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - both ends are right
            refused += 1
        else:  # what TIFF keeps behind the last pixel may be missing
            np.testing.assert_array_equal(data, CUBE)
    assert refused * 41 > CUBE.nbytes / 2
    assert not caplog.records, "the error says it all; nothing else reaches the screen"


def test_a_size_beyond_the_file_is_refused_before_it_is_allocated(tmp_path):
    path = write(tmp_path / "a.npy", CUBE)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"(7, 5, 4), }     ", b"(7777777, 55, 4)}"))
    assert path.read_bytes() != content
    with pytest.raises(InputError, match="is cut short"):
        read_cube(path, axes="byx")


@pytest.mark.parametrize("name", ["a.jpg", "a.txt", "a", "a.mat.gz"])
def test_an_unknown_format_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(InputError, match=r"\.hdr"):
        read_cube(tmp_path / name)


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_cube(tmp_path / "none.mat")
    with pytest.raises(InputError, match="is a folder"):
        read_cube(tmp_path)


def test_a_folder_stands_for_its_mat_and_hdr_files(tmp_path):
    for name in ("b.mat", "a.hdr", "C.HDR", "d.npy", "a.dat", "e.json"):
        (tmp_path / name).touch()
    (tmp_path / "folder.mat").mkdir()
    names = [path.name for path in find_cubes([tmp_path])]
    assert names == ["C.HDR", "a.hdr", "b.mat"]
    named = find_cubes([tmp_path / "d.npy", tmp_path, tmp_path / "b.mat"])
    assert [path.name for path in named] == ["d.npy", *names]
    assert find_cubes(str(tmp_path / "d.npy")) == [tmp_path / "d.npy"]


def test_folders_without_cubes_and_missing_paths_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"holds no \.mat or \.hdr"):
        find_cubes([tmp_path])
    with pytest.raises(InputError, match="no such file or folder"):
        find_cubes([tmp_path / "none"])
