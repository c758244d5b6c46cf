"""Studies that have no name yet: kept all the same, and offered again.

Each lies in a folder of its own in the user's data, written by the same autosave as
a named one. A lock says that a window is at work on it; the lock of a program that
died is void (Qt asks whether its process is still there).
"""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from qtpy.QtCore import QLockFile

from napari_dgc.cubes.errors import InputError
from napari_dgc.study.storing.stored import read_record
from napari_dgc.ui.app_data import data_folder

_FOLDER, _FILE, _LOCK = "unsaved", "unsaved.dgc.json", ".lock"


@dataclass(slots=True, eq=False)
class Draft:
    """An unsaved study on the disk.

    Attributes
    ----------
    path : pathlib.Path
        Its file; it may not be written yet.
    """

    path: Path
    _lock: QLockFile = field(init=False, repr=False)

    def __post_init__(self) -> None:
        folder = self.path.parent
        self._lock = QLockFile(str(folder.with_name(folder.name + _LOCK)))
        self._lock.setStaleLockTime(0)  # never by age alone

    def hold(self) -> bool:
        """Take it for this window; False while another one has it."""
        return self._lock.tryLock(0)

    def release(self) -> None:
        """Leave it to be offered again."""
        self._lock.unlock()

    def discard(self) -> None:
        """Delete it, and leave it."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        self.release()

    @property
    def time(self) -> datetime:
        """When it was written last."""
        return datetime.fromtimestamp(self.path.stat().st_mtime)

    def describe(self) -> str:
        """Say in some words what it is: its cubes, steps and time."""
        with contextlib.suppress(InputError, OSError):
            record, _ = read_record(self.path)
            names = [cube.cube.name for cube in record.cubes]
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            what = f"{names[0]}{more}" if names else "no cube"
            steps = f"{record.index} step{'s' * (record.index != 1)}"
            return f"{what}, {steps}, {word_time(self.time)}"
        return f"damaged, {word_time(self.time)}"


def new_draft() -> Draft:
    """Make room for an unsaved study and take it.

    Raises
    ------
    InputError
        If the user's data folder cannot be written.
    """
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    folder = data_folder() / _FOLDER / f"{stamp}_{uuid4().hex[:4]}"
    draft = Draft(folder / _FILE)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.hold()  # first: a folder without a file or a lock is cleaned up
        folder.mkdir()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            folder.parent, f"cannot be written ({reason})", "save the study by name"
        ) from error
    return draft


def left_drafts() -> list[Draft]:
    """Unsaved studies that no window is at work on, the latest first."""
    left = []
    for folder in (data_folder() / _FOLDER).glob("*/"):
        draft = Draft(folder / _FILE)
        if not draft.hold():
            continue
        if draft.path.is_file():
            draft.release()
            left.append(draft)
        else:
            draft.discard()  # made, and never written
    return sorted(left, key=lambda draft: draft.path.stat().st_mtime, reverse=True)


def word_time(time: datetime) -> str:
    """Word a time as one says it: with the day where that is not today."""
    if time.date() == datetime.now().date():
        return f"{time:%H:%M}"
    return f"{time.day} {time:%b %H:%M}"
