"""Arrays in .npz archives, looked at before they are unpacked."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from napari_dgc.cubes.checks import read_regular

#: Bytes of all arrays, unpacked: the leaves of a hundred cubes of a million pixels.
LARGEST = 2**30


def read_npz(
    path: str | Path, names: Collection[str] | None = None, most: int = LARGEST
) -> dict[str, NDArray[Any]]:
    """Read arrays out of an .npz archive; nothing is unpickled.

    Parameters
    ----------
    path : str or pathlib.Path
    names : collection of str, optional
        Which arrays; all of them if not given.
    most : int
        Bytes that they may have together, unpacked.

    Raises
    ------
    OSError
        If the file cannot be read, or is no file.
    ValueError
        If it is no such archive, is damaged, lacks an array, or they are larger than
        `most`. Sizes are looked at before anything is unpacked.
    """
    content = read_regular(path, most)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            held = {i.filename.removesuffix(".npy"): i for i in archive.infolist()}
            chosen = held if names is None else {n: held[n] for n in names}
            size = sum(info.file_size for info in chosen.values())
            if size > most:
                raise ValueError(f"its arrays would take {size / 2**30:.3g} GiB")
            arrays = {}
            for name, info in chosen.items():
                with archive.open(info) as file:
                    arrays[name] = _read(file, info.file_size)
            return arrays
    except KeyError as error:
        raise ValueError(f"{error} is not in it") from error
    except (
        zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
        OSError, MemoryError,
    ) as error:  # fmt: skip
        raise ValueError(str(error) or type(error).__name__) from error


def _read(file: IO[bytes], size: int) -> NDArray[Any]:
    """Read a .npy file of `size` bytes, which its header has to agree with."""
    try:
        version = npy_format.read_magic(file)
        header = {
            (1, 0): npy_format.read_array_header_1_0,
            (2, 0): npy_format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = header(file)
    except Exception as error:  # a damaged header makes NumPy raise nearly anything
        raise ValueError("it holds no array that can be read") from error
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never unpickled")
    length = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or length != size - file.tell():
        raise ValueError(f"{size - file.tell()} bytes in it for an array of {shape}")
    values = file.read(length)
    if len(values) < length:
        raise ValueError("it is cut short")
    # A copy: what is computed with may be written into, and must be aligned.
    array: NDArray[Any] = np.frombuffer(values, dtype).copy()
    return array.reshape(shape, order="F" if fortran else "C")
