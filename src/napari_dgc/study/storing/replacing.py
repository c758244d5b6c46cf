"""Replace a file that must never be lost, not even for a moment."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import time
from pathlib import Path
from uuid import uuid4

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import sync_folder, write_synced

_STALE = 600.0  # seconds after which a temporary file has no writer any more
_TRIES, _PAUSE = 10, 0.05  # Windows: another program looks at the file just now


def replace_file(path: Path, content: bytes, *, backup: Path | None) -> None:
    """Put new content in place of a file; at each moment an intact one is there.

    Parameters
    ----------
    path : pathlib.Path
        Its folder must exist.
    content : bytes
    backup : pathlib.Path, optional
        What is at `path` now stays there (a hard link, or a copy where the disk has
        no links). None where nothing is at `path`, or nothing worth keeping.

    Raises
    ------
    InputError
        If it cannot be written; `path` holds what it held then.

    Notes
    -----
    The order: the new content into a temporary file in the same folder, synced; a
    second name for the old content, moved over `backup`; the temporary file moved over
    `path`; the folder synced.
    """
    mark = uuid4().hex[:8]
    temporary = path.with_name(f".{path.name}.{mark}.tmp")
    second = path.with_name(f".{path.name}.{mark}.old.tmp")
    try:
        write_synced(temporary, lambda file: file.write(content))
        if backup is not None:
            _second_name(path, second)
            _move(second, backup)
        _move(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            path, f"cannot be written ({reason})", "make room there, or save elsewhere"
        ) from error
    finally:
        for left in (temporary, second):
            with contextlib.suppress(OSError):
                left.unlink(missing_ok=True)


def remove_stale(path: Path, folder: Path) -> None:
    """Remove what writers of a file, and of those in a folder, left long ago.

    They were killed then.
    """
    left = list(path.parent.glob(f".{glob.escape(path.name)}.*.tmp"))
    for file in (*left, *folder.glob("*/.*.tmp")):
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime > _STALE:
                file.unlink()


def _second_name(path: Path, second: Path) -> None:
    try:
        os.link(path, second)
    except (OSError, NotImplementedError):  # FAT, some network drives
        with path.open("rb") as old:
            write_synced(second, lambda new: shutil.copyfileobj(old, new))


def _move(source: Path, target: Path) -> None:
    for left in reversed(range(_TRIES)):
        try:
            source.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or not left:
                raise
            time.sleep(_PAUSE)
