"""MATLAB files of both kinds: keys, axes, wavelengths, faults."""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress

import h5py
import numpy as np
import pytest
import scipy.io

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import HDF5Array
from napari_dgc.cubes.readers import read_cube

C, H, W = 7, 5, 4
CUBE = np.random.default_rng(0).random((C, H, W)).astype("f4")
WAVES = np.linspace(400, 1000, C)


def write_v5(path, **arrays):
    scipy.io.savemat(path, arrays)


def write_v5_compressed(path, **arrays):
    scipy.io.savemat(path, arrays, do_compression=True)


def write_h5py(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


def write_v73(path, **arrays):
    """Write as MATLAB does: user block, axes reversed, class as attribute."""
    classes = {"f4": "single", "f8": "double", "u2": "uint16", "u1": "uint8"}
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            array = np.asarray(array)
            array = array[None] if array.ndim == 1 else array
            file[name] = array.T
            kind = classes.get(array.dtype.str[1:], "double")
            file[name].attrs["MATLAB_class"] = np.bytes_(kind)
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


WRITERS = [write_v5, write_v5_compressed, write_h5py, write_v73]
every_kind = pytest.mark.parametrize("write", WRITERS)


@every_kind
def test_the_key_cube_is_bands_first(tmp_path, write):
    path = tmp_path / "leaf.mat"
    write(path, cube=CUBE, wavelengths=WAVES)
    cube = read_cube(path)
    np.testing.assert_array_equal(np.asarray(cube.data), CUBE)
    np.testing.assert_allclose(cube.wavelengths, WAVES)
    assert cube.name == "leaf"
    assert cube.path == path
    assert cube.saturation is None


@every_kind
def test_the_key_cube_needs_no_wavelengths(tmp_path, write):
    write(tmp_path / "a.mat", cube=CUBE)
    cube = read_cube(tmp_path / "a.mat")
    assert cube.shape == CUBE.shape
    assert cube.wavelengths is None


@every_kind
@pytest.mark.parametrize("order", [(1, 2, 0), (1, 0, 2), (0, 1, 2)])
@pytest.mark.parametrize("name", ["cube", "other"])
def test_wavelengths_settle_the_axis(tmp_path, write, order, name):
    write(tmp_path / "a.mat", **{name: CUBE.transpose(order), "lam": WAVES})
    cube = read_cube(tmp_path / "a.mat")
    np.testing.assert_array_equal(np.asarray(cube.data), CUBE)
    np.testing.assert_allclose(cube.wavelengths, WAVES)


@every_kind
def test_without_wavelengths_the_axes_are_asked_for(tmp_path, write):
    path = tmp_path / "a.mat"
    write(path, img=CUBE.transpose(1, 2, 0))
    with pytest.raises(InputError, match=r"yxb reads 7 bands.*byx reads 5 bands"):
        read_cube(path)
    np.testing.assert_array_equal(np.asarray(read_cube(path, axes="yxb").data), CUBE)


@every_kind
def test_wavelengths_fitting_two_axes_are_ambiguous(tmp_path, write):
    square = CUBE[:, :4, :]
    write(tmp_path / "a.mat", img=square, wavelengths=np.linspace(400, 700, 4))
    with pytest.raises(InputError, match="4 wavelengths fit more than one axis"):
        read_cube(tmp_path / "a.mat")
    write(tmp_path / "b.mat", cube=square, wavelengths=np.linspace(400, 700, 4))
    with pytest.raises(InputError, match="4 wavelengths fit more than one axis"):
        read_cube(tmp_path / "b.mat")
    write(tmp_path / "c.mat", cube=CUBE[:4], wavelengths=np.linspace(400, 700, 4))
    assert read_cube(tmp_path / "c.mat").shape == (4, 5, 4)


def test_stated_axes_beat_the_key_and_the_wavelengths(tmp_path):
    write_v5(tmp_path / "a.mat", cube=CUBE, wavelengths=WAVES)
    cube = read_cube(tmp_path / "a.mat", axes="XYB")
    assert cube.shape == (W, H, C)
    assert cube.wavelengths is None


@pytest.mark.parametrize("axes", ["yx", "yxbb", "hwc", ""])
def test_axes_that_are_no_order_are_refused(tmp_path, axes):
    write_v5(tmp_path / "a.mat", cube=CUBE)
    with pytest.raises(InputError, match="--axes"):
        read_cube(tmp_path / "a.mat", axes=axes)


@every_kind
def test_microns_become_nanometres(tmp_path, write):
    write(tmp_path / "a.mat", cube=CUBE, wavelengths=WAVES / 1000)
    np.testing.assert_allclose(read_cube(tmp_path / "a.mat").wavelengths, WAVES)


@every_kind
@pytest.mark.parametrize("shape", [(C, 1), (1, C)])
def test_wavelengths_may_be_a_row_or_a_column(tmp_path, write, shape):
    write(tmp_path / "a.mat", img=CUBE, wavlength=WAVES.reshape(shape))
    np.testing.assert_allclose(read_cube(tmp_path / "a.mat").wavelengths, WAVES)


def test_of_several_lists_the_name_or_the_values_tell(tmp_path):
    spectrum = np.linspace(0.1, 0.9, C)
    path = tmp_path / "a.mat"
    write_v5(path, img=CUBE, target=spectrum, wavelengths=WAVES)
    np.testing.assert_allclose(read_cube(path).wavelengths, WAVES)
    write_v5(path, img=CUBE, target=-spectrum, bands=WAVES)
    np.testing.assert_allclose(read_cube(path).wavelengths, WAVES)
    write_v5(path, img=CUBE, first=WAVES, second=WAVES + 1)
    with pytest.raises(InputError, match="no wavelengths tell"):
        read_cube(path)
    assert read_cube(path, axes="byx").wavelengths is None


def test_complex_lists_and_texts_beside_the_cube_do_no_harm(tmp_path):
    path = tmp_path / "a.mat"
    write_v5(path, cube=CUBE, phase=WAVES * 1j, names=np.array(["a", "b"], object))
    assert read_cube(path).wavelengths is None


@every_kind
def test_the_only_array_with_three_axes_is_taken(tmp_path, write):
    write(tmp_path / "a.mat", hsi=CUBE, wavelengths=WAVES, mask=np.ones((H, W)))
    assert read_cube(tmp_path / "a.mat").shape == CUBE.shape


@every_kind
def test_several_candidates_are_listed(tmp_path, write):
    path = tmp_path / "a.mat"
    write(path, one=CUBE, two=CUBE[:, :3], wavelengths=WAVES)
    with pytest.raises(InputError, match=r"one \(7 x 5 x 4\), two \(7 x 3 x 4\)"):
        read_cube(path)
    assert read_cube(path, key="two").shape == (7, 3, 4)


@every_kind
def test_a_wrong_key_is_refused_and_what_is_there_listed(tmp_path, write):
    write(tmp_path / "a.mat", cube=CUBE)
    with pytest.raises(
        InputError, match=r"no array 'kube'; it holds cube \(7 x 5 x 4\)"
    ):
        read_cube(tmp_path / "a.mat", key="kube")


@every_kind
@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.ones((4, 5)), "2 axes"),
        (CUBE * 1j, "complex"),
        (np.zeros((0, 4, 5)), "empty|single value|axes"),
        (np.ones((1, 4, 5)), "a single band"),
        (np.full((C, H, W), np.nan), "no finite value"),
    ],
)
def test_arrays_that_are_no_cubes_are_refused(tmp_path, write, array, says):
    path = tmp_path / "a.mat"
    write(path, cube=array)
    with pytest.raises(InputError, match=says) as caught:
        read_cube(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cells_texts_and_structs_are_refused(tmp_path):
    path = tmp_path / "a.mat"
    cells = np.empty((2, 3, 4), object)
    cells[:] = 1.0
    for array in (cells, "text", {"inner": CUBE}):
        write_v5(path, cube=array)
        with pytest.raises(InputError, match="does not hold numbers"):
            read_cube(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("cube", (2, 3, 4), h5py.ref_dtype)
    with pytest.raises(InputError, match="does not hold numbers"):
        read_cube(path)


def test_complex_as_matlab_stores_it_in_v73_is_refused(tmp_path):
    pair = np.zeros((2, 3, 4), [("real", "f8"), ("imag", "f8")])
    write_h5py(tmp_path / "a.mat", cube=pair)
    with pytest.raises(InputError, match="complex"):
        read_cube(tmp_path / "a.mat")


def test_an_empty_matlab_v73_array_is_refused(tmp_path):
    write_v73(tmp_path / "a.mat", cube=np.array([0.0, 3.0, 4.0]))
    with h5py.File(tmp_path / "a.mat", "r+") as file:
        file["cube"].attrs["MATLAB_empty"] = 1
    with pytest.raises(InputError):
        read_cube(tmp_path / "a.mat")


@every_kind
def test_integers_saturate_at_their_maximum(tmp_path, write):
    data = (CUBE * 1000).astype("u2")
    data[3, 2, 1] = 65535
    write(tmp_path / "a.mat", cube=data)
    cube = read_cube(tmp_path / "a.mat")
    assert cube.saturation == 65535
    assert not cube.valid[2, 1]
    assert cube.valid.sum() == cube.valid.size - 1


@every_kind
def test_a_file_cut_short_anywhere_is_an_input_error(tmp_path, write):
    whole, cut = tmp_path / "whole.mat", tmp_path / "cut.mat"
    write(whole, cube=CUBE, wavelengths=WAVES)
    content = whole.read_bytes()
    for length in sorted({*range(0, len(content), 97), 127, 128, len(content) - 1}):
        cut.write_bytes(content[:length])
        # At a boundary between variables a v5 file is whole, only poorer.
        if length >= CUBE.nbytes / 2 and write in (write_v5, write_v5_compressed):
            with suppress(InputError):
                assert read_cube(cut).shape == CUBE.shape
                continue
        with pytest.raises(InputError) as caught:
            read_cube(cut)
        assert str(cut) in str(caught.value)
        assert "\n" not in str(caught.value)


@every_kind
def test_flipped_bytes_never_raise_anything_else(tmp_path, write):
    whole = tmp_path / "whole.mat"
    write(whole, cube=CUBE, wavelengths=WAVES)
    content = whole.read_bytes()
    rng = np.random.default_rng(5)
    refused = 0
    for number in range(60):
        broken = bytearray(content)
        for place in rng.integers(0, min(len(content), 900), 6):
            broken[place] = int(rng.integers(256))
        # A name of its own: HDF5 knows a file it still holds open again.
        bad = tmp_path / f"{number}.mat"
        bad.write_bytes(broken)
        try:
            cube = read_cube(bad)
            cube.block(slice(0, 1), slice(0, cube.shape[2]))
        except InputError:
            refused += 1
    assert refused


@pytest.mark.parametrize("content", [b"", b"hello\n" * 40, b"band;value\n", bytes(600)])
def test_a_text_named_mat_is_refused(tmp_path, content):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(InputError):
        read_cube(tmp_path / "a.mat")


def test_contiguous_datasets_are_mapped_and_others_read_by_blocks(tmp_path):
    big = ">f4"
    for write in (write_h5py, write_v73):
        write(tmp_path / "plain.mat", cube=CUBE.astype(big))
        data = read_cube(tmp_path / "plain.mat").data
        assert isinstance(data, np.memmap)
        np.testing.assert_array_equal(data, CUBE)
    with h5py.File(tmp_path / "packed.mat", "w") as file:
        file.create_dataset("cube", data=CUBE, chunks=(3, 2, 2), compression="gzip")
    data = read_cube(tmp_path / "packed.mat").data
    assert isinstance(data, HDF5Array)
    np.testing.assert_array_equal(np.asarray(data), CUBE)


def test_a_chunked_matlab_file_is_turned_back(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file.create_dataset("cube", data=CUBE.T, chunks=(2, 3, 2), compression="gzip")
        file["cube"].attrs["MATLAB_class"] = np.bytes_("single")
    np.testing.assert_array_equal(np.asarray(read_cube(tmp_path / "a.mat").data), CUBE)


def test_a_chunk_that_does_not_unpack_is_an_input_error_when_read(tmp_path):
    path = tmp_path / "a.mat"
    data = np.random.default_rng(0).random((2, 400, 10))
    with h5py.File(path, "w") as file:
        made = file.create_dataset("cube", data=data, chunks=(2, 10, 10), compression=9)
        spoilt = made.id.get_chunk_info(7)
    with path.open("r+b") as raw:
        raw.seek(spoilt.byte_offset)
        raw.write(os.urandom(spoilt.size // 2))
    with pytest.raises(InputError, match="damaged"):
        _ = read_cube(path).valid


def test_a_key_may_lie_in_a_folder_of_the_file(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["scan/cube"] = CUBE
        file["scan/wavelengths"] = WAVES
        file["decoy"] = np.linspace(1, 2, C)
    for key in ("scan/cube", "/scan/cube", None):
        np.testing.assert_allclose(
            read_cube(tmp_path / "a.mat", key).wavelengths, WAVES
        )


def matrix(data: bytes, code: int, kind: int = 6, shape=(2, 3, 4)) -> bytes:
    """Build a v5 array element named ``cube`` by hand."""
    body = struct.pack("<IIII", 6, 8, kind, 0)
    body += struct.pack("<II", 5, 12) + struct.pack("<3i4x", *shape)
    body += struct.pack("<HH4s", 1, 4, b"cube")
    body += struct.pack("<II", code, len(data)) + data
    return struct.pack("<II", 14, len(body)) + body


def write_by_hand(path, element: bytes, packed: bool) -> None:
    if packed:
        squeezed = zlib.compress(element)
        element = struct.pack("<II", 15, len(squeezed)) + squeezed
    path.write_bytes(b"MATLAB 5.0 by hand".ljust(124) + b"\x00\x01IM" + element)


packed_or_not = pytest.mark.parametrize("packed", [False, True])


@packed_or_not
def test_doubles_stored_as_bytes_do_not_saturate(tmp_path, packed):
    path = tmp_path / "a.mat"
    write_by_hand(path, matrix(bytes(range(232, 256)), code=2), packed)
    cube = read_cube(path)
    assert cube.data[1, 2, 3] == 255
    assert cube.saturation is None
    assert cube.valid.all()
    write_by_hand(path, matrix(bytes(range(232, 256)), code=2, kind=9), packed)
    assert read_cube(path).saturation == 255


@packed_or_not
@pytest.mark.parametrize(
    "element",
    [
        matrix(bytes(24), code=200),  # SciPy would crash on this one
        matrix(bytes(24), code=8),
        matrix(bytes(24), code=9),
        matrix(bytes(24), code=2, kind=77),
        matrix(bytes(24), code=2, shape=(2, 3, 40000)),
        matrix(bytes(24), code=2, shape=(2, 3, -4)),
        matrix(bytes(24), code=2).replace(b"\x01\0\x04\0cube", b"\x01\0\x05\0cube"),
        matrix(bytes(24), code=2)[:60],
        b"",
    ],
)
def test_damaged_elements_are_refused_before_scipy_sees_them(tmp_path, element, packed):
    write_by_hand(tmp_path / "a.mat", element, packed)
    with pytest.raises(InputError):
        read_cube(tmp_path / "a.mat")
