"""The box "Measures": pixel size, smallest lesion and days, kept with the study."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from napari.utils.history import get_open_history, update_open_history
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QMessageBox,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.georeference import pixel_area
from napari_dgc.reports.time_series import read_days
from napari_dgc.study import Study
from napari_dgc.study.exports import file_stems
from napari_dgc.study.measures import Measures
from napari_dgc.ui.export_formats import DECIMALS
from napari_dgc.ui.notices import StatusLine, WrappedLabel

_LARGEST = 10_000.0  # mm
_FILTER = "Tables (*.csv *.tsv *.txt);;All files (*)"
_WHAT = (
    "Kept with the study: the table of leaves, Export's tables and “napari-dgc report” "
    "use the same."
)
_DAYS_TIP = (
    "A CSV table with the columns file, plant and day, one line per cube: the tables "
    "then tell the severity by plant and day"
)


class MeasuresForm(QDialog):
    """What severity is reckoned with; a change is kept at once."""

    def __init__(self, study: Study, status: StatusLine, parent: QWidget) -> None:
        super().__init__(parent)
        self._study = study
        self._status = status
        self.setObjectName("dgc_measures")
        self.setWindowTitle("Measures")
        self._make_widgets()
        self._lay_out()
        self.refresh()
        self.pixel.valueChanged.connect(self._on_pixel_changed)
        self.lesion.valueChanged.connect(self._on_lesion_changed)
        self.days_button.clicked.connect(self._on_days_clicked)
        self.no_days.clicked.connect(self._on_no_days_clicked)

    def refresh(self) -> None:
        """Show what the study has."""
        measures = self._study.view.measures
        for box, value in (
            (self.pixel, measures.pixel_mm or 0.0),
            (self.lesion, measures.min_lesion),
        ):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)
        self.pixel.setSpecialValueText(word_file_sizes(self._study))
        count, total = len(measures.days), len(self._study.cubes)
        text = "as the cubes' names say (leaf_day5)"
        if measures.days:
            text = f"{measures.days_file}: {count} of {total} cubes"
        self.days.setText(text)
        self.no_days.setVisible(bool(measures.days))

    def take_table(self, path: str | Path) -> None:
        """Read plants and days for the study's cubes; a fault is told."""
        stems = file_stems([cube.name for cube in self._study.cubes])
        try:
            days = read_days(path, stems)
        except InputError as error:
            self._status.report(error)
            return
        rows = tuple((stem, *days[stem]) for stem in stems if stem in days)
        self._keep(days=rows, days_file=Path(path).name)
        lacking = [stem for stem in stems if stem not in days]
        text = f"Plant and day of {len(rows)} of {len(stems)} cubes."
        if lacking:
            text += f" The table does not tell of {lacking[0]}"
            text += " and others." if len(lacking) > 1 else "."
        self._status.say(text, "warning" if lacking else "good")

    def _keep(self, **changes: object) -> None:
        view = self._study.view
        measures: Measures = replace(view.measures, **changes)  # type: ignore[arg-type]
        self._study.set_view(replace(view, measures=measures))
        self.refresh()

    def _on_pixel_changed(self, value: float) -> None:
        self._keep(pixel_mm=value or None)

    def _on_lesion_changed(self, value: int) -> None:
        self._keep(min_lesion=value)

    def _on_days_clicked(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Table of plants and days", get_open_history()[0], _FILTER
        )
        if name:
            update_open_history(name)
            self.take_table(name)

    def _on_no_days_clicked(self) -> None:
        self._keep(days=(), days_file="")

    def _make_widgets(self) -> None:
        self.pixel = QDoubleSpinBox()
        self.pixel.setDecimals(DECIMALS)
        self.pixel.setRange(0.0, _LARGEST)
        self.pixel.setSingleStep(0.1)
        self.pixel.setSuffix(" mm")
        self.pixel.setToolTip(
            "Width of a pixel, of all cubes. At 0 each file's own counts, where it "
            "says one"
        )
        self.lesion = QSpinBox()
        self.lesion.setRange(1, 1_000_000)
        self.lesion.setSuffix(" px")
        self.lesion.setToolTip(
            "A smaller piece is not counted as a lesion; its pixels stay lesion in "
            "every percentage"
        )
        self.days = WrappedLabel()
        self.days_button = QPushButton("Choose…")
        self.days_button.setToolTip(_DAYS_TIP)
        self.no_days = QPushButton("None")
        self.no_days.setToolTip("Ask the cubes' names instead")

    def _lay_out(self) -> None:
        layout = QFormLayout(self)
        layout.addRow("Pixel width", self.pixel)
        layout.addRow("Lesions from", self.lesion)
        row = QHBoxLayout()
        row.addWidget(self.days, stretch=1)
        row.addWidget(self.days_button)
        row.addWidget(self.no_days)
        layout.addRow("Plant and day", row)
        layout.addRow(WrappedLabel(_WHAT))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        for button in (self.days_button, self.no_days, close):
            button.setAutoDefault(False)  # Enter in a field ends the typing there
        layout.addRow(buttons)
        self.setMinimumWidth(430)


def ask_kept(parent: QWidget, cubes: int) -> bool | None:
    """Ask what shall be of leaves that were changed by hand, in so many cubes.

    Returns
    -------
    bool or None
        Whether to keep them; None: find nothing.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Find the leaves anew?")
    count = "1 cube" if cubes == 1 else f"{cubes} cubes"
    box.setText(
        f"The leaves of {count} were changed by hand. Keep these and find those of "
        "the other cubes, or find all anew? “Take back” undoes either."
    )
    roles = QMessageBox.ButtonRole
    kept = box.addButton("Keep these", roles.AcceptRole)
    anew = box.addButton("All anew", roles.DestructiveRole)
    never = box.addButton("Cancel", roles.RejectRole)
    box.setDefaultButton(kept)
    box.setEscapeButton(never)
    box.exec()
    clicked = box.clickedButton()
    return None if clicked not in (kept, anew) else clicked is kept


def word_file_sizes(study: Study) -> str:
    """Say what the cubes' files say of a pixel's width."""
    areas = {pixel_area(cube.metadata) for cube in study.cubes}
    sizes = sorted(math.sqrt(area) for area in areas if area is not None)
    if not sizes:
        return "unknown"
    one = len(areas) == 1
    return f"file: {sizes[0]:.4g} mm" if one else "as each file says"
