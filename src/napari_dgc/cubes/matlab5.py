"""MATLAB v5 files, read through SciPy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray

from napari_dgc.cubes.checks import refusing
from napari_dgc.cubes.cube import CubeArray
from napari_dgc.cubes.matlab import Variable
from napari_dgc.cubes.matlab5_layout import list_entries

_DTYPES: dict[str, type] = {
    "double": np.float64, "single": np.float32, "int8": np.int8, "uint8": np.uint8,
    "int16": np.int16, "uint16": np.uint16, "int32": np.int32, "uint32": np.uint32,
    "int64": np.int64, "uint64": np.uint64, "complex": np.complex128,
    "logical": np.bool_,
}  # fmt: skip


class Matlab5File:
    """A .mat file of version 5; it cannot be mapped, so arrays are read once.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    InputError
        For files that are cut short, damaged or no MATLAB v5 files.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._variables = MappingProxyType(
            {
                entry.name: Variable(
                    entry.name, entry.shape, np.dtype(_DTYPES.get(entry.kind, object))
                )
                for entry in list_entries(path)
                if entry.name  # the nameless one is MATLAB's own workspace
            }
        )

    @property
    def variables(self) -> Mapping[str, Variable]:
        """What the file holds, by name."""
        return self._variables

    def load(self, name: str) -> NDArray[Any]:
        """Read a variable of real numbers whole.

        MATLAB may store whole numbers of class double in fewer bytes; SciPy
        leaves them so.
        """
        with refusing(self._path, f"{name!r} is damaged", "export it again"):
            loaded = scipy.io.loadmat(
                str(self._path), variable_names=[name], appendmat=False
            )
            array: NDArray[Any] = loaded[name]
            return array

    def open(self, name: str, order: tuple[int, int, int]) -> CubeArray:
        """Read a 3-D variable and give a view of it in another axis order."""
        return self.load(name).transpose(order)
