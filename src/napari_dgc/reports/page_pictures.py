"""Pictures for a page, small enough for all of them to travel in one file."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray
from PIL import Image

from napari_dgc.reports.classes import MapClass
from napari_dgc.reports.masks import check_label_map

LONGEST_SIDE = 600
"""Pixels of a picture's longer side at most."""

_SIDES = (LONGEST_SIDE, 450, 340, 256, 190)  # the first whose bytes fit is taken
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the page itself.

    Attributes
    ----------
    source : str
        A ``data:`` address.
    width, height : int
        In pixels.
    alt : str
        What it shows, for those who cannot see it.
    """

    source: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A leaf's number on a picture: where, in % from the left and from the top."""

    text: str
    left: str
    top: str


def leaf_marks(regions: NDArray[np.uint16], most: int = 60) -> tuple[Mark, ...]:
    """Put each leaf's number, up to `most`, into the middle of its pixels (H, W)."""
    present = np.unique(regions[(regions > 0) & (regions <= most)]).tolist()
    if not present:
        return ()
    middles = scipy.ndimage.center_of_mass(regions > 0, regions, present)
    H, W = regions.shape
    return tuple(
        Mark(str(n), f"{100 * (x + 0.5) / W:.2f}", f"{100 * (y + 0.5) / H:.2f}")
        for n, (y, x) in zip(present, middles, strict=True)
    )


def stride_of(shape: tuple[int, ...]) -> int:
    """Every how many pixels of an (H, W) image one is shown."""
    return max(1, -(-max(shape) // LONGEST_SIDE))


def color_picture(image: NDArray[np.uint8], alt: str, most_bytes: int) -> Picture:
    """Show an (H, W, 3) RGB image as JPEG."""
    whole, how = Image.fromarray(image), Image.Resampling.BOX
    data, size = _fitted(whole, how, most_bytes, "JPEG", quality=_QUALITY)
    return _picture(data, "jpeg", size, alt)


def map_picture(
    label_map: NDArray[np.uint8],
    classes: Sequence[MapClass],
    alt: str,
    most_bytes: int,
) -> Picture:
    """Show an (H, W) map in its classes' colours as PNG; no data is white."""
    check_label_map(label_map)
    colors = np.full((256, 3), 255, np.uint8)
    for one in classes:
        colors[one.value] = one.color
    whole = Image.fromarray(label_map).convert("P")
    whole.putpalette(colors.tobytes())
    how = Image.Resampling.NEAREST  # labels have no in-between
    data, size = _fitted(whole, how, most_bytes, "PNG", optimize=True)
    return _picture(data, "png", size, alt)


def png_picture(data: bytes, alt: str) -> Picture:
    """Show a PNG that is there already."""
    with Image.open(io.BytesIO(data)) as image:
        size = image.size
    return _picture(data, "png", size, alt)


def _fitted(
    whole: Image.Image,
    how: Image.Resampling,
    most_bytes: int,
    kind: str,
    **options: object,
) -> tuple[bytes, tuple[int, int]]:
    """Encode an image, ever smaller until it fits; the smallest is taken anyhow."""
    for side in _SIDES:
        small = _shrunk(whole, side, how)
        data = _encoded(small, kind, **options)
        if len(data) <= most_bytes:
            break
    return data, small.size


def _shrunk(image: Image.Image, side: int, how: Image.Resampling) -> Image.Image:
    scale = side / max(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), how)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def _picture(data: bytes, kind: str, size: tuple[int, int], alt: str) -> Picture:
    text = base64.b64encode(data).decode("ascii")
    return Picture(f"data:image/{kind};base64,{text}", *size, alt)
