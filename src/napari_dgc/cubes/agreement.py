"""Whether cubes can be clustered together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

SAME_NM = 1.0  # wavelengths this close are the same band
_HIGHEST_REFLECTANCE = 2.0  # of a mean over pixels; beyond it are counts

Wavelengths = NDArray[np.float64] | None


def wavelengths_apart(a: Wavelengths, b: Wavelengths) -> float:
    """The largest difference in nm between two lists of one length; 0 if unknown."""
    if a is None or b is None:
        return 0.0
    return float(np.abs(a - b).max())


def range_of(wavelengths: Wavelengths) -> str:
    """Say from where to where, such as " (400 to 1000 nm)"; "" if unknown."""
    if wavelengths is None:
        return ""
    return f" ({wavelengths.min():.4g} to {wavelengths.max():.4g} nm)"


def common_wavelengths(cubes: Sequence[Cube]) -> Wavelengths:
    """Those of the first cube that has some, (C,) in nm."""
    return next((c.wavelengths for c in cubes if c.wavelengths is not None), None)


def check_same_bands(cubes: Sequence[Cube]) -> None:
    """Raise InputError unless all cubes have the same bands.

    Wavelengths may differ by a nanometre; a cube without wavelengths is
    taken at its number of bands.
    """
    first = cubes[0]
    known = next((c for c in cubes if c.wavelengths is not None), first)
    for cube in cubes[1:]:
        source = cube.path or cube.name
        if cube.bands != first.bands:
            raise InputError(
                source,
                f"it has {cube.bands} bands, {first.name} has {first.bands}",
                "cluster cubes of one sensor and band range together",
            )
        apart = wavelengths_apart(cube.wavelengths, known.wavelengths)
        if apart > SAME_NM:
            raise InputError(
                source,
                f"its wavelengths differ from those of {known.name} by up to "
                f"{apart:.1f} nm",
                "resample one of them, or cluster them apart",
            )


def common_good_bands(cubes: Sequence[Cube]) -> NDArray[np.bool_]:
    """Bands that no cube's header rules out, (C,)."""
    good = np.ones(cubes[0].bands, bool)
    for cube in cubes:
        if cube.good_bands is not None:
            good &= cube.good_bands
    if good.sum() < 2:
        raise InputError(
            "the cubes",
            "their bad band lists leave fewer than two bands",
            "check bbl in the headers",
        )
    return good


def check_same_units(cube: Cube, calibrated: bool, mean: NDArray[np.float32]) -> None:
    """Raise InputError if a cube holds raw counts where a model knows reflectance.

    Or the other way round.

    Parameters
    ----------
    cube : Cube
    calibrated : bool
        Whether the model was trained on calibrated cubes.
    mean : ndarray of float32, shape (C,)
        The mean spectrum it was trained on.
    """
    source = cube.path or cube.name
    if calibrated and cube.calibration is None and cube.data.dtype.kind in "iu":
        raise InputError(
            source,
            "it holds raw counts, the model was trained on reflectance",
            "give its references by --white and --dark, or put them beside it",
        )
    counts = not calibrated and float(mean.max()) > _HIGHEST_REFLECTANCE
    if cube.calibration is not None and counts:
        raise InputError(
            source,
            "it is calibrated, the model was trained on raw counts",
            "use --no-calibration, or train on calibrated cubes",
        )


def check_reference_bands(one: Cube, other: Cube) -> None:
    """Raise InputError unless a second reference has the bands of the first."""
    apart = 0.0
    if one.bands == other.bands:
        apart = wavelengths_apart(one.wavelengths, other.wavelengths)
    if one.bands != other.bands or apart > SAME_NM:
        a, b = (" x ".join(map(str, cube.shape)) for cube in (other, one))
        raise InputError(
            other.path or other.name,
            f"it is {a} (bands x rows x columns), {one.name} {b}, and their "
            + (f"wavelengths are {apart:.1f} nm apart" if apart else "bands differ"),
            "take both with the same settings",
        )
