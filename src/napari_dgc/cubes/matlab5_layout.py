"""The table of contents of a MATLAB v5 file, checked before SciPy reads it.

SciPy's reader is compiled and trusts the numbers it finds: a damaged type
code makes it read outside its tables and takes the whole process down. So
whatever is handed to it has been walked through here first. Layout after
MathWorks' "MAT-File Format" (level 5).
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from napari_dgc.cubes.checks import require_stored
from napari_dgc.cubes.errors import InputError

_FILE_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_INT8, _INT32, _UINT32 = 1, 5, 6
#: Bytes per value of the types numbers are stored in.
_ITEM_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_CLASSES = {
    1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 6: "double",
    7: "single", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32",
    13: "uint32", 14: "int64", 15: "uint64",
}  # fmt: skip
_NUMERIC = range(6, 16)
_OPAQUE = range(16, 19)  # functions and class objects, laid out otherwise
_COMPLEX_FLAG, _LOGICAL_FLAG = 0x800, 0x200
#: Class, dimensions and name of a variable fit into this many bytes.
_HEAD = 2**16


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable as a v5 file lists it.

    Parameters
    ----------
    name : str
    shape : tuple of int
    kind : str
        MATLAB's class, "logical" or "complex" where flagged so.
    """

    name: str
    shape: tuple[int, ...]
    kind: str


def list_entries(path: Path) -> list[Entry]:
    """List the variables of a MATLAB v5 file.

    Raises
    ------
    InputError
        Where the file is of another kind, cut short or damaged.
    """
    size = path.stat().st_size
    entries = []
    with path.open("rb") as file:
        header = file.read(_FILE_HEADER)
        order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
        # A zero among the first four bytes is how version 4 begins.
        if order is None or 0 in header[:4]:
            raise InputError(
                path,
                "is not a MATLAB file of version 5 or 7.3",
                "export it again from MATLAB",
            )
        for kind, at, length in _elements(path, file, size, order):
            try:
                head = _read_head(file, kind, at, length)
                entry = _parse(head, order)
            except (ValueError, struct.error, zlib.error) as error:
                raise InputError(
                    path,
                    f"is damaged at byte {at} ({error})",
                    "copy the file again",
                ) from error
            if kind == _COMPRESSED:
                (size,) = struct.unpack_from(order + "I", head, 4)
                require_stored(path, size, length, f"the array at byte {at}")
            if entry is not None:
                entries.append(entry)
    return entries


def _elements(
    path: Path, file: BinaryIO, size: int, order: str
) -> Iterator[tuple[int, int, int]]:
    """Walk the top-level elements: type, place of the content, its length."""
    at = _FILE_HEADER
    while at < size:
        file.seek(at)
        tag = file.read(8)
        kind, length = struct.unpack(order + "II", tag.ljust(8, b"\0"))
        end = at + 8 + length
        if len(tag) < 8 or end > size:
            raise InputError(
                path,
                f"is cut short: {size} bytes where at least {end} belong",
                "copy the file again",
            )
        yield kind, at + 8, length
        at = end


def _read_head(file: BinaryIO, kind: int, at: int, length: int) -> bytes:
    """Read the beginning of an element, tag included, unpacked."""
    if kind == _COMPRESSED:
        file.seek(at)
        packed = file.read(min(length, _HEAD))
        return zlib.decompressobj().decompress(packed, _HEAD)
    if kind != _MATRIX:
        raise ValueError(f"an element of type {kind}")
    file.seek(at - 8)
    return file.read(min(length + 8, _HEAD))


def _parse(head: bytes, order: str) -> Entry | None:
    """Read a variable's class, shape and name; check how its numbers lie."""
    kind, inner_length = struct.unpack_from(order + "II", head)
    if kind != _MATRIX:
        raise ValueError(f"an element of type {kind} where an array belongs")
    flags_type, flags_length, flags = struct.unpack_from(order + "III", head, 8)
    if (flags_type, flags_length) != (_UINT32, 8):
        raise ValueError("its flags are not where they belong")
    number = flags & 0xFF
    if number in _OPAQUE:
        return None
    if number not in _CLASSES:
        raise ValueError(f"an array of class {number}")
    (start, count), at = _sub_element(head, order, 24, _INT32)
    shape = struct.unpack_from(f"{order}{count // 4}i", head, start)
    if count % 4 or len(shape) < 2 or min(shape) < 0:
        raise ValueError(f"an array of shape {shape}")
    (start, count), at = _sub_element(head, order, at, _INT8)
    if start + count > len(head):
        raise ValueError("a name without end")
    name = head[start : start + count].decode("latin-1")
    if number in _NUMERIC:
        _check_numbers(head, order, at, math.prod(shape), inner_length)
    word = _CLASSES[number]
    if flags & _COMPLEX_FLAG:
        word = "complex"
    elif flags & _LOGICAL_FLAG:
        word = "logical"
    return Entry(name, shape, word)


def _check_numbers(head: bytes, order: str, at: int, count: int, within: int) -> None:
    """Check that the values stored are as many as the shape says."""
    (start, length), _ = _sub_element(head, order, at, None)
    (code,) = struct.unpack_from(order + "I", head, at)
    item = _ITEM_SIZES.get(code & 0xFFFF)
    if item is None:
        raise ValueError(f"numbers stored as type {code & 0xFFFF}")
    if count * item != length or start - 8 + length > within:
        raise ValueError(f"{length} bytes for {count} values of {item} bytes")


def _sub_element(
    head: bytes, order: str, at: int, expected: int | None
) -> tuple[tuple[int, int], int]:
    """Find a part of an array: ((start, length) of its content), next place."""
    (code,) = struct.unpack_from(order + "I", head, at)
    if code >> 16:  # up to four bytes of content lie inside the tag itself
        kind, length, start, end = code & 0xFFFF, code >> 16, at + 4, at + 8
        if length > 4:
            raise ValueError(f"a small element of {length} bytes")
    else:
        kind, length = struct.unpack_from(order + "II", head, at)
        start = at + 8
        end = start + -(-length // 8) * 8
    if expected is not None and kind != expected:
        raise ValueError(f"an element of type {kind} where {expected} belongs")
    return (start, length), end
