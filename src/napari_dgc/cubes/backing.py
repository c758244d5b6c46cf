"""What a cube's data stand on: memory, a mapped file, or something slower."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.calibrated import CalibratedArray
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import ScaledArray


class GuardedArray:
    """A memory map that may be read by those who do not ask `require_backing` first.

    Parameters
    ----------
    source : array-like
        A cube's data; any indexing it knows works.
    """

    def __init__(self, source: Any) -> None:
        self.source = source
        self.shape: tuple[int, ...] = source.shape
        self.ndim: int = source.ndim
        self.dtype: np.dtype[Any] = source.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any, /) -> Any:
        require_backing(self.source)
        # A copy: a view would be read later, when the file may have changed.
        value = np.array(self.source[key])
        return value if value.ndim else value[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)


def guarded(data: Any) -> Any:
    """Data for those who read it as any array: a memory map is guarded."""
    return GuardedArray(data) if isinstance(_stored(data), np.memmap) else data


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
    while isinstance(data, (ScaledArray, CalibratedArray, GuardedArray)):
        data = data.source
    return data
