"""Wavelengths as files give them, turned into nanometres."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

#: Nanometres per unit, for units proportional to the wavelength.
_NANOMETRES = {
    "nm": 1.0, "nanometer": 1.0, "nanometers": 1.0, "nanometre": 1.0,
    "nanometres": 1.0, "um": 1e3, "micron": 1e3, "microns": 1e3,
    "micrometer": 1e3, "micrometers": 1e3, "micrometre": 1e3, "micrometres": 1e3,
    "mm": 1e6, "millimeter": 1e6, "millimeters": 1e6, "cm": 1e7,
    "centimeter": 1e7, "centimeters": 1e7, "m": 1e9, "meter": 1e9, "meters": 1e9,
    "angstrom": 0.1, "angstroms": 0.1,
}  # fmt: skip
_UNSTATED = {"", "unknown", "none", "n/a"}
_LIKELY_NAMES = ("wav", "lambda", "wl", "wvl", "bandcent")
#: Below this a list without a unit is taken for micrometres.
_MICROMETRES_BELOW = 100.0
_OPTICAL_NM = (100.0, 1e5)


def to_nanometres(
    values: NDArray[np.float64], units: str = ""
) -> tuple[NDArray[np.float64] | None, str]:
    """Convert band centres to nanometres.

    Parameters
    ----------
    values : ndarray of float64, shape (C,)
    units : str
        As the file writes them; empty or "unknown" where it does not.

    Returns
    -------
    ndarray of float64, shape (C,), or None
        None where the unit is not one of wavelength ("index", frequencies), or
        the values are none.
    str
        What was done, in words, for the cube's metadata.

    Notes
    -----
    Wavenumbers (cm⁻¹) become 10⁷ / value. Without a unit, values that are
    all below 100 are taken for micrometres (no sensor sees below 100 nm,
    none of interest beyond 100 µm), others for nanometres.
    """
    if not (np.isfinite(values) & (values >= 0)).all():
        return None, "not all are numbers of 0 or more: left out"
    unit = units.strip().strip("{}").lower().replace("µ", "u").replace("μ", "u")
    if unit in _UNSTATED:
        if (values < _MICROMETRES_BELOW).all():
            return values * 1e3, "no unit stated, all below 100: taken as micrometres"
        return values, "no unit stated: taken as nanometres"
    if unit in _NANOMETRES:
        return values * _NANOMETRES[unit], f"stated in {units.strip()}"
    if "wavenumber" in unit or unit in {"cm-1", "1/cm", "cm^-1"}:
        if (values <= 0).any():
            return None, "wavenumbers that are not positive: left out"
        return 1e7 / values, "stated as wavenumbers (1/cm), turned into nanometres"
    return None, f"unit {units.strip()!r} is not one of wavelength: left out"


def drawing_order(
    wavelengths: NDArray[np.float64] | None, bands: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Say where on an axis each band stands, and in which order to draw them.

    Parameters
    ----------
    wavelengths : ndarray of float64, shape (C,), optional
        In nm and in the file's band order, which need not ascend.
    bands : int
        Number of bands C.

    Returns
    -------
    x : ndarray of float64, shape (C,)
        Ascending wavelengths; band numbers from 0 where there are none.
    order : ndarray of intp, shape (C,)
        The band at each place of `x`.
    """
    if wavelengths is None:
        return np.arange(bands, dtype=np.float64), np.arange(bands)
    order = np.argsort(wavelengths, kind="stable")
    return np.asarray(wavelengths, np.float64)[order], order


def pick_wavelengths(
    candidates: Mapping[str, NDArray[np.float64]], first_axis: int | None = None
) -> tuple[str, NDArray[np.float64]] | None:
    """Find the wavelength list among the 1-D arrays beside a cube.

    Parameters
    ----------
    candidates : mapping of name to ndarray, shape (n,)
        Real arrays whose length equals one of the cube's dimensions.
    first_axis : int, optional
        Length of the axis that holds the bands by default.

    Returns
    -------
    (name, ndarray of float64 in nm) or None
        None where there is none, or several that nothing tells apart.

    Notes
    -----
    Wavelengths are finite, distinct and not negative. Several such arrays
    are told apart by name ("wavelengths", "lambda", ...), then by the length
    of `first_axis`, then by lying between 100 nm and 100 µm.
    """
    left = {
        name: values
        for name, values in candidates.items()
        if np.isfinite(values).all()
        and (values >= 0).all()
        and len(np.unique(values)) == len(values)
    }
    preferences = (
        {name for name in left if _has_likely_name(name)},
        {name for name, values in left.items() if len(values) == first_axis},
        {name for name, values in left.items() if _is_optical(values)},
    )
    for preferred in preferences:
        if len(left) > 1:
            left = {n: v for n, v in left.items() if n in preferred} or left
    if len(left) != 1:
        return None
    ((name, values),) = left.items()
    nanometres, _ = to_nanometres(values)
    return None if nanometres is None else (name, nanometres)


def _has_likely_name(name: str) -> bool:
    return name.rsplit("/", 1)[-1].lower().startswith(_LIKELY_NAMES)


def _is_optical(values: NDArray[np.float64]) -> bool:
    nanometres, _ = to_nanometres(values)
    low, high = _OPTICAL_NM
    return nanometres is not None and bool(
        ((nanometres >= low) & (nanometres <= high)).all()
    )
