"""Cubes from ENVI files: a text header beside raw numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.axes import transposition
from napari_dgc.cubes.checks import require_bands
from napari_dgc.cubes.cube import Cube, CubeArray
from napari_dgc.cubes.envi_header import (
    numbers,
    read_header,
    require_supported,
    whole_number,
)
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.lazy import ScaledArray
from napari_dgc.cubes.wavelengths import to_nanometres

DATA_SUFFIXES = (".dat", ".img", ".raw", ".bil", ".bip", ".bsq")
_AXES = {"bsq": "byx", "bil": "ybx", "bip": "yxb"}
#: ENVI's ``data type``; 6 and 9 are complex and refused.
_DTYPES = {
    1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8",
    15: "u8",
}  # fmt: skip
_SATURATION_FIELDS = ("saturation value", "data saturation value")


def find_header(path: Path) -> Path | None:
    """Find the header of an ENVI data file: ``x.hdr`` or ``x.raw.hdr``."""
    names = [path.name + ".hdr", path.name + ".HDR", path.stem + ".hdr"]
    for name in (*names, path.stem + ".HDR"):
        header = path.with_name(name)
        if header != path and header.is_file():
            return header
    return None


def read_envi(path: Path) -> Cube:
    """Read a cube from an ENVI header or data file.

    Parameters
    ----------
    path : pathlib.Path
        Either of the two.

    Returns
    -------
    Cube
        Its data is a view of a memory map; integers with a ``reflectance
        scale factor`` are divided by it as they are read. Floating-point
        data is taken to be scaled already.

    Raises
    ------
    InputError
        For headers that lack or contradict something, data that is missing
        or cut short, and complex or compressed data.
    """
    layout = _layout(path)
    _require_size(layout.data_path, layout.header_path, layout.expected)
    stored = np.memmap(
        layout.data_path, layout.dtype, "r", layout.offset, layout.shape
    ).transpose(transposition(layout.order))
    return _cube(path, layout.header_path, layout.header, stored)


def envi_files(path: Path) -> tuple[Path, Path]:
    """Give the header and the data file, of which `path` is one.

    Raises
    ------
    InputError
        Where one of them is missing or the header does not say enough.
    """
    layout = _layout(path)
    return layout.header_path, layout.data_path


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the numbers are, and how they lie there."""

    header_path: Path
    header: Mapping[str, Any]
    data_path: Path
    dtype: np.dtype[Any]
    offset: int
    order: str
    shape: tuple[int, ...]

    @property
    def expected(self) -> int:
        """Bytes the data file has at least."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def _layout(path: Path) -> _Layout:
    if path.suffix.lower() == ".hdr":
        header_path, data_path = path, None
    else:
        found = find_header(path)
        if found is None:
            raise InputError(
                path,
                "has no ENVI header beside it",
                f"put {path.stem}.hdr or {path.name}.hdr into the same folder",
            )
        header_path, data_path = found, path
    header = read_header(header_path)
    require_supported(header_path, header)
    dtype = _dtype(header_path, header)
    order = _AXES[header["interleave"].strip().lower()]
    lengths = {
        "b": whole_number(header_path, header, "bands", least=1),
        "y": whole_number(header_path, header, "lines", least=1),
        "x": whole_number(header_path, header, "samples", least=1),
    }
    require_bands(header_path, lengths["b"])
    shape = tuple(lengths[letter] for letter in order)
    offset = whole_number(header_path, header, "header offset", default=0)
    expected = offset + math.prod(shape) * dtype.itemsize
    data_path = data_path or _find_data(header_path, expected)
    return _Layout(header_path, header, data_path, dtype, offset, order, shape)


def _cube(
    path: Path, header_path: Path, header: Mapping[str, Any], stored: NDArray[Any]
) -> Cube:
    """Add what the header says about the values."""
    factor = _factor(header_path, header)
    data: CubeArray = stored
    integer = stored.dtype.kind in "iu"
    scale = np.float32(1)
    if integer and factor != 1:
        data = ScaledArray(stored, factor)
        scale = np.float32(factor)
    saturation = _value(header_path, header, *_SATURATION_FIELDS)
    if saturation is None and integer:
        saturation = float(np.iinfo(stored.dtype).max)
    ignored = _value(header_path, header, "data ignore value")
    wavelengths, note = _wavelengths(header_path, header, len(stored))
    return Cube(
        data=data,
        wavelengths=wavelengths,
        name=_name(header_path),
        path=path,
        good_bands=_good_bands(header_path, header, len(stored)),
        # Divided in float32 as the data is, so that equal stays equal.
        ignore_value=None if ignored is None else float(np.float32(ignored) / scale),
        saturation=(
            None if saturation is None else float(np.float32(saturation) / scale)
        ),
        metadata=MappingProxyType({**header, "wavelengths note": note}),
    )


def _name(header_path: Path) -> str:
    """Stem of ``x.hdr`` and of ``x.raw.hdr`` alike."""
    stem = Path(header_path.stem)
    return stem.stem if stem.suffix.lower() in DATA_SUFFIXES else stem.name


def _dtype(path: Path, header: Mapping[str, Any]) -> np.dtype[Any]:
    """Type of the stored values; without ``byte order``, little endian."""
    code = whole_number(path, header, "data type")
    if code in (6, 9):
        raise InputError(path, "holds complex numbers", "save its magnitude instead")
    if code not in _DTYPES:
        raise InputError(
            path, f"'data type = {code}' is not one of ENVI's", "correct the header"
        )
    order = whole_number(path, header, "byte order", default=0)
    if order not in (0, 1):
        raise InputError(path, f"'byte order = {order}'", "make it 0 or 1")
    return np.dtype("<>"[order] + _DTYPES[code])


def _find_data(header_path: Path, expected: int) -> Path:
    """Find the data file beside a header."""
    stem = header_path.with_suffix("")
    if stem.is_file():
        return stem
    suffixes = {*DATA_SUFFIXES, *(suffix.upper() for suffix in DATA_SUFFIXES)}
    found = sorted(
        file
        for file in header_path.parent.iterdir()
        if file.stem == stem.name and file.suffix in suffixes and file.is_file()
    )
    if not found:
        raise InputError(
            header_path,
            "its data file is missing",
            f"put {stem.name}.dat (or {', '.join(DATA_SUFFIXES[1:])}) beside it",
        )
    fitting = [file for file in found if file.stat().st_size >= expected]
    if len(fitting) > 1:
        raise InputError(
            header_path,
            f"may belong to {' or '.join(file.name for file in fitting)}",
            "name the data file instead of the header",
        )
    return (fitting or found)[0]


def _require_size(data_path: Path, header_path: Path, expected: int) -> None:
    """Refuse data shorter than the header says, before anything is mapped."""
    size = data_path.stat().st_size
    if size < expected:
        raise InputError(
            data_path,
            f"is cut short: {size} bytes where {header_path.name} tells of {expected}",
            "copy the file again or correct the header",
        )


def _value(path: Path, header: Mapping[str, Any], *fields: str) -> float | None:
    """First of the fields that is there, or None; NaN and ±inf mean None too."""
    for field in fields:
        if field in header:
            (value, *_) = numbers(path, header, field)
            # Beyond float32, pixels read as infinite and are excluded anyway.
            usable = abs(value) <= float(np.finfo(np.float32).max)
            return float(value) if usable else None
    return None


def _factor(path: Path, header: Mapping[str, Any]) -> float:
    """Give what integers are divided by to become reflectance."""
    factor = _value(path, header, "reflectance scale factor")
    if factor is None:
        return 1.0
    if factor <= 0:
        raise InputError(
            path, f"'reflectance scale factor = {factor:g}'", "make it positive"
        )
    return factor


def _wavelengths(
    path: Path, header: Mapping[str, Any], bands: int
) -> tuple[NDArray[np.float64] | None, str]:
    """Band centres in nanometres, and how they came about."""
    if "wavelength" not in header:
        return None, "none in the header"
    values = numbers(path, header, "wavelength")
    if len(values) != bands:
        raise InputError(
            path, f"lists {len(values)} wavelengths for {bands} bands", "correct it"
        )
    units = header.get("wavelength units", "")
    return to_nanometres(values, units if isinstance(units, str) else "")


def _good_bands(
    path: Path, header: Mapping[str, Any], bands: int
) -> NDArray[np.bool_] | None:
    """Turn the bad band list into True for good bands."""
    if "bbl" not in header:
        return None
    listed = numbers(path, header, "bbl")
    if len(listed) != bands:
        raise InputError(
            path, f"its bbl has {len(listed)} entries for {bands} bands", "correct it"
        )
    good = listed > 0
    if good.sum() < 2:
        raise InputError(
            path, f"its bbl leaves {good.sum()} bands", "keep at least two"
        )
    return good
