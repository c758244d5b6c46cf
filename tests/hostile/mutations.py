"""Ways to make a valid file hostile; a generator decides, so each can be repeated."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Rng = np.random.Generator
Change = Callable[[bytes, Rng], bytes]

LONG = "x" * 2**20  # a megabyte of text


class Payload:
    """Unpickled, it would make a file: the proof that something was run."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.marker), "w")


# -- bytes ----------------------------------------------------------------------


def flip_bits(content: bytes, rng: Rng) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        # The first bytes say what is what: half of the flips go there.
        most = len(changed) if rng.random() < 0.5 else min(512, len(changed))
        changed[int(rng.integers(0, most))] ^= 1 << int(rng.integers(0, 8))
    return bytes(changed)


def cut(content: bytes, rng: Rng) -> bytes:
    return content[: int(rng.integers(1, len(content)))]


def empty(content: bytes, rng: Rng) -> bytes:
    return b""


def noise(content: bytes, rng: Rng) -> bytes:
    return rng.bytes(len(content))


def zeros(content: bytes, rng: Rng) -> bytes:
    start = int(rng.integers(0, len(content)))
    return content[:start] + b"\0" * len(content[start:])


def huge_numbers(content: bytes, rng: Rng) -> bytes:
    """Numbers at four places of the head become as large as they can be."""
    changed = bytearray(content)
    for _ in range(4):
        at = 4 * int(rng.integers(0, max(1, min(512, len(changed)) // 4)))
        changed[at : at + 4] = rng.choice([b"\xff" * 4, b"\xff\xff\xff\x7f"])
    return bytes(changed)


def twice(content: bytes, rng: Rng) -> bytes:
    return content + content


BYTES: dict[str, Change] = {
    "bits": flip_bits,
    "cut": cut,
    "empty": empty,
    "noise": noise,
    "zeros": zeros,
    "huge": huge_numbers,
    "twice": twice,
}


# -- JSON -----------------------------------------------------------------------

VALUES: dict[str, Any] = {
    "huge": 10**30,
    "immense": 10**400,  # larger than a float
    "negative": -1,
    "zero": 0,
    "nan": float("nan"),
    "infinite": float("inf"),
    "text": "1",
    "long": LONG,
    "null": None,
    "list": [],
    "object": {},
    "true": True,
    "nul": "a\0b",
    "up": "../../outside/canary.npy",
    "absolute": "/etc/hostname",
    "endless": "/dev/zero",
    "surrogate": "\udc80",
    "escape": "\x1b[2J\x07",
}


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of a tree but its root."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(tree, dict):
        pairs = list(tree.items())
    elif isinstance(tree, list):
        pairs = list(enumerate(tree[:3]))  # more of the same would drown the rest
    found = []
    for key, value in pairs:
        found += [(*path, key), *places(value, (*path, key))]
    return found


def parent(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        tree = tree[key]
    return tree


def set_value(tree: Any, rng: Rng, value: Any, among: str = "") -> Any:
    """Put a value somewhere; `among`: only where the key holds this text."""
    fitting = [p for p in places(tree) if among in str(p[-1])] or places(tree)
    path = fitting[int(rng.integers(0, len(fitting)))]
    parent(tree, path)[path[-1]] = value
    return tree


def drop_value(tree: Any, rng: Rng) -> Any:
    path = places(tree)[int(rng.integers(0, len(places(tree))))]
    del parent(tree, path)[path[-1]]
    return tree


def swap_values(tree: Any, rng: Rng) -> Any:
    keys = list(tree)
    one, other = rng.choice(len(keys), 2, replace=False)
    a, b = keys[one], keys[other]
    tree[a], tree[b] = tree[b], tree[a]
    return tree


def deep(depth: int = 100_000) -> str:
    return "[" * depth + "]" * depth


def sign(tree: dict[str, Any]) -> str:
    """The text of a study whose checksum is right: only what it says is wrong."""
    tree.pop("checksum", None)
    text = json.dumps(
        tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(text).hexdigest()
    return json.dumps({**tree, "checksum": digest}, ensure_ascii=False)


def json_change(
    alter: Callable[[Any, Rng], Any], write: Callable[[Any], str] = json.dumps
) -> Change:
    """A change of a JSON file's values."""

    def change(content: bytes, rng: Rng) -> bytes:
        tree = alter(json.loads(content.decode("utf-8", "surrogateescape")), rng)
        return write(tree).encode("utf-8", "surrogateescape")

    return change


def json_changes(write: Callable[[Any], str] = json.dumps) -> dict[str, Change]:
    """Changes by name, of any JSON file."""
    changes = {
        f"value {name}": json_change(
            lambda tree, rng, value=value: set_value(tree, rng, value), write
        )
        for name, value in VALUES.items()
    }
    changes["key lost"] = json_change(drop_value, write)
    changes["keys swapped"] = json_change(swap_values, write)
    changes["deep"] = lambda content, rng: deep().encode()
    changes["deep inside"] = lambda content, rng: (
        content.rstrip()[:-1] + b',"more":' + deep().encode() + b"}"
    )
    changes["key twice"] = lambda content, rng: (
        content.rstrip()[:-1] + b',"format":"x","shapes":7}'
    )
    changes["many digits"] = lambda content, rng: (
        content.rstrip()[:-1] + b',"more":' + b"9" * 10_000 + b"}"
    )
    changes["only a list"] = lambda content, rng: b"[1, 2]"
    return changes


# -- safetensors ----------------------------------------------------------------


def open_tensors(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and values of a safetensors file."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def close_tensors(header: Any, values: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def header_change(alter: Callable[[Any, Rng], Any]) -> Change:
    """A change of a safetensors header."""

    def change(content: bytes, rng: Rng) -> bytes:
        header, values = open_tensors(content)
        return close_tensors(alter(header, rng), values)

    return change


def about_change(alter: Callable[[Any, Rng], Any]) -> Change:
    """A change of what our own part of a safetensors header says."""

    def inner(header: Any, rng: Rng) -> Any:
        text = header["__metadata__"]["napari-dgc"]
        new = alter(json.loads(text), rng)
        text = new if isinstance(new, str) else json.dumps(new)
        header["__metadata__"]["napari-dgc"] = text
        return header

    return header_change(inner)


def tensor_change(name: str, alter: Callable[[np.ndarray], np.ndarray]) -> Change:
    """A change of one tensor's values, type or shape."""
    from safetensors.numpy import load, save

    def change(content: bytes, rng: Rng) -> bytes:
        header, _ = open_tensors(content)
        tensors = load(content)
        found = name if name in tensors else sorted(n for n in tensors if name in n)[0]
        tensors[found] = np.ascontiguousarray(alter(tensors[found]))
        return save(tensors, header["__metadata__"])

    return change


def without_tensor(content: bytes, rng: Rng) -> bytes:
    from safetensors.numpy import load, save

    header, _ = open_tensors(content)
    tensors = load(content)
    del tensors[sorted(tensors)[int(rng.integers(0, len(tensors)))]]
    return save(tensors, header["__metadata__"])


def tensors_changes() -> dict[str, Change]:
    """Changes by name, of a model and of what is kept of a training."""
    changes: dict[str, Change] = {
        f"about {name}": about_change(
            lambda tree, rng, value=value: set_value(tree, rng, value)
        )
        for name, value in VALUES.items()
    }
    changes["about lost"] = about_change(drop_value)
    changes["about deep"] = about_change(lambda tree, rng: deep())
    changes["about list"] = about_change(lambda tree, rng: [tree])
    for name in ("huge", "negative", "text", "null", "nan"):
        changes[f"header {name}"] = header_change(
            lambda tree, rng, value=VALUES[name]: set_value(tree, rng, value)
        )
    changes["header deep"] = lambda content, rng: close_tensors(deep().encode(), b"")
    changes["header long"] = lambda content, rng: b"\xff" * 8 + content[8:]
    changes["without a tensor"] = without_tensor
    changes["NaN"] = tensor_change("centroids", lambda a: np.full_like(a, np.nan))
    changes["double"] = tensor_change("centroids", lambda a: a.astype(np.float64))
    changes["whole"] = tensor_change("front_end.mean", lambda a: a.astype(np.int8))
    changes["flat"] = tensor_change("mean_spectra", np.ravel)
    changes["no row"] = tensor_change("centroids", lambda a: a[:0])
    changes["negative"] = tensor_change("counts", lambda a: -a)
    changes["infinite"] = tensor_change(
        "front_end.projection", lambda a: np.full_like(a, np.inf)
    )
    changes["no band"] = tensor_change("good_bands", np.zeros_like)
    return changes


# -- NumPy ------------------------------------------------------------------------


def npy_header(text: str, rest: bytes = b"", version: int = 1) -> bytes:
    packed = text.encode("latin-1")
    length = struct.pack("<H" if version == 1 else "<I", len(packed))
    return b"\x93NUMPY" + bytes([version, 0]) + length + packed + rest


def _described(descr: str = "'<f4'", shape: str = "(6, 9, 7)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"


NPY: dict[str, bytes] = {
    "shape huge": npy_header(_described(shape="(1000000000, 1000000000, 4)"), b"1234"),
    "shape overflows": npy_header(_described(shape=f"({2**62}, 4, 4)"), b"1234"),
    "shape negative": npy_header(_described(shape="(-6, -9, 7)"), bytes(1512)),
    "shape zero": npy_header(_described(shape="(0, 9, 7)")),
    "shape text": npy_header(_described(shape="('a', 9, 7)"), bytes(1512)),
    "shape true": npy_header(_described(shape="(True, 9, 7)"), bytes(1512)),
    "digits": npy_header(_described(shape=f"({'9' * 6000}, 9, 7)"), bytes(99), 2),
    "deep": npy_header(_described(shape="(" * 5000 + ")" * 5000), bytes(99), 2),
    "long header": npy_header(_described() + " " * 60_000, bytes(1512)),
    "code": npy_header("__import__('os').abort()", bytes(1512)),
    "type text": npy_header(_described("'<U4'"), bytes(9999)),
    "type nothing": npy_header(_described("'|V0'"), bytes(1512)),
    "type record": npy_header(_described("[('a', '<f4')]"), bytes(1512)),
    "type complex": npy_header(_described("'<c8'"), bytes(3024)),
    "type date": npy_header(_described("'<M8[s]'"), bytes(3024)),
    "type object": npy_header(_described("'|O'"), bytes(3024)),
    "type half": npy_header(_described("'<f2'"), bytes(756)),
    "all NaN": npy_header(_described(), b"\xff\xff\xff\x7f" * 378),
    "infinite": npy_header(_described(), struct.pack("<f", np.inf) * 378),
    "largest": npy_header(_described(), struct.pack("<f", 3.4e38) * 378),
    "version 3": npy_header(_described(), bytes(1512), 3),
    "version 9": npy_header(_described(), bytes(1512), 9),
}


def pickled_npy(marker: Path) -> bytes:
    """A .npy file of a Python object that makes a file when it is unpickled."""
    return npy_header(_described("'|O'", "()"), pickle.dumps(Payload(marker)))


# -- archives -----------------------------------------------------------------------


def npz_change(name: str, alter: Callable[[np.ndarray], Any]) -> Change:
    """A change of one array of an .npz file."""

    def change(content: bytes, rng: Rng) -> bytes:
        with np.load(io.BytesIO(content)) as file:
            arrays = dict(file)
        found = name if name in arrays else sorted(arrays)[-1]
        arrays[found] = alter(arrays[found])
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    return change


def npz_with(member: str, content: bytes, *, packed: bool = True) -> Change:
    """An .npz file of which one member is replaced by these bytes."""

    def change(original: bytes, rng: Rng) -> bytes:
        buffer = io.BytesIO()
        kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with (
            zipfile.ZipFile(io.BytesIO(original)) as old,
            zipfile.ZipFile(buffer, "w", kind) as new,
        ):
            names = old.namelist()
            found = member if member in names else names[-1]
            for name in names:
                new.writestr(name, content if name == found else old.read(name))
        return buffer.getvalue()

    return change


def npz_named(member: str) -> Change:
    """An .npz file with one member more, of a name of our choosing."""

    def change(original: bytes, rng: Rng) -> bytes:
        buffer = io.BytesIO(original)
        with zipfile.ZipFile(buffer, "a") as file:
            file.writestr(member, b"out of here")
        return buffer.getvalue()

    return change


def bomb(shape: str, megabytes: int, descr: str = "'<f8'") -> bytes:
    """An array of zeros, a thousand times as large as it is packed."""
    return npy_header(_described(descr, shape), bytes(megabytes * 2**20))


def npz_changes(name: str, marker: Path) -> dict[str, Change]:
    """Changes by name, of an .npz file with an array `name`."""
    member = f"{name}.npy"
    huge = npy_header(_described("'<f8'", "(100000, 1000000)"), b"1234")
    return {
        "bomb": npz_with(member, bomb("(65536, 256)", 128)),
        "shape huge": npz_with(member, huge),
        "shape huge stored": npz_with(member, huge, packed=False),
        "pickle": npz_with(member, pickled_npy(marker)),
        "no array": npz_with(member, b"no array"),
        "deep": npz_with(member, NPY["deep"]),
        "climbing": npz_named("../../outside/evil.npy"),
        "absolute": npz_named("/tmp/evil.npy"),
        "text": npz_change(name, lambda a: np.full(a.shape, "x")),
        "single": npz_change(name, lambda a: a.astype(np.float32)),
        "short": npz_change(name, lambda a: a[:1]),
        "scalar": npz_change(name, lambda a: a.ravel()[0]),
        "negative": npz_change(name, lambda a: ~a if a.dtype == bool else -a),
        "axes": npz_change(name, lambda a: a[None, None]),
    }
