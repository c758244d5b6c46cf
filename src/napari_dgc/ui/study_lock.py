"""Two windows must not write one study: each would undo what the other did."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QLockFile


class StudyLock:
    """Says, by a small hidden file beside a study, that a window is at work on it.

    The lock of a program that died on this machine is void. Where no file can be made
    (a disk to read only), there is no lock and nothing to protect.

    Parameters
    ----------
    path : pathlib.Path
        The study's file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.with_name(f".{path.name}.lock")
        self._lock = QLockFile(str(self.file))
        self._lock.setStaleLockTime(0)  # never by age alone

    def hold(self) -> bool:
        """Take it for this window; False where another one has it."""
        held = QLockFile.LockError.LockFailedError
        return self._lock.tryLock(0) or self._lock.error() != held

    def release(self) -> None:
        """Leave it to others."""
        self._lock.unlock()


def is_open_elsewhere(path: Path) -> bool:
    """Whether some window is at work on a study."""
    lock = StudyLock(path)
    free = lock.hold()
    lock.release()
    return not free
