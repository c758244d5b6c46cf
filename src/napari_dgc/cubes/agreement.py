"""Whether cubes can be clustered together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

SAME_NM = 1.0  # wavelengths this close are the same band

Wavelengths = NDArray[np.float64] | None


def wavelengths_apart(a: Wavelengths, b: Wavelengths) -> float:
    """The largest difference in nm between two lists of one length; 0 if unknown."""
    if a is None or b is None:
        return 0.0
    return float(np.abs(a - b).max())


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
