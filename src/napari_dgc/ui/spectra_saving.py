"""Saving the spectra on show, as a picture and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from napari.utils.history import get_save_history, update_save_history
from numpy.typing import NDArray
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from napari_dgc.reports.spectra import Spectrum, write_spectra_csv
from napari_dgc.study.exports import file_stems
from napari_dgc.ui.notices import StatusLine, ask
from napari_dgc.ui.worker import Job, Runner

_PICTURE_FILTER = "PNG picture (*.png);;SVG drawing (*.svg);;PDF (*.pdf)"
_TABLE_FILTER = "Table (*.csv)"


class SpectraSaving(QObject):
    """Two buttons, and what they do.

    Parameters
    ----------
    parent : QWidget
        Whose spectra these are.
    status : StatusLine
    """

    def __init__(self, parent: QWidget, status: StatusLine) -> None:
        super().__init__(parent)
        self._parent = parent
        self._status = status
        self._spectra: Sequence[Spectrum] = ()
        self._wavelengths: NDArray | None = None
        self._title = ""
        self._written: Path | None = None
        self.runner = Runner(self)
        self.picture_button = QPushButton("Save picture…")
        self.picture_button.setToolTip(
            "Save the spectra on show, on white with axes and legend: PNG, SVG or PDF"
        )
        self.table_button = QPushButton("Save table…")
        self.table_button.setToolTip(
            "Save the spectra on show as CSV: one row per group or pixel and band, "
            "with mean, sd and n"
        )
        self.picture_button.clicked.connect(self._on_picture_clicked)
        self.table_button.clicked.connect(self._on_table_clicked)
        self.runner.yielded.connect(self._on_file_written)
        self.runner.succeeded.connect(self._on_succeeded)
        self.runner.failed.connect(status.report)
        self.runner.running_changed.connect(self._enable)
        self._enable()

    def offer(
        self, spectra: Sequence[Spectrum], wavelengths: NDArray | None, title: str
    ) -> None:
        """Say what would be saved."""
        self._spectra, self._wavelengths, self._title = spectra, wavelengths, title
        self._enable()

    def save_picture(self, path: str | Path) -> None:
        """Draw the spectra into a file, after asking where it exists."""
        self._save(path, _draw)

    def save_table(self, path: str | Path) -> None:
        """Write the spectra into a CSV file, after asking where it exists."""
        self._save(path, _tabulate)

    def _save(self, path: str | Path, write: Callable[..., Iterator[Path]]) -> None:
        path = Path(path)
        if not self._spectra or self.runner.running:
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
        job = partial(
            write, path, self._spectra, self._wavelengths, self._title, force=there
        )
        self.runner.start(Job("saving spectra", job))

    def _enable(self, *_: object) -> None:
        ready = bool(self._spectra) and not self.runner.running
        self.picture_button.setEnabled(ready)
        self.table_button.setEnabled(ready)

    def _on_picture_clicked(self) -> None:
        path = self._ask_where("Save picture", "png", _PICTURE_FILTER)
        if path:
            self.save_picture(path)

    def _on_table_clicked(self) -> None:
        path = self._ask_where("Save table", "csv", _TABLE_FILTER)
        if path:
            self.save_table(path)

    def _ask_where(self, title: str, ending: str, filters: str) -> str:
        (stem,) = file_stems([f"{self._title} spectra"])
        proposal = Path(get_save_history()[0]) / f"{stem}.{ending}"
        path, chosen = QFileDialog.getSaveFileName(
            self._parent,
            title,
            str(proposal),
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


def _tabulate(
    path: Path,
    spectra: Sequence[Spectrum],
    wavelengths: NDArray | None,
    title: str,
    *,
    force: bool,
) -> Iterator[Path]:
    yield write_spectra_csv(path, spectra, wavelengths, force=force)


def _draw(
    path: Path,
    spectra: Sequence[Spectrum],
    wavelengths: NDArray | None,
    title: str,
    *,
    force: bool,
) -> Iterator[Path]:
    # matplotlib takes its time to load: here, in the worker.
    from napari_dgc.reports.spectra_picture import write_spectra_picture

    yield write_spectra_picture(path, spectra, wavelengths, title=title, force=force)
