"""What every reader asks of a file before it believes it."""

from __future__ import annotations

import errno
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from napari_dgc.cubes.cube import CubeArray, row_slices
from napari_dgc.cubes.errors import InputError

_ROWS_PER_LOOK = 32
#: A text of ours is a few megabytes at most. Bytes.
LONGEST_TEXT = 256 * 2**20
#: Deflate packs no more than 1032 bytes into one, other methods seldom more.
_MOST_PACKED = 1100
_HARMLESS = 64 * 2**20  # bytes that anything may take


@contextmanager
def refusing(source: str | Path, fault: str, remedy: str) -> Iterator[None]:
    """Turn whatever a file library raises inside into one `InputError`.

    Parameters
    ----------
    source, fault, remedy
        As for `InputError`; the library's own words follow the fault in
        brackets.

    Notes
    -----
    Damaged files make SciPy, HDF5 and tifffile raise nearly anything, so
    every ``Exception`` counts. Their warnings are silenced, because the
    error says all there is to say.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:
        detail = str(error).strip().split("\n")[0] or type(error).__name__
        raise InputError(source, f"{fault} ({detail[:160]})", remedy) from error


def require_file(path: Path) -> None:
    """Refuse a path that is missing or a folder."""
    if path.is_dir():
        raise InputError(path, "is a folder, not a cube", "name a file in it")
    if not path.is_file():
        raise InputError(path, "no such file", "check the path")


def read_regular(path: str | Path, most: int = LONGEST_TEXT) -> bytes:
    """Read a file whole, if it is one that ends.

    Parameters
    ----------
    path : str or pathlib.Path
    most : int
        Bytes it may have.

    Raises
    ------
    OSError
        If it cannot be read, is a folder, a pipe or a device, is longer than
        `most`, or cannot be a file by its name.
    """
    try:
        found = Path(path).stat()
    except ValueError as error:  # a zero or half a character in it
        raise OSError(errno.EINVAL, "no file can be called so") from error
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, no file")
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"it is larger than {most / 2**20:.0f} MiB")
    return Path(path).read_bytes()


def require_stored(source: str | Path, size: int, stored: int, what: str) -> None:
    """Refuse an array that nobody could have packed into so few bytes.

    Before anything is allocated for it.

    Parameters
    ----------
    source : str or pathlib.Path
    size : int
        Bytes it is said to have, unpacked.
    stored : int
        Bytes it has in the file.
    what : str
        What the array is called in the message, such as ``"'cube'"``.
    """
    if size > max(_HARMLESS, _MOST_PACKED * stored):
        raise InputError(
            source,
            f"{what} is said to hold {size / 2**30:.3g} GiB, of which {stored} bytes "
            "are there",
            "copy or export it again",
        )


def is_real(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype holds real numbers (integers or floats, not booleans)."""
    return dtype.kind in "iuf"


def require_cube(
    path: Path, shape: tuple[int, ...], dtype: np.dtype[Any] | None, what: str
) -> None:
    """Refuse an array that cannot be a cube whatever its axes mean.

    Parameters
    ----------
    path : pathlib.Path
        The file, for the message.
    shape : tuple of int
        As stored.
    dtype : numpy.dtype or None
        None where it is known to be real already.
    what : str
        What the array is called in the message, such as ``"'cube'"``.
    """
    size = " x ".join(map(str, shape)) or "a single value"
    if dtype is not None and dtype.kind == "c":
        raise InputError(
            path, f"{what} holds complex numbers", "save its magnitude instead"
        )
    if dtype is not None and not is_real(dtype):
        raise InputError(
            path,
            f"{what} does not hold numbers (type {dtype})",
            "save the cube as a plain numeric array",
        )
    if len(shape) != 3:
        raise InputError(
            path,
            f"{what} has {len(shape)} axes ({size}), a cube has three",
            "name an array with bands, rows and columns",
        )
    if 0 in shape:
        raise InputError(path, f"{what} is empty ({size})", "save the cube again")


def require_bands(path: Path, bands: int) -> None:
    """Refuse fewer than two bands."""
    if bands < 2:
        raise InputError(
            path,
            "has a single band",
            "give a cube with at least two bands, or say with --axes which axis "
            "holds them",
        )


def require_numbers(path: Path, data: CubeArray) -> None:
    """Refuse a cube, shape (C, H, W), that holds no finite number.

    Three rows are looked at first; the whole file is read only where they
    hold none.
    """
    if data.dtype.kind != "f":
        return
    _, H, _ = data.shape
    probes = [slice(row, row + 1) for row in dict.fromkeys((H // 2, 0, H - 1))]
    with refusing(path, "cannot be read to its end", "copy the file again"):
        for rows in (*probes, *row_slices(H, _ROWS_PER_LOOK)):
            if np.isfinite(np.asarray(data[:, rows, :])).any():
                return
    raise InputError(path, "holds no finite value at all", "export the cube again")
