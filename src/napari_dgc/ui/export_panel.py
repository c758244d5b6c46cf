"""Group maps and masks into files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from napari.utils.history import get_save_history, update_save_history
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from napari_dgc.cubes.errors import InputError
from napari_dgc.study import Study
from napari_dgc.ui.notices import Heading, StatusLine, ask
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.worker import Job, Runner


class ExportPanel(QWidget):
    """Formats, the mask of the selected groups, and where to."""

    def __init__(self, study: Study, selection: Selection, status: StatusLine) -> None:
        super().__init__()
        self._study = study
        self._selection = selection
        self._status = status
        self._written: list[Path] = []
        self.runner = Runner(self)
        self._make_widgets()
        self._lay_out()
        self.export_button.clicked.connect(self._on_export_clicked)
        self.open_button.clicked.connect(self._on_open_clicked)
        self.runner.yielded.connect(self._on_file_written)
        self.runner.succeeded.connect(self._on_run_succeeded)
        self.runner.failed.connect(status.report)
        self.runner.running_changed.connect(self.refresh)
        selection.changed.connect(self._on_selection_changed)
        self.refresh()

    def export(self, folder: str | Path) -> None:
        """Write what is ticked into a folder, after asking where files exist."""
        if not self._is_ready():
            return
        formats = [name for name, box in self._formats() if box.isChecked()]
        groups = sorted(self._selection.ids) if self.mask.isChecked() else []
        try:
            export = self._study.export(folder, groups=groups, formats=formats)
            export = replace(export, roles=True, legend=True)
        except InputError as error:
            self._status.report(error)
            return
        there = export.existing()
        if there and not self._may_overwrite(there):
            self._status.say("Nothing was written.", "info")
            return
        self._written.clear()
        self._status.say(f"Writing to {folder}…")
        # Runs whole: to stop between two files would leave half a result.
        run = partial(export.run, force=bool(there))
        self.runner.start(Job("exporting masks", run))

    def _is_ready(self) -> bool:
        """Say what is lacking, before a folder is asked for."""
        text = ""
        if not any(box.isChecked() for _, box in self._formats()):
            text = "Nothing to write: tick TIFF or PNG."
        elif self.mask.isChecked() and not self._selection.ids:
            text = "Select the groups of the mask first, in the table or on the image."
        if text:
            self._status.say(text, "warning")
        return not text

    def refresh(self) -> None:
        """Enable what can be done now."""
        ready = any(
            self._study.cluster_map(i) is not None
            for i in range(len(self._study.cubes))
        )
        self.export_button.setEnabled(ready and not self.runner.running)
        self.open_button.setVisible(bool(self._written) and not self.runner.running)

    def _may_overwrite(self, there: list[Path]) -> bool:
        names = ", ".join(path.name for path in there[:4])
        more = f" and {len(there) - 4} more" if len(there) > 4 else ""
        return ask(
            self,
            "Overwrite?",
            f"{there[0].parent} already holds {names}{more}.",
            "Overwrite",
            "Cancel",
        )

    def _formats(self) -> tuple[tuple[str, QCheckBox], ...]:
        return ("tif", self.tiff), ("png", self.png)

    def _make_widgets(self) -> None:
        self.tiff = QCheckBox("TIFF")
        self.tiff.setChecked(True)
        self.tiff.setToolTip(
            "NAME_groups.tif: label values, one per pixel, to measure with. It looks "
            "dark: what each value means is in the file's description and recipe.json"
        )
        self.png = QCheckBox("PNG")
        self.png.setChecked(True)
        self.png.setToolTip(
            "To look at: NAME_groups.png has the groups in the colours on screen, "
            "NAME_groups_legend.png their names and shares too"
        )
        self.mask = QCheckBox("Mask")
        self.export_button = QPushButton("Export…")
        self.export_button.setToolTip(
            "Write the group map of every cube, a mask for each role that groups have "
            "(NAME_lesion_mask), and the recipe of the merges"
        )
        self.open_button = QPushButton("Open")
        self.open_button.setToolTip("Show the folder with the written files")
        self._on_selection_changed(self._selection.ids)

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 0)
        layout.setSpacing(6)
        layout.addWidget(Heading("Export"))
        for box in (self.tiff, self.png, self.mask):
            layout.addWidget(box)
        layout.addStretch()
        layout.addWidget(self.open_button)
        layout.addWidget(self.export_button)

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        which = (
            "selected groups (none now)"
            if not ids
            else ("selected group" if len(ids) == 1 else f"{len(ids)} selected groups")
        )
        self.mask.setToolTip(f"One more file per cube: 1 in the {which}, 0 elsewhere")

    def _on_export_clicked(self) -> None:
        if not self._is_ready():
            return
        folder = QFileDialog.getExistingDirectory(
            self, "Export into this folder", get_save_history()[0]
        )
        if folder:
            update_save_history(folder)
            self.export(folder)

    def _on_open_clicked(self) -> None:
        if self._written:
            folder = str(self._written[0].parent)
            QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

    def _on_file_written(self, path: Path) -> None:
        self._written.append(path)

    def _on_run_succeeded(self) -> None:
        count = len(self._written)
        self._status.say(f"Wrote {count} files to {self._written[0].parent}", "good")
        self.refresh()
