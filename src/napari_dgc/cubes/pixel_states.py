"""Why pixels do not count, counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.calibrated import CalibratedArray
from napari_dgc.cubes.cube import Cube, CubeArray, row_slices

_ROWS_PER_READ = 64


@dataclass(frozen=True, slots=True)
class PixelCounts:
    """How many pixels of a cube count, and why the others do not.

    Attributes
    ----------
    total, valid : int
    masked, ignored, saturated, dead, without_range : int
        Each pixel is counted once, under the first that holds: ruled out by the
        mask, by ``data ignore value``, at the sensor's ceiling, all good bands
        equal or not finite, and (calibrated cubes) with a white reference that is
        not above the dark one. They and `valid` add up to `total`.
    """

    total: int
    valid: int
    masked: int
    ignored: int
    saturated: int
    dead: int
    without_range: int


def count_pixels(cube: Cube) -> PixelCounts:
    """Count a cube's pixels by what `Cube.block` makes of them; reads all of it.

    Parameters
    ----------
    cube : Cube

    Returns
    -------
    PixelCounts
    """
    *_, counts = count_in_steps(cube)
    if not isinstance(counts, PixelCounts):
        raise RuntimeError("counting pixels ended without a count")
    return counts


def count_in_steps(cube: Cube) -> Iterator[float | PixelCounts]:
    """Do as `count_pixels`; yields the share of the rows read, last the counts."""
    _, H, W = cube.shape
    counts = dict.fromkeys(PixelCounts.__slots__, 0)
    counts["total"] = H * W
    for rows in row_slices(H, _ROWS_PER_READ):
        _, valid = cube.block(rows, slice(0, W))
        counts["valid"] += int(valid.sum())
        if valid.all():
            yield rows.stop / H
            continue
        # Only what is not valid is looked at again: mostly few pixels.
        unexplained = np.ones(int((~valid).sum()), bool)
        for name, holds in _reasons(cube, rows, ~valid):
            counts[name] += int((holds & unexplained).sum())
            unexplained &= ~holds
        # Finite counts that became no finite reflectance, or whose sum is beyond
        # float32.
        rest = "dead" if cube.calibration is None else "without_range"
        counts[rest] += int(unexplained.sum())
        yield rows.stop / H
    yield PixelCounts(**counts)


def _reasons(
    cube: Cube, rows: slice, chosen: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """For each reason in turn, which of the chosen pixels (h, w) it holds for, (N,)."""
    raw: CubeArray = cube.data
    limits: Cube | CalibratedArray = cube
    if isinstance(raw, CalibratedArray):
        limits, raw = raw, raw.source
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.array(raw[:, rows, :], np.float32)[:, chosen]
        if cube.good_bands is not None:
            values = values[cube.good_bands]
        if cube.mask is not None:
            yield "masked", ~cube.mask[rows][chosen]
        if limits.ignore_value == 0:
            yield "ignored", np.asarray((values == 0).all(axis=0))
        elif limits.ignore_value is not None:
            ignored = values == np.float32(limits.ignore_value)
            yield "ignored", np.asarray(ignored.any(axis=0))
        if limits.saturation is not None:
            ceiling = np.float32(limits.saturation)
            yield "saturated", np.asarray((values >= ceiling).any(axis=0))
        flat = np.asarray((values == values[:1]).all(axis=0))
        yield "dead", flat | ~np.asarray(np.isfinite(values).all(axis=0))
