"""Vegetation indices of groups, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.indices import INDICES, SpectralIndex
from napari_dgc.reports.csv_files import write_csv
from napari_dgc.reports.spectra import Spectrum

HEADER = ("cube", "group", "role", "n", "index", "value_of_mean_spectrum",
          "bands", "bands_nm", "formula", "source")  # fmt: skip


@dataclass(frozen=True, slots=True)
class UsableIndex:
    """An index that the bands allow.

    Attributes
    ----------
    index : SpectralIndex
    bands : tuple of int
        Those used, from 0.
    centres : tuple of float
        Theirs, in nm.
    """

    index: SpectralIndex
    bands: tuple[int, ...]
    centres: tuple[float, ...]

    def of(self, spectra: Sequence[Spectrum]) -> list[float]:
        """Compute it of mean spectra; NaN where it has no value."""
        if not spectra:
            return []
        means = np.stack([spectrum.mean for spectrum in spectra])
        return [float(x) for x in self.index.of_spectra(means, self.bands)]


def usable_indices(
    wavelengths: NDArray[np.float64] | None,
    good_bands: NDArray[np.bool_] | None = None,
) -> list[UsableIndex]:
    """Find the indices that band centres allow, (C,) in nm; none without them."""
    found = []
    for index in INDICES.values():
        bands = index.bands_among(wavelengths, good_bands)
        if bands is not None and wavelengths is not None:
            centres = tuple(wavelengths[list(bands)].tolist())
            found.append(UsableIndex(index, bands, centres))
    return found


def write_indices_csv(
    path: str | Path,
    spectra: Sequence[Spectrum],
    indices: Iterable[UsableIndex],
    *,
    force: bool = False,
) -> Path:
    """Write a long table: one row per index, group and cube.

    Parameters
    ----------
    path : str or pathlib.Path
    spectra : sequence of Spectrum
        Groups' means, cube by cube, all with C bands.
    indices : iterable of UsableIndex
    force : bool
        Replace the file if it exists.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or cannot be written.

    Notes
    -----
    An index is computed of the group's mean spectrum (column
    ``value_of_mean_spectrum``), not averaged over its pixels: that needs no cube, so
    the table is the same wherever it is written; and a mean of ratios would follow
    the darkest pixels, whose noise is divided by next to nothing. Where there is no
    value, the cell is empty.
    """
    spectra, lines = list(spectra), []
    for one in indices:
        nm = " ".join(f"{centre:.6g}" for centre in one.centres)
        bands = " ".join(map(str, one.bands))
        for spectrum, value in zip(spectra, one.of(spectra), strict=True):
            lines.append(
                [
                    spectrum.cube,
                    spectrum.name,
                    spectrum.role or "",
                    spectrum.n,
                    one.index.name,
                    f"{value:.6g}" if math.isfinite(value) else "",
                    bands,
                    nm,
                    one.index.formula,
                    one.index.source,
                ]
            )
    return write_csv(path, HEADER, lines, force=force)
