"""A study's file follows the study: written after each change, beside the screen."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal

from napari_dgc.cubes.errors import InputError
from napari_dgc.study.study import Study


class Autosave:
    """Writes a study after each change, in a thread of its own.

    Nothing is written while `Study.path` is None. Once it is set (`save`,
    `save_study`, or a study that was opened), each step, undo, redo, new map, new
    model, new cube and change of the view is on disk some milliseconds later.

    Both signals come **from the writing thread**: the screen hands them over to its own
    (connect them to a Qt signal's `emit`).

    Attributes
    ----------
    saved : Signal
        The path, each time all there is to write is on disk.
    failed : Signal
        The `InputError`, each time a write fails. It is tried again at the next change.
    """

    saved = Signal(object)
    failed = Signal(object)

    def __init__(self, study: Study) -> None:
        raise NotImplementedError

    @property
    def pending(self) -> bool:
        """Whether there is something that is not on disk."""
        raise NotImplementedError

    @property
    def error(self) -> InputError | None:
        """Why the last write failed; None if it did not."""
        raise NotImplementedError

    def save(self, path: str | Path | None = None) -> None:
        """Write now, or to another place from now on; returns at once.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            Becomes `Study.path`; an existing file there is replaced (and kept as
            `.bak`).

        Raises
        ------
        InputError
            If the path does not end in `.dgc.json`, or there is neither a path nor
            `Study.path`.
        """
        raise NotImplementedError

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all is on disk; False if time ran out or the write failed."""
        raise NotImplementedError

    def close(self, timeout: float | None = None) -> bool:
        """`flush`, then end the thread and follow the study no longer."""
        raise NotImplementedError
