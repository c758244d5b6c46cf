"""The push-broom camera: point spread, stripes, drift, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_dgc.cubes.scenes.config import SceneConfig
from napari_dgc.cubes.scenes.fields import Floats

_FLOOR = (0.003, 0.010)  # noise sd in reflectance, mid range and at the ends
_SHOT = 6e-5  # variance per unit of reflectance: about 0.5 % of a bright leaf
_STRIPE_COMMON, _STRIPE_BAND, _STRIPE_DARK = 0.012, 0.006, 0.0008
_LINE_FLICKER = 0.004
_DRIFT = 0.02


@dataclass(frozen=True, eq=False)
class Sensor:
    """What the camera does to a scene.

    Parameters
    ----------
    noise_floor : ndarray of float32, shape (C,)
        Standard deviation of the noise of a black pixel, in reflectance.
    shot : float
        Variance added per unit of reflectance.
    column_gain, column_offset : ndarray of float32, shape (C, W)
        Stripes along the direction of travel (down the picture).
    row_gain : ndarray of float32, shape (H,)
        Flicker from line to line.
    gain : ndarray of float64, shape (C,)
        Smooth spectral gain of the whole scene.
    """

    noise_floor: Floats
    shot: float
    column_gain: Floats
    column_offset: Floats
    row_gain: Floats
    gain: NDArray[np.float64]

    def expose(self, radiance: Floats, rng: np.random.Generator) -> Floats:
        """Add stripes and noise to rows of a scene, in place.

        Parameters
        ----------
        radiance : ndarray of float32, shape (C, h, W)
            Line flicker and spectral gain already applied.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray of float32, shape (C, h, W)
        """
        if self.column_gain.any():
            radiance *= 1 + self.column_gain[:, None, :]
            radiance += self.column_offset[:, None, :]
        if self.noise_floor.any():
            spread = np.maximum(radiance, 0)
            spread *= np.float32(self.shot)
            spread += self.noise_floor[:, None, None] ** 2
            np.sqrt(spread, out=spread)
            spread *= rng.standard_normal(radiance.shape, dtype=np.float32)
            radiance += spread
        return radiance


def draw_sensor(
    config: SceneConfig, wavelengths: NDArray[np.float64], rng: np.random.Generator
) -> Sensor:
    """Draw stripes and drift; strengths scale what was drawn."""
    C, (H, W) = len(wavelengths), config.shape
    x = np.linspace(-1, 1, C)
    middle, end = _FLOOR
    # Steeper towards the blue end, where lamps are weak, as silicon's both ends are.
    floor = middle + (end - middle) * (0.7 * np.abs(x) ** 3 + 0.3 * (x < 0) * x**2)
    drift = np.zeros(C)
    for order in range(1, 4):
        phase, size = rng.uniform(0, 2 * np.pi), rng.normal() / order
        drift += size * np.cos(order * np.pi / 2 * x + phase)
    common = rng.standard_normal(W, dtype=np.float32)
    common = common - gaussian_filter(common, 8, mode="nearest")
    banded = rng.standard_normal((C, W), dtype=np.float32)
    dark = rng.standard_normal((C, W), dtype=np.float32)
    flicker = rng.standard_normal(H, dtype=np.float32)
    strength = np.float32(config.stripes)
    return Sensor(
        noise_floor=(config.noise * floor).astype(np.float32),
        shot=config.noise**2 * _SHOT,
        column_gain=strength * (_STRIPE_COMMON * common + _STRIPE_BAND * banded),
        column_offset=strength * np.float32(_STRIPE_DARK) * dark,
        row_gain=1 + strength * np.float32(_LINE_FLICKER) * flicker,
        gain=np.exp(config.drift * _DRIFT * drift),
    )


def blur(picture: Floats, sigma: float) -> Floats:
    """Apply the point spread, a Gaussian of about `sigma` pixels."""
    if sigma == 0:
        return picture
    # The line moves while it is exposed: the smear is longer down the picture.
    spread = (1.25 * sigma, 0.8 * sigma)
    out: Floats = gaussian_filter(picture, spread, mode="nearest", truncate=3.5)
    return out
