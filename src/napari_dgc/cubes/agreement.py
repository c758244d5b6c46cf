"""Whether cubes can be clustered together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

_SAME_NM = 1.0


def check_same_bands(cubes: Sequence[Cube]) -> None:
    """Raise InputError unless all cubes have the first one's bands.

    Wavelengths may differ by a nanometre; a cube without wavelengths is
    taken at its number of bands.
    """
    first = cubes[0]
    for cube in cubes[1:]:
        source = cube.path or cube.name
        if cube.bands != first.bands:
            raise InputError(
                source,
                f"it has {cube.bands} bands, {first.name} has {first.bands}",
                "cluster cubes of one sensor and band range together",
            )
        if cube.wavelengths is None or first.wavelengths is None:
            continue
        apart = float(np.abs(cube.wavelengths - first.wavelengths).max())
        if apart > _SAME_NM:
            raise InputError(
                source,
                f"its wavelengths differ from those of {first.name} by up to "
                f"{apart:.1f} nm",
                "resample one of them, or cluster them apart",
            )
