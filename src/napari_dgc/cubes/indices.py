"""Vegetation indices as maps, computed where they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.backing import require_backing
from napari_dgc.cubes.cube import Cube, row_slices
from napari_dgc.cubes.errors import InputError

#: How far the nearest good band may lie from a wavelength of a formula. nm.
TOLERANCE_NM = 10.0
_ROWS_PER_READ = 64


@dataclass(frozen=True, slots=True)
class SpectralIndex:
    """One index.

    Attributes
    ----------
    name : str
        Its usual abbreviation.
    meaning : str
        What it stands for.
    formula : str
        For people: R800 is the reflectance at 800 nm.
    source : str
        Author and year.
    wavelengths : tuple of float
        Those of the formula, in nm, in the order `compute` takes them.
    compute : callable
        From reflectances, one float32 array for each wavelength, to the index.
    """

    name: str
    meaning: str
    formula: str
    source: str
    wavelengths: tuple[float, ...]
    compute: Callable[..., NDArray[np.float32]]

    def bands_used(self, cube: Cube) -> tuple[int, ...] | None:
        """The good bands nearest to its wavelengths; None where the cube lacks one.

        A band counts if it lies within `TOLERANCE_NM`, and no band serves twice.
        """
        return self.bands_among(cube.wavelengths, cube.good_bands)

    def bands_among(
        self,
        centres: NDArray[np.float64] | None,
        good_bands: NDArray[np.bool_] | None = None,
    ) -> tuple[int, ...] | None:
        """The same among band centres, (C,) in nm, of which some may be ruled out."""
        if centres is None:
            return None
        good = np.arange(len(centres))
        if good_bands is not None:
            good = good[good_bands]
        if not len(good):
            return None
        away = np.abs(centres[good][:, None] - np.array(self.wavelengths))
        bands = tuple(good[away.argmin(axis=0)].tolist())
        near = bool((away.min(axis=0) <= TOLERANCE_NM).all())
        return bands if near and len(set(bands)) == len(bands) else None

    def of_spectra(
        self, spectra: NDArray[Any], bands: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """Compute it of spectra, (N, C), by the bands used; (N,).

        NaN where a band has no value or the formula none (a division by zero).
        """
        values = np.asarray(spectra, np.float64)[:, list(bands)].T
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            result = np.asarray(self.compute(*values), np.float64)
        return np.where(np.isfinite(result), result, np.nan)


class IndexMap:
    """An index over a cube, (H, W) float32, computed for what is asked for.

    Parameters
    ----------
    cube : Cube
        Of reflectance.
    index : SpectralIndex

    Raises
    ------
    InputError
        If the cube has no bands near the index's wavelengths.

    Notes
    -----
    NaN where the pixel has no data or the formula no value (a division by
    zero). Only the bands used are read, so that a pixel counts here that is
    dead or saturated in other bands alone; `Cube.valid` knows of those.
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(self, cube: Cube, index: SpectralIndex) -> None:
        bands = index.bands_used(cube)
        if bands is None:
            wanted = ", ".join(f"{w:g}" for w in index.wavelengths)
            raise InputError(
                cube.path or cube.name,
                f"{index.name} needs good bands at {wanted} nm (within "
                f"{TOLERANCE_NM:g} nm)",
                "choose an index whose range the cube has",
            )
        self.index = index
        self.bands = bands
        self.shape = cube.shape[1:]
        self._cube = cube

    def __getitem__(self, key: Any, /) -> Any:
        if not isinstance(key, tuple):
            key = (key,)
        values = read_bands(self._cube, self.bands, key)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            result = np.asarray(self.index.compute(*values), np.float32)
        result = np.where(np.isfinite(result), result, np.float32(np.nan))
        return result if result.ndim else result[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        out = np.empty(self.shape, np.float32)
        for rows in row_slices(self.shape[0], _ROWS_PER_READ):
            out[rows] = self[rows]
        return out if dtype is None else out.astype(dtype)


def available(cube: Cube) -> dict[str, tuple[int, ...]]:
    """The indices that a cube's good bands allow, by name, with the bands used."""
    found = {name: index.bands_used(cube) for name, index in INDICES.items()}
    return {name: bands for name, bands in found.items() if bands is not None}


def read_bands(
    cube: Cube, bands: tuple[int, ...], key: tuple[Any, ...]
) -> list[NDArray[np.float32]]:
    """Read single bands at an index into (H, W); NaN where a reading is none."""
    require_backing(cube.data)
    values = []
    with np.errstate(over="ignore", invalid="ignore"):
        for band in bands:
            value = np.array(cube.data[(band, *key)], dtype=np.float32)
            lost = ~np.isfinite(value)
            if cube.saturation is not None:
                lost |= value >= np.float32(cube.saturation)
            if cube.ignore_value:
                lost |= value == np.float32(cube.ignore_value)
            if cube.mask is not None:
                lost |= ~cube.mask[key]
            values.append(np.where(lost, np.float32(np.nan), value))
    return values


def _normalised(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return (a - b) / (a + b)


def _table(*indices: SpectralIndex) -> Mapping[str, SpectralIndex]:
    return MappingProxyType({index.name: index for index in indices})


#: All indices, by name.
INDICES: Mapping[str, SpectralIndex] = _table(
    SpectralIndex(
        "NDVI",
        "green leaf area and vigour",
        "(R800 - R670) / (R800 + R670)",
        "Rouse et al. 1974",
        (800, 670),
        _normalised,
    ),
    SpectralIndex(
        "GNDVI",
        "chlorophyll, less soon saturated than NDVI",
        "(R800 - R550) / (R800 + R550)",
        "Gitelson et al. 1996",
        (800, 550),
        _normalised,
    ),
    SpectralIndex(
        "PRI",
        "xanthophyll cycle, light use and stress",
        "(R531 - R570) / (R531 + R570)",
        "Peñuelas, Filella & Gamon 1995",
        (531, 570),
        _normalised,
    ),
    SpectralIndex(
        "ARI",
        "anthocyanins",
        "1 / R550 - 1 / R700",
        "Gitelson et al. 2001",
        (550, 700),
        lambda r550, r700: 1 / r550 - 1 / r700,
    ),
    SpectralIndex(
        "CRI",
        "carotenoids (CRI550)",
        "1 / R510 - 1 / R550",
        "Gitelson et al. 2002",
        (510, 550),
        lambda r510, r550: 1 / r510 - 1 / r550,
    ),
    SpectralIndex(
        "PSRI",
        "senescence: carotenoids to chlorophyll",
        "(R678 - R500) / R750",
        "Merzlyak et al. 1999",
        (678, 500, 750),
        lambda r678, r500, r750: (r678 - r500) / r750,
    ),
    SpectralIndex(
        "MCARI",
        "chlorophyll absorption",
        "((R700 - R670) - 0.2 (R700 - R550)) R700 / R670",
        "Daughtry et al. 2000",
        (700, 670, 550),
        lambda r700, r670, r550: (
            ((r700 - r670) - np.float32(0.2) * (r700 - r550)) * (r700 / r670)
        ),
    ),
    SpectralIndex(
        "NDRE",
        "chlorophyll, by the red edge",
        "(R790 - R720) / (R790 + R720)",
        "Barnes et al. 2000",
        (790, 720),
        _normalised,
    ),
    SpectralIndex(
        "CI-RE",
        "chlorophyll, by the red edge",
        "R780 / R710 - 1",
        "Gitelson et al. 2003",
        (780, 710),
        lambda r780, r710: r780 / r710 - 1,
    ),
    SpectralIndex(
        "SIPI",
        "carotenoids to chlorophyll a",
        "(R800 - R445) / (R800 - R680)",
        "Peñuelas, Baret & Filella 1995",
        (800, 445, 680),
        lambda r800, r445, r680: (r800 - r445) / (r800 - r680),
    ),
    SpectralIndex(
        "WBI",
        "leaf water",
        "R900 / R970",
        "Peñuelas et al. 1997",
        (900, 970),
        lambda r900, r970: r900 / r970,
    ),
)
