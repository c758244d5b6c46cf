"""Saving the activation matrix as a table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from napari.utils.history import get_save_history, update_save_history
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from napari_dgc.reports.activation import ActivationRow, write_activation_csv
from napari_dgc.ui.activation_source import Matrix
from napari_dgc.ui.notices import StatusLine, ask
from napari_dgc.ui.worker import Job, Runner

_FILTER = "Table (*.csv)"
_NAME = "activation.csv"


class ActivationSaving(QObject):
    """A button, and what it does.

    Parameters
    ----------
    parent : QWidget
    status : StatusLine
    """

    def __init__(self, parent: QWidget, status: StatusLine) -> None:
        super().__init__(parent)
        self._parent = parent
        self._status = status
        self._matrix: Matrix | None = None
        self._written: Path | None = None
        self.runner = Runner(self)
        self.button = QPushButton("Save table…")
        self.button.setToolTip(
            "Save as CSV what is shown: one row per cluster or group, one column per "
            "cube, in %"
        )
        self.button.clicked.connect(self._on_clicked)
        self.runner.yielded.connect(self._on_written)
        self.runner.succeeded.connect(self._on_succeeded)
        self.runner.failed.connect(status.report)
        self.runner.running_changed.connect(self._enable)
        self._enable()

    def offer(self, matrix: Matrix | None) -> None:
        """Say what would be saved."""
        self._matrix = matrix
        self._enable()

    def save(self, path: str | Path) -> None:
        """Write the table into a file, after asking where it exists."""
        path = Path(path)
        if self._matrix is None or self.runner.running:
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
        job = partial(_write, path, self._matrix, force=there)
        self.runner.start(Job("saving the activation matrix", job))

    def _enable(self, *_: object) -> None:
        self.button.setEnabled(self._matrix is not None and not self.runner.running)

    def _on_clicked(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self._parent,
            "Save table",
            str(Path(get_save_history()[0]) / _NAME),
            _FILTER,
            options=QFileDialog.Option.DontConfirmOverwrite,  # we ask ourselves
        )
        if path:
            update_save_history(str(Path(path).parent))
            self.save(path if Path(path).suffix else f"{path}.csv")

    def _on_written(self, path: Path) -> None:
        self._written = path

    def _on_succeeded(self) -> None:
        if self._written is not None:
            self._status.say(f"Wrote {self._written}", "good")


def _write(path: Path, matrix: Matrix, *, force: bool) -> Iterator[Path]:
    rows = [
        ActivationRow(head.name, head.role, head.clusters, int(active.sum()))
        for head, active in zip(matrix.heads, matrix.active, strict=True)
    ]
    yield write_activation_csv(path, rows, matrix.names, matrix.shares, force=force)
