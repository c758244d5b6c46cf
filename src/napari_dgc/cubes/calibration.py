"""From raw counts to reflectance, by a white and a dark reference."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.agreement import check_reference_bands
from napari_dgc.cubes.backing import require_backing
from napari_dgc.cubes.calibrated import CalibratedArray
from napari_dgc.cubes.cube import Cube, CubeArray
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import ScaledArray
from napari_dgc.cubes.references import average_lines, average_region

#: What a reference holds a value for, besides each band.
Per = Literal["band", "column", "pixel"]
#: A band without range in more of its columns than this is ruled out. Share.
_MOST_WITHOUT_RANGE = 0.1
_LOOKS = 16  # rows of a whole frame that are looked at

Region = tuple[slice, slice] | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Calibration:
    """What turns raw counts into reflectance: (raw - dark) / (white - dark).

    Attributes
    ----------
    white, dark : array-like, shape (C, 1 or H, 1 or W)
        Counts; NaN where no reading can be used. Averages are float32 arrays;
        whole frames stay as they were read. `dark` is 0 where there is none.
    reflectance : float
        Of the white target, 0 to 1 (1: it reflects everything).
    per : {"band", "column", "pixel"}
        What the references hold a value for: one for each band, one for each
        column (push-broom cameras) or one for each pixel (whole frames).
    white_path, dark_path : pathlib.Path, optional
        The files; None for a tile in the cube itself, and for no dark one.
    saturation : float, optional
        Of `white`, where it is a whole frame.
    fingerprint : str
        A digest of the references and of `reflectance`.
    """

    white: CubeArray
    dark: CubeArray
    reflectance: float
    per: Per
    white_path: Path | None
    dark_path: Path | None
    saturation: float | None
    fingerprint: str

    def at(
        self, key: Any, shape: tuple[int, ...]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the dark counts and the range for an index into the cube.

        Parameters
        ----------
        key
            Any NumPy index.
        shape : tuple of int
            The cube's, (C, H, W).

        Returns
        -------
        dark, span : ndarray of float32
            `span` is (white - dark) / reflectance; NaN where that is not positive.
        """
        dark, white = _pick(self.dark, key, shape), _pick(self.white, key, shape)
        with np.errstate(invalid="ignore"):
            span = np.asarray((white - dark) / np.float32(self.reflectance))
            lost = ~(span > 0)
            if self.saturation is not None:
                lost |= white >= np.float32(self.saturation)
        span[lost] = np.nan
        return dark, span

    def require_fit(self, cube: Cube) -> None:
        """Raise InputError unless the references fit a cube's shape and bands."""
        C, H, W = cube.shape
        for array, path, what in (
            (self.white, self.white_path, "white"),
            (self.dark, self.dark_path, "dark"),
        ):
            bands, rows, columns = array.shape
            if bands in (1, C) and rows in (1, H) and columns in (1, W):
                continue
            of = {"band": "bands", "column": "bands x columns", "pixel": "pixels"}
            size = f"{bands} bands x {columns} columns"
            if self.per == "pixel":
                size = f"{bands} bands x {rows} rows x {columns} columns"
            raise InputError(
                path or f"the {what} reference",
                f"it is {size}, the cube {cube.name} {C} bands x {H} rows x {W} "
                f"columns: their {of[self.per]} differ",
                "take the reference with the cube's settings"
                + (", or use one value per band" if columns not in (1, W) else ""),
            )

    def without_range(self, cube: Cube) -> NDArray[np.float64]:
        """The share of each band's columns (or pixels) that have no range, (C,).

        Of whole frames, 16 rows are looked at.
        """
        C, H, W = cube.shape
        rows = np.unique(np.linspace(0, H - 1, _LOOKS).astype(int))
        if self.per != "pixel":
            rows = rows[:1]
        lost = np.zeros(C)
        for row in rows.tolist():
            _, span = self.at(
                (slice(None), slice(row, row + 1), slice(0, W)), (C, H, W)
            )
            lost += np.isnan(span).mean(axis=(1, 2))
        return lost / len(rows)


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
    good = calibration.without_range(cube) <= _MOST_WITHOUT_RANGE
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


def _pick(array: CubeArray, key: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Give what a reference holds for an index into the cube."""
    require_backing(array)
    # Broadcasting a memory map reads nothing; other arrays have the full shape.
    whole = np.broadcast_to(array, shape) if isinstance(array, np.ndarray) else array
    return np.asarray(whole[key], dtype=np.float32)


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
