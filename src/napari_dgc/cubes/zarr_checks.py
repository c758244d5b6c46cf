"""What a zarr store is asked before zarr believes it; zarr itself asks little.

It opens pipes and devices for chunks, takes the memory that a shape or a chunk is
said to need, and older numcodecs unpickle.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_dgc.cubes.checks import LONGEST_TEXT, is_real, require_stored
from napari_dgc.cubes.errors import InputError

_DESCRIBING = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
_NEVER = "pickle"  # a codec that executes what it reads
_REMEDY = "write it again"


def count_stored(path: Path) -> int:
    """Bytes of all files of a store; looks at each, opens none.

    Raises
    ------
    InputError
        If one is no file that ends (a pipe, a device, a link to itself), what
        describes the arrays is larger than any text, or a codec would unpickle.
    """
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder) / name
            try:
                found = file.stat()
            except OSError as error:
                reason = error.strerror or str(error)
                fault = f"its {name} cannot be read ({reason})"
                raise InputError(path, fault, _REMEDY) from error
            if not stat.S_ISREG(found.st_mode):
                raise InputError(path, f"its {name} is no regular file", _REMEDY)
            total += found.st_size
            if name in _DESCRIBING:
                _require_no_pickle(path, file, found.st_size)
    return total


def require_array(path: Path, array: Any, stored: int, what: str) -> None:
    """Refuse an array that nobody could have packed into so few bytes.

    Parameters
    ----------
    path : pathlib.Path
        The store.
    array : zarr.Array
    stored : int
        Bytes of the store, as `count_stored` gives them.
    what : str
        What the array is called in the message.
    """
    dtype = np.dtype(array.dtype)
    if not is_real(dtype):
        raise InputError(path, f"{what} holds {dtype}, no numbers", _REMEDY)
    # A chunk is unpacked whole, however little of it lies in the array.
    for shape in (array.shape, array.chunks, array.shards or ()):
        require_stored(path, math.prod(map(int, shape)) * dtype.itemsize, stored, what)


def _require_no_pickle(path: Path, file: Path, size: int) -> None:
    if size > LONGEST_TEXT:
        raise InputError(path, f"its {file.name} is {size} bytes long", _REMEDY)
    try:
        names = set(_names(json.loads(file.read_bytes())))
    except (OSError, ValueError, RecursionError) as error:
        fault = f"its {file.name} cannot be read ({str(error)[:160]})"
        raise InputError(path, fault, _REMEDY) from error
    if any(_NEVER in name.lower() for name in names):
        raise InputError(
            path, f"its {file.name} asks to unpickle, which is never done", _REMEDY
        )


def _names(tree: Any) -> Iterator[str]:
    """What codecs are called, wherever they stand."""
    if isinstance(tree, Mapping):
        for key in ("id", "name", "object_codec_id"):
            if isinstance(tree.get(key), str):
                yield tree[key]
    if isinstance(tree, Mapping | list):
        for value in tree.values() if isinstance(tree, Mapping) else tree:
            yield from _names(value)
