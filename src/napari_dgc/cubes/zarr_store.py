"""Cubes in zarr stores: folders of chunks, read where they are looked at.

zarr is an extra (``pip install "napari-dgc[zarr]"``) and loaded here alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.axes import choose_axes, transposition
from napari_dgc.cubes.checks import is_real, refusing, require_bands, require_cube
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import BoxedArray
from napari_dgc.cubes.wavelengths import to_nanometres
from napari_dgc.cubes.zarr_checks import count_stored, require_array

SUFFIX = ".zarr"
_DEFAULT_KEY = "cube"
_MARKERS = ("zarr.json", ".zarray", ".zgroup")  # format 3, format 2
_WAVELENGTHS = ("wavelengths_nm", "wavelengths", "wavelength")
_NAMES = {
    "b": ("b", "band", "bands", "c", "channel", "wavelength", "lambda"),
    "y": ("y", "row", "rows", "line", "lines"),
    "x": ("x", "column", "columns", "sample", "samples"),
}


def is_zarr(path: Path) -> bool:
    """Whether a folder is a zarr store."""
    return path.is_dir() and (
        path.suffix.lower() == SUFFIX or any((path / m).is_file() for m in _MARKERS)
    )


def read_zarr(path: Path, key: str | None, axes: str | None) -> Cube:
    """Read a cube from a zarr store, chunk by chunk.

    Parameters
    ----------
    path : pathlib.Path
        The store's folder: an array, or a group with one.
    key : str, optional
        Name of the array in a group. Without it: ``cube``, else the only one with
        three axes.
    axes : str, optional
        Order of the axes, such as ``yxb``. Without it: the array's dimension names,
        its wavelengths, else bands, rows, columns.

    Returns
    -------
    Cube
        Wavelengths from the attribute or the array ``wavelengths`` (nm, or in
        ``wavelength_units``).

    Raises
    ------
    InputError
        If zarr is not installed, or the store holds no cube.
    """
    stored = count_stored(path)
    arrays, attributes = _open(path)
    name = _choose(path, arrays, key)
    array = arrays[name]
    attributes |= dict(array.attrs)
    shape, dtype = tuple(array.shape), np.dtype(array.dtype)
    what = f"{name!r}" if name else "the array"
    require_cube(path, shape, dtype, what)
    require_array(path, array, stored, what)
    for beside in set(_WAVELENGTHS) & set(arrays):
        if len(arrays[beside].shape) == 1:
            require_array(path, arrays[beside], stored, f"{beside!r}")
    wavelengths = _wavelengths(path, attributes, {})
    listed = _wavelengths(path, {}, arrays)
    if wavelengths is None and listed is not None and len(listed) in shape:
        wavelengths = listed
    order = choose_axes(
        path,
        shape,
        axes=axes or _named_axes(array, attributes),
        wavelengths=None if wavelengths is None else len(wavelengths),
        bands_first=True,
    )
    count = shape[order.index("b")]
    require_bands(path, count)
    if wavelengths is not None and len(wavelengths) != count:
        raise InputError(
            path,
            f"lists {len(wavelengths)} wavelengths for {count} bands",
            "say with --axes which axis holds the bands, or correct the list",
        )
    return Cube(
        data=ZarrArray(path, array, transposition(order)),
        wavelengths=wavelengths,
        name=path.stem,
        path=path,
        saturation=float(np.iinfo(dtype).max) if dtype.kind in "iu" else None,
        metadata=MappingProxyType({**attributes, "key": name, "axes": order}),
    )


def _open(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays of a store by name, "" for one without; and a group's attributes."""
    try:
        import zarr
    except ImportError as error:
        raise InputError(
            path,
            "is a zarr store and zarr is not installed",
            "pip install 'napari-dgc[zarr]'",
        ) from error
    with refusing(path, "is no zarr store that can be read", "write it again"):
        root: Any = zarr.open(str(path), mode="r")
        if not hasattr(root, "arrays"):
            return {"": root}, {}
        return dict(root.arrays()), dict(root.attrs)


class ZarrArray(BoxedArray):
    """An array of a zarr store; only the chunks that are looked at are read."""

    def __init__(self, path: Path, array: Any, order: tuple[int, int, int]) -> None:
        super().__init__(array.shape, np.dtype(array.dtype), order)
        self._path = path
        self._array = array

    def _fetch(self, selection: tuple[slice, slice, slice]) -> NDArray[Any]:
        with refusing(self._path, "is damaged", "copy or write it again"):
            return np.asarray(self._array[selection])


def _choose(path: Path, arrays: Mapping[str, Any], key: str | None) -> str:
    """Name the array that is the cube."""
    if key is not None:
        if key not in arrays:
            names = ", ".join(sorted(arrays)) or "none"
            raise InputError(
                path, f"has no array {key!r}", f"name one with --key; it has {names}"
            )
        return key
    if _DEFAULT_KEY in arrays:
        return _DEFAULT_KEY
    cubes = sorted(
        name
        for name, array in arrays.items()
        if len(array.shape) == 3 and is_real(np.dtype(array.dtype))
    )
    if "0" in cubes:  # OME-Zarr: the array in full, before its smaller copies
        return "0"
    if len(cubes) == 1 or (len(arrays) == 1 and not cubes):
        return (cubes or list(arrays))[0]
    raise InputError(
        path,
        f"holds {len(cubes)} arrays with three axes" if cubes else "holds no cube",
        f"name one with --key: {', '.join(cubes)}"
        if cubes
        else "write an array with bands, rows and columns",
    )


def _named_axes(array: Any, attributes: Mapping[str, Any]) -> str | None:
    """The order that the dimensions' names tell, such as ``byx``; None if none."""
    names = getattr(array.metadata, "dimension_names", None)
    names = names or attributes.get("_ARRAY_DIMENSIONS") or ()
    order = ""
    for name in names:
        order += next(
            (a for a, all_ in _NAMES.items() if str(name).lower() in all_), ""
        )
    return order if sorted(order) == ["b", "x", "y"] else None


def _wavelengths(
    path: Path, attributes: Mapping[str, Any], arrays: Mapping[str, Any]
) -> NDArray[np.float64] | None:
    """Band centres in nm, from an attribute or an array beside the cube."""
    for name in _WAVELENGTHS:
        values: Any = attributes.get(name)
        if values is None and name in arrays and len(arrays[name].shape) == 1:
            values = arrays[name][:]
        if values is None:
            continue
        with refusing(path, f"{name!r} are no numbers", "correct them"):
            numbers = np.asarray(values, np.float64)
        units = (
            "nm"
            if name.endswith("_nm")
            else str(
                attributes.get(
                    "wavelength_units", attributes.get("wavelength units", "")
                )
            )
        )
        return to_nanometres(numbers, units)[0]
    return None
