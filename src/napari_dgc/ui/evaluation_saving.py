"""Saving the scores: what `napari-dgc evaluate` prints, or the table of classes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_dgc.study.evaluating.comparison import Comparison
from napari_dgc.study.evaluating.evaluation import write_scores
from napari_dgc.ui.saving import ButtonSaving


class EvaluationSaving(ButtonSaving):
    """A button, and what it does; what it is offered is a `Comparison`."""

    title = "Save scores"
    tip = (
        "Save the scores on show: as JSON all that napari-dgc evaluate prints, as CSV "
        "the table of classes"
    )
    name, filters = "scores.json", "All scores (*.json);;Table of classes (*.csv)"
    what = "the scores"

    @staticmethod
    def write(path: Path, *, content: Comparison, force: bool) -> Iterator[Path]:
        """Write them; yields the file."""
        yield write_scores(path, content.scores, force=force)
