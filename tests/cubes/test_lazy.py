"""Arrays read from a file on demand index as NumPy does."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_dgc.cubes.lazy import (
    CHUNK_CACHE_LIMIT,
    HDF5Array,
    ScaledArray,
    chunk_cache_bytes,
)

STORED = np.arange(6 * 9 * 20, dtype="i4").reshape(9, 20, 6)
ORDER = (2, 0, 1)
REFERENCE = STORED.transpose(ORDER)


@pytest.fixture(scope="module")
def array(tmp_path_factory):
    path = tmp_path_factory.mktemp("lazy") / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=STORED, chunks=(4, 5, 3), compression="gzip")
    with h5py.File(path) as file:
        yield HDF5Array(file["x"], ORDER)


def test_the_array_says_what_it_is(array):
    assert array.shape == REFERENCE.shape
    assert array.ndim == 3
    assert array.dtype == REFERENCE.dtype
    np.testing.assert_array_equal(np.asarray(array), REFERENCE)
    assert np.asarray(array, dtype="f4").dtype == np.float32


KEYS = [
    3,
    -1,
    ...,
    np.s_[2, 3, 4],
    np.s_[:, 3],
    np.s_[..., 3],
    np.s_[1:4, ::3, 10:2:-3],
    np.s_[:, 5:5, :],
    np.s_[[0, 5]],
    np.s_[:, :, [19, 0, 0, 7]],
    np.s_[:, [0, 8], ::2],
    np.s_[2, :, [1, 18]],
    np.s_[:, [1, 2, 3], [4, 5, 6]],
    np.s_[:, [[1], [2]], [[4, 5]]],
    np.s_[[True, False, True, False, False, True]],
    np.s_[:, np.arange(180).reshape(9, 20) % 7 == 0],
    np.s_[:, np.array([], int)],
    np.s_[np.int64(2), np.array([-1, -9])],
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_keys_mean_what_they_mean_in_numpy(array, key):
    expected = REFERENCE[key]
    np.testing.assert_array_equal(array[key], expected)
    assert np.shape(array[key]) == expected.shape
    scaled = ScaledArray(REFERENCE, 4)
    np.testing.assert_array_equal(scaled[key], expected.astype("f4") / 4)


@settings(max_examples=80, deadline=None)
@given(bands=st.slices(6), rows=st.slices(9), columns=st.slices(20))
def test_any_slices_read_as_in_numpy(array, bands, rows, columns):
    np.testing.assert_array_equal(
        array[bands, rows, columns], REFERENCE[bands, rows, columns]
    )


@pytest.mark.parametrize("key", [6, -7, np.s_[0, [9]], np.s_[0, 0, 0, 0], None, "x"])
def test_bad_keys_are_index_errors(array, key):
    with pytest.raises(IndexError):
        array[key]


def test_the_cache_holds_a_stripe_of_rows_and_no_more_than_the_limit():
    # Rows on the last axis, as MATLAB writes: 2 row chunks x 50 x 3 others.
    size = chunk_cache_bytes((300, 500, 200), (100, 10, 100), 4, rows_axis=2)
    assert size == 2 * 50 * 3 * 100 * 10 * 100 * 4
    huge = chunk_cache_bytes((9000, 9000, 900), (900, 900, 9), 8, rows_axis=2)
    assert huge == CHUNK_CACHE_LIMIT
    assert chunk_cache_bytes((4, 4, 4), (2, 2, 2), 1, rows_axis=0) == 2**20
