"""MATLAB v7.3 files, which are HDF5; and HDF5 that others wrote."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.checks import refusing, require_stored
from napari_dgc.cubes.cube import CubeArray
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import HDF5Array, chunk_cache_bytes
from napari_dgc.cubes.matlab import Variable

_DAMAGED = "is not an HDF5 (MATLAB v7.3) file that can be read"
_AGAIN = "copy or export it again"
_MOST_PACKED = 1100  # bytes in one: deflate packs 1032, others less
_DEEPEST = 20  # groups within groups
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

        def note(name: str, dataset: h5py.Dataset) -> None:
            variables[name] = _describe(name, dataset)

        with refusing(path, _DAMAGED, _AGAIN), h5py.File(path, "r") as file:
            _visit(file, "", note, set())
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
            _require_own(self._path, name, dataset)
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
                _require_own(self._path, name, dataset)
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


def _visit(
    group: h5py.Group,
    above: str,
    note: Callable[[str, h5py.Dataset], None],
    seen: set[tuple[int, int]],
) -> None:
    """Name each array of a group and of those in it, once.

    Neither links to other files nor soft ones are followed, and nothing is looked for
    deeper than anybody would nest it. ('#refs#' and '#subsystem#' are MATLAB's own
    drawers.)
    """
    for key in group:
        if key.startswith("#") or not isinstance(
            group.get(key, getlink=True), h5py.HardLink
        ):
            continue
        node = group[key]
        about = h5py.h5o.get_info(node.id)
        if (about.fileno, about.addr) in seen:
            continue
        seen.add((about.fileno, about.addr))
        name = f"{above}{key}"
        if isinstance(node, h5py.Dataset):
            note(name, node)
        elif isinstance(node, h5py.Group) and name.count("/") < _DEEPEST:
            _visit(node, f"{name}/", note, seen)


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


def _require_own(path: Path, name: str, dataset: h5py.Dataset) -> None:
    """Refuse values that lie in other files, or cannot be as many as is said.

    A file that names others would have them read, whatever and wherever they are.
    """
    elsewhere = bool(dataset.external)
    if dataset.is_virtual:
        elsewhere = any(s.file_name != "." for s in dataset.virtual_sources())
    if elsewhere:
        raise InputError(
            path, f"{name!r} lies in other files", "export it as one file of its own"
        )
    if not dataset.is_virtual:
        stored = dataset.id.get_storage_size()
        places = max(dataset.size, math.prod(dataset.chunks or ()))
        require_stored(path, places * dataset.dtype.itemsize, stored, repr(name))
    if dataset.compression in ("gzip", "lzf"):
        _require_chunks(path, name, dataset)


def _require_chunks(path: Path, name: str, dataset: h5py.Dataset) -> None:
    """Refuse chunks that cannot unpack to what they are said to hold.

    HDF5 would read beyond what it unpacked, which may end the process. Looks at
    sizes alone: some microseconds a chunk.
    """
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    smallest = [size]

    def look(chunk: Any) -> None:
        if not chunk.filter_mask:
            smallest[0] = min(smallest[0], chunk.size)

    dataset.id.chunk_iter(look)
    if size > _MOST_PACKED * smallest[0]:
        raise InputError(
            path, f"{name!r} is damaged: a chunk of it is too small", _AGAIN
        )


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
