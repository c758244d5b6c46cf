"""MATLAB v5 files (and v4), read through SciPy."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray

from napari_dgc.cubes.checks import refusing
from napari_dgc.cubes.cube import CubeArray
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.matlab import Variable

_HEADER = 128
_DEFLATE_AT_MOST = 1032  # zlib cannot pack more bytes than this into one
_NUMERIC = {
    "double": np.float64, "single": np.float32, "int8": np.int8, "uint8": np.uint8,
    "int16": np.int16, "uint16": np.uint16, "int32": np.int32, "uint32": np.uint32,
    "int64": np.int64, "uint64": np.uint64,
}  # fmt: skip


class Matlab5File:
    """A .mat file of version 5; it cannot be mapped, so arrays are read once.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    InputError
        For files that are cut short or no MATLAB files.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._check_length()
        with refusing(path, "is not a MATLAB file that can be read", "export it again"):
            listed = scipy.io.whosmat(str(path), appendmat=False)
        limit = path.stat().st_size * _DEFLATE_AT_MOST
        for name, shape, _ in listed:
            if math.prod(shape) > limit:
                raise InputError(
                    path,
                    f"{name!r} claims {math.prod(shape)} values, more than the "
                    "file can hold",
                    "export it again",
                )
        self._variables = MappingProxyType(
            {
                name: Variable(name, tuple(shape), np.dtype(_NUMERIC.get(kind, object)))
                for name, shape, kind in listed
            }
        )

    @property
    def variables(self) -> Mapping[str, Variable]:
        """What the file holds; complex arrays look real until loaded."""
        return self._variables

    def load(self, name: str) -> NDArray[Any]:
        """Read a variable whole."""
        with refusing(self._path, f"{name!r} is damaged", "export it again"):
            loaded = scipy.io.loadmat(
                str(self._path), variable_names=[name], appendmat=False
            )
            array: NDArray[Any] = loaded[name]
            return array

    def open(self, name: str, order: tuple[int, int, int]) -> CubeArray:
        """Read a 3-D variable and give a view of it in another axis order."""
        return self.load(name).transpose(order)

    def _check_length(self) -> None:
        """Follow the top-level elements of a v5 file to its end."""
        size = self._path.stat().st_size
        if size == 0:
            raise InputError(self._path, "is empty (0 bytes)", "copy the file again")
        with self._path.open("rb") as file:
            header = file.read(_HEADER)
            marks = {b"IM": "<", b"MI": ">"}
            if header[126:128] not in marks:
                return  # version 4, or no MATLAB file: SciPy tells
            tag = struct.Struct(marks[header[126:128]] + "II")
            at = _HEADER
            while at < size:
                file.seek(at)
                bytes_read = file.read(tag.size)
                end = at + tag.size
                if len(bytes_read) == tag.size:
                    end += tag.unpack(bytes_read)[1]
                if len(bytes_read) < tag.size or end > size:
                    raise InputError(
                        self._path,
                        f"is cut short: {size} bytes where at least "
                        f"{max(end, at + tag.size)} belong",
                        "copy the file again",
                    )
                at = end
