"""Hostile files made anew: HDF5, MATLAB 5, TIFF, ENVI headers, tensors, texts."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import tifffile
from mutations import LONG, Change, Payload, Rng

Make = Callable[[Path, Path], object]  # the file to write; the folder beside the case's

# -- HDF5 ---------------------------------------------------------------------------


def _hdf5(fill: Callable[[h5py.File, Path], object]) -> Make:
    def make(path: Path, outside: Path) -> None:
        path.unlink()
        with h5py.File(path, "w", libver="latest") as file:
            fill(file, outside)

    return make


def _virtual(file: h5py.File, outside: Path) -> None:
    layout = h5py.VirtualLayout((6, 9, 7), "f4")
    layout[:] = h5py.VirtualSource(str(outside / "canary.mat"), "cube", (6, 9, 7))
    file.create_virtual_dataset("cube", layout)


def _external(name: str) -> Callable[[h5py.File, Path], object]:
    def fill(file: h5py.File, outside: Path) -> None:
        path = name or str(outside / "canary.npy")
        file.create_dataset(
            "cube", (6, 9, 7), "f4", external=[(path, 0, 6 * 9 * 7 * 4)]
        )

    return fill


def _huge(file: h5py.File, outside: Path) -> None:
    file.create_dataset("cube", (10_000, 200_000, 200_000), "f4", chunks=(10, 100, 100))


def _huge_plain(file: h5py.File, outside: Path) -> None:
    file.create_dataset("cube", (10_000, 200_000, 200_000), "f4")


def _huge_list(file: h5py.File, outside: Path) -> None:
    file["cube"] = np.ones((6, 9, 7))
    file.create_dataset("wavelengths", (2**40,), "f8", chunks=(1000,))


def _bomb(file: h5py.File, outside: Path) -> None:
    cube = file.create_dataset(
        "cube", (64, 1024, 1024), "f8", chunks=(64, 1024, 1024), compression="gzip"
    )
    packed = zlib.compress(bytes(64 * 2**20), 9)
    cube.id.write_direct_chunk((0, 0, 0), packed)


def _chunk_bomb(file: h5py.File, outside: Path) -> None:
    chunks = (8, 4096, 4096)
    cube = file.create_dataset("cube", chunks, "f8", chunks=chunks, compression="gzip")
    cube.id.write_direct_chunk((0, 0, 0), zlib.compress(b"a", 9))


def _short_chunk(file: h5py.File, outside: Path) -> None:
    chunks = (8, 1024, 512)  # 32 MiB
    cube = file.create_dataset("cube", chunks, "f8", chunks=chunks, compression="gzip")
    cube.id.write_direct_chunk((0, 0, 0), zlib.compress(b"a" * 2000, 9))


def _nested(file: h5py.File, outside: Path) -> None:
    group: h5py.Group = file
    for _ in range(3000):
        group = group.create_group("g")
    group["cube"] = np.ones((6, 9, 7))


def _loop(file: h5py.File, outside: Path) -> None:
    file["a/b"] = np.ones((6, 9, 7))
    file["a/again"] = file["a"]
    file["a/soft"] = h5py.SoftLink("/a/soft")


def _many(file: h5py.File, outside: Path) -> None:
    for number in range(3000):
        file.create_dataset(f"n{number}", (2, 2), "i1")


def _typed(dtype: object) -> Callable[[h5py.File, Path], object]:
    return lambda file, outside: file.create_dataset("cube", (6, 9, 7), dtype)


def _attribute(value: object) -> Callable[[h5py.File, Path], object]:
    def fill(file: h5py.File, outside: Path) -> None:
        file["cube"] = np.ones((6, 9, 7))
        file["cube"].attrs["MATLAB_class"] = value
        file["cube"].attrs["MATLAB_empty"] = value

    return fill


def _linked(link: Callable[[Path], object]) -> Callable[[h5py.File, Path], object]:
    def fill(file: h5py.File, outside: Path) -> None:
        file["cube"] = link(outside)

    return fill


HDF5: dict[str, Make] = {
    name: _hdf5(fill)
    for name, fill in {
        "external link": _linked(
            lambda outside: h5py.ExternalLink(str(outside / "canary.mat"), "/cube")
        ),
        "soft link": _linked(lambda outside: h5py.SoftLink("/nowhere")),
        "virtual": _virtual,
        "external": _external(""),
        "external system": _external("/etc/hostname"),
        "external endless": _external("/dev/zero"),
        "huge": _huge,
        "huge plain": _huge_plain,
        "huge list": _huge_list,
        "bomb": _bomb,
        "chunk bomb": _chunk_bomb,
        "short chunk": _short_chunk,
        "nested": _nested,
        "loop": _loop,
        "many": _many,
        "null": lambda file, outside: file.create_dataset(
            "cube", data=h5py.Empty("f4")
        ),
        "text": _typed(h5py.string_dtype()),
        "reference": _typed(h5py.ref_dtype),
        "vlen": _typed(h5py.vlen_dtype("f4")),
        "record": _typed([("real", "f4"), ("imag", "f4")]),
        "opaque": _typed("V8"),
        "choice": _typed(h5py.enum_dtype({"A": 1}, "i1")),
        "array": _typed("(3,)f4"),
        "attribute list": _attribute([1, 2, 3]),
        "attribute text": _attribute("single"),
        "scalar": lambda file, outside: file.create_dataset("cube", data=1.0),
        "five axes": lambda file, outside: file.create_dataset("cube", (2,) * 5, "f4"),
        "committed": lambda file, outside: file.__setitem__("cube", np.dtype("f4")),
        "no array": lambda file, outside: file.create_group("cube"),
    }.items()
}

# -- MATLAB 5 -----------------------------------------------------------------------


def _element(kind: int, content: bytes) -> bytes:
    padded = content + bytes(-len(content) % 8)
    return struct.pack("<II", kind, len(content)) + padded


def _array(
    shape: tuple[int, ...], values: bytes, *, number: int = 7, stored: int = 7
) -> bytes:
    dimensions = struct.pack(f"<{len(shape)}i", *shape)
    content = (
        struct.pack("<IIII", 6, 8, number, 0)
        + _element(5, dimensions)
        + _element(1, b"cube")
        + _element(stored, values)
    )
    return struct.pack("<II", 14, len(content)) + content


def _matlab(*elements: bytes) -> Change:
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    return lambda content, rng: head + b"".join(elements)


def _packed(content: bytes) -> bytes:
    data = zlib.compress(content, 9)
    return struct.pack("<II", 15, len(data)) + data


def _lying(shape: tuple[int, ...]) -> bytes:
    """An array that says to hold all its values, and holds none."""
    size = 4 * int(np.prod(shape))
    head = bytearray(_array(shape, b""))
    struct.pack_into("<I", head, 4, len(head) - 8 + size)
    struct.pack_into("<I", head, len(head) - 4, size)
    return bytes(head)


def _cells(depth: int) -> bytes:
    inner = _array((6, 9, 7), bytes(1512))
    for _ in range(depth):
        content = (
            struct.pack("<IIII", 6, 8, 1, 0)
            + _element(5, struct.pack("<2i", 1, 1))
            + _element(1, b"cube")
            + inner
        )
        inner = struct.pack("<II", 14, len(content)) + content
    return inner


_BYTES = 6 * 9 * 7 * 4
MATLAB5: dict[str, Change] = {
    "shape huge": _matlab(_array((2**31 - 1,) * 3, bytes(_BYTES))),
    "shape huge packed": _matlab(_packed(_array((2**31 - 1,) * 3, bytes(_BYTES)))),
    "shape negative": _matlab(_array((-6, -9, 7), bytes(_BYTES))),
    "shape zero": _matlab(_array((0, 9, 7), b"")),
    "many axes": _matlab(_array((1,) * 4000, bytes(4))),
    "class": _matlab(_array((6, 9, 7), bytes(_BYTES), number=99)),
    "stored as": _matlab(_array((6, 9, 7), bytes(_BYTES), stored=99)),
    "text": _matlab(_array((6, 9, 7), bytes(_BYTES), number=4)),
    "sparse": _matlab(_array((6, 9, 7), bytes(_BYTES), number=5)),
    "function": _matlab(_array((6, 9, 7), bytes(_BYTES), number=16)),
    "cells": _matlab(_cells(2000)),
    "bomb": _matlab(_packed(_array((64, 512, 512), bytes(64 * 2**20)))),
    "lying more": _matlab(_packed(_lying((1024, 1024, 1000)))),
    "lying": _matlab(_packed(_lying((6, 9, 7)))),
    "twice": _matlab(*(_array((6, 9, 7), bytes(_BYTES)) for _ in range(2))),
    "many": _matlab(*(_array((2, 2), bytes(16)) for _ in range(5000))),
    "version 4": lambda content, rng: struct.pack("<5i", 0, 9, 7, 0, 5) + b"cube\0",
}

# -- TIFF ---------------------------------------------------------------------------


def _tiff(edit: Callable[[bytearray, dict[int, int]], object]) -> Change:
    """A change of a TIFF's tags; gets the file and where each tag's entry is."""

    def change(content: bytes, rng: Rng) -> bytes:
        changed = bytearray(content)
        (start,) = struct.unpack_from("<I", changed, 4)
        (count,) = struct.unpack_from("<H", changed, start)
        entries = range(start + 2, start + 2 + 12 * count, 12)
        tags = {struct.unpack_from("<H", changed, at)[0]: at for at in entries}
        tags[0] = start + 2 + 12 * count  # where the next page is told
        edit(changed, tags)
        return bytes(changed)

    return change


def _set(tag: int, value: int, kind: int = 4, count: int = 1) -> Change:
    return _tiff(
        lambda data, tags: struct.pack_into(
            "<HIi" if value < 0 else "<HII", data, tags[tag] + 2, kind, count, value
        )
    )


def _wide(data: bytearray, tags: dict[int, int]) -> None:
    for tag in (256, 257, 278):
        struct.pack_into("<HII", data, tags[tag] + 2, 4, 1, 400_000)


TIFF: dict[str, Change] = {
    "width huge": _set(256, 2**32 - 1),
    "length huge": _set(257, 2**32 - 1),
    "both huge": _tiff(_wide),
    "width zero": _set(256, 0),
    "bits": _set(258, 77, 3),
    "bits zero": _set(258, 0, 3),
    "compression unknown": _set(259, 54321, 3),
    "compression jpeg": _set(259, 7, 3),
    "compression lzma": _set(259, 34925, 3),
    "strips beyond": _set(273, 2**31),
    "strips many": _set(273, 8, 4, 2**28),
    "sizes many": _set(279, 8, 4, 2**28),
    "samples": _set(277, 65_535, 3),
    "rows zero": _set(278, 0),
    "tag type": _set(256, 9, 99),
    "text tag": _set(256, 8, 2, 2**30),
    "own next": _tiff(lambda data, tags: struct.pack_into("<I", data, tags[0], 8)),
    "next beyond": _tiff(
        lambda data, tags: struct.pack_into("<I", data, tags[0], 2**31)
    ),
}


def _make_tiff(array: np.ndarray, **options: object) -> Change:
    def change(content: bytes, rng: Rng) -> bytes:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, array, **options)  # type: ignore[arg-type]
        return buffer.getvalue()

    return change


def tiff_bomb(content: bytes, rng: Rng) -> bytes:
    """Pixels of no value, packed a thousandfold."""
    buffer = io.BytesIO()
    zeros = np.zeros((6, 1024, 2048), np.float32)
    tifffile.imwrite(buffer, zeros, compression="zlib", photometric="minisblack")
    return buffer.getvalue()


TIFF_NEW: dict[str, Change] = {
    "bomb": tiff_bomb,
    "big": _make_tiff(np.ones((6, 9, 7), "f4"), bigtiff=True, photometric="minisblack"),
    "pages": _make_tiff(np.ones((500, 2, 2), "u1"), photometric="minisblack"),
    "description": _make_tiff(np.ones((9, 7), "u1"), description=LONG),
    "imagej": _make_tiff(
        np.ones((9, 7), "u1"),
        description="ImageJ=1.0\nimages=1000000000\n",
        metadata=None,
    ),
    "shaped": _make_tiff(
        np.ones((9, 7), "u1"),
        description='{"shape": [9, 1000000000, 7]}',
        metadata=None,
    ),
    "shaped deep": _make_tiff(
        np.ones((9, 7), "u1"), description='{"shape": ' + "[" * 9999, metadata=None
    ),
    "ome": _make_tiff(
        np.ones((9, 7), "u1"),
        description='<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM '
        '"file:///etc/hostname">]><OME><Image><Pixels SizeX="7" SizeY="9" SizeZ="1" '
        'SizeC="1" SizeT="1" DimensionOrder="XYZCT" Type="uint8"><TiffData><UUID '
        'FileName="../outside/canary.tif">x</UUID></TiffData></Pixels></Image></OME>',
        metadata=None,
    ),
    "complex": _make_tiff(np.ones((6, 9, 7), "c8"), photometric="minisblack"),
    "colours": _make_tiff(np.ones((9, 7, 3), "u1"), photometric="rgb"),
    "two axes": _make_tiff(np.ones((9, 7), "u2")),
}

# -- ENVI ---------------------------------------------------------------------------


def _field(name: str, value: str) -> Change:
    def change(content: bytes, rng: Rng) -> bytes:
        lines = content.decode().splitlines()
        kept = [line for line in lines if line.split("=")[0].strip() != name]
        return "\n".join([*kept, f"{name} = {value}\n"]).encode()

    return change


ENVI: dict[str, Change] = {
    f"{name} {value[:12]}": _field(name, value)
    for name, values in {
        "samples": ("-7", "0", "9" * 30, "1e3", "nan", "9" * 9999),
        "lines": ("-1", "99999999999", "0x10"),
        "bands": ("0", "1", "{6}", "9" * 20),
        "header offset": ("-1", "9" * 25, "1"),
        "data type": ("6", "99", "-4", "inf"),
        "interleave": ("../../x", "bsq\0", ""),
        "byte order": ("2", "-1", "x"),
        "wavelength": ("{nan, nan, nan, nan, nan, nan}", "{1, 2}",
                       "{inf, 1, 2, 3, 4, 5}", "{" + "1," * 100_000 + "}",
                       "{-1, -2, -3, -4, -5, -6}",
                       "{1, 1, 1, 1, 1, 1}", "{1e308, 2, 3, 4, 5, 6}"),
        "wavelength units": (LONG, "wavenumber", "{nm}", "\x1b[2J"),
        "bbl": ("{0,0,0,0,0,0}", "{1}", "{nan,1,1,1,1,1}", "{x}"),
        "data ignore value": ("nan", "1e999", "x", "{1,2}", "-0"),
        "reflectance scale factor": ("0", "-1", "nan", "1e-320", "1e38", "x"),
        "file compression": ("1", "x"),
        "map info": ("{UTM, nan, 1, 1, 1, 1, 1}", "{}",
                     "{UTM, 1, 1, 1e308, 1, 1e308, 1e308}", "{" + "x," * 100_000 + "}",
                     "{UTM,1,1,1,1,1,1,99999999999999999999,N}"),
        "coordinate system string": ("{PROJCS[" + "[" * 50_000 + "}",),
        "major frame offsets": ("{1, 1}", "{x}"),
    }.items()
    for value in values
}  # fmt: skip
ENVI |= {
    "open brace": lambda content, rng: content + b"x = {1, 2",
    "megabyte": lambda content, rng: content + b"x = " + LONG.encode() + b"\n",
    "lines": lambda content, rng: content + b"x = {\n" + b"1,\n" * 200_000 + b"}\n",
    "fields": lambda content, rng: (
        content + b"".join(b"f%d = 1\n" % n for n in range(50_000))
    ),
    "no first line": lambda content, rng: content[5:],
    "latin": lambda content, rng: content + b"note = \xb5\xff\n",
    "utf-16": lambda content, rng: content.decode().encode("utf-16"),
    "twice told": lambda content, rng: content + b"samples = 1000000\n",
}

# -- tensors ------------------------------------------------------------------------


def pickled_tensor(marker: Path) -> Change:
    """A .pth file as torch writes it, whose pickle would make a file."""

    def change(content: bytes, rng: Rng) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("archive/data.pkl", pickle.dumps(Payload(marker), protocol=2))
            file.writestr("archive/version", b"3\n")
        return buffer.getvalue()

    return change


def old_pickle(marker: Path) -> Change:
    return lambda content, rng: pickle.dumps(Payload(marker))


def repacked(member: str, alter: Callable[[bytes], bytes]) -> Change:
    """A zip archive with one member changed."""

    def change(content: bytes, rng: Rng) -> bytes:
        buffer = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(content)) as old,
            zipfile.ZipFile(buffer, "w") as new,
        ):
            for info in old.infolist():
                data = old.read(info)
                hit = info.filename.endswith(member)
                new.writestr(info.filename, alter(data) if hit else data)
        return buffer.getvalue()

    return change


TENSORS: dict[str, Change] = {
    "short values": repacked("data/0", lambda data: data[:3]),
    "no values": repacked("data/0", lambda data: b""),
    "values bomb": repacked("data/0", lambda data: bytes(40 * 2**20)),
    "deep": repacked("data.pkl", lambda data: b"\x80\x02" + b"(" * 100_000 + b"."),
    "huge text": repacked(
        "data.pkl", lambda data: b"\x80\x04\x8d" + b"\xff" * 8 + data
    ),
    "huge shape": repacked(
        "data.pkl", lambda data: data.replace(b"K\x09K\x07", b"J\xff\xff\xff\x7fK\x07")
    ),
    "version": repacked("version", lambda data: b"99999999\n"),
}

# -- texts --------------------------------------------------------------------------

DAYS: dict[str, bytes] = {
    "long cell": b"file,plant,day\nleaf 1," + LONG.encode() + b",3\n",
    "long head": LONG.encode() + b",file,plant,day\nleaf 1,A,3\n",
    "open quote": b'file,plant,day\n"leaf 1,A,3\n' + b"x\n" * 100_000,
    "nul": b"file,plant,day\nleaf\0 1,A,3\nleaf 1,\0,4\n",
    "nan": b"file,plant,day\nleaf 1,A,nan\n",
    "infinite": b"file,plant,day\nleaf 1,A,1e999\n",
    "huge": b"file,plant,day\nleaf 1,A," + b"9" * 5000 + b"\n",
    "negative": b"file,plant,day\nleaf 1,A,-3\n",
    "few cells": b"file,plant,day\nleaf 1\n",
    "many cells": b"file,plant,day\nleaf 1,A,3" + b",x" * 100_000 + b"\n",
    "latin": b"file,plant,day\nleaf 1,\xff,3\n",
    "utf-16": "file,plant,day\nleaf 1,A,3\n".encode("utf-16"),
    "twice": b"file,plant,day,day\nleaf 1,A,3,4\nleaf 1,A,3,4\n",
    "climbing": b"file,plant,day\n../../leaf 1.mat,../../A,3\n",
    "binary": bytes(range(256)) * 10,
}
TOML: dict[str, bytes] = {
    "deep": b"k = " + b"[" * 50_000 + b"]" * 50_000,
    "deep tables": b"k = " + b"{a=" * 5_000 + b"1" + b"}" * 5_000,
    "dots": b".".join([b"a"] * 20_000) + b" = 1",
    "digits": b"k = " + b"9" * 10_000,
    "long": b'device = "' + LONG.encode() + b'"',
    "escape": b'device = "\\u001b[2J"',
    "nan": b"learning_rate = nan",
    "infinite": b"learning_rate = inf",
    "negative": b"k = -1",
    "huge": b"crop = 1000000000000000000",
    "true": b"k = true",
    "date": b"k = 1979-05-27T07:32:00Z",
    "table": b"[k]\nx = 1",
    "twice": b"k = 3\nk = 4",
    "unknown": b"../../outside = 1",
    "unknown long": LONG.encode() + b" = 1",
    "nul": b"k = 3\0",
    "latin": b'device = "\xff"',
    "device": b'device = "cuda:99"',
}


def _shapes(*shapes: str) -> str:
    """A LabelMe file of shapes; each a lesion unless it says otherwise."""
    entries = (s if '"label"' in s else f'"label": "lesion", {s}' for s in shapes)
    return '{"shapes": [' + ", ".join(f"{{{entry}}}" for entry in entries) + "]}"


_THREE = '"points": [[0,0],[1,2],[3,1]]'
_CIRCLE = '"shape_type": "circle", "points"'
LABELME: dict[str, str] = {
    "points text": _shapes('"points": "../../x"'),
    "points odd": _shapes('"points": [1, 2, 3, 4, 5, 6, 7]'),
    "points huge": _shapes('"points": [[1e308,1],[-1e308,2],[3,1e308]]'),
    "points nan": _shapes('"points": [[NaN,1],[1,2],[3,1]]'),
    "circle huge": _shapes(f"{_CIRCLE}: [[0,0],[1e300,1e300]]"),
    "size huge": '{"shapes": [], "imageHeight": 1e30, "imageWidth": 9}',
    "size infinite": '{"shapes": [], "imageHeight": Infinity, "imageWidth": 9}',
    "group object": _shapes('"group_id": {}, ' + _THREE),
    "label object": _shapes('"label": {"a": []}, ' + _THREE),
    "label long": _shapes(f'"label": "{LONG}", {_THREE}'),
    "corners": _shapes(
        '"points": [' + ", ".join(f"[{n % 7}, {n % 9}]" for n in range(50_000)) + "]"
    ),
    "shapes": _shapes(
        *(f'"points": [[{n % 6},1],[4,{n % 8}],[3,5]]' for n in range(8_000))
    ),
    "circles": _shapes(*(f"{_CIRCLE}: [[{n % 6},4],[3,5]]" for n in range(2_000))),
    "labels": _shapes(*(f'"label": "n{n}", {_THREE}' for n in range(4_000))),
}
