"""White and dark references: found by name, and averaged robustly."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.backing import require_backing
from napari_dgc.cubes.cube import Cube, row_slices
from napari_dgc.cubes.errors import InputError

WHITE, DARK = "WHITEREF_", "DARKREF_"
_MOST_LINES = 64  # averaged; more would not make the reference better than the cube
_MOST_VALUES = 4_000_000  # of one read: 16 MB of float32
_MOST_PIXELS = 4096  # of a tile
_CLIP = 3.5  # standard deviations, from the median absolute deviation


def find_references(path: Path) -> tuple[Path | None, Path | None]:
    """Find the references that Specim cameras write beside a cube.

    Parameters
    ----------
    path : pathlib.Path
        ``NAME.hdr`` or its data file.

    Returns
    -------
    white, dark : pathlib.Path or None
        ``WHITEREF_NAME.hdr`` and ``DARKREF_NAME.hdr`` in the same folder; None
        where there is none, and for a reference itself.
    """
    wanted = {(prefix + path.stem + ".hdr").lower(): prefix for prefix in (WHITE, DARK)}
    found: dict[str, Path] = {}
    if not is_reference(path):
        for file in sorted(path.parent.iterdir()):
            if file.name.lower() in wanted and file.is_file():
                found.setdefault(wanted[file.name.lower()], file)
    return found.get(WHITE), found.get(DARK)


def is_reference(path: Path) -> bool:
    """Whether a file is named as Specim's references are."""
    return path.name.upper().startswith((WHITE, DARK))


def without_references(paths: Iterable[Path]) -> list[Path]:
    """Leave out the references of cubes that are among the paths themselves."""
    paths = list(paths)
    theirs = {
        (path.parent, prefix + path.stem.upper())
        for path in paths
        for prefix in (WHITE, DARK)
    }
    return [path for path in paths if (path.parent, path.stem.upper()) not in theirs]


def average_lines(cube: Cube, *, columns: bool = True) -> NDArray[np.float32]:
    """Average a reference over its lines.

    Parameters
    ----------
    cube : Cube
        Of raw counts.
    columns : bool
        One value for each band and column; else one for each band.

    Returns
    -------
    ndarray of float32, shape (C, 1, W) or (C, 1, 1)
        NaN where every reading is saturated, ignored or no number.

    Notes
    -----
    The mean of what lies within 3.5 robust standard deviations of the median.
    At most 64 lines, spread evenly, are read, some columns at a time.
    """
    C, H, W = cube.shape
    lines = np.unique(np.linspace(0, H - 1, min(H, _MOST_LINES)).astype(int))
    rows = slice(0, H) if len(lines) == H else lines
    require_backing(cube.data)
    averages = np.empty((C, 1, W), np.float32)
    for cols in row_slices(W, max(1, _MOST_VALUES // (C * len(lines)))):
        values = np.array(cube.data[:, rows, cols], dtype=np.float32)
        _drop_unusable(values, cube)
        averages[:, 0, cols] = _clipped_mean(values, cube.data.dtype.kind in "iu")
    if columns:
        return averages
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a band without any reading: NaN
        return np.asarray(np.nanmean(averages, axis=2, keepdims=True), np.float32)


def average_region(
    cube: Cube, region: tuple[slice, slice] | NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Average the valid pixels of a region, robustly as `average_lines` does.

    Parameters
    ----------
    cube : Cube
    region : (slice, slice) or ndarray of bool, shape (H, W)

    Returns
    -------
    ndarray of float32, shape (C, 1, 1)
        NaN in bad bands.

    Raises
    ------
    InputError
        If the region lies outside the cube or holds no valid pixel.
    """
    C, H, W = cube.shape
    mask = np.zeros((H, W), bool)
    if isinstance(region, tuple):
        mask[region] = True
    elif region.shape != mask.shape:
        raise InputError(
            "the tile's mask",
            f"it is {region.shape}, the cube {(H, W)} (rows, columns)",
            "draw it on this cube",
        )
    else:
        mask |= region
    pixels: list[NDArray[np.float32]] = []
    # Every n-th row of the region is plenty, and no read grows with it.
    marked = np.flatnonzero(mask.any(axis=1))
    wanted = mask.sum() / _MOST_PIXELS
    for row in marked[:: max(1, int(np.ceil(wanted)))].tolist():
        spectra, valid = cube.block(slice(row, row + 1), slice(0, W))
        pixels.append(spectra[:, valid & mask[row : row + 1]])
    values = np.concatenate(pixels, axis=1) if pixels else np.empty((C, 0), "f4")
    if not values.shape[1]:
        raise InputError(
            cube.path or cube.name,
            "the white tile holds no valid pixel",
            "mark it where it is neither saturated nor outside the picture",
        )
    if cube.good_bands is not None:
        values[~cube.good_bands] = np.nan
    average = _clipped_mean(values, cube.data.dtype.kind in "iu")
    return average.reshape(C, 1, 1)


def _drop_unusable(values: NDArray[np.float32], cube: Cube) -> None:
    """Make NaN of what is no reading, in place."""
    with np.errstate(invalid="ignore"):
        lost = ~np.isfinite(values)
        if cube.saturation is not None:
            lost |= values >= np.float32(cube.saturation)
        if cube.ignore_value:
            lost |= values == np.float32(cube.ignore_value)
    values[lost] = np.nan


def _clipped_mean(values: NDArray[np.float32], counts: bool) -> NDArray[np.float32]:
    """Mean along axis 1 of what lies near the median; NaN where there is nothing."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore")  # of slices without any number
        median = np.nanmedian if np.isnan(values).any() else np.median
        middle = np.asarray(median(values, axis=1, keepdims=True))
        away = np.abs(values - middle)
        spread = 1.4826 * np.asarray(median(away, axis=1, keepdims=True))
        # Whole counts hide a spread below half a count.
        spread = np.maximum(spread, 0.5 if counts else 0.0)
        near = away <= _CLIP * spread
        total = np.where(near, values, 0).sum(axis=1, dtype=np.float64)
        return np.asarray(total / near.sum(axis=1), dtype=np.float32)
