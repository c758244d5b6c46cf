"""A cube as its file has it, and prepared otherwise: calibrated, with fewer bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.bands import select_bands
from napari_dgc.cubes.calibrated import CalibratedArray
from napari_dgc.cubes.calibrating import bands_with_range, calibrate
from napari_dgc.cubes.calibration import Calibration
from napari_dgc.cubes.cube import Cube


def header_bands(cube: Cube) -> NDArray[np.bool_]:
    """Bands (C,) that the cube's file does not rule out by a bad band list."""
    listed = cube.metadata.get("bbl")
    try:
        good = np.array([float(entry) > 0 for entry in listed or ()])
    except (TypeError, ValueError):
        good = np.ones(0, bool)
    return good if len(good) == cube.bands else np.ones(cube.bands, bool)


def as_read(cube: Cube) -> Cube:
    """The cube as its file has it: neither calibrated, nor with bands left out.

    The same data; nothing is read or copied.
    """
    good = header_bands(cube)
    plain = replace(cube, good_bands=None if good.all() else good)
    data = cube.data
    if not isinstance(data, CalibratedArray):
        return plain
    return replace(
        plain,
        data=data.source,
        saturation=data.saturation,
        ignore_value=data.ignore_value,
    )


def left_out(cube: Cube) -> NDArray[np.bool_]:
    """Bands (C,) that somebody chose to leave out.

    Not those that the file's bad band list rules out, nor those that have no
    range in the calibration.
    """
    if cube.good_bands is None:
        return np.zeros(cube.bands, bool)
    out = ~cube.good_bands & header_bands(cube)
    if cube.calibration is not None:
        out &= bands_with_range(cube, cube.calibration)
    return np.asarray(out)


def prepare_anew(
    cube: Cube, calibration: Calibration | None, out: NDArray[np.bool_]
) -> Cube:
    """Prepare a cube by this calibration and these bands, whatever it was before.

    Parameters
    ----------
    cube : Cube
        Prepared or not.
    calibration : Calibration, optional
        None: as its file has it.
    out : ndarray of bool, shape (C,)
        Bands to leave out, besides those of the bad band list.

    Returns
    -------
    Cube
        The same pixels; its values are computed as they are read.

    Raises
    ------
    InputError
        If the references do not fit, or fewer than two bands remain.
    """
    plain = as_read(cube)
    if calibration is not None:
        plain = calibrate(plain, calibration)
    return select_bands(plain, drop=np.flatnonzero(out).tolist())
