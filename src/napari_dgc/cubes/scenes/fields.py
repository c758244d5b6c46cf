"""Smooth random fields that look alike at every size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.ndimage import gaussian_filter, map_coordinates

Floats = NDArray[np.float32]


def draw_grid(rng: np.random.Generator, rows: int, cols: int) -> Floats:
    """Draw the control points of a smooth field, standard normal."""
    return rng.standard_normal((rows, cols), dtype=np.float32)


def spread_grid(grid: Floats, height: int, width: int) -> Floats:
    """Spread control points over a whole picture.

    Parameters
    ----------
    grid : ndarray of float32, shape (n, m)
        n, m >= 4.
    height, width : int
        Pixels.

    Returns
    -------
    ndarray of float32, shape (height, width)
        Cubic B-spline of the points: about as many bumps as points, whatever
        the size.
    """
    down = _spline_basis(grid.shape[0], height)
    across = _spline_basis(grid.shape[1], width)
    # Not `@`: BLAS rounds differently with another number of threads.
    middle = np.einsum("hn,nm->hm", down, grid)
    out: Floats = np.einsum("hm,wm->hw", middle, across).astype(np.float32)
    return out


def sample_grid(grid: Floats, rows: Floats, cols: Floats) -> Floats:
    """Read a field at scattered places, `rows` and `cols` from 0 to 1."""
    places = np.stack([rows * (grid.shape[0] - 1), cols * (grid.shape[1] - 1)])
    out: Floats = map_coordinates(grid, places, np.float32, order=3, mode="nearest")
    return out


def draw_grain(
    rng: np.random.Generator, shape: tuple[int, int], reach: tuple[float, float]
) -> Floats:
    """Draw fine grain of unit standard deviation.

    `reach` is the standard deviation of its blur in pixels, down and across:
    unequal numbers make streaks.
    """
    grain = rng.standard_normal(shape, dtype=np.float32)
    grain = gaussian_filter(grain, reach, mode="wrap")
    out: Floats = grain / max(float(grain.std()), 1e-6)
    return out


def _spline_basis(points: int, length: int) -> Floats:
    """Weights (length, points) of cubic B-splines at pixel centres."""
    inner = np.linspace(0, 1, points - 2)
    knots = np.concatenate([[0.0] * 3, inner, [1.0] * 3])
    centres = (np.arange(length) + 0.5) / length
    basis: Floats = (
        BSpline.design_matrix(centres, knots, 3).toarray().astype(np.float32)
    )
    return basis
