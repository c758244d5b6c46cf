"""Group maps, masks and severity tables into files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from napari.utils.history import get_save_history, update_save_history
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.study import Study
from napari_dgc.study.mapping import Progress
from napari_dgc.study.reporting.reporting import PAGE
from napari_dgc.study.view import View
from napari_dgc.ui.export_formats import DECIMALS as _DECIMALS
from napari_dgc.ui.export_formats import MoreFormats
from napari_dgc.ui.export_writing import (
    ExportRun,
    Tables,
    has_tissue,
    shorten,
    sizeless,
    word_overwriting,
)
from napari_dgc.ui.notices import StatusLine, ask
from napari_dgc.ui.opening import OpenButton
from napari_dgc.ui.section import SLIM
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.worker import Job, Runner

# Seven in a row of 376 pixels.
_SLIM = f"{SLIM} QCheckBox {{ spacing: 2px; }}"
_GIVE_ROLES = "Give groups a role (healthy, lesion) to get severity."
_EXPORT_TIP = (
    "Write the group map of every cube, a mask for each role that groups have "
    "(NAME_lesion_mask), the recipe of the merges, and the report with its tables"
)


class ExportPanel(QWidget):
    """Report, formats, the mask of the selected groups, and where to."""

    def __init__(self, study: Study, selection: Selection, status: StatusLine) -> None:
        super().__init__()
        self._study = study
        self._selection = selection
        self._status = status
        self.setStyleSheet(_SLIM)
        self._run: ExportRun | None = None
        self._written: tuple[Path, ...] = ()
        self._declined = False  # the tables, by hand
        self._sized: tuple[Cube, ...] = ()  # those on show when a size was given
        self.runner = Runner(self)
        self._make_widgets()
        self._lay_out()
        self._connect()
        self.refresh()

    def export(self, folder: str | Path) -> None:
        """Write what is ticked into a folder, after asking where files exist."""
        if not self._is_ready():
            return
        try:
            run = self._plan(Path(folder))
        except InputError as error:
            self._status.report(error)
            return
        there = run.existing()
        if there and not self._may_overwrite(there):
            self._status.say("Nothing was written.", "info")
            return
        self._run, self._written = run, ()
        self._status.say("Writing…")
        job = partial(run.run, force=bool(there))
        self.runner.start(Job("exporting", job, keep=lambda piece: False))

    def _plan(self, folder: Path) -> ExportRun:
        """Take what is to be written as it is now."""
        formats, export, tables = self._formats(), None, None
        if formats:
            groups = sorted(self._selection.ids) if self.mask.isChecked() else []
            export = self._study.export(folder, groups=groups, formats=formats)
            export = replace(export, roles=True, legend=True)
        if self.tables.isChecked():
            tables = Tables.of(self._study)
        return ExportRun(folder, export, tables)

    def _is_ready(self) -> bool:
        """Say what is lacking, before a folder is asked for."""
        text, formats = "", self._formats()
        if not formats and not self.tables.isChecked():
            text = "Nothing to write: tick Report, TIFF or PNG."
        elif self.mask.isChecked() and not formats:
            text = "Tick TIFF or PNG too: the mask is written in these."
        elif self.mask.isChecked() and not self._selection.ids:
            text = "Select the groups of the mask first, in the table or on the image."
        if text:
            self._status.say(text, "warning")
        return not text

    def refresh(self, *_: object) -> None:
        """Enable what can be done now; tables are on as soon as they can be made."""
        running, tissue = self.runner.running, has_tissue(self._study)
        ready = any(
            self._study.cluster_map(i) is not None
            for i in range(len(self._study.cubes))
        )
        self.export_button.setEnabled(ready or running)
        self.export_button.setText("Stop" if running else "Export…")
        self.export_button.setToolTip(
            "Stop writing; the folder stays as it was" if running else _EXPORT_TIP
        )
        written = () if running else self._written
        places = {}
        for path in written:
            if path.name == PAGE:
                places["Open the report"] = path
        if written:
            places["Show the folder"] = written[0].parent
        self.open_button.offer(places)
        self.tables.setChecked(tissue and not self._declined)
        self.tables.setToolTip(
            "report.html: all of it on one page, to read, print and hand over; and its "
            "numbers: severity.csv, leaves.csv, lesions.csv, spectra, indices and a "
            "picture of each cube's leaves" + ("" if tissue else f". {_GIVE_ROLES}")
        )

    def _may_overwrite(self, there: list[Path]) -> bool:
        question = word_overwriting(there)
        return ask(self, "Overwrite?", question, "Overwrite", "Cancel")

    def _formats(self) -> list[str]:
        plain = [("tif", self.tiff), ("png", self.png)]
        chosen = [name for name, box in plain if box.isChecked()]
        return [*chosen, *self.more.formats]

    # -- inside -------------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.tables = QCheckBox("Report")
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
        self.more = MoreFormats(self)
        self.more_button = QPushButton("More")
        self.export_button = QPushButton()
        self.open_button = OpenButton()
        self._on_selection_changed(self._selection.ids)
        self._on_more_changed()

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 0)
        layout.setSpacing(2)
        for box in (self.tables, self.tiff, self.png, self.mask, self.more_button):
            layout.addWidget(box)
        layout.addStretch()
        layout.addWidget(self.open_button)
        layout.addWidget(self.export_button)

    def _connect(self) -> None:
        self.tables.clicked.connect(self._on_tables_clicked)
        self.more_button.clicked.connect(self._on_more_clicked)
        self.more.changed.connect(self._on_more_changed)
        self.export_button.clicked.connect(self._on_export_clicked)
        self.runner.yielded.connect(self._on_progressed)
        self.runner.succeeded.connect(self._on_run_succeeded)
        self.runner.stopped.connect(self._on_run_stopped)
        self.runner.failed.connect(self._status.report)
        self.runner.running_changed.connect(self.refresh)
        self._selection.changed.connect(self._on_selection_changed)
        self._study.grouping_changed.connect(self.refresh)
        self._study.cubes_changed.connect(self._on_cubes_changed)
        self._study.view_changed.connect(self._on_view_changed)

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        which = (
            "selected groups (none now)"
            if not ids
            else ("selected group" if len(ids) == 1 else f"{len(ids)} selected groups")
        )
        self.mask.setToolTip(f"One more file per cube: 1 in the {which}, 0 elsewhere")

    def _on_tables_clicked(self, on: bool) -> None:
        self._declined = not on and has_tissue(self._study)
        if on and not has_tissue(self._study):
            self.tables.setChecked(False)
            self._status.say(f"{_GIVE_ROLES} The report is on from then.", "warning")

    def _on_more_clicked(self) -> None:
        self.more.ask_size(self.tables.isChecked() and bool(sizeless(self._study)))
        self.more.open_above(self.more_button)

    def _on_more_changed(self) -> None:
        self._keep_size(self.more.pixel_mm)
        font = self.more_button.font()
        font.setBold(bool(self.more.formats))  # no room for how many
        self.more_button.setFont(font)
        chosen = ", ".join(self.more.formats) or "none of them now"
        self.more_button.setToolTip(
            f"More formats: overlay, ENVI, LabelMe, .npy, .pth ({chosen}); and the "
            "pixel size, where no header says it"
        )
        self._sized = self._study.cubes

    def _on_cubes_changed(self, cubes: tuple[Cube, ...]) -> None:
        """Forget a pixel size with the last of the cubes it was given for."""
        if self._study.adopting:
            return  # what the study keeps is told with its view
        known = {cube.name for cube in self._sized}
        if any(cube.name in known for cube in cubes):
            self._sized = cubes  # those that came to them are of one camera
        else:
            self._sized = ()
            self._keep_size(None)

    def _keep_size(self, mm: float | None) -> None:
        """Have the study know the pixel size, where it is another one than shown."""
        measures = self._study.view.measures
        if mm != (measures.pixel_mm and round(measures.pixel_mm, _DECIMALS)):
            measures = replace(measures, pixel_mm=mm)
            self._study.set_view(replace(self._study.view, measures=measures))

    def _on_view_changed(self, view: View) -> None:
        self.more.show_size(view.measures.pixel_mm)
        self._sized = self._study.cubes

    def _on_export_clicked(self) -> None:
        if self.runner.running:
            self.runner.stop()
            self._status.say("Stopping after the present file…")
            return
        if not self._is_ready():
            return
        folder = QFileDialog.getExistingDirectory(
            self, "Export into this folder", self._first_folder()
        )
        if folder:
            update_save_history(folder)
            self.export(folder)

    def _first_folder(self) -> str:
        """Where the dialog begins: where it ended last, else beside the cubes."""
        paths = [*self._written[:1], *(c.path for c in self._study.cubes if c.path)]
        folders = (path.parent for path in paths)
        found = next((str(f) for f in folders if f.is_dir()), None)
        return found or get_save_history()[0]

    def _on_progressed(self, piece: Progress) -> None:
        self._status.say(piece.text)

    def _on_run_stopped(self) -> None:
        if self._run is not None and self._run.written is not None:
            self._on_run_succeeded()  # too late: all of it is there
        else:
            self._status.say("Stopped: nothing was written.")

    def _on_run_succeeded(self) -> None:
        written = None if self._run is None else self._run.written
        if written is None:
            return
        self._written = written.paths
        count, folder = len(written.paths), written.paths[0].parent
        lines = [f"{written.severity}."] if written.severity else []
        # A path may be as long as four lines; whoever chose it knows it.
        lines.append(f"Wrote {count} files to {shorten(folder.name)}.")
        lines += [written.notice] if written.notice else []
        if not has_tissue(self._study):
            lines.append(_GIVE_ROLES)
        self._status.say(" ".join(lines), "warning" if written.notice else "good")
        self.refresh()
