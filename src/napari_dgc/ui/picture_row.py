"""The row that chooses what the picture shows as red, green and blue."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_dgc.cubes.rendering import choose_bands
from napari_dgc.study import Study
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.picture_colors import PRESETS, Colors, PictureColors, suits

_NATURAL, _OWN = "Natural", "Own choice"
_RGB_NM = (650.0, 550.0, 450.0)
# napari's style leaves room for two buttons.
_SLIM = "QSpinBox { min-width: 46px; max-width: 51px; padding: 1px 0; }"
_NAMES = ("red", "green", "blue")
_TIP = (
    "What the picture shows: natural colours, or the wavelengths of your choice as "
    "red, green and blue (F goes to and fro)"
)


class PictureRow(QWidget):
    """Presets and three wavelengths; not there without a cube.

    Attributes
    ----------
    menu : QMenu
        Behind the button "More": what else can be done with the cubes.
    """

    def __init__(
        self, study: Study, display: CubeDisplay, colors: PictureColors
    ) -> None:
        super().__init__()
        self._study = study
        self._display = display
        self._colors = colors
        self.preset = QComboBox()
        self.preset.addItems([_NATURAL, *PRESETS, _OWN])
        self.preset.setToolTip(_TIP)
        self.boxes = tuple(QSpinBox() for _ in _NAMES)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(QLabel("RGB"))
        layout.addWidget(self.preset, stretch=1)
        for box, name in zip(self.boxes, _NAMES, strict=True):
            box.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
            box.setStyleSheet(_SLIM)
            box.setPrefix(f"{name[0].upper()} ")
            box.setKeyboardTracking(False)  # one picture per number, not per digit
            box.valueChanged.connect(self._on_box_changed)
            layout.addWidget(box)
        self.more_button = QPushButton("More")
        self.more_button.setToolTip(
            "Calibrate the cubes, leave out bands, show an index as a map"
        )
        self.menu = QMenu(self)
        self.more_button.setMenu(self.menu)
        layout.addWidget(self.more_button)
        self.preset.activated.connect(self._on_preset_chosen)
        study.cubes_changed.connect(self.refresh)
        study.view_changed.connect(self.refresh)
        display.shown_changed.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show what the picture shows."""
        entry, colors = self._display.entry, self._colors.colors
        self.setVisible(entry is not None)
        if entry is None:
            return
        nm = entry.cube.wavelengths
        unit = "band number" if nm is None else "wavelength in nm"
        low, high = (0, entry.cube.bands - 1) if nm is None else (nm.min(), nm.max())
        natural = choose_bands(entry.cube, _RGB_NM)
        shown: Iterable[float] = colors or (natural if nm is None else nm[[*natural]])
        for box, name, value in zip(self.boxes, _NAMES, shown, strict=True):
            with QSignalBlocker(box):
                box.setRange(math.ceil(low), math.floor(high))
                box.setValue(round(value))
            box.setToolTip(f"Shown as {name}: {unit}, {low:g} to {high:g}")
        for row, preset in enumerate(PRESETS.values(), start=1):
            fits = nm is not None and suits(entry.cube, preset)
            model: Any = self.preset.model()
            model.item(row).setEnabled(fits)
        rows = [None, *PRESETS.values()]
        self.preset.setCurrentIndex(
            rows.index(colors) if colors in rows else self.preset.count() - 1
        )

    def _chosen(self) -> Colors:
        red, green, blue = (float(box.value()) for box in self.boxes)
        return red, green, blue

    def _on_box_changed(self, value: int) -> None:
        self._colors.set(self._chosen())
        self.refresh()

    def _on_preset_chosen(self, row: int) -> None:
        rows = [None, *PRESETS.values(), self._chosen()]
        self._colors.set(rows[row])
        self.refresh()
