"""Mean spectra of groups, and spectra of pixels, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.reports.csv_files import write_csv

Color = tuple[int, int, int]
Floats = NDArray[np.float64] | NDArray[np.float32]

MOST_SHADED = 12
"""Shades of ± sd in one plot at most: more hide each other and the curves."""

_LONGEST_NAME = 40

HEADER = ("cube", "kind", "name", "role", "row", "column", "band", "wavelength_nm",
          "mean", "sd", "n")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """One curve: a group's mean over some pixels, or one pixel.

    Attributes
    ----------
    cube : str
        Where its pixels are.
    name : str
        The group's, or the pixel's.
    mean : ndarray of float, shape (C,)
        In the cube's units and band order; NaN where a band has no value.
    std : ndarray of float, shape (C,), optional
        Standard deviation (dividing by n); None for one pixel.
    n : int
        Pixels.
    role : str, optional
    color : tuple of int
        Red, green and blue, 0..255.
    pixel : tuple of int, optional
        Row and column, for one pixel; None for a group.
    """

    cube: str
    name: str
    mean: Floats
    std: Floats | None = None
    n: int = 1
    role: str | None = None
    color: Color = (0, 0, 0)
    pixel: tuple[int, int] | None = None


def shorten(name: str) -> str:
    """Cut a name to what fits beside a curve; tables hold it whole."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def write_spectra_csv(
    path: str | Path,
    spectra: Iterable[Spectrum],
    wavelengths: NDArray[np.float64] | None = None,
    *,
    force: bool = False,
) -> Path:
    """Write a long table: one row per spectrum and band.

    Parameters
    ----------
    path : str or pathlib.Path
    spectra : iterable of Spectrum
        All with C bands.
    wavelengths : ndarray of float64, shape (C,), optional
        In nm.
    force : bool
        Replace the file if it exists.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ValueError
        If a spectrum has not as many bands as there are wavelengths, or as the
        first one has.
    InputError
        If the file exists and `force` is False, or cannot be written.

    Notes
    -----
    Columns: ``cube, kind, name, role, row, column, band, wavelength_nm, mean,
    sd, n``. `kind` is "group" or "pixel"; bands are numbered from 0, as on
    napari's slider, in the file's order. What does not apply or has no value
    is an empty cell (NA in R, blank in Excel). UTF-8; with a byte order mark
    where a name is not plain ASCII, since Excel takes the file for another
    encoding without, and older R stumbles over it where it is not needed.
    """
    lines: list[Iterable[object]] = []
    bands = None if wavelengths is None else len(wavelengths)
    for spectrum in spectra:
        bands = len(spectrum.mean) if bands is None else bands
        lines.extend(_rows(spectrum, wavelengths, bands))
    return write_csv(path, HEADER, lines, force=force)


def _rows(
    spectrum: Spectrum, wavelengths: NDArray[np.float64] | None, bands: int
) -> Iterable[list[object]]:
    std = np.full(bands, np.nan) if spectrum.std is None else spectrum.std
    if len(spectrum.mean) != bands or len(std) != bands:
        raise ValueError(
            f"{spectrum.name} has {len(spectrum.mean)} values and {len(std)} standard "
            f"deviations for {bands} bands"
        )
    row, column = ("", "") if spectrum.pixel is None else spectrum.pixel
    kind = "group" if spectrum.pixel is None else "pixel"
    head = [spectrum.cube, kind, spectrum.name, spectrum.role or "", row, column]
    for band, (mean, sd) in enumerate(zip(spectrum.mean, std, strict=True)):
        nm = "" if wavelengths is None else f"{wavelengths[band]:.8g}"
        yield [*head, band, nm, _number(mean), _number(sd), spectrum.n]


def _number(value: float) -> str:
    """Write seven digits, all that float32 holds; nothing for what is no number."""
    return f"{value:.7g}" if math.isfinite(value) else ""
