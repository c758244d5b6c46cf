from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.clustering.frontend import FrontEnd, Moments, fit_front_end
from napari_dgc.clustering.frontend import gather_moments as gather
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError


def moments_of(*cubes: Cube) -> Moments:
    *_, last = gather(cubes)
    assert isinstance(last, Moments)
    return last


def mixed_cube(
    rng: np.random.Generator, noise: np.ndarray, shape: tuple[int, int] = (120, 110)
) -> Cube:
    """A few smooth materials in random shares, and noise of known strength."""
    C = len(noise)
    bands = np.linspace(0, 1, C)
    materials = np.stack([np.sin((i + 1) * 2 * bands) + i for i in range(4)])
    shares = rng.dirichlet(np.ones(4), size=shape)  # (H, W, 4)
    data = np.moveaxis(shares @ materials, -1, 0)
    data = data + rng.normal(size=data.shape) * noise[:, None, None]
    return Cube(data.astype(np.float32))


def test_moments_equal_numpy_over_the_valid_pixels() -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(5, 2, (12, 70, 60)).astype(np.float32)
    data[:, 3, 4] = np.nan
    data[7, 9, 9] = np.inf
    cube = Cube(data)
    moments = moments_of(cube, cube)
    pixels = data[:, cube.valid].astype(np.float64)
    assert moments.count == 2 * (70 * 60 - 2)
    np.testing.assert_allclose(moments.mean, pixels.mean(1), rtol=1e-6)
    np.testing.assert_allclose(
        moments.covariance, np.cov(pixels, bias=True), rtol=1e-4, atol=1e-5
    )


def test_regression_finds_each_bands_noise() -> None:
    rng = np.random.default_rng(1)
    noise = np.linspace(0.01, 0.05, 40)
    front_end = fit_front_end(moments_of(mixed_cube(rng, noise)), 6)
    assert front_end.noise_method == "regression"
    np.testing.assert_allclose(front_end.band_noise, noise, rtol=0.15)


def test_components_have_the_stated_noise_and_fall_in_signal_to_noise() -> None:
    rng = np.random.default_rng(2)
    noise = np.linspace(0.01, 0.05, 40)
    front_end = fit_front_end(moments_of(mixed_cube(rng, noise)), 6)
    pure = rng.normal(size=(40, 50_000)) * noise[:, None]
    projected = front_end.projection @ pure
    np.testing.assert_allclose(projected.std(1), front_end.noise_std, rtol=0.1)
    assert (np.diff(front_end.noise_std) >= 0).all()


def test_root_compression_makes_the_spread_the_inverse_of_the_noise() -> None:
    """sd = w^(1/4) and noise sd = w^(-1/4), so their product is one."""
    rng = np.random.default_rng(3)
    cube = mixed_cube(rng, np.full(30, 0.02))
    front_end = fit_front_end(moments_of(cube), 3)
    spectra, _ = cube.block(slice(0, 120), slice(0, 110))
    spread = front_end.project(spectra).reshape(3, -1).std(1)
    np.testing.assert_allclose(spread * front_end.noise_std, 1.0, rtol=0.02)


def test_bad_bands_weigh_nothing() -> None:
    rng = np.random.default_rng(4)
    cube = mixed_cube(rng, np.full(30, 0.02))
    good = np.ones(30, bool)
    good[[0, 12]] = False
    front_end = fit_front_end(moments_of(cube), 5, good)
    assert (front_end.projection[:, ~good] == 0).all()
    assert front_end.projection.shape == (5, 30)


def test_few_pixels_take_differences_and_stay_finite() -> None:
    rng = np.random.default_rng(5)
    cube = mixed_cube(rng, np.full(200, 0.02), shape=(20, 20))
    front_end = fit_front_end(moments_of(cube), 12)
    assert front_end.noise_method == "differences"
    assert np.isfinite(front_end.projection).all()


def test_equal_pixels_and_no_pixels_are_refused() -> None:
    flat = np.broadcast_to(np.arange(9.0)[:, None, None], (9, 20, 20))
    with pytest.raises(InputError, match="equal"):
        fit_front_end(moments_of(Cube(flat.copy())), 4)
    with pytest.raises(InputError, match="no valid pixels"):
        moments_of(Cube(np.full((9, 20, 20), np.nan)))


def test_never_fewer_than_twenty_pixels_per_band_are_read() -> None:
    rng = np.random.default_rng(6)
    C = 60
    cube = Cube(rng.normal(size=(C, 90, 90)).astype(np.float32))
    assert moments_of(cube).count >= min(20 * C, 90 * 90)


def test_it_does_not_depend_on_the_units() -> None:
    rng = np.random.default_rng(7)
    cube = mixed_cube(rng, np.full(30, 0.02))
    counts = Cube(np.asarray(cube.data) * np.float32(10_000))
    a, b = (fit_front_end(moments_of(c), 4) for c in (cube, counts))
    np.testing.assert_allclose(a.noise_std, b.noise_std, rtol=1e-2)
    spectra = cube.block(slice(0, 9), slice(0, 9))[0]
    np.testing.assert_allclose(
        a.project(spectra), b.project(spectra * 10_000), rtol=0.02, atol=0.02
    )
    assert isinstance(a, FrontEnd)
