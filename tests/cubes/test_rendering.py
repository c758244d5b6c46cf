from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.rendering import (
    choose_bands,
    false_color,
    false_color_bands,
    pseudo_rgb,
)
from napari_dgc.cubes.scenes import SceneConfig, make_scene


class Watched:
    """An array that notes which bands are read."""

    def __init__(self, data: NDArray[Any]) -> None:
        self._data = data
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim
        self.read: list[Any] = []

    def __getitem__(self, key: Any) -> Any:
        self.read.append(key[0])
        return self._data[key]

    def __array__(self, dtype: Any = None) -> NDArray[Any]:
        raise AssertionError("the whole cube was read")


def ramp(bands: int = 7) -> NDArray[np.float32]:
    rows = np.linspace(0, 1, 200, dtype=np.float32).reshape(1, 10, 20)
    return np.concatenate([rows * (band + 1) for band in range(bands)])


def test_only_the_three_nearest_bands_are_read() -> None:
    data = Watched(ramp())
    nm = np.array([400, 452, 500, 548, 600, 655, 700.0])
    picture = pseudo_rgb(Cube(data, wavelengths=nm))
    assert picture.shape == (10, 20, 3)
    assert picture.dtype == np.uint8
    assert sorted(data.read) == [1, 3, 5]
    # Band 5 (red) is the brightest of the three everywhere but at black.
    assert picture[-1, -1, 0] > picture[-1, -1, 1] > 0


def test_bad_bands_are_passed_over() -> None:
    nm = np.array([450, 550, 649, 660.0])
    good = np.array([True, True, False, True])
    cube = Cube(ramp(4), wavelengths=nm, good_bands=good)
    assert choose_bands(cube, (650, 550, 450)) == (3, 1, 0)


@pytest.mark.parametrize("nm", [None, np.linspace(1000, 2500, 61)])
def test_evenly_spaced_bands_where_wavelengths_do_not_help(
    nm: NDArray[np.float64] | None,
) -> None:
    cube = Cube(np.zeros((61, 2, 2), np.float32), wavelengths=nm)
    assert choose_bands(cube, (650, 550, 450)) == (50, 30, 10)


def test_descending_wavelengths_keep_long_waves_red() -> None:
    cube = Cube(
        np.zeros((61, 2, 2), np.float32), wavelengths=np.linspace(2500, 1000, 61)
    )
    assert choose_bands(cube, (650, 550, 450)) == (10, 30, 50)


def test_colours_share_one_stretch() -> None:
    data = np.stack([ramp(1)[0], ramp(1)[0], ramp(1)[0]])
    picture = pseudo_rgb(Cube(data, wavelengths=np.array([450, 550, 650.0])))
    np.testing.assert_array_equal(picture[..., 0], picture[..., 1])
    np.testing.assert_array_equal(picture[..., 0], picture[..., 2])
    assert picture.min() == 0
    assert picture.max() == 255
    assert (np.diff(picture[..., 0].ravel().astype(int)) >= 0).all()


def test_outliers_and_missing_pixels_do_not_set_the_stretch() -> None:
    data = np.repeat(ramp(3), 20, axis=1)  # 200 x 20 pixels
    plain = pseudo_rgb(Cube(data))
    spoilt = data.copy()
    spoilt[:, 0, 0] = np.nan
    spoilt[:, 0, 1] = -9999
    spoilt[0, 100, 10] = 1e6
    picture = pseudo_rgb(Cube(spoilt, ignore_value=-9999))
    assert not picture[0, :2].any()
    shown = np.ones((200, 20), bool)
    shown[0, :2] = shown[100, 10] = False
    difference = picture[shown].astype(int) - plain[shown].astype(int)
    assert np.abs(difference).max() <= 3


def test_masked_and_saturated_pixels_are_black() -> None:
    mask = np.ones((10, 20), bool)
    mask[5, 5] = False
    cube = Cube(ramp(3), mask=mask, saturation=3.0)
    picture = pseudo_rgb(cube)
    assert not picture[5, 5].any()
    assert not picture[-1, -1].any()
    assert picture[5, 6].any()


def test_stride_skips_pixels() -> None:
    cube = Cube(ramp(3))
    assert pseudo_rgb(cube, stride=3).shape == (4, 7, 3)
    with pytest.raises(ValueError, match="stride"):
        pseudo_rgb(cube, stride=0)


def test_flat_and_empty_pictures() -> None:
    flat = pseudo_rgb(Cube(np.full((3, 4, 4), 7.0, np.float32)))
    assert len(np.unique(flat)) == 1
    nothing = pseudo_rgb(Cube(np.full((3, 4, 4), np.nan, np.float32)))
    assert not nothing.any()


def test_integer_cubes_are_stretched_too() -> None:
    counts = (ramp(3) * 1000).astype(np.uint16)
    assert pseudo_rgb(Cube(counts)).max() == 255


def test_leaves_are_green_on_a_dark_cloth() -> None:
    scene = make_scene(SceneConfig(size=96, bands=61, lesion=None), 1)
    picture = pseudo_rgb(scene.cube).astype(int)
    leaf, cloth = picture[scene.labels == 1], picture[scene.labels == 0]
    assert np.median(leaf[:, 1]) > 1.5 * np.median(leaf[:, 0])
    assert np.median(leaf[:, 1]) > 1.5 * np.median(cloth[:, 1])


def test_bands_that_are_not_the_colours_asked_for_are_stretched_each_by_itself():
    """With one stretch, the brightest band would tint the whole picture."""
    rng = np.random.default_rng(3)
    scale = np.linspace(1, 50, 12)[:, None, None]
    data = (rng.random((12, 40, 40)) * scale).astype(np.float32)
    picture = pseudo_rgb(Cube(data))
    means = picture.reshape(-1, 3).mean(axis=0)
    assert means.max() - means.min() < 15
    tinted = pseudo_rgb(Cube(data, np.linspace(430, 670, 12)))
    means = tinted.reshape(-1, 3).mean(axis=0)
    assert means.max() - means.min() > 60


def test_false_color_shows_the_nearest_good_bands_each_with_its_own_stretch() -> None:
    nm = np.array([450, 550, 670, 800, 805, 900.0])
    good = np.array([True, True, True, False, True, True])
    cube = Cube(ramp(6), wavelengths=nm, good_bands=good)
    assert false_color_bands(cube, (800, 670, 550)) == (4, 2, 1)
    picture = false_color(cube, (800, 670, 550))
    assert picture.shape == (10, 20, 3)
    # Every band is a multiple of one ramp: stretched each by itself, all grey.
    np.testing.assert_array_equal(picture[..., 0], picture[..., 1])
    assert picture[..., 2].min() == 0
    assert picture[..., 2].max() == 255


def test_false_color_reads_only_its_three_bands() -> None:
    data = Watched(ramp())
    false_color(Cube(data, wavelengths=np.linspace(400, 700, 7)), (700, 500, 400))
    assert sorted(data.read) == [0, 2, 6]


def test_false_color_counts_bands_where_there_are_no_wavelengths() -> None:
    cube = Cube(ramp())
    assert false_color_bands(cube, (6, 0, 3)) == (6, 0, 3)
    with pytest.raises(InputError, match="no band at 7; its bands go from 0 to 6"):
        false_color(cube, (7, 0, 3))


@pytest.mark.parametrize("wanted", [(370, 500, 600), (500, 600, 730), (np.nan,) * 3])
def test_false_color_refuses_wavelengths_the_cube_has_not(wanted: Any) -> None:
    cube = Cube(ramp(), wavelengths=np.linspace(700, 400, 7), name="leaf")
    said = "leaf: there is no band at .* nm; its wavelengths go from 400 to 700 nm"
    with pytest.raises(InputError, match=said):
        false_color(cube, wanted)
    false_color(cube, (710, 500, 395))  # within half a band of the last ones


def test_false_color_leaves_pixels_without_data_black() -> None:
    data = ramp()
    data[2, 4, 5] = np.nan
    picture = false_color(Cube(data, wavelengths=np.linspace(400, 700, 7)), (500,) * 3)
    assert not picture[4, 5].any()
    assert picture[4, 6].all()
