"""Saving the scores: what `napari-dgc evaluate` prints, or the table of classes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QPushButton, QWidget

from napari_dgc.study.comparison import Comparison
from napari_dgc.study.evaluation import write_scores
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.saving import Saving

_FILTER = "All scores (*.json);;Table of classes (*.csv)"
_NAME = "scores.json"


class EvaluationSaving(Saving):
    """A button, and what it does.

    Parameters
    ----------
    parent : QWidget
    status : StatusLine
    """

    def __init__(self, parent: QWidget, status: StatusLine) -> None:
        super().__init__(parent, status)
        self._comparison: Comparison | None = None
        self.button = QPushButton("Save scores…")
        self.button.setToolTip(
            "Save the scores on show: as JSON all that napari-dgc evaluate prints, as "
            "CSV the table of classes"
        )
        self.button.clicked.connect(self._on_clicked)
        self._enable()

    def offer(self, comparison: Comparison | None) -> None:
        """Say what would be saved."""
        self._comparison = comparison
        self._enable()

    def save(self, path: str | Path) -> None:
        """Write the scores into a file, after asking where it exists."""
        if self._comparison is not None:
            write = partial(_write, comparison=self._comparison)
            self._start(path, write, "the scores")

    @property
    def _ready(self) -> bool:
        return self._comparison is not None

    def _enable(self, *_: object) -> None:
        self.button.setEnabled(self._ready and not self.runner.running)

    def _on_clicked(self) -> None:
        path = self._ask_where("Save scores", _NAME, _FILTER)
        if path:
            self.save(path)


def _write(path: Path, *, comparison: Comparison, force: bool) -> Iterator[Path]:
    yield write_scores(path, comparison.scores, force=force)
