"""Cubes from MATLAB files of either kind: v5 (SciPy) and v7.3 (HDF5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.axes import choose_axes, parse_axes, transposition
from napari_dgc.cubes.checks import is_real, require_bands, require_cube
from napari_dgc.cubes.cube import Cube, CubeArray
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.wavelengths import pick_wavelengths

_DEFAULT_KEY = "cube"


@dataclass(frozen=True, slots=True)
class Variable:
    """An array in a MATLAB file, before it is read.

    Parameters
    ----------
    name : str
    shape : tuple of int
        In MATLAB's axis order where MATLAB wrote the file.
    dtype : numpy.dtype
        ``object`` for whatever is no array of numbers.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def list_length(self) -> int | None:
        """Length n where the shape is (n,), (n, 1) or (1, n) and n > 1."""
        long = [length for length in self.shape if length != 1]
        if len(self.shape) in (1, 2) and len(long) == 1:
            return long[0]
        return None

    def __str__(self) -> str:
        return f"{self.name} ({' x '.join(map(str, self.shape)) or 'single value'})"


class MatlabFile(Protocol):
    """What both kinds of MATLAB file offer."""

    @property
    def variables(self) -> Mapping[str, Variable]:
        """What the file holds, by name."""

    def load(self, name: str) -> NDArray[Any]:
        """Read a variable whole."""

    def open(self, name: str, order: tuple[int, int, int]) -> CubeArray:
        """Give a 3-D variable with axis i taken from axis ``order[i]``."""


def open_matlab(path: Path) -> MatlabFile:
    """Open a .mat file of either kind.

    Raises
    ------
    InputError
        For files that are damaged or no MATLAB files.
    """
    from napari_dgc.cubes.hdf5 import HDF5File
    from napari_dgc.cubes.matlab5 import Matlab5File

    return HDF5File(path) if h5py.is_hdf5(path) else Matlab5File(path)


def read_matlab(path: Path, key: str | None, axes: str | None) -> Cube:
    """Read a cube from a .mat file; see `napari_dgc.cubes.readers.read_cube`."""
    file = open_matlab(path)
    variable = choose_variable(path, file.variables, key)
    shape, name = variable.shape, variable.name
    require_cube(path, shape, variable.dtype, f"{name!r}")
    bands_first = _base(name) == _DEFAULT_KEY
    stated = parse_axes(axes) if axes is not None else None
    lists = _load_lists(
        file, name, shape if stated is None else (shape[stated.index("b")],)
    )
    picked = pick_wavelengths(lists, shape[0] if bands_first else None)
    order = choose_axes(
        path,
        shape,
        axes=stated,
        wavelengths=None if picked is None else len(picked[1]),
        bands_first=bands_first,
    )
    require_bands(path, shape[order.index("b")])
    data = file.open(name, transposition(order))
    metadata: dict[str, Any] = {"key": name, "axes": order}
    if picked is not None:
        metadata["wavelengths from"] = picked[0]
    elif lists:
        metadata["wavelengths note"] = (
            f"{', '.join(lists)}: nothing tells which of them holds wavelengths"
            if len(lists) > 1
            else f"{next(iter(lists))}: not a list of wavelengths"
        )
    # Of the declared type: v5 may store a double's whole numbers as integers.
    integer = variable.dtype.kind in "iu"
    return Cube(
        data=data,
        wavelengths=None if picked is None else picked[1],
        name=path.stem,
        path=path,
        saturation=float(np.iinfo(variable.dtype).max) if integer else None,
        metadata=MappingProxyType(metadata),
    )


def choose_variable(
    path: Path, variables: Mapping[str, Variable], key: str | None
) -> Variable:
    """Find the variable that holds the cube.

    The one `key` names; else ``cube``; else the only numeric array with
    three axes.

    Raises
    ------
    InputError
        Where there is none or several; it lists what the file holds.
    """
    held = ", ".join(map(str, variables.values())) or "nothing"
    if key is not None:
        if key.strip("/") not in variables:
            raise InputError(
                path, f"holds no array {key!r}; it holds {held}", "name one with --key"
            )
        return variables[key.strip("/")]
    if _DEFAULT_KEY in variables:
        return variables[_DEFAULT_KEY]
    cubes = [v for v in variables.values() if len(v.shape) == 3 and is_real(v.dtype)]
    if len(cubes) == 1:
        return cubes[0]
    if cubes:
        raise InputError(
            path,
            f"holds several arrays that may be the cube: {', '.join(map(str, cubes))}",
            "name one with --key",
        )
    raise InputError(
        path,
        f"holds no numeric array with three axes; it holds {held}",
        "give a file with a cube in it",
    )


def _base(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _load_lists(
    file: MatlabFile, beside: str, lengths: tuple[int, ...]
) -> dict[str, NDArray[np.float64]]:
    """Load the real 1-D arrays beside a variable whose length is in `lengths`."""
    folder = beside.rpartition("/")[0]
    lists = {}
    for name, variable in file.variables.items():
        if (
            name.rpartition("/")[0] == folder
            and is_real(variable.dtype)
            and variable.list_length in lengths
        ):
            lists[name] = file.load(name).ravel().astype(np.float64)
    return lists
