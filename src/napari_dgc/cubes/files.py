"""Whole files or none, and never over another one unasked."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from napari_dgc.cubes.errors import InputError


def write_whole(
    path: str | Path,
    writer: Callable[[BinaryIO], object],
    *,
    force: bool = False,
) -> Path:
    """Write a file so that it is there complete or not at all.

    Parameters
    ----------
    path : str or pathlib.Path
        Missing parent folders are made.
    writer : callable
        Gets a binary file, open for writing and reading, to write all of it.
    force : bool
        Replace the file if it exists.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or cannot be written there.
        Whatever `writer` raises passes through. In each case an older file is
        as it was and nothing half-written stays behind.
    """
    path = Path(path)
    check_free(path, force=force)
    # In the same folder, since only within one file system is a move atomic.
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_synced(temporary, writer)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            path, f"cannot be written ({reason})", "choose another place"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def write_synced(path: Path, writer: Callable[[BinaryIO], object]) -> None:
    """Write a new file and have its content on disk; OSError if it cannot be."""
    with path.open("x+b") as file:
        writer(file)
        file.flush()
        os.fsync(file.fileno())  # else a crash could leave the name empty


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk, as `fsync` has a file's content.

    Does nothing where folders cannot be opened (Windows) or synced.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_free(path: str | Path, *, force: bool) -> None:
    """Refuse early what `write_whole` would refuse, before long work.

    Raises
    ------
    InputError
        If `path` is a folder, exists and `force` is False, or lies where
        nothing can be written.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(path, "is a folder", "give the name of a file")
    if path.exists() and not force:
        raise InputError(
            path, "it exists already", "use --force to replace it, or another name"
        )
    # The folder may yet have to be made: then the nearest one that is there counts.
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise InputError(path, f"{above} is a file, not a folder", "use another place")
    if not os.access(above, os.W_OK):
        raise InputError(path, f"{above} cannot be written to", "use another place")
