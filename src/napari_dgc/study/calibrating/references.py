"""Which references calibrate which cube of a study, by the user's choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.calibrating import calibration_from, tile_calibration
from napari_dgc.cubes.calibration import Calibration, Per
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.pixel_states import PixelCounts, count_in_steps
from napari_dgc.cubes.preparing import as_read, left_out, prepare_anew
from napari_dgc.cubes.readers import read_cube
from napari_dgc.cubes.references import find_references
from napari_dgc.study.calibrating.preparing import PreparedCube, Wanted, prepare_cubes
from napari_dgc.study.mapping import Progress

_LOOKS = 32  # rows a mean spectrum is taken from


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """White and dark references, as chosen for some cubes.

    Attributes
    ----------
    white, dark : pathlib.Path, optional
        Files. Without a white one, and without a tile, each cube's own are taken:
        those that a Specim camera wrote beside it.
    tile : ndarray of bool, shape (H, W), optional
        A tile in `tile_cube` that serves for all cubes.
    tile_cube : Cube, optional
    per : {"band", "column", "pixel"}
    reflectance : float
        Of the white target or the tile.
    """

    white: Path | None = None
    dark: Path | None = None
    tile: NDArray[np.bool_] | None = None
    tile_cube: Cube | None = None
    per: Per = "column"
    reflectance: float = 1.0

    @property
    def own(self) -> bool:
        """Whether each cube has its own."""
        return self.white is None and self.tile is None

    def calibration(self, cube: Cube) -> Calibration:
        """Read the references for a cube; it is read as the references were.

        Raises
        ------
        InputError
            If there are none, or they cannot be read or do not fit together.
        """
        dark = None if self.dark is None else _read(cube, self.dark)
        if self.tile is not None and self.tile_cube is not None:
            plain = as_read(self.tile_cube)
            return tile_calibration(
                plain, self.tile, dark, reflectance=self.reflectance
            )
        white, beside = self.white, None
        if white is None and cube.path is not None:
            white, beside = find_references(cube.path)
        if white is None:
            raise InputError(
                cube.path or cube.name,
                f"no WHITEREF_{cube.name}.hdr is beside it",
                "choose its white reference, or mark a tile on the image",
            )
        if dark is None and beside is not None:
            dark = _read(cube, beside)
        return calibration_from(
            _read(cube, white), dark, per=self.per, reflectance=self.reflectance
        )


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A cube before and after: mean spectra, (C,), of 32 of its rows."""

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    cube: Cube


def preview(
    cube: Cube, references: References | None
) -> Iterator[Preview | PixelCounts]:
    """Show what calibrating would make of a cube, or has (None); count its pixels.

    Raises
    ------
    InputError
        If the references do not fit.
    """
    calibrated = cube
    if references is not None:
        made = references.calibration(cube)
        calibrated = prepare_anew(cube, made, left_out(cube))
    yield Preview(mean_spectrum(as_read(cube)), mean_spectrum(calibrated), calibrated)
    for piece in count_in_steps(calibrated):
        if isinstance(piece, PixelCounts):
            yield piece


def calibrate_cubes(
    cubes: Sequence[Wanted], references: References | None
) -> Iterator[Progress | PreparedCube]:
    """Calibrate cubes, or take their calibration away (None); bands stay as chosen.

    See `prepare_cubes`; `calibration` and `out` of `cubes` are not looked at.
    """
    wishes = []
    calibration: Calibration | None = None
    for one in cubes:
        yield Progress(f"Reading the references of {one.cube.name}", 0.0)
        # One pair of files, or a tile, is read once for all cubes.
        if references is not None and (calibration is None or references.own):
            calibration = references.calibration(one.cube)
        wishes.append(replace(one, calibration=calibration, out=left_out(one.cube)))
    yield from prepare_cubes(wishes)


def mean_spectrum(cube: Cube) -> NDArray[np.float64]:
    """Mean of the valid pixels in 32 rows, (C,); NaN in bad bands."""
    C, H, W = cube.shape
    total, count = np.zeros(C), 0
    rows = np.unique(np.linspace(0, H - 1, _LOOKS).astype(int))
    for row in rows.tolist():
        spectra, valid = cube.block(slice(row, row + 1), slice(0, W))
        total += spectra.sum(axis=(1, 2), dtype=np.float64)
        count += int(valid.sum())
    mean = total / count if count else np.full(C, np.nan)
    if cube.good_bands is not None:
        mean[~cube.good_bands] = np.nan
    return mean


def _read(cube: Cube, path: Path) -> Cube:
    return read_cube(path, cube.key, axes=cube.axes)
