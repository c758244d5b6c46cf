"""Light on the scene: shading, glints, cast shadows, uneven lamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_dgc.cubes.scenes.fields import Floats

_AMBIENT = 0.30  # light from everywhere, as a fraction of the lamp's
_GLOSS = 42.0  # Blinn's exponent; a waxy cuticle, not a mirror
_SHADOW_STEPS = 14
_SHADOW_REACH = 0.45  # leaves lie lower than their slopes, kept steep, say


@dataclass(frozen=True)
class Lamp:
    """A distant lamp.

    Parameters
    ----------
    azimuth : float
        Direction towards the lamp on screen, radians clockwise from right.
    elevation : float
        Radians above the cloth.
    """

    azimuth: float
    elevation: float

    @property
    def direction(self) -> tuple[float, float, float]:
        """Unit vector towards the lamp: x right, y down, z to the camera."""
        flat = np.cos(self.elevation)
        return (
            float(flat * np.cos(self.azimuth)),
            float(flat * np.sin(self.azimuth)),
            float(np.sin(self.elevation)),
        )


def shade(slope_x: Floats, slope_y: Floats, lamp: Lamp) -> Floats:
    """Brightness of a matt surface; 1 where it lies flat.

    Lambert's cosine law with some light from everywhere, so that no place is
    quite black.
    """
    lx, ly, lz = lamp.direction
    cosine = (lz - slope_x * lx - slope_y * ly) / np.sqrt(1 + slope_x**2 + slope_y**2)
    cosine = cosine / lz
    lit = 0.5 * (cosine + np.sqrt(cosine**2 + 0.01))
    out: Floats = (_AMBIENT + (1 - _AMBIENT) * lit).astype(np.float32)
    return out


def glint(slope_x: Floats, slope_y: Floats, lamp: Lamp) -> Floats:
    """Specular part, 0 to 1: Blinn's half-vector lobe (SIGGRAPH 1977)."""
    lx, ly, lz = lamp.direction
    norm = np.sqrt(lx**2 + ly**2 + (lz + 1) ** 2)
    hx, hy, hz = lx / norm, ly / norm, (lz + 1) / norm
    cosine = (hz - slope_x * hx - slope_y * hy) / np.sqrt(1 + slope_x**2 + slope_y**2)
    out: Floats = (np.clip(cosine, 0, 1) ** _GLOSS).astype(np.float32)
    return out


def cast_shadow(height_px: Floats, lamp: Lamp, reach: float) -> Floats:
    """Shadow on the ground, 0 to 1.

    Parameters
    ----------
    height_px : ndarray of float32, shape (H, W)
        What stands above the ground, in pixels; 0 where nothing does.
    lamp : Lamp
    reach : float
        Strength of shadows: how much longer they are than usual.

    Returns
    -------
    ndarray of float32, shape (H, W)
    """
    shadow = np.zeros_like(height_px)
    length = height_px * np.float32(_SHADOW_REACH * reach / np.tan(lamp.elevation))
    longest = float(length.max())
    if longest <= 0.5:
        return shadow
    dx, dy = -np.cos(lamp.azimuth), -np.sin(lamp.azimuth)
    soft = max(1.0, longest / 6)
    for step in np.linspace(longest / _SHADOW_STEPS, longest, _SHADOW_STEPS):
        moved = _move(length, round(step * dy), round(step * dx))
        np.maximum(shadow, np.clip((moved - step) / soft + 0.5, 0, 1), out=shadow)
    return shadow


def _move(picture: Floats, down: int, right: int) -> Floats:
    """Shift a picture by whole pixels; what comes in from outside is 0."""
    H, W = picture.shape
    moved = np.zeros_like(picture)
    if abs(down) >= H or abs(right) >= W:
        return moved
    to_rows = slice(max(down, 0), H + min(down, 0))
    to_cols = slice(max(right, 0), W + min(right, 0))
    from_rows = slice(max(-down, 0), H + min(-down, 0))
    from_cols = slice(max(-right, 0), W + min(-right, 0))
    moved[to_rows, to_cols] = picture[from_rows, from_cols]
    return moved
