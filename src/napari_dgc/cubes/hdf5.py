"""MATLAB v7.3 files, which are HDF5; and HDF5 that others wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.checks import refusing
from napari_dgc.cubes.cube import CubeArray
from napari_dgc.cubes.lazy import HDF5Array, chunk_cache_bytes
from napari_dgc.cubes.matlab import Variable

_DAMAGED = "is not an HDF5 (MATLAB v7.3) file that can be read"
_AGAIN = "copy or export it again"
_NOT_NUMBERS = {b"char", b"cell", b"struct", b"function_handle"}


class HDF5File:
    """An HDF5 file seen as a table of arrays.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    InputError
        For files that are cut short or damaged.

    Notes
    -----
    HDF5 stores MATLAB's arrays with their axes reversed; the attribute
    ``MATLAB_class`` tells that MATLAB wrote one, and its axes are turned
    back. Arrays written by h5py are taken as they are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        variables: dict[str, Variable] = {}

        def note(name: str, node: h5py.Dataset | h5py.Group) -> None:
            # '#refs#' and '#subsystem#' are MATLAB's own drawers.
            if isinstance(node, h5py.Dataset) and not name.startswith("#"):
                variables[name] = _describe(name, node)

        with refusing(path, _DAMAGED, _AGAIN), h5py.File(path, "r") as file:
            file.visititems(note)
        self._variables = MappingProxyType(variables)

    @property
    def variables(self) -> Mapping[str, Variable]:
        """What the file holds, by path inside it."""
        return self._variables

    def load(self, name: str) -> NDArray[Any]:
        """Read a dataset whole, in MATLAB's axis order where MATLAB wrote it."""
        with (
            refusing(self._path, f"{name!r} is damaged", _AGAIN),
            h5py.File(self._path, "r") as file,
        ):
            dataset = file[name]
            values = np.asarray(dataset[()])
            return values.T if _by_matlab(dataset) else values

    def open(self, name: str, order: tuple[int, int, int]) -> CubeArray:
        """Give a 3-D dataset without reading it.

        A contiguous one becomes a memory map. Others are read by blocks
        through an `HDF5Array`, whose file stays open as long as it lives.
        """
        with refusing(self._path, f"{name!r} cannot be opened", _AGAIN):
            cache = 2**20
            with h5py.File(self._path, "r") as file:
                dataset = file[name]
                if _by_matlab(dataset):
                    order = (2 - order[0], 2 - order[1], 2 - order[2])
                offset = _plain_offset(dataset)
                if offset is not None:
                    return np.memmap(
                        self._path, dataset.dtype, "r", offset, dataset.shape
                    ).transpose(order)
                if dataset.chunks is not None:
                    cache = chunk_cache_bytes(
                        dataset.shape,
                        dataset.chunks,
                        dataset.dtype.itemsize,
                        rows_axis=order[1],
                    )
            # HDF5 fixes the cache when a file is opened, so open it anew. A
            # prime number of slots, many more than chunks, keeps them apart.
            file = h5py.File(self._path, "r", rdcc_nbytes=cache, rdcc_nslots=100_003)
            try:
                return HDF5Array(file[name], order)
            except Exception:
                file.close()
                raise


def _describe(name: str, dataset: h5py.Dataset) -> Variable:
    """Note name, shape and type of a dataset."""
    shape = tuple(int(length) for length in dataset.shape or ())
    dtype = dataset.dtype
    if dtype.names == ("real", "imag"):  # how MATLAB stores complex numbers
        dtype = np.dtype(np.complex128)
    written_as = dataset.attrs.get("MATLAB_class")
    if written_as in _NOT_NUMBERS:
        dtype = np.dtype(object)
    elif written_as == b"logical":  # stored as uint8
        dtype = np.dtype(bool)
    if dataset.attrs.get("MATLAB_empty", 0):  # it holds the shape, not the values
        return Variable(name, (0,), dtype)
    return Variable(name, shape[::-1] if _by_matlab(dataset) else shape, dtype)


def _by_matlab(dataset: h5py.Dataset) -> bool:
    return "MATLAB_class" in dataset.attrs


def _plain_offset(dataset: h5py.Dataset) -> int | None:
    """Byte offset of a dataset that lies in the file in one piece, else None."""
    plain = (
        dataset.chunks is None
        and not dataset.external
        and not dataset.is_virtual
        and dataset.id.get_storage_size() == dataset.nbytes
    )
    if not plain:
        return None
    offset = dataset.id.get_offset()
    return None if offset is None else int(offset)
