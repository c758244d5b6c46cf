"""Whole files or none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from napari_dgc.cubes.errors import InputError


def write_whole(
    path: Path, writer: Callable[[BinaryIO], object], *, force: bool
) -> None:
    """Write a file so that it is there complete or not at all.

    Used by every room that writes: a crash or a full disk leaves no half file.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or the folder cannot be
        written to.
    """
    if path.exists() and not force:
        raise InputError(path, "is there already", "use force or another name")
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            writer(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            path, f"cannot be written ({reason})", "choose another place"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
