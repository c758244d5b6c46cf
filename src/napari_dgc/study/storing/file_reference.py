"""Files that belong to a study, and their paths as its file says them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from napari_dgc.merging.fields import Fields

_LONGEST_NAME, _LONGEST_PATH = 255, 4000  # bytes of each part, and of all


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file that belongs to the study.

    Attributes
    ----------
    path : pathlib.Path
    fingerprint : str
        The model's own; of other files, a digest of their bytes.
    """

    path: Path
    fingerprint: str


def file_to_json(file: FileReference | None, folder: Path) -> dict[str, str] | None:
    """Give plain JSON values, for a study in `folder`."""
    if file is None:
        return None
    return {"path": relative_to(file.path, folder), "fingerprint": file.fingerprint}


def file_from_json(data: object, folder: Path) -> FileReference | None:
    """Read what `file_to_json` gave; ValueError where it lies outside `folder`."""
    if data is None:
        return None
    fields = Fields(data, "a file of the study")
    text = fields.text("path")
    path = absolute_from(text, folder)
    # Cubes may be anywhere; what we write lies beside the study.
    if not path.is_relative_to(os.path.abspath(folder)):  # noqa: PTH100
        raise ValueError(f"it names {text[:200]!r}, which lies outside its folder")
    return FileReference(path, fields.text("fingerprint"))


def relative_to(path: Path, folder: Path) -> str:
    """Give a path from `folder`, with forward slashes; absolute on another drive."""
    absolute = os.path.abspath(path)  # noqa: PTH100 (symbolic links stay links)
    try:
        relative = os.path.relpath(absolute, os.path.abspath(folder))  # noqa: PTH100
    except ValueError:  # another drive
        relative = absolute
    return Path(relative).as_posix()


def absolute_from(text: str, folder: Path) -> Path:
    """Give a path that was written from `folder`; ValueError where it can be none."""
    names = os.fsencode(text).replace(b"\\", b"/").split(b"/")  # or ValueError
    longest = max(map(len, names))
    if "\0" in text or longest > _LONGEST_NAME or len(text) > _LONGEST_PATH:
        raise ValueError(f"{text[:60]!r} can be no file's path")
    return Path(os.path.abspath(folder / text))  # noqa: PTH100
