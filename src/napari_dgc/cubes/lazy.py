"""Arrays that read, reorder and scale only what is asked for."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError

if TYPE_CHECKING:
    import h5py

#: HDF5's own cache holds 1 MiB; a stripe of chunks rarely fits. Bytes.
CHUNK_CACHE_LIMIT = 512 * 2**20
_ROWS_PER_STRIPE = 64


class ScaledArray:
    """Integers divided by a factor as they are read.

    Parameters
    ----------
    source : ndarray of integers, shape (C, H, W)
        Usually a view of a memory map; any NumPy indexing works. Kept under
        this name.
    factor : float
        What the stored values are divided by.
    """

    def __init__(self, source: NDArray[Any], factor: float) -> None:
        self.source = source
        self._factor = np.float32(factor)
        self.shape: tuple[int, ...] = source.shape
        self.ndim = source.ndim
        self.dtype: np.dtype[Any] = np.dtype(np.float32)

    def __getitem__(self, key: Any, /) -> Any:
        values = np.asarray(self.source[key]).astype(np.float32)
        values /= self._factor
        return values if values.ndim else values[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)


class BoxedArray:
    """An array of three axes that is stored in another order and read by boxes.

    Parameters
    ----------
    shape : tuple of int
        As stored.
    dtype : numpy.dtype
    order : tuple of int
        Axis i of this array is axis ``order[i]`` of what is stored.

    Notes
    -----
    Indexing follows NumPy: whole numbers, slices and index or boolean
    arrays. One index array is read place by place where its places lie far
    apart; otherwise the box that holds all places is read, then picked from.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], order: tuple[int, int, int]
    ) -> None:
        self._order = order
        self.shape: tuple[int, ...] = tuple(int(shape[axis]) for axis in order)
        self.ndim = 3
        self.dtype: np.dtype[Any] = dtype

    def __getitem__(self, key: Any, /) -> Any:
        entries = _expand(key, self.ndim)
        arrays = [axis for axis, e in enumerate(entries) if isinstance(e, np.ndarray)]
        if len(arrays) == 1 and entries[arrays[0]].ndim == 1:
            scattered = _pick_scattered(self._read, entries, arrays[0], self.shape)
            if scattered is not None:
                return scattered
        boxes, picks = [], []
        for entry, length in zip(entries, self.shape, strict=True):
            box, pick = _bound(entry, length)
            boxes.append(box)
            picks.append(pick)
        return self._read(boxes)[tuple(picks)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)

    def _read(self, boxes: list[slice]) -> NDArray[Any]:
        """Read one slice per axis, all three axes kept."""
        selection = [slice(None)] * 3
        for axis, box in zip(self._order, boxes, strict=True):
            selection[axis] = box
        return self._fetch((selection[0], selection[1], selection[2])).transpose(
            self._order
        )

    def _fetch(self, selection: tuple[slice, slice, slice]) -> NDArray[Any]:
        """Read a box, its axes as stored."""
        raise NotImplementedError


class HDF5Array(BoxedArray):
    """A dataset in an open HDF5 file, its axes reordered, read by blocks.

    Parameters
    ----------
    dataset : h5py.Dataset
        Three axes; its file stays open as long as this array lives.
    order : tuple of int
        Axis i of this array is axis ``order[i]`` of the dataset.
    """

    def __init__(self, dataset: h5py.Dataset, order: tuple[int, int, int]) -> None:
        super().__init__(dataset.shape, dataset.dtype, order)
        self._dataset = dataset
        self._bytes = self._bytes_now()

    def _fetch(self, selection: tuple[slice, slice, slice]) -> NDArray[Any]:
        if self._bytes_now() < self._bytes:
            # HDF5 reads zeros beyond a file's end, and says nothing.
            raise InputError(
                self._dataset.file.filename,
                "became shorter while it was in use",
                "copy or export it again",
            )
        try:
            return np.asarray(self._dataset[selection])
        except OSError as error:  # a chunk that does not decompress
            raise InputError(
                self._dataset.file.filename,
                f"is damaged ({error})",
                "copy or export it again",
            ) from error

    def _bytes_now(self) -> int:
        """Size of the open file; 0 where it is none of the file system's."""
        try:
            return os.fstat(self._dataset.file.id.get_vfd_handle()).st_size
        except (OSError, OverflowError, ValueError, RuntimeError):
            return 0


def chunk_cache_bytes(
    shape: tuple[int, ...], chunks: tuple[int, ...], itemsize: int, rows_axis: int
) -> int:
    """Bytes of cache that let stripes of rows be read without reading chunks twice.

    Parameters
    ----------
    shape, chunks : tuple of int
        Of the dataset, in its own axis order.
    itemsize : int
        Bytes per value.
    rows_axis : int
        The dataset's axis that holds the rows.

    Returns
    -------
    int
        At most `CHUNK_CACHE_LIMIT`.
    """
    count = 1
    for axis, (length, chunk) in enumerate(zip(shape, chunks, strict=True)):
        if axis == rows_axis:
            length = min(length, _ROWS_PER_STRIPE + chunk)
        count *= math.ceil(length / chunk)
    return min(CHUNK_CACHE_LIMIT, max(2**20, count * math.prod(chunks) * itemsize))


def _expand(key: Any, ndim: int) -> list[Any]:
    """Write a key as one entry per axis: int, slice or integer array."""
    entries: list[Any] = []
    for entry in key if isinstance(key, tuple) else (key,):
        if entry is Ellipsis or isinstance(entry, (int, np.integer, slice)):
            entries.append(entry)
            continue
        if entry is None:
            raise IndexError("new axes are not supported here; index a NumPy copy")
        array = np.asarray(entry)
        if array.dtype == bool:
            entries.extend(np.nonzero(array))
        elif array.dtype.kind in "iu" or array.size == 0:
            entries.append(array.astype(np.intp))
        else:
            raise IndexError(f"{entry!r} is no index: give integers or slices")
    places = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    if len(places) > 1 or len(entries) - len(places) > ndim:
        raise IndexError(f"too many indices for an array of {ndim} axes")
    missing = [slice(None)] * (ndim - len(entries) + len(places))
    place = places[0] if places else len(entries)
    return [*entries[:place], *missing, *entries[place + 1 :]]


def _bound(entry: Any, length: int) -> tuple[slice, Any]:
    """Give the slice to read for an index, and the index into what was read."""
    if isinstance(entry, slice):
        places = range(length)[entry]
        if len(places) == 0:
            return slice(0, 0), slice(None)
        if places.step < 0:
            return slice(places[-1], places[0] + 1, -places.step), slice(None, None, -1)
        return slice(places[0], places[-1] + 1, places.step), slice(None)
    places_array = _wrap(np.asarray(entry), length)
    if places_array.size == 0:
        return slice(0, 0), places_array
    low = int(places_array.min())
    picked = places_array - low
    box = slice(low, int(places_array.max()) + 1)
    return box, picked if isinstance(entry, np.ndarray) else int(picked)


def _wrap(places: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Count negative places from the end; refuse those outside."""
    wrapped = np.where(places < 0, places + length, places)
    if ((wrapped < 0) | (wrapped >= length)).any():
        raise IndexError(f"index out of range for an axis of length {length}")
    return wrapped


def _pick_scattered(
    read: Callable[[list[slice]], NDArray[Any]],
    entries: list[Any],
    axis: int,
    shape: tuple[int, ...],
) -> NDArray[Any] | None:
    """Read single places along `axis`; None where reading the box is cheaper."""
    if any(isinstance(entry, (int, np.integer)) for entry in entries):
        return None  # NumPy moves axes then; the box keeps its rules
    places = _wrap(entries[axis], shape[axis])
    unique, inverse = np.unique(places, return_inverse=True)
    if len(unique) == 0 or 4 * len(unique) > unique[-1] - unique[0] + 1:
        return None
    bounds = [
        (slice(0, 1), slice(None)) if i == axis else _bound(entry, shape[i])
        for i, entry in enumerate(entries)
    ]
    parts = []
    for place in unique:
        boxes = [box for box, _ in bounds]
        boxes[axis] = slice(int(place), int(place) + 1)
        parts.append(read(boxes)[tuple(pick for _, pick in bounds)])
    return np.concatenate(parts, axis=axis).take(inverse, axis=axis)
