"""Saving one file from a dock: where to, whether over another one, in the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from napari.utils.history import get_save_history, update_save_history
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from napari_dgc.ui.notices import StatusLine, ask
from napari_dgc.ui.worker import Job, Runner


class Saving(QObject):
    """Asks and writes; its subclass has the buttons.

    Parameters
    ----------
    parent : QWidget
        Over which is asked.
    status : StatusLine
    """

    def __init__(self, parent: QWidget, status: StatusLine) -> None:
        super().__init__(parent)
        self._parent = parent
        self._status = status
        self._written: Path | None = None
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_file_written)
        self.runner.succeeded.connect(self._on_succeeded)
        self.runner.failed.connect(status.report)
        self.runner.running_changed.connect(self._enable)

    @property
    def _ready(self) -> bool:
        """Whether there is something to be saved."""
        raise NotImplementedError

    def _enable(self, *_: object) -> None:
        """Enable the buttons where something can be saved now."""
        raise NotImplementedError

    def _start(
        self, path: str | Path, write: Callable[..., Iterator[Path]], what: str
    ) -> None:
        """Write a file, after asking where it exists; `write` takes path and force."""
        path = Path(path)
        if not self._ready or self.runner.running:
            return
        there = path.exists()
        if there and not ask(
            self._parent,
            "Overwrite?",
            f"{path.name} is in {path.parent} already.",
            "Overwrite",
            "Cancel",
        ):
            self._status.say("Nothing was written.", "info")
            return
        self.runner.start(Job(f"saving {what}", partial(write, path, force=there)))

    def _ask_where(self, title: str, proposal: str, filters: str) -> str:
        """Ask for a file; with the filter's ending where none is given, "" for none."""
        path, chosen = QFileDialog.getSaveFileName(
            self._parent,
            title,
            str(Path(get_save_history()[0]) / proposal),
            filters,
            options=QFileDialog.Option.DontConfirmOverwrite,  # we ask ourselves
        )
        if path:
            update_save_history(str(Path(path).parent))
            if not Path(path).suffix:
                path += chosen.rpartition("*")[2].rstrip(")")
        return path

    def _on_file_written(self, path: Path) -> None:
        self._written = path

    def _on_succeeded(self) -> None:
        if self._written is not None:
            self._status.say(f"Wrote {self._written}", "good")


class ButtonSaving(Saving):
    """One button that saves what is on show; its subclass says what and how.

    Parameters
    ----------
    parent : QWidget
    status : StatusLine

    Attributes
    ----------
    title, tip : str
        The button's words, without the dots, and its tool tip.
    name, filters : str
        Proposed for the file, and Qt's filters.
    what : str
        What is saved, as the status line calls it.
    """

    title, tip = "", ""
    name, filters = "", ""
    what = ""

    def __init__(self, parent: QWidget, status: StatusLine) -> None:
        super().__init__(parent, status)
        self._content: Any = None
        self.button = QPushButton(f"{self.title}…")
        self.button.setToolTip(self.tip)
        self.button.clicked.connect(self._on_clicked)
        self._enable()

    def offer(self, content: Any) -> None:
        """Say what would be saved; None for nothing."""
        self._content = content
        self._enable()

    def save(self, path: str | Path) -> None:
        """Write it into a file, after asking where that exists."""
        self._start(path, partial(self.write, content=self._content), self.what)

    @staticmethod
    def write(path: Path, *, content: Any, force: bool) -> Iterator[Path]:
        """Write, in the worker; yields the file."""
        raise NotImplementedError

    @property
    def _ready(self) -> bool:
        return self._content is not None

    def _enable(self, *_: object) -> None:
        self.button.setEnabled(self._ready and not self.runner.running)

    def _on_clicked(self) -> None:
        path = self._ask_where(self.title, self.name, self.filters)
        if path:
            self.save(path)
