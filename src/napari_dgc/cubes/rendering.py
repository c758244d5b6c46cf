"""Colour pictures of cubes, for the screen and for reports."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.backing import require_backing
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.preparing import left_out

_DARKEST, _BRIGHTEST = 0.5, 99.9  # percentiles that become black and white
_FAR_NM = 25.0  # from a colour: not that colour any more
_GAMMA = 1.15


def pseudo_rgb(
    cube: Cube,
    wavelengths_nm: tuple[float, float, float] = (650.0, 550.0, 450.0),
    *,
    stride: int = 1,
) -> NDArray[np.uint8]:
    """Show three bands of a cube as red, green and blue.

    Parameters
    ----------
    cube : Cube
    wavelengths_nm : (float, float, float)
        What to show as red, green and blue; the nearest good bands are
        taken. Where the cube has no wavelengths, or its bands lie so far
        off that two colours would show the same one, evenly spaced bands
        are shown.
    stride : int
        Take every n-th row and column only.

    Returns
    -------
    ndarray of uint8, shape (ceil(H / stride), ceil(W / stride), 3)
        One stretch for all three colours, so hues stay true; where the bands
        are not the colours asked for, each has its own, or one tint would
        cover all. Pixels that have no data in these bands are black.

    Notes
    -----
    Only three bands are read.
    """
    picture = _read_bands(cube, choose_bands(cube, wavelengths_nm), stride)
    valid = _valid_pixels(cube, picture, stride)
    if _nearest_bands(cube, wavelengths_nm) is not None:
        return _stretch(picture, valid)
    channels = [_stretch(picture[..., i : i + 1], valid) for i in range(3)]
    return np.concatenate(channels, axis=-1)


def false_color(
    cube: Cube, wavelengths: tuple[float, float, float], *, stride: int = 1
) -> NDArray[np.uint8]:
    """Show the bands at three wavelengths as red, green and blue.

    Parameters
    ----------
    cube : Cube
    wavelengths : (float, float, float)
        In nm; band numbers, from 0, where the cube has no wavelengths. The
        nearest good bands are taken; one band may serve for several colours.
    stride : int
        Take every n-th row and column only.

    Returns
    -------
    ndarray of uint8, shape (ceil(H / stride), ceil(W / stride), 3)
        Each colour has a stretch of its own: leaves reflect ten times as much
        beyond 700 nm as before it. Pixels that have no data in these bands are
        black.

    Raises
    ------
    InputError
        If a wavelength lies outside those of the cube.

    Notes
    -----
    Only three bands are read.
    """
    bands = false_color_bands(cube, wavelengths)
    picture = _read_bands(cube, bands, stride)
    valid = _valid_pixels(cube, picture, stride)
    channels = [_stretch(picture[..., i : i + 1], valid) for i in range(3)]
    return np.concatenate(channels, axis=-1)


def false_color_bands(
    cube: Cube, wavelengths: tuple[float, float, float]
) -> tuple[int, int, int]:
    """Indices of the good bands nearest to three wavelengths in nm.

    Raises
    ------
    InputError
        If a wavelength, or a band number where the cube has no wavelengths,
        lies outside those of the cube.
    """
    centres, unit = cube.wavelengths, " nm"
    if centres is None:
        centres, unit = np.arange(cube.bands, dtype=np.float64), ""
    low, high = float(centres.min()), float(centres.max())
    slack = (high - low) / max(1, cube.bands - 1) / 2  # half a band
    for wanted in wavelengths:
        if not low - slack <= wanted <= high + slack:
            what = "bands" if cube.wavelengths is None else "wavelengths"
            raise InputError(
                cube.name,
                f"there is no band at {wanted:g}{unit}",
                f"its {what} go from {low:g} to {high:g}{unit}; choose among these",
            )
    good = _good_bands(cube)
    red, green, blue = (
        int(good[np.abs(centres[good] - wanted).argmin()]) for wanted in wavelengths
    )
    return red, green, blue


def choose_bands(
    cube: Cube, wavelengths_nm: tuple[float, float, float]
) -> tuple[int, int, int]:
    """Indices of the bands shown as red, green and blue."""
    nearest = _nearest_bands(cube, wavelengths_nm)
    if nearest is not None:
        return nearest
    good = _good_bands(cube)
    if cube.wavelengths is not None:
        # Long waves as red, as in the visible; files need not be in order.
        good = good[np.argsort(cube.wavelengths[good], kind="stable")]
    places = np.round(np.array([5, 3, 1]) / 6 * (len(good) - 1)).astype(int)
    red, green, blue = (int(band) for band in good[places])
    return red, green, blue


def _read_bands(
    cube: Cube, bands: tuple[int, int, int], stride: int
) -> NDArray[np.float32]:
    """Three bands of every n-th row and column, (h, w, 3)."""
    if stride < 1:
        raise ValueError(f"a stride of {stride} skips no pixels; give 1 or more")
    require_backing(cube.data)
    with np.errstate(over="ignore"):  # doubles beyond float32 read as infinite
        return np.stack(
            [
                np.asarray(cube.data[band, ::stride, ::stride], dtype=np.float32)
                for band in bands
            ],
            axis=-1,
        )


def _good_bands(cube: Cube) -> NDArray[np.intp]:
    """Indices of the bands that count."""
    good = np.arange(cube.bands)
    if cube.good_bands is not None and cube.good_bands.any():
        good = good[cube.good_bands]
    return good


def _nearest_bands(
    cube: Cube, wavelengths_nm: tuple[float, float, float]
) -> tuple[int, int, int] | None:
    """The bands of these colours; None where the cube has them not."""
    if cube.wavelengths is None:
        return None
    good = _good_bands(cube)
    away = np.abs(cube.wavelengths[good][:, None] - np.array(wavelengths_nm))
    if away.min(axis=0).max() > _FAR_NM:
        # Left out of the clustering by choice, a band may be looked at all the same.
        good = np.union1d(good, np.flatnonzero(left_out(cube)))
    centres = cube.wavelengths[good]
    red, green, blue = (int(good[np.abs(centres - x).argmin()]) for x in wavelengths_nm)
    if len({red, green, blue}) < len(set(wavelengths_nm)):
        return None
    return red, green, blue


def _valid_pixels(
    cube: Cube, picture: NDArray[np.float32], stride: int
) -> NDArray[np.bool_]:
    """Pixels (h, w) that hold data in the bands shown."""
    valid = np.asarray(np.isfinite(picture).all(axis=-1))
    if cube.mask is not None:
        valid &= cube.mask[::stride, ::stride]
    if cube.saturation is not None:
        valid &= ~(picture >= np.float32(cube.saturation)).any(axis=-1)
    if cube.ignore_value is not None:
        ignored = picture == np.float32(cube.ignore_value)
        # A dark pixel may honestly read 0 in some bands.
        valid &= ~(ignored.all(axis=-1) if cube.ignore_value == 0 else ignored.any(-1))
    return valid


def _stretch(
    picture: NDArray[np.float32], valid: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Scale (h, w, channels) to bytes between robust limits shared by them."""
    out = np.zeros(picture.shape, np.uint8)
    shown = picture[valid]
    if shown.size == 0:
        return out
    low, high = np.percentile(shown, [_DARKEST, _BRIGHTEST])
    if high <= low:
        low, high = float(shown.min()), float(shown.max())
    if high <= low:
        out[valid] = 127  # one value everywhere: neither black nor white
        return out
    level = np.clip((shown - low) / (high - low), 0, 1) ** (1 / _GAMMA)
    out[valid] = np.round(255 * level).astype(np.uint8)
    return out
