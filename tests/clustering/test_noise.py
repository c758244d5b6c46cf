"""The noise of each band: known where it was added, and none is invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_dgc.clustering.noise import BandNoise, measure_noise
from napari_dgc.cubes.cube import Cube


def scene(C: int, side: int, seed: int = 0) -> tuple[Cube, np.ndarray]:
    """Smooth spectra of strong texture; noise of 1 % but for four bands."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, C)
    parts = np.stack([np.ones(C), x, np.sin(3 * x), np.cos(5 * x)])
    amounts = rng.uniform(0.2, 1, (4, side, side))
    signal = np.tensordot(parts.T, amounts, axes=1)
    sigma = np.full(C, 0.01)
    sigma[[0, 1, C - 2, C - 1]] = 0.5
    noisy = signal + sigma[:, None, None] * rng.normal(size=signal.shape)
    return Cube(noisy.astype(np.float32)), sigma


def measured(cube: Cube) -> BandNoise:
    *_, noise = measure_noise([cube])
    assert isinstance(noise, BandNoise)
    return noise


@pytest.mark.parametrize(
    ("C", "side", "method"),
    [(40, 60, "all other bands"), (60, 20, "neighbouring bands")],
)
def test_the_noise_that_was_added_is_found(C: int, side: int, method: str) -> None:
    cube, sigma = scene(C, side)
    noise = measured(cube)
    assert noise.method == method
    # Neighbours that are noisy, too, cost a band next to them some accuracy.
    np.testing.assert_allclose(noise.noise[6:-6], sigma[6:-6], rtol=0.35)
    assert np.flatnonzero(noise.noisy()).tolist() == [0, 1, C - 2, C - 1]


def test_bad_bands_are_left_out_and_flat_ones_offered() -> None:
    cube, _ = scene(40, 60)
    data = np.array(cube.data)
    data[7] = 0.3
    data[9] = np.nan
    good = np.ones(40, bool)
    good[9] = False
    noise = measured(replace(cube, data=data, good_bands=good))
    assert noise.snr[7] == 0
    assert np.isnan(noise.snr[9])
    assert np.flatnonzero(noise.noisy()).tolist() == [0, 1, 7, 38, 39]


def test_a_dark_cloth_around_makes_no_band_noisy() -> None:
    """Half the pixels are cloth: the mean would be half of what the leaves reflect."""
    cube, sigma = scene(40, 80)
    data = np.array(cube.data)
    alone = measured(cube)
    rng = np.random.default_rng(1)
    C, H, W = data.shape
    cloth = 0.02 + sigma[:, None, None] * rng.normal(size=(C, H, W))
    both = measured(Cube(np.concatenate([data, cloth], axis=2).astype(np.float32)))
    expected = alone.snr[6:-6] * np.sqrt(0.5)
    np.testing.assert_allclose(both.snr[6:-6], expected, rtol=0.1)
    assert np.flatnonzero(both.noisy()).tolist() == [0, 1, C - 2, C - 1]


def test_noisy_is_told_by_the_other_bands() -> None:
    def noise(snr: list[float]) -> BandNoise:
        values = np.array(snr)
        return BandNoise(values, np.ones_like(values), values, "all other bands")

    # All are dim: a band is no worse than its fellows for that.
    dim = noise([8.0] * 9 + [2.0, np.nan])
    assert dim.least == 3
    assert np.flatnonzero(dim.noisy()).tolist() == [9]
    # All are bright: an SNR of 30 is good enough, however good the others are.
    bright = noise([400.0] * 9 + [30.0, 9.0])
    assert bright.least == 10
    assert np.flatnonzero(bright.noisy()).tolist() == [10]
    assert noise([20.0] * 9 + [4.0]).least == 5
