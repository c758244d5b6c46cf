"""Saving the spectra on show, as a picture and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from numpy.typing import NDArray
from qtpy.QtWidgets import QPushButton, QWidget

from napari_dgc.reports.spectra import Spectrum, write_spectra_csv
from napari_dgc.study.exports import file_stems
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.saving import Saving

_PICTURE_FILTER = "PNG picture (*.png);;SVG drawing (*.svg);;PDF (*.pdf)"
_TABLE_FILTER = "Table (*.csv)"

Content = tuple[Sequence[Spectrum], NDArray | None, str]


class SpectraSaving(Saving):
    """Two buttons, and what they do.

    Parameters
    ----------
    parent : QWidget
        Whose spectra these are.
    status : StatusLine
    """

    def __init__(self, parent: QWidget, status: StatusLine) -> None:
        super().__init__(parent, status)
        self._spectra: Sequence[Spectrum] = ()
        self._wavelengths: NDArray | None = None
        self._title = ""
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
        content = self._spectra, self._wavelengths, self._title
        self._start(path, partial(write, content=content), "spectra")

    @property
    def _ready(self) -> bool:
        return bool(self._spectra)

    def _enable(self, *_: object) -> None:
        ready = self._ready and not self.runner.running
        self.picture_button.setEnabled(ready)
        self.table_button.setEnabled(ready)

    def _on_picture_clicked(self) -> None:
        path = self._ask_where("Save picture", self._proposal("png"), _PICTURE_FILTER)
        if path:
            self.save_picture(path)

    def _on_table_clicked(self) -> None:
        path = self._ask_where("Save table", self._proposal("csv"), _TABLE_FILTER)
        if path:
            self.save_table(path)

    def _proposal(self, ending: str) -> str:
        (stem,) = file_stems([f"{self._title} spectra"])
        return f"{stem}.{ending}"


def _tabulate(path: Path, *, content: Content, force: bool) -> Iterator[Path]:
    spectra, wavelengths, _ = content
    yield write_spectra_csv(path, spectra, wavelengths, force=force)


def _draw(path: Path, *, content: Content, force: bool) -> Iterator[Path]:
    # matplotlib takes its time to load: here, in the worker.
    from napari_dgc.reports.spectra_picture import write_spectra_picture

    spectra, wavelengths, title = content
    yield write_spectra_picture(path, spectra, wavelengths, title=title, force=force)
