"""What a cube's data stand on: memory, a mapped file, or something slower."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np

from napari_dgc.cubes.calibrated import CalibratedArray
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import ScaledArray


def reads_at_once(data: object) -> bool:
    """Whether a pixel's spectrum can be read without keeping anybody waiting.

    So it is in memory and in memory maps; compressed files and lazily computed
    arrays may take seconds.
    """
    return isinstance(_stored(data), np.ndarray)


def require_backing(data: object) -> None:
    """Raise InputError if the file behind a memory map has become too short.

    To read beyond a file's end through a map kills the process. (A file that
    was moved or deleted is no matter: it lives on as long as it is open.)

    Parameters
    ----------
    data : array-like
        A cube's data, of any kind; costs microseconds.
    """
    array: Any = _stored(data)
    if not isinstance(array, np.memmap):
        return
    while isinstance(array.base, np.memmap):  # from a view to the whole map
        array = array.base
    if not isinstance(array.base, mmap.mmap):
        return
    try:
        size = array.base.size()  # of the open file, as it is now
    except OSError:  # such as a network drive's that is gone
        size = 0
    if size < array.offset + array.nbytes:
        raise InputError(
            array.filename or "the cube",
            "became shorter while it was in use",
            "copy or export it again",
        )


def _stored(data: object) -> object:
    """What is read when values are computed from it."""
    while isinstance(data, (ScaledArray, CalibratedArray)):
        data = data.source
    return data
