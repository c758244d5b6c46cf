"""Reflectance from raw counts: right, lazy, and honest about what has no data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_dgc.cubes.backing import reads_at_once
from napari_dgc.cubes.calibrating import (
    calibrate,
    calibration_from,
    calibration_of_spectrum,
    tile_calibration,
)
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.describing import word_calibrated_twice
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.pixel_states import PixelCounts, count_pixels
from napari_dgc.cubes.readers import read_cube
from napari_dgc.cubes.rendering import pseudo_rgb

C, H, W = 5, 12, 7
NM = np.linspace(450, 850, C)


def scene(seed: int = 0) -> tuple[Cube, Cube, Cube, np.ndarray]:
    """Raw counts, white and dark lines that differ by column, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.05, 0.95, (C, H, W))
    dark = rng.integers(90, 110, (C, 1, W)).astype(np.float64)
    white = dark + rng.integers(2000, 3000, (C, 1, W))
    raw = np.round(dark + truth * (white - dark)).astype(np.uint16)
    lines = np.ones((1, 20, 1))
    return (
        Cube(raw, NM, "leaf", saturation=65535.0),
        Cube((white * lines).astype(np.uint16), NM, "white", saturation=4095.0),
        Cube((dark * lines).astype(np.uint16), NM, "dark", saturation=4095.0),
        truth,
    )


def whole(cube: Cube) -> np.ndarray:
    return cube.block(slice(0, H), slice(0, W))[0]


def test_the_truth_comes_out_to_half_a_count() -> None:
    raw, white, dark, truth = scene()
    cube = calibrate(raw, calibration_from(white, dark))
    assert np.abs(whole(cube) - truth).max() <= 0.5 / 2000 + 1e-6
    assert cube.data.dtype == np.float32
    assert cube.valid.all()


def test_a_grey_target_scales_and_no_dark_one_is_zero() -> None:
    raw, white, dark, _ = scene()
    full = whole(calibrate(raw, calibration_from(white, dark)))
    half = whole(calibrate(raw, calibration_from(white, dark, reflectance=0.5)))
    np.testing.assert_allclose(half, full / 2, rtol=1e-6)
    bare = whole(calibrate(raw, calibration_from(white)))
    counts = np.asarray(raw.data, np.float64)
    np.testing.assert_allclose(bare, counts / np.asarray(white.data)[:, :1], rtol=1e-6)


@pytest.mark.parametrize("per", ["column", "band", "pixel"])
def test_any_window_equals_the_whole_to_the_bit(per: str) -> None:
    raw, white, dark, _ = scene()
    white, dark = (
        replace(one, data=np.asarray(one.data)[:, :H]) for one in (white, dark)
    )
    counts = np.array(raw.data)
    counts[2, 3, 4] = 65535
    cube = calibrate(replace(raw, data=counts), calibration_from(white, dark, per=per))
    data, (spectra, valid) = np.asarray(cube.data), cube.block(slice(0, H), slice(0, W))
    assert np.isnan(data[2, 3, 4])
    np.testing.assert_array_equal(spectra[:, valid], data[:, valid])
    for key in (
        (slice(None), slice(2, 9), slice(3, 6)),
        (2, slice(None, None, 3), slice(None, None, 2)),
        (1, 3, 4),
        ([0, 4, 2], 3),
        (..., -1),
        (slice(None), slice(8, 2, -2)),
        (slice(None), data[0] > 0.5),
    ):
        np.testing.assert_array_equal(cube.data[key], data[key])
    for rows, cols in ((slice(2, 9), slice(3, 6)), (slice(3, 4), slice(4, 5))):
        part, _ = cube.block(rows, cols)
        np.testing.assert_array_equal(part, spectra[:, rows, cols])


class Touched:
    """An array that notes which pixels were read."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.ndim = array, array.shape, array.ndim
        self.dtype, self.seen = array.dtype, np.zeros(array.shape, int)

    def __getitem__(self, key: object) -> np.ndarray:
        self.seen[key] += 1
        return self.array[key]

    def __array__(self, dtype: object = None) -> np.ndarray:
        raise AssertionError("the whole cube was asked for")


def test_only_the_window_is_read_and_only_once() -> None:
    raw, white, dark, _ = scene()
    source = Touched(np.asarray(raw.data))
    cube = calibrate(replace(raw, data=source), calibration_from(white, dark))
    assert source.seen.sum() == 0
    cube.block(slice(3, 6), slice(1, 4))
    assert source.seen[:, 3:6, 1:4].min() == source.seen.max() == 1
    assert source.seen.sum() == C * 9
    cube.data[1, 0]
    assert source.seen.sum() == C * 9 + W


def test_whole_frames_are_read_only_where_they_are_needed() -> None:
    raw, white, dark, _ = scene()
    frames = [Touched(np.asarray(one.data)[:, :H]) for one in (white, dark)]
    references = [
        replace(one, data=frame)
        for one, frame in zip((white, dark), frames, strict=True)
    ]
    cube = calibrate(raw, calibration_from(*references, per="pixel"))
    before = [frame.seen.copy() for frame in frames]
    cube.block(slice(3, 6), slice(1, 4))
    for frame, seen in zip(frames, before, strict=True):
        assert (frame.seen - seen).sum() == C * 9


def test_a_file_read_by_blocks_is_calibrated_as_one_in_memory(tmp_path: Path) -> None:
    raw, white, dark, _ = scene()
    path = tmp_path / "leaf.mat"
    with h5py.File(path, "w") as file:
        file.create_dataset("cube", data=raw.data, chunks=(2, 4, 3), compression=1)
    calibration = calibration_from(white, dark)
    stored = calibrate(read_cube(path), calibration)
    np.testing.assert_array_equal(whole(stored), whole(calibrate(raw, calibration)))
    assert not reads_at_once(stored.data)


def test_a_map_is_still_seen_to_be_one_and_to_become_short(tmp_path: Path) -> None:
    raw, white, dark, _ = scene()
    path = tmp_path / "leaf.npy"
    np.save(path, np.asarray(raw.data))
    cube = calibrate(read_cube(path, axes="byx"), calibration_from(white, dark))
    assert reads_at_once(cube.data)
    path.open("r+b").truncate(200)
    with pytest.raises(InputError, match="became shorter"):
        cube.block(slice(0, 1), slice(0, 1))


def test_pixels_without_data_are_told_by_the_raw_counts_and_counted() -> None:
    raw, white, dark, _ = scene()
    counts = np.array(raw.data)
    counts[:, 0, 0] = 500  # dead: equal in all bands, though not once calibrated
    counts[3, 1, 1] = 65535
    counts[2, 2, 2] = 7
    mask = np.ones((H, W), bool)
    mask[5] = False
    cube = replace(raw, data=counts, mask=mask, ignore_value=7.0)
    line = np.array(white.data)
    line[4, :, 6] = np.asarray(dark.data)[4, :, 6]  # no range in one column of seven
    calibrated = calibrate(cube, calibration_from(replace(white, data=line), dark))
    assert calibrated.good_bands is not None
    np.testing.assert_array_equal(calibrated.good_bands, [1, 1, 1, 1, 0])
    counted = count_pixels(calibrated)
    assert counted == PixelCounts(H * W, H * W - W - 3, W, 1, 1, 1, 0)
    assert counted.valid == calibrated.valid.sum()
    assert count_pixels(cube).valid == cube.valid.sum() == counted.valid


def test_a_column_without_range_has_no_data() -> None:
    raw, white, dark, _ = scene()
    wide = [np.tile(np.asarray(one.data), (1, 1, 3)) for one in (raw, white, dark)]
    wide[1][4, :, 6] = 1  # below dark, in 1 of 21 columns
    raw, white, dark = (
        replace(one, data=data)
        for one, data in zip((raw, white, dark), wide, strict=True)
    )
    cube = calibrate(raw, calibration_from(white, dark))
    assert cube.good_bands is None
    assert not cube.valid[:, 6].any()
    assert cube.valid.sum() == H * (3 * W - 1)
    assert count_pixels(cube).without_range == H
    assert np.isnan(cube.spectrum(0, 6)).all()
    share = cube.calibration.without_range(cube)
    np.testing.assert_allclose(share, [0, 0, 0, 0, 1 / 21])


def test_swapped_references_are_refused() -> None:
    raw, white, dark, _ = scene()
    with pytest.raises(InputError, match="not swapped"):
        calibrate(raw, calibration_from(dark, white))


def test_lines_are_averaged_without_what_is_odd() -> None:
    _, white, dark, _ = scene()
    clean = calibration_from(white, dark)
    lines = np.array(white.data)
    lines[:, 4] = 60  # a line with the shutter closed
    lines[2, 9, 3] = 4095  # saturated
    lines[1, 2, 2] += 700  # dust
    odd = calibration_from(replace(white, data=lines), dark)
    np.testing.assert_array_equal(odd.white, clean.white)
    assert odd.fingerprint == clean.fingerprint
    lines[2, :, 3] = 4095
    lost = calibration_from(replace(white, data=lines), dark)
    assert np.isnan(lost.white[2, 0, 3])
    assert np.isnan(lost.white).sum() == 1


def test_a_reference_is_averaged_better_than_its_median() -> None:
    rng = np.random.default_rng(3)
    noisy = Cube(np.round(rng.normal(1000, 5, (C, 64, 400))).astype(np.uint16))
    average = calibration_from(noisy).white
    assert average.std() < 1.1 * 5 / np.sqrt(64)


def test_a_scan_line_of_another_length_and_one_value_for_each_band() -> None:
    raw, white, dark, truth = scene()
    line = replace(white, data=np.asarray(white.data)[:, :1])
    np.testing.assert_array_equal(
        whole(calibrate(raw, calibration_from(line, dark))),
        whole(calibrate(raw, calibration_from(white, dark))),
    )
    flat = [
        replace(one, data=np.repeat(np.asarray(one.data)[:, :, :1], 3, 2))
        for one in (white, dark)
    ]
    with pytest.raises(InputError) as caught:
        calibrate(raw, calibration_from(*flat))
    assert "5 bands x 3 columns" in str(caught.value)
    assert "5 bands x 12 rows x 7 columns" in str(caught.value)
    cube = calibrate(raw, calibration_from(*flat, per="band"))
    np.testing.assert_allclose(whole(cube)[:, :, 0], truth[:, :, 0], atol=1e-3)


def test_references_that_do_not_fit_say_both_shapes() -> None:
    raw, white, dark, _ = scene()
    fewer = replace(white, data=np.asarray(white.data)[:4], wavelengths=NM[:4])
    with pytest.raises(InputError, match=r"dark: it is 5 x 20 x 7 .*white 4 x 20 x 7"):
        calibration_from(fewer, dark)
    with pytest.raises(InputError, match="4 bands x 7 columns, the cube leaf 5 bands"):
        calibrate(raw, calibration_from(fewer))
    with pytest.raises(InputError, match="5 bands x 20 rows x 7 columns, the cube"):
        calibrate(raw, calibration_from(white, dark, per="pixel"))
    shifted = replace(white, wavelengths=NM + 5)
    with pytest.raises(InputError, match=r"by up to 5\.0 nm"):
        calibrate(raw, calibration_from(shifted))
    with pytest.raises(InputError, match=r"5\.0 nm apart"):
        calibration_from(shifted, dark)
    with pytest.raises(InputError, match="0 to 1"):
        calibration_from(white, dark, reflectance=0)


def test_reflectance_is_not_calibrated_again() -> None:
    raw, white, dark, _ = scene()
    calibration = calibration_from(white, dark)
    with pytest.raises(InputError, match="reflectance already"):
        calibrate(calibrate(raw, calibration), calibration)


def test_a_tile_in_the_picture_is_a_reference() -> None:
    raw, _, _, truth = scene()
    truth[:, 2:5, 1:4] = 0.5
    lamp = np.linspace(1500, 2500, C)[:, None, None]
    counts = np.round(100 + lamp * truth).astype(np.uint16)
    counts[0, 3, 2] = 65535  # a glint on it
    cube = replace(raw, data=counts)
    dark = Cube(np.full((C, 3, W), 100, np.uint16), NM, "dark")
    tile = tile_calibration(cube, (slice(2, 5), slice(1, 4)), dark, reflectance=0.5)
    mask = np.zeros((H, W), bool)
    mask[2:5, 1:4] = True
    assert tile_calibration(cube, mask, dark, reflectance=0.5).fingerprint == (
        tile.fingerprint
    )
    spectra, valid = calibrate(cube, tile).block(slice(0, H), slice(0, W))
    np.testing.assert_allclose(spectra[:, valid], truth[:, valid], atol=1e-3)
    again = calibration_of_spectrum(np.ravel(tile.white), dark, reflectance=0.5)
    assert again.fingerprint == tile.fingerprint
    assert calibration_of_spectrum(np.ravel(tile.white), dark).fingerprint != (
        tile.fingerprint
    )
    with pytest.raises(InputError, match="no valid pixel"):
        tile_calibration(cube, (slice(3, 4), slice(2, 3)))
    with pytest.raises(InputError, match="no valid pixel"):
        tile_calibration(cube, (slice(50, 60), slice(0, 3)))
    with pytest.raises(InputError, match=r"\(2, 2\), the cube \(12, 7\)"):
        tile_calibration(cube, mask[:2, :2])


def test_another_integration_time_is_told() -> None:
    raw, white, dark, _ = scene()
    timed = replace(white, metadata={"tint": "4.0"})
    calibration = calibration_from(timed, dark)
    assert calibration.longer_exposure(replace(raw, metadata={"tint": "10"})) == 2.5
    assert calibration.longer_exposure(raw) == 1
    assert calibration_from(white).longer_exposure(timed) == 1
    assert calibration.longer_exposure(replace(raw, metadata={"tint": "auto"})) == 1


def test_pictures_leave_saturated_pixels_black() -> None:
    raw, white, dark, _ = scene()
    counts = np.array(raw.data)
    counts[:, 1, 1] = 65535
    cube = calibrate(replace(raw, data=counts), calibration_from(white, dark))
    picture = pseudo_rgb(cube)
    assert (picture[1, 1] == 0).all()
    assert picture.max() > 200


def test_the_maize_kernel_has_the_reflectance_of_maize(shared_data: Path) -> None:
    folder = shared_data / "corn_kernel"
    raw, white, dark = (
        read_cube(folder / f"{name}.hdr")
        for name in (
            "corn-kernel-hyperspectral",
            "white_reference_crop",
            "dark_reference_crop",
        )
    )
    cube = calibrate(raw, calibration_from(white, dark))
    assert cube.valid.all()
    spectra, _ = cube.block(slice(0, 31), slice(0, 43))
    nm = cube.wavelengths
    assert nm is not None
    seen = (nm > 460) & (nm < 1010)  # beyond, the lamp gives too little light
    assert np.quantile(spectra[seen], [0.0005, 0.9995]) == pytest.approx(
        [0.5, 0.5], abs=0.5
    )
    kernel = spectra[np.abs(nm - 700).argmin()] > 0.35
    mean = spectra[:, kernel].mean(axis=1)
    at = {n: mean[np.abs(nm - n) < 3].mean() for n in (460, 550, 650, 850, 970)}
    # Yellow maize: carotenoids take the blue, a plateau follows, water dips at 970.
    assert 0.1 < at[460] < 0.3 < at[550] < at[650] < at[850] < 0.85
    assert at[970] < at[850] - 0.05


def test_what_is_reflectance_already_is_told_by_its_values() -> None:
    mean = np.array([0.1, 0.45, np.nan])
    values = np.random.default_rng(0).random((3, 4, 5))
    counts = Cube((1000 * values).astype(np.uint16))
    for cube, spectrum, said in (
        (Cube(values.astype(np.float32)), mean, True),
        (Cube(values.astype(np.float32)), 1000 * mean, False),
        (Cube(values.astype(np.float32)), np.full(3, np.nan), False),
        (counts, mean, False),  # whole numbers: counts, however dark
    ):
        white = Cube(np.ones((3, 2, 5), np.float32))
        done = calibrate(cube, calibration_from(white))
        for one in (cube, done):
            words = word_calibrated_twice(one, spectrum)
            assert words == "" or "reach 0.45 on average" in words
            assert bool(words) is said
