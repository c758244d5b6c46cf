from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_dgc.cubes.bands import band_ranges, parse_ranges, select_bands
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

NM = np.array([400.0, 500, 600, 700, 800, 900])


def cube(**more: object) -> Cube:
    data = np.random.default_rng(0).random((6, 4, 3))
    return Cube(data, NM, "leaf", **more)


def test_bands_are_chosen_by_number_and_wavelength_on_top_of_bad_ones() -> None:
    bad = cube(good_bands=np.array([1, 1, 0, 1, 1, 1], bool))
    found = select_bands(bad, drop=[4], wavelengths=(500, 900))
    np.testing.assert_array_equal(found.good_bands, [0, 1, 0, 1, 0, 1])
    np.testing.assert_array_equal(bad.good_bands, [1, 1, 0, 1, 1, 1])
    assert found.data is bad.data
    assert select_bands(cube()).good_bands is None


def test_what_cannot_be_chosen_is_refused() -> None:
    with pytest.raises(InputError, match="no band 6; its bands are 0 to 5"):
        select_bands(cube(), drop=[6])
    with pytest.raises(InputError, match="go from 400 to 900 nm"):
        select_bands(cube(), wavelengths=(900, 1700))
    with pytest.raises(InputError, match="1 good bands would remain"):
        select_bands(cube(), wavelengths=(450, 550))
    with pytest.raises(InputError, match="no wavelengths to choose by"):
        select_bands(Cube(np.zeros((3, 1, 1))), wavelengths=(1, 2))


def test_bands_left_out_decide_nothing() -> None:
    data = np.random.default_rng(0).random((6, 4, 3))
    broken = data.copy()
    broken[2], broken[5] = np.nan, 1e30
    found = [select_bands(Cube(d), drop=[2, 5]) for d in (data, broken)]
    blocks = [one.block(slice(0, 4), slice(0, 3)) for one in found]
    for clean, odd in zip(*blocks, strict=True):
        np.testing.assert_array_equal(clean, odd)
    assert blocks[0][1].all()


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_ranges_say_which_bands(marks: list[bool]) -> None:
    bands = np.array(marks)
    text = band_ranges(bands)
    read = parse_ranges(text) if text else ()
    np.testing.assert_array_equal(read, np.flatnonzero(bands))


@pytest.mark.parametrize("text", ["", "a", "3-", "-3", "5-2", "1,,2", "1-2-3", "1e3"])
def test_no_ranges_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="band"):
        parse_ranges(text)
