"""What is said of vegetation indices: formula, source, bands used, what is missing."""

from __future__ import annotations

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.indices import TOLERANCE_NM, SpectralIndex


def word_index(index: SpectralIndex, cube: Cube) -> str:
    """Say in a line what a map of an index over a cube is made of."""
    bands = index.bands_used(cube)
    at = "" if bands is None else f", from {bands_nm(bands, cube)}"
    return f"{index.name} = {index.formula}{at} ({index.source})"


def bands_nm(bands: tuple[int, ...], cube: Cube) -> str:
    """Wavelengths of bands, such as "799.2, 671.0 nm"."""
    nm = cube.wavelengths
    if nm is None:
        return "bands " + ", ".join(map(str, bands))
    return ", ".join(f"{nm[band]:.1f}" for band in bands) + " nm"


def word_tip(index: SpectralIndex, cube: Cube | None) -> str:
    """Say what an index stands for, and from what, or why the cube has it not."""
    about = f"{index.meaning[0].upper()}{index.meaning[1:]}"
    if cube is None:
        return f"{about}\n{index.name} = {index.formula} ({index.source})"
    missing = word_missing(index, cube)
    return f"{about}\n{word_index(index, cube)}" + (f"\n{missing}" if missing else "")


def word_missing(index: SpectralIndex, cube: Cube) -> str:
    """Say why a cube's bands do not allow an index; "" where they do."""
    if index.bands_used(cube) is not None:
        return ""
    if cube.wavelengths is None:
        return "Not for this cube: its wavelengths are not known."
    good = cube.wavelengths
    if cube.good_bands is not None:
        good = good[cube.good_bands]
    lacking = [
        f"{w:g}"
        for w in index.wavelengths
        if not len(good) or abs(good - w).min() > TOLERANCE_NM
    ]
    if lacking:
        return (
            f"Not for this cube: no band that counts within {TOLERANCE_NM:g} nm of "
            f"{', '.join(lacking)} nm."
        )
    return "Not for this cube: its bands are too few to tell the wavelengths apart."


def holds_counts(cube: Cube) -> bool:
    """Whether a cube looks like raw counts, of which an index says little."""
    return cube.calibration is None and cube.data.dtype.kind in "iu"
