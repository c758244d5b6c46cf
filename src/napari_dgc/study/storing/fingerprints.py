"""What tells one cube's content from another's, without reading all of it.

A fingerprint is ``file:SIZE:DIGEST``: the size in bytes of the file (of the data
file, for ENVI) and a SHA-256 over that size, the whole ENVI header if there is one,
and the file's content. Up to 1 MiB the content is all of it; beyond that, 16 pieces
of 64 KiB, spread evenly from the first byte to the last: 1 MiB read, whatever the
cube's size. Names, places and dates are not part of it. So another cube, a cut or a
re-exported one is told apart; a few pixels edited in place may go unseen.

A zarr store has ``store:SIZE:DIGEST``, over the names and sizes of all files in it and
the first 64 KiB of 16 of them. A cube in no file has ``pixels:DIGEST``, from 16 of its
rows.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.envi import DATA_SUFFIXES, envi_files, find_header
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.zarr_store import is_zarr

_PIECE = 64 * 2**10  # bytes
_PIECES = 16


def cube_fingerprint(cube: Cube) -> str:
    """Fingerprint a cube's file, or its pixels where it has none.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if cube.path is None:
        return f"pixels:{cube.fingerprint}"
    return file_fingerprint(cube.path)


def file_fingerprint(path: Path) -> str:
    """Fingerprint a cube's file; reads 1 MiB at most (and an ENVI header).

    Raises
    ------
    InputError
        If it cannot be read, or ENVI's other file is not there.
    """
    try:
        if is_zarr(path):
            return _store_fingerprint(path)
        header, data = _files(path)
        size = data.stat().st_size
        digest = hashlib.sha256(str(size).encode())
        if header is not None:
            digest.update(header.read_bytes())
        with data.open("rb") as file:
            if size <= _PIECE * _PIECES:
                digest.update(file.read())
            else:
                for piece in range(_PIECES):
                    file.seek((size - _PIECE) * piece // (_PIECES - 1))
                    digest.update(file.read(_PIECE))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(path, f"cannot be read ({reason})", "check the path") from (
            error
        )
    return f"file:{size}:{digest.hexdigest()[:32]}"


def has_fingerprint(path: Path, fingerprint: str) -> bool:
    """Whether a file is the one; cheap for most that are not, by their size."""
    kind, _, rest = fingerprint.partition(":")
    try:
        if kind == "store":
            return is_zarr(path) and _store_fingerprint(path) == fingerprint
        if kind != "file" or str(_files(path)[1].stat().st_size) != rest.split(":")[0]:
            return False
        return file_fingerprint(path) == fingerprint
    except (InputError, OSError):
        return False


def _store_fingerprint(path: Path) -> str:
    """Fingerprint a zarr store: all names and sizes in it, and 16 of its files."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    total, digest = 0, hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.relative_to(path).as_posix()} {size}\n".encode())
        total += size
    for file in files[:: max(1, len(files) // _PIECES)]:
        with file.open("rb") as content:
            digest.update(content.read(_PIECE))
    return f"store:{total}:{digest.hexdigest()[:32]}"


def _files(path: Path) -> tuple[Path | None, Path]:
    """Give the ENVI header, if any, and the file with the numbers."""
    suffix = path.suffix.lower()
    if suffix in (".mat", ".npy", ".tif", ".tiff"):
        return None, path
    if suffix in (".hdr", *DATA_SUFFIXES) or find_header(path) is not None:
        return envi_files(path)
    return None, path
