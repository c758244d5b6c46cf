"""Group maps as files: label TIFF, and PNG in the colours on screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_dgc.cubes.arrays import load_tiff
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole
from napari_dgc.cubes.georeference import Tag


def write_label_tiff(
    path: str | Path,
    label_map: NDArray[np.uint8],
    *,
    description: str = "",
    tags: Sequence[Tag] = (),
    force: bool = False,
) -> Path:
    """Write label values as an 8-bit grey TIFF, losslessly compressed.

    Parameters
    ----------
    path : str or pathlib.Path
    label_map : ndarray of uint8, shape (H, W)
        0 is "no data".
    description : str
        What the values mean; goes into the TIFF's ImageDescription.
    tags : sequence of Tag
        Where the pixels lie on Earth; see `geotiff_tags`.
    force : bool
        Replace the file if it exists.

    Raises
    ------
    ValueError
        If the map is not 2-D uint8 or is empty.
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    check_label_map(label_map)
    return write_whole(
        path,
        lambda file: encode_label_tiff(file, label_map, description, tags),
        force=force,
    )


def encode_label_tiff(
    file: BinaryIO,
    label_map: NDArray[np.uint8],
    description: str = "",
    tags: Sequence[Tag] = (),
) -> None:
    """Write into an open file what `write_label_tiff` writes."""
    # No date in it: equal maps give equal bytes.
    tifffile.imwrite(
        file,
        label_map,
        photometric="minisblack",
        compression="zlib",
        metadata=None,
        description=description.encode() or None,
        software="napari-dgc",
        extratags=[(*tag, True) for tag in tags],
    )


def read_label_tiff(path: str | Path) -> NDArray[np.uint8]:
    """Read a label TIFF.

    Returns
    -------
    ndarray of uint8, shape (H, W)

    Raises
    ------
    InputError
        If the file cannot be read or is not one 8-bit grey image.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "cannot be read as TIFF (no file)", "check the path")
    data = np.array(load_tiff(path))  # of its own: the file may go
    if data.ndim != 2 or data.dtype != np.uint8 or not data.size:
        raise InputError(
            path,
            f"holds {data.dtype} of shape {data.shape}, not one 8-bit label map",
            "give a label map such as the segment command writes",
        )
    return data


def write_png(
    path: str | Path,
    label_map: NDArray[np.uint8],
    colors: Mapping[int, tuple[int, int, int]],
    *,
    force: bool = False,
) -> Path:
    """Write a map in its groups' colours; 0 ("no data") is transparent.

    Parameters
    ----------
    path : str or pathlib.Path
    label_map : ndarray of uint8, shape (H, W)
    colors : mapping of int to (r, g, b)
        0..255 each, for every label value in the map but 0.
    force : bool
        Replace the file if it exists.

    Raises
    ------
    ValueError
        If the map is not 2-D uint8 or is empty, or a value has no colour.
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    image = Image.fromarray(paint(label_map, colors))
    return write_whole(path, lambda file: image.save(file, format="PNG"), force=force)


def paint(
    label_map: NDArray[np.uint8], colors: Mapping[int, tuple[int, int, int]]
) -> NDArray[np.uint8]:
    """Colour a map: (H, W, 4) uint8 RGBA, transparent where it is 0.

    Raises
    ------
    ValueError
        If the map is not 2-D uint8 or is empty, or a value has no colour.
    """
    check_label_map(label_map)
    present = set(np.flatnonzero(np.bincount(label_map.ravel()))) - {0}
    missing = sorted(present - set(colors))
    if missing:
        raise ValueError(f"no colour for the label values {list(map(int, missing))}")
    lut = np.zeros((256, 4), np.uint8)
    for value, color in colors.items():
        if value != 0:
            lut[value] = (*color, 255)
    return lut[label_map]


def check_label_map(label_map: NDArray[np.uint8]) -> None:
    """Raise ValueError unless a map is 2-D uint8 with at least one pixel."""
    if label_map.ndim != 2 or label_map.dtype != np.uint8 or not label_map.size:
        raise ValueError(
            f"a label map is uint8 of shape (H, W), not {label_map.dtype} of "
            f"{label_map.shape}; convert it first"
        )
