"""Saving the activation matrix as a table."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QPushButton, QWidget

from napari_dgc.reports.activation import ActivationRow, write_activation_csv
from napari_dgc.ui.activation_source import Matrix
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.saving import Saving

_FILTER = "Table (*.csv)"
_NAME = "activation.csv"


class ActivationSaving(Saving):
    """A button, and what it does.

    Parameters
    ----------
    parent : QWidget
    status : StatusLine
    """

    def __init__(self, parent: QWidget, status: StatusLine) -> None:
        super().__init__(parent, status)
        self._matrix: Matrix | None = None
        self.button = QPushButton("Save table…")
        self.button.setToolTip(
            "Save as CSV what is shown: one row per cluster or group, one column per "
            "cube, in %"
        )
        self.button.clicked.connect(self._on_clicked)
        self._enable()

    def offer(self, matrix: Matrix | None) -> None:
        """Say what would be saved."""
        self._matrix = matrix
        self._enable()

    def save(self, path: str | Path) -> None:
        """Write the table into a file, after asking where it exists."""
        if self._matrix is not None:
            write = partial(_write, matrix=self._matrix)
            self._start(path, write, "the activation matrix")

    @property
    def _ready(self) -> bool:
        return self._matrix is not None

    def _enable(self, *_: object) -> None:
        self.button.setEnabled(self._ready and not self.runner.running)

    def _on_clicked(self) -> None:
        path = self._ask_where("Save table", _NAME, _FILTER)
        if path:
            self.save(path)


def _write(path: Path, *, matrix: Matrix, force: bool) -> Iterator[Path]:
    rows = [
        ActivationRow(head.name, head.role, head.clusters, int(active.sum()))
        for head, active in zip(matrix.heads, matrix.active, strict=True)
    ]
    yield write_activation_csv(path, rows, matrix.names, matrix.shares, force=force)
