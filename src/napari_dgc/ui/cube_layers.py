"""A cube as napari layers: the picture on top, all bands beneath it.

Knows no Qt and no viewer: the reader, the sample scenes, the menu and the
dock all make their layers here, in whatever thread they please.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.backing import guarded, require_backing
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.rendering import pseudo_rgb

LayerData = tuple[Any, dict[str, Any], str]

CUBE_KEY = "napari_dgc_cube"
"""Where in a layer's metadata its `Cube` is."""

WAVELENGTHS_KEY = "wavelengths_nm"

_SAMPLED_BANDS = 9
_SAMPLED_SIDE = 128  # pixels along each side of the subsample at most
_PERCENTILES = (0.5, 99.5)


def cube_to_layers(cube: Cube, *, visible: bool = True) -> list[LayerData]:
    """Make the two layers a cube is shown as.

    Parameters
    ----------
    cube : Cube
        Its data are handed on as they are; a memory map stays one, guarded
        against a file that becomes shorter.
    visible : bool
        Whether the layers are shown at once.

    Returns
    -------
    list of LayerData
        The cube, (C, H, W), named after it, with the `Cube` itself under
        ``metadata["napari_dgc_cube"]`` and a list of nanometres (or None)
        under ``metadata["wavelengths_nm"]``; then its pseudo-RGB picture,
        (H, W, 3) uint8. Both lie on each other pixel by pixel.

    Notes
    -----
    The bands stay visible beneath the opaque picture: hiding the picture is
    then the one click that shows the band under the slider.
    """
    low, high = contrast_limits(cube)
    pixel = _pixel_size(cube)
    scale, units = ((1.0, 1.0), ("pixel", "pixel")) if pixel is None else pixel
    wavelengths = None if cube.wavelengths is None else cube.wavelengths.tolist()
    bands: dict[str, Any] = {
        "name": cube.name,
        "rgb": False,
        "multiscale": False,
        "colormap": "gray",
        "contrast_limits": (low, high),
        "scale": (1.0, *scale),
        "units": ("pixel", *units),
        "axis_labels": ("band", "y", "x"),
        "metadata": {CUBE_KEY: cube, WAVELENGTHS_KEY: wavelengths},
        "visible": visible,
    }
    picture: dict[str, Any] = {
        "name": f"{cube.name} RGB",
        "rgb": True,
        "multiscale": False,
        "scale": scale,
        "units": units,
        "axis_labels": ("y", "x"),
        "visible": visible,
    }
    return [(guarded(cube.data), bands, "image"), (pseudo_rgb(cube), picture, "image")]


def plane_of(bands: Any) -> dict[str, Any]:
    """Place and units of a layer's last two axes, for a layer that lies on it."""
    return {
        "scale": bands.scale[-2:],
        "translate": bands.translate[-2:],
        "units": bands.units[-2:],
        "axis_labels": bands.axis_labels[-2:],
    }


def contrast_limits(cube: Cube) -> tuple[float, float]:
    """Find grey limits from a few bands of a coarse grid of valid pixels.

    Parameters
    ----------
    cube : Cube
        At most 9 of its bands are read, at most 128 x 128 pixels of each.

    Returns
    -------
    low, high : float
        Percentiles 0.5 and 99.5; always finite, and ``low < high``.
    """
    values = _sampled_values(cube)
    if not values.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, _PERCENTILES))
    if not low < high:
        low, high = float(values.min()), float(values.max())
    if not low < high:  # one value everywhere: any width shows it alike
        high = low + max(1.0, abs(low) * 1e-3)
    return low, high


def _sampled_values(cube: Cube) -> NDArray[np.float64]:
    """Values of valid pixels in some good bands, 1-D."""
    C, H, W = cube.shape
    bands = np.arange(C)
    if cube.good_bands is not None and cube.good_bands.any():
        bands = bands[cube.good_bands]
    chosen = bands[
        np.unique(np.linspace(0, len(bands) - 1, _SAMPLED_BANDS).astype(int))
    ]
    require_backing(cube.data)
    rows = slice(None, None, -(-H // _SAMPLED_SIDE))
    cols = slice(None, None, -(-W // _SAMPLED_SIDE))
    sample = np.stack(
        [np.asarray(cube.data[int(b), rows, cols], np.float64) for b in chosen]
    )
    # As `Cube.valid` does, but from these bands alone: that would read them all.
    valid = np.isfinite(sample).all(axis=0)
    if len(chosen) > 1:
        valid &= (sample != sample[:1]).any(axis=0)
    if cube.saturation is not None:
        valid &= (sample < cube.saturation).all(axis=0)
    if cube.ignore_value:  # an ignore value of 0 is caught as "all bands equal"
        valid &= (sample != cube.ignore_value).all(axis=0)
    if cube.mask is not None:
        valid &= cube.mask[rows, cols]
    kept: NDArray[np.float64] = sample[:, valid]
    return kept.ravel()


# ENVI's words for lengths, and napari's (pint's) for the same.
_LENGTHS = {
    "meters": "meter",
    "metres": "meter",
    "centimeters": "centimeter",
    "centimetres": "centimeter",
    "millimeters": "millimeter",
    "millimetres": "millimeter",
    "micrometers": "micrometer",
    "micrometres": "micrometer",
}


def _pixel_size(cube: Cube) -> tuple[tuple[float, float], tuple[str, str]] | None:
    """Height and width of a pixel with their units, where a header says both.

    ``pixel size = {x, y, units=Millimeters}``, or the sixth and seventh entry
    of ``map info``. Degrees, rotated maps and sizes without a unit are left
    alone: a wrong scale bar is worse than one in pixels.
    """
    for name, first in (("pixel size", 0), ("map info", 5)):
        stated = cube.metadata.get(name)
        if stated is None:
            continue
        fields = stated.strip("{} ").split(",") if isinstance(stated, str) else stated
        words = [str(field).strip().lower() for field in fields]
        named = dict(word.split("=", 1) for word in words if "=" in word)
        unit = _LENGTHS.get(named.get("units", "").strip())
        try:
            turned = float(named.get("rotation", 0)) != 0
            x, y = (float(word) for word in words[first : first + 2])
        except (TypeError, ValueError):
            continue
        if unit and not turned and 0 < x < np.inf and 0 < y < np.inf:
            return (y, x), (unit, unit)
    return None
