"""What was done to a cube's values, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.calibrated import CalibratedArray
from napari_dgc.cubes.calibration import Calibration
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.pixel_states import PixelCounts

_HIGHEST = 2.0  # of a mean reflectance


def describe(cube: Cube) -> str:
    """Say in words by what a calibrated cube is; "" for others."""
    calibration = cube.calibration
    if calibration is None:
        return ""
    white = calibration.white_path
    text = "a tile of its own" if white is None else white.name
    text += _and_dark(calibration)
    if calibration.reflectance != 1:
        text += f", the white one reflecting {calibration.reflectance:g}"
    longer = calibration.longer_exposure(cube)
    if longer != 1:
        text += (
            f"; exposed {longer:.3g} times as long as the white one, by which "
            "reflectance is too high"
        )
    lost = calibration.without_range(cube)
    if lost.any():
        text += (
            f"; in {(lost > 0).sum()} of {cube.bands} bands white is not above dark "
            f"throughout ({100 * lost.mean():.2g} % of all places)"
        )
    return text


def _and_dark(calibration: Calibration) -> str:
    dark = calibration.dark_path
    return " and no dark reference" if dark is None else f" and {dark.name}"


def word_calibrated_twice(cube: Cube, mean: NDArray[np.floating]) -> str:
    """Say that a cube's values look like reflectance before calibration; "" if not.

    Parameters
    ----------
    cube : Cube
        Calibrated or not.
    mean : ndarray of float, shape (C,)
        Its mean spectrum, as its file has it; NaN where not known.

    Notes
    -----
    Counts are hundreds and more: what is float and on average nowhere above 2 was
    divided by something already.
    """
    known = mean[np.isfinite(mean)]
    raw = cube.data.source if isinstance(cube.data, CalibratedArray) else cube.data
    if raw.dtype.kind in "iu" or not known.size or known.max() > _HIGHEST:
        return ""
    return (
        f"the values in the file reach {known.max():.2g} on average: if they are "
        "reflectance already, calibrating them again spoils them"
    )


def describe_counts(counts: PixelCounts) -> str:
    """Say how many pixels count, and why the others do not."""
    why = [
        f"{number} {name.replace('_', ' ')}"
        for name in ("masked", "ignored", "saturated", "dead", "without_range")
        if (number := getattr(counts, name))
    ]
    text = f"{counts.valid} of {counts.total} valid"
    return f"{text} ({', '.join(why)})" if why else text
