"""The fields of the form "Calibrate": which references, and what white reflects."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QWidget,
)
from superqt import QElidingLabel

from napari_dgc.cubes.references import find_references
from napari_dgc.study.calibrating.references import References
from napari_dgc.ui.cube_entry import Entry
from napari_dgc.ui.grey_tile import GreyTile
from napari_dgc.ui.menus import FILE_FILTER
from napari_dgc.ui.workspace import Workspace

_PER = (
    ("column", "lines: one value for each band and column"),
    ("band", "all pixels: one value for each band"),
    ("pixel", "nothing: whole frames, pixel by pixel"),
)
_DRAW = "Drag a rectangle over the white or grey tile on the image."
_CHOOSE = "Choose a white reference, or mark a tile on the image."
_MARKED = "{0} pixels of {1}"
_TO_MARK = "drawn as a rectangle on the image"


class CalibrationFields(QWidget):
    """White, dark, tile, reflectance.

    Signals
    -------
    changed : ()
        Something else is chosen.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._white: Path | None = None
        self._dark: Path | None = None
        self.tile = GreyTile(workspace.viewer, self._on_tile_drawn)
        self._make_widgets()
        self._lay_out()
        self._connect()

    def begin(self) -> None:
        """Start with what calibrates the cube on show, else what is beside it."""
        entry = self._workspace.display.entry
        self._white = self._dark = None
        own = None if entry is None else entry.cube.calibration
        if own is not None:
            self.reflectance.setValue(own.reflectance)
            self.per.setCurrentIndex(self.per.findData(own.per))
            if (own.white_path, own.dark_path) != self._found(entry):
                self._white, self._dark = own.white_path, own.dark_path
        self.file_button.setChecked(True)
        self.refresh()

    def end(self) -> None:
        """Take the tile's layer away."""
        self.file_button.setChecked(True)
        self.tile.close()

    def refresh(self) -> None:
        """Show the choices as they are."""
        entry = self._workspace.display.entry
        on = self.tile.entry
        if self.tile_button.isChecked() and on is not None and on is not entry:
            self.end()  # a tile counts on the cube it was drawn on
        found = self._found(entry) if self._white is None else (None, None)
        _name(self.white_label, found[0] or self._white)
        by_file = self.file_button.isChecked()
        _name(self.dark_label, self._dark or (found[1] if by_file else None))
        self.dark_clear.setEnabled(self._dark is not None)
        self.per.setEnabled(by_file)
        mask = self.tile.mask()
        if mask is None or entry is None:
            self.tile_label.setText(_TO_MARK)
        else:
            text = _MARKED.format(mask.sum(), entry.cube.name)
            self.tile_label.setText(text)

    def references(self) -> References | None:
        """What was chosen; None while something is missing."""
        reflectance = self.reflectance.value()
        if self.tile_button.isChecked():
            mask, on = self.tile.mask(), self.tile.entry
            if mask is None or on is None:
                return None
            return References(
                dark=self._dark, tile=mask, tile_cube=on.cube, reflectance=reflectance
            )
        entry = self._workspace.display.entry
        if self._white is None and self._found(entry)[0] is None:
            return None
        per: Any = self.per.currentData()
        return References(self._white, self._dark, per=per, reflectance=reflectance)

    @property
    def missing(self) -> str:
        """What to do where `references` gives None."""
        return _DRAW if self.tile_button.isChecked() else _CHOOSE

    def _found(self, entry: Entry | None) -> tuple[Path | None, Path | None]:
        if entry is None or entry.cube.path is None:
            return None, None
        try:
            return find_references(entry.cube.path)
        except OSError:  # its folder is gone
            return None, None

    # -- what happens -----------------------------------------------------------------

    def _on_choose(self, which: str) -> None:
        entry = self._workspace.display.entry
        path = None if entry is None else entry.cube.path
        name, _ = QFileDialog.getOpenFileName(
            self,
            f"Choose the {which} reference",
            "" if path is None else str(path.parent),
            FILE_FILTER,
        )
        if not name:
            return
        if which == "white":
            self._white = Path(name)
            self.file_button.setChecked(True)
        else:
            self._dark = Path(name)
        self._on_changed()

    def _on_dark_cleared(self) -> None:
        self._dark = None
        self._on_changed()

    def _on_tile_toggled(self, on: bool) -> None:
        entry = self._workspace.display.entry
        if on and entry is not None:
            self.tile.open(entry)
        else:
            self.tile.close()
        self._on_changed()

    def _on_tile_drawn(self) -> None:
        self.tile_button.setChecked(True)
        self._on_changed()

    def _on_changed(self, *_: object) -> None:
        self.refresh()
        self.changed.emit()

    # -- putting together ------------------------------------------------------------

    def _make_widgets(self) -> None:
        self.file_button = QRadioButton("White reference")
        self.tile_button = QRadioButton("White or grey tile")
        self.file_button.setChecked(True)
        self.group = QButtonGroup(self)
        for button in (self.file_button, self.tile_button):
            self.group.addButton(button)
        self.white_label, self.dark_label = QElidingLabel(), QElidingLabel()
        self.tile_label = QElidingLabel(_TO_MARK)
        self.white_choose, self.dark_choose = QPushButton(), QPushButton()
        for button in (self.white_choose, self.dark_choose):
            button.setText("Choose…")
            button.setAutoDefault(False)
        self.dark_clear = QPushButton("Clear")
        self.dark_clear.setAutoDefault(False)
        self.dark_clear.setToolTip("Take the dark reference beside the cube, if any")
        self.reflectance = QDoubleSpinBox()
        self.reflectance.setRange(0.01, 2.0)
        self.reflectance.setSingleStep(0.05)
        self.reflectance.setDecimals(3)
        self.reflectance.setValue(1.0)
        self.reflectance.setKeyboardTracking(False)
        self.reflectance.setMinimumWidth(110)
        self.reflectance.setToolTip(
            "What the white target or the tile reflects: 1 = all light, 0.5 = half"
        )
        self.per = QComboBox()
        for per, text in _PER:
            self.per.addItem(text, per)
        self.per.setToolTip("What a reference is averaged over, robustly")

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.file_button, 0, 0)
        grid.addWidget(self.white_label, 0, 1)
        grid.addWidget(self.white_choose, 0, 3)
        grid.addWidget(self.tile_button, 1, 0)
        grid.addWidget(self.tile_label, 1, 1, 1, 3)
        grid.addWidget(QLabel("Dark reference"), 2, 0)
        grid.addWidget(self.dark_label, 2, 1)
        grid.addWidget(self.dark_clear, 2, 2)
        grid.addWidget(self.dark_choose, 2, 3)
        grid.addWidget(QLabel("White reflects"), 3, 0)
        grid.addWidget(self.reflectance, 3, 1, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(QLabel("Averaged over"), 4, 0)
        grid.addWidget(self.per, 4, 1, 1, 3)

    def _connect(self) -> None:
        self.white_choose.clicked.connect(partial(self._on_choose, "white"))
        self.dark_choose.clicked.connect(partial(self._on_choose, "dark"))
        self.dark_clear.clicked.connect(self._on_dark_cleared)
        self.tile_button.toggled.connect(self._on_tile_toggled)
        self.reflectance.valueChanged.connect(self._on_changed)
        self.per.currentIndexChanged.connect(self._on_changed)


def _name(label: QElidingLabel, path: Path | None) -> None:
    label.setText("none" if path is None else path.name)
    label.setToolTip("" if path is None else str(path))
