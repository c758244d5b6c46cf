"""Making calibrations of references or a tile, and cubes of reflectance by them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.agreement import check_reference_bands
from napari_dgc.cubes.calibrated import CalibratedArray
from napari_dgc.cubes.calibration import Calibration, Per, exposure_of
from napari_dgc.cubes.cube import Cube, CubeArray
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import ScaledArray
from napari_dgc.cubes.references import average_lines, average_region

#: A band without range in more of its columns than this is ruled out. Share.
_MOST_WITHOUT_RANGE = 0.1

# Whole frames take a while to look through, and it is asked for often.
_with_range: WeakKeyDictionary[
    Calibration, dict[tuple[int, int, int], NDArray[np.bool_]]
] = WeakKeyDictionary()

Region = tuple[slice, slice] | NDArray[np.bool_]


def calibration_from(
    white: Cube,
    dark: Cube | None = None,
    *,
    per: Per = "column",
    reflectance: float = 1,
) -> Calibration:
    """Make a calibration of references that were read as cubes.

    Parameters
    ----------
    white, dark : Cube
        Of raw counts; lines of a push-broom camera or whole frames.
    per : {"band", "column", "pixel"}
        "column" averages over the lines, "band" over all pixels, robustly:
        without what lies far from the median, saturates or is no number.
        "pixel" takes each pixel's own value.
    reflectance : float
        Of the white target, above 0.

    Raises
    ------
    InputError
        If `reflectance` is not above 0 and at most 2, or the references'
        bands differ.
    """
    _require_reflectance(reflectance)
    if dark is not None:
        check_reference_bands(white, dark)
    arrays: list[CubeArray] = []
    for cube in (white, dark):
        if cube is None:
            arrays.append(np.zeros((1, 1, 1), np.float32))
        elif per == "pixel":
            arrays.append(cube.data)
        else:
            arrays.append(average_lines(cube, columns=per == "column"))
    if per == "pixel":
        digests = [c.fingerprint for c in (white, dark) if c is not None]
    else:
        digests = [_digest(array) for array in arrays]
    return Calibration(
        white=arrays[0],
        dark=arrays[1],
        reflectance=float(reflectance),
        per=per,
        white_path=white.path,
        dark_path=None if dark is None else dark.path,
        saturation=white.saturation if per == "pixel" else None,
        fingerprint=_name(digests, reflectance),
        wavelengths=white.wavelengths,
        exposure=exposure_of(white),
    )


def tile_calibration(
    cube: Cube, region: Region, dark: Cube | None = None, *, reflectance: float = 1
) -> Calibration:
    """Take a tile of known reflectance in the picture as white reference.

    Parameters
    ----------
    cube : Cube
        Of raw counts.
    region : (slice, slice) or ndarray of bool, shape (H, W)
        Rows and columns, or the pixels, of the tile; not all need be valid.
    dark : Cube, optional
    reflectance : float
        Of the tile, above 0.

    Raises
    ------
    InputError
        If the region holds no valid pixel (a saturated tile does not).
    """
    white = average_region(cube, region)
    if dark is not None:
        check_reference_bands(cube, dark)
    return calibration_of_spectrum(white.ravel(), dark, reflectance=reflectance)


def calibration_of_spectrum(
    white: NDArray[np.float32], dark: Cube | None = None, *, reflectance: float = 1
) -> Calibration:
    """Take one spectrum of raw counts, (C,), as white reference for all columns."""
    _require_reflectance(reflectance)
    white = white.reshape(-1, 1, 1)
    black = np.zeros((1, 1, 1), np.float32) if dark is None else average_lines(dark)
    return Calibration(
        white=white,
        dark=black,
        reflectance=float(reflectance),
        per="band" if dark is None else "column",
        white_path=None,
        dark_path=None if dark is None else dark.path,
        saturation=None,
        fingerprint=_name([_digest(white), _digest(black)], reflectance),
    )


def calibrate(cube: Cube, calibration: Calibration) -> Cube:
    """Give a cube of reflectance, computed as it is read.

    Parameters
    ----------
    cube : Cube
        Of raw counts.
    calibration : Calibration

    Returns
    -------
    Cube
        Its data is a `CalibratedArray`. Bands in which the white reference is
        not above the dark one for more than a tenth of the columns are no good
        bands; elsewhere the pixels of such columns are not valid. Saturated,
        dead and ignored pixels are told by the raw counts, as before.

    Raises
    ------
    InputError
        If the references do not fit, the cube is reflectance already, or fewer
        than two bands have a range.
    """
    source = cube.path or cube.name
    if isinstance(cube.data, (CalibratedArray, ScaledArray)):
        raise InputError(
            source, "it is reflectance already", "use --no-calibration, or no --white"
        )
    calibration.require_fit(cube)
    good = bands_with_range(cube, calibration)
    if cube.good_bands is not None:
        good &= cube.good_bands
    if good.sum() < 2:
        raise InputError(
            calibration.white_path or source,
            f"the white reference is above the dark one in {good.sum()} usable bands",
            "see that white and dark are not swapped and the target is lit",
        )
    return replace(
        cube,
        data=CalibratedArray(
            cube.data, calibration, cube.saturation, cube.ignore_value
        ),
        good_bands=cube.good_bands if good.all() else good,
        saturation=None,
        ignore_value=None,
    )


def bands_with_range(cube: Cube, calibration: Calibration) -> NDArray[np.bool_]:
    """Bands (C,) in which white is above dark for nine tenths of the columns."""
    known = _with_range.setdefault(calibration, {})
    if cube.shape not in known:
        lost = calibration.without_range(cube)
        known[cube.shape] = lost <= _MOST_WITHOUT_RANGE
    return known[cube.shape].copy()


def _require_reflectance(reflectance: float) -> None:
    if not 0 < reflectance <= 2:
        raise InputError(
            "the white target's reflectance", f"{reflectance:g}", "give 0 to 1"
        )


def _digest(array: CubeArray) -> str:
    values = np.ascontiguousarray(array, "<f4")
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()


def _name(digests: Sequence[str], reflectance: float) -> str:
    text = " ".join([*digests, repr(float(reflectance))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
