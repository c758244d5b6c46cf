"""Cubes from plain arrays: NumPy and TIFF files."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tifffile
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from napari_dgc.cubes.axes import choose_axes, transposition
from napari_dgc.cubes.checks import (
    refusing,
    require_bands,
    require_cube,
    require_stored,
)
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.georeference import TAGS_FIELD, read_geotiff_tags


def read_npy(path: Path, axes: str | None) -> Cube:
    """Read a cube from a .npy file through a memory map."""
    return _cube(path, map_npy(path), axes)


def read_tiff(path: Path, axes: str | None) -> Cube:
    """Read a cube from a TIFF file, through a memory map where it is plain."""
    cube = _cube(path, load_tiff(path), axes)
    tags = read_geotiff_tags(path)
    if not tags:
        return cube
    return replace(cube, metadata=MappingProxyType({**cube.metadata, TAGS_FIELD: tags}))


def map_npy(path: Path) -> NDArray[Any]:
    """Map a .npy file; nothing is unpickled.

    Raises
    ------
    InputError
        For files that are cut short, hold Python objects or nothing, or are
        no .npy files.
    """
    with refusing(path, "is not a .npy file that can be read", "save it again"):
        with path.open("rb") as file:
            version = npy_format.read_magic(file)
            read_header = (
                npy_format.read_array_header_1_0
                if version == (1, 0)
                else npy_format.read_array_header_2_0
            )
            shape, _, dtype = read_header(file)
            expected = file.tell() + math.prod(shape) * dtype.itemsize
        if dtype.hasobject:
            raise InputError(
                path,
                "holds Python objects, which are never unpickled",
                "save the cube as a plain numeric array",
            )
        _require_size(path, expected)
        if 0 in shape:
            return np.empty(shape, dtype)
        mapped: NDArray[Any] = npy_format.open_memmap(path, mode="r")
        return mapped


def load_tiff(path: Path) -> NDArray[Any]:
    """Give the first image series of a TIFF file, mapped where possible.

    Raises
    ------
    InputError
        For files that are cut short or no TIFF files.
    """
    with refusing(path, "is not a TIFF file that can be read", "export it again"):
        with _listening() as complaints, open_tiff(path) as file:
            if not file.series:
                raise InputError(path, "holds no image", "export it again")
            series = file.series[0]
            if complaints:
                raise InputError(path, "is damaged or cut short", "copy the file again")
            offset = series.dataoffset
            if series.dtype is None:
                raise InputError(
                    path, "holds values of an unknown type", "export it again"
                )
            size = math.prod(series.shape) * np.dtype(series.dtype).itemsize
            require_stored(path, size, path.stat().st_size, "its image")
            if offset is None:
                values: NDArray[Any] = series.asarray()
                return values
            dtype = np.dtype(file.byteorder + series.dtype.char)
            shape = tuple(series.shape)
        _require_size(path, offset + math.prod(shape) * dtype.itemsize)
        return np.memmap(path, dtype, "r", offset, shape)


def open_tiff(path: Path) -> tifffile.TiffFile:
    """Open a TIFF file for what it holds itself.

    OME, Micro-Manager and NDTiff files may name others, whatever and wherever they
    are: those are not opened.
    """
    return tifffile.TiffFile(path, is_ome=False, is_mmstack=False, is_ndtiff=False)


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect what tifffile complains of its pages, and keep it off the screen.

    It only logs that a chain of pages breaks off, and gives the pages before.
    Complaints about single tags do no harm and are dropped.
    """
    complaints: list[str] = []
    logger = logging.getLogger("tifffile")

    def listen(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if record.levelno >= logging.WARNING and "TiffPages" in message:
            complaints.append(message)
        return False

    logger.addFilter(listen)
    try:
        yield complaints
    finally:
        logger.removeFilter(listen)


def _require_size(path: Path, expected: int) -> None:
    """Refuse a file shorter than its header says, before anything is allocated."""
    size = path.stat().st_size
    if size < expected:
        raise InputError(
            path,
            f"is cut short: {size} bytes where {expected} belong",
            "copy the file again",
        )


def _cube(path: Path, array: NDArray[Any], axes: str | None) -> Cube:
    """Make a cube of an array whose axes only the user can name."""
    require_cube(path, array.shape, array.dtype, "the array")
    order = choose_axes(path, array.shape, axes=axes)
    require_bands(path, array.shape[order.index("b")])
    integer = array.dtype.kind in "iu"
    return Cube(
        data=array.transpose(transposition(order)),
        name=path.stem,
        path=path,
        saturation=float(np.iinfo(array.dtype).max) if integer else None,
        metadata=MappingProxyType({"axes": order}),
    )
