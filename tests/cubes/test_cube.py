"""Which pixels of a cube count, and what a window of it holds."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from napari_dgc.cubes.backing import reads_at_once
from napari_dgc.cubes.cube import Cube, row_slices
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import HDF5Array, ScaledArray


def ramp(C=6, H=5, W=4) -> np.ndarray:
    """Give a cube without dead pixels: values rise along the bands."""
    rng = np.random.default_rng(3)
    return (rng.random((C, H, W)) * 0.1 + np.arange(C)[:, None, None] * 0.1).astype(
        "f4"
    )


def test_every_pixel_of_a_plain_cube_is_valid():
    cube = Cube(ramp())
    assert cube.shape == (6, 5, 4)
    assert cube.bands == 6
    assert cube.valid.shape == (5, 4)
    assert cube.valid.all()


def test_dead_infinite_and_masked_pixels_do_not_count():
    data = ramp()
    data[:, 0, 0] = 0.25
    data[3, 1, 1] = np.nan
    data[0, 2, 2] = np.inf
    data[1, 4, 0] = -np.inf
    data[2, 4, 0] = np.inf
    mask = np.ones((5, 4), bool)
    mask[3, 3] = False
    expected = np.ones((5, 4), bool)
    for row, column in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 0)]:
        expected[row, column] = False
    np.testing.assert_array_equal(Cube(data, mask=mask).valid, expected)


def test_three_equal_bands_do_not_make_a_pixel_dead():
    data = ramp()
    data[[0, 3, 5], 2, 1] = 0.4
    assert Cube(data).valid.all()


def test_saturation_counts_from_the_value_upwards_and_in_any_band():
    data = ramp()
    data[2, 0, 1], data[5, 3, 0], data[1, 1, 1] = 1.0, 1.5, 0.999
    valid = Cube(data, saturation=1.0).valid
    assert not valid[0, 1]
    assert not valid[3, 0]
    assert valid.sum() == valid.size - 2


def test_an_ignore_value_other_than_zero_counts_in_any_band():
    data = ramp()
    data[4, 1, 2] = -9999
    valid = Cube(data, ignore_value=-9999).valid
    assert not valid[1, 2]
    assert valid.sum() == valid.size - 1


def test_an_ignore_value_of_zero_counts_only_where_all_good_bands_hold_it():
    data = ramp()
    data[2, 0, 0] = 0
    data[:, 1, 1] = 0
    data[:5, 2, 2] = 0
    good = np.array([True] * 5 + [False])
    assert Cube(data, ignore_value=0).valid.sum() == 19
    valid = Cube(data, ignore_value=0, good_bands=good).valid
    assert not valid[2, 2]
    assert valid.sum() == 18


def test_bad_bands_neither_invalidate_a_pixel_nor_show():
    data = ramp()
    data[1] = np.nan
    data[4, 2, 2] = 2.0
    good = np.array([True, False, True, True, False, True])
    cube = Cube(data, good_bands=good, saturation=1.0)
    spectra, valid = cube.block(slice(0, 5), slice(0, 4))
    assert valid.all()
    assert (spectra[~good] == 0).all()
    np.testing.assert_array_equal(spectra[good], data[good])


def test_a_block_is_a_finite_float32_copy():
    data = ramp()
    data[3, 2, 1] = np.nan
    before = data.copy()
    spectra, valid = Cube(data).block(slice(1, 4), slice(1, 3))
    assert spectra.dtype == np.float32
    assert spectra.shape == (6, 3, 2)
    assert spectra[3, 1, 0] == 0
    assert not valid[1, 0]
    spectra[:] = 7
    np.testing.assert_array_equal(data, before)


def test_doubles_beyond_float32_are_excluded_without_a_warning():
    data = ramp().astype("f8")
    data[2, 1, 1] = -1.7e308
    spectra, valid = Cube(data).block(slice(0, 5), slice(0, 4))
    assert not valid[1, 1]
    assert np.isfinite(spectra).all()


def test_valid_does_not_depend_on_the_rows_read_at_once():
    data = ramp(H=150)
    data[:, 63:66, 2] = 1
    cube = Cube(data)
    assert not cube.valid[63:66, 2].any()
    assert cube.valid.sum() == 150 * 4 - 3


def test_the_fingerprint_follows_values_wavelengths_and_shape():
    data = ramp(H=40)
    waves = np.linspace(400, 1000, 6)
    base = Cube(data, waves).fingerprint
    assert Cube(data.astype("f8"), waves, name="other").fingerprint == base
    changed = data.copy()
    changed[3, 0, 1] += 0.01
    others = {
        Cube(changed, waves).fingerprint,
        Cube(data, waves + 1).fingerprint,
        Cube(data).fingerprint,
        Cube(data[:, :39], waves).fingerprint,
    }
    assert len(others) == 4
    assert base not in others


def test_wrong_shapes_are_refused_in_words():
    with pytest.raises(ValueError, match="three axes"):
        Cube(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="5 wavelengths for 6 bands"):
        Cube(ramp(), np.arange(5.0))


def test_row_slices_cover_every_row_once():
    rows = [r for part in row_slices(10, 4) for r in range(10)[part]]
    assert rows == list(range(10))


def test_an_input_error_is_one_line_even_where_its_parts_are_not():
    error = InputError("a.mat", "is\nbroken", "fix\tit")
    assert str(error) == "a.mat: is broken; fix it"
    assert isinstance(error, ValueError)


def test_an_error_says_no_more_than_fits_a_line():
    error = InputError("a.hdr", "unit '\x1b[2J" + "x" * 10**6, "fix \u202eit")
    assert len(str(error)) < 1000
    assert str(error).startswith("a.hdr: unit '\ufffd[2Jxxx")
    assert str(error).endswith("xxx; fix \ufffdit")


def test_one_pixels_spectrum():
    data = ramp()
    data[:, 0, 0] = 0.25  # dead
    good = np.array([True, False, True, True, True, True])
    cube = Cube(data, good_bands=good)
    spectrum = cube.spectrum(3, 2)
    assert spectrum.dtype == np.float32
    np.testing.assert_array_equal(spectrum[good], data[good, 3, 2])
    assert np.isnan(spectrum[1])
    assert np.isnan(cube.spectrum(0, 0)).all()
    for row, col in ((5, 0), (0, 4), (-1, 0), (0, -1)):
        with pytest.raises(IndexError, match="5 x 4 pixels"):
            cube.spectrum(row, col)


def test_what_can_be_read_at_once(tmp_path):
    data = ramp()
    np.save(tmp_path / "cube.npy", data)
    mapped = np.load(tmp_path / "cube.npy", mmap_mode="r")
    counts = (data * 100).astype(np.uint16)
    assert reads_at_once(data)
    assert reads_at_once(mapped.transpose(0, 2, 1))
    assert reads_at_once(ScaledArray(counts, 100))
    with h5py.File(tmp_path / "cube.h5", "w") as file:
        file.create_dataset("cube", data=data, chunks=(1, 5, 4), compression="gzip")
        slow = HDF5Array(file["cube"], (0, 1, 2))
        assert not reads_at_once(slow)
        np.testing.assert_array_equal(Cube(slow).spectrum(4, 3), data[:, 4, 3])
