"""Saving the activation matrix as a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_dgc.reports.activation import ActivationRow, write_activation_csv
from napari_dgc.ui.activation_source import Matrix
from napari_dgc.ui.saving import ButtonSaving


class ActivationSaving(ButtonSaving):
    """A button, and what it does; what it is offered is a `Matrix`."""

    title = "Save table"
    tip = (
        "Save as CSV what is shown: one row per cluster or group, one column per "
        "cube, in %"
    )
    name, filters = "activation.csv", "Table (*.csv)"
    what = "the activation matrix"

    @staticmethod
    def write(path: Path, *, content: Matrix, force: bool) -> Iterator[Path]:
        """Write the table; yields its file."""
        rows = [
            ActivationRow(head.name, head.role, head.clusters, int(active.sum()))
            for head, active in zip(content.heads, content.active, strict=True)
        ]
        yield write_activation_csv(
            path, rows, content.names, content.shares, force=force
        )
