"""Which bands count: by number, by wavelength, and written down for a study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

_SLACK_NM = 5.0


def select_bands(
    cube: Cube,
    *,
    drop: Iterable[int] = (),
    wavelengths: tuple[float, float] | None = None,
) -> Cube:
    """Rule out bands, besides those that the cube's header rules out.

    Parameters
    ----------
    cube : Cube
    drop : iterable of int
        Band numbers from 0.
    wavelengths : (float, float), optional
        Keep bands from the one to the other, in nm, both included.

    Returns
    -------
    Cube
        The same data with fewer good bands; nothing is read or copied.

    Raises
    ------
    InputError
        If there is no such band, the cube has no wavelengths to choose by, or
        fewer than two good bands remain.
    """
    source = cube.path or cube.name
    good = np.ones(cube.bands, bool) if cube.good_bands is None else cube.good_bands
    good = good.copy()
    for band in drop:
        if not 0 <= band < cube.bands:
            raise InputError(
                source,
                f"it has no band {band}",
                f"its bands are 0 to {cube.bands - 1}",
            )
        good[band] = False
    if wavelengths is not None:
        good &= _within(cube, *wavelengths)
    if good.sum() < 2:
        raise InputError(
            source, f"{good.sum()} good bands would remain", "keep at least two"
        )
    return replace(cube, good_bands=None if good.all() else good)


def band_ranges(bands: NDArray[np.bool_]) -> str:
    """Write the numbers of the bands marked, such as ``0-3,7,570-579``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bands, [False]])))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return ",".join(str(a) if b == a + 1 else f"{a}-{b - 1}" for a, b in pairs)


def parse_ranges(text: str) -> tuple[int, ...]:
    """Read what `band_ranges` writes.

    Raises
    ------
    ValueError
        If it is no such list.
    """
    bands: list[int] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not (first.isdecimal() and (last.isdecimal() or not dash)):
            raise ValueError(f"{text!r} is no list of bands such as 0-3,7")
        stop = int(last or first)
        if not int(first) <= stop < 100_000:
            raise ValueError(f"{part.strip()!r} is no range of bands")
        bands.extend(range(int(first), stop + 1))
    return tuple(bands)


def _within(cube: Cube, low: float, high: float) -> NDArray[np.bool_]:
    """Bands from `low` to `high` nm, (C,)."""
    source, centres = cube.path or cube.name, cube.wavelengths
    if centres is None:
        raise InputError(
            source, "it has no wavelengths to choose by", "choose bands by number"
        )
    first, last = float(centres.min()), float(centres.max())
    # 400 to 1000 nm is meant of a sensor whose bands start at 403.
    slack = max(_SLACK_NM, (last - first) / max(1, cube.bands - 1))
    if low < first - slack or high > last + slack:
        raise InputError(
            source,
            f"it has no bands from {low:g} to {high:g} nm throughout",
            f"its wavelengths go from {first:g} to {last:g} nm; choose among these",
        )
    return np.asarray((centres >= low) & (centres <= high))
