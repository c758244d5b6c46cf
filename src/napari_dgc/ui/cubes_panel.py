"""The list of cubes and the buttons that fill it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari.layers import Layer
from napari.viewer import Viewer
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes
from napari_dgc.study import Study
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.layer_cubes import plain_cube
from napari_dgc.ui.menus import FILE_FILTER, Opening, open_paths
from napari_dgc.ui.notices import Heading, StatusLine, WrappedLabel

_POLL_MS = 100
_EMPTY = (
    "Add a cube, drop one on the window, or open a sample: "
    "File > Open Sample > napari-dgc. “Use layers” takes image layers that are open."
)


class CubesPanel(QWidget):
    """Add, choose and remove cubes.

    Signals
    -------
    chosen : int
        The user chose this cube to be shown.
    """

    chosen = Signal(int)

    def __init__(
        self,
        viewer: Viewer,
        study: Study,
        display: CubeDisplay,
        status: StatusLine,
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._study = study
        self._display = display
        self._status = status
        self._openings: list[Opening] = []
        self._before: tuple[Cube, ...] = ()  # there when the reading began
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._make_widgets()
        self._lay_out()
        self._connect()
        self.refresh()

    def add_paths(self, paths: Sequence[str | Path]) -> None:
        """Read files or folders in the background and show their cubes."""
        try:
            files = find_cubes([Path(path) for path in paths])
        except InputError as error:
            self._status.report(error)
            return
        if not self._openings:
            self._before = self._study.cubes
        self._openings += open_paths(self._viewer, files)
        self._status.say(f"Reading {_counted(len(self._openings), 'cube')}…")
        self._poll.start()

    def use_open_layers(self) -> None:
        """Take the image layers that are open for cubes."""
        plain = [
            layer.name
            for layer in self._viewer.layers
            if plain_cube(layer) and not self._is_known(layer)
        ]
        count = self._display.adopt_open_layers(plain=True)
        if not count:
            self._status.say(
                "No open layer is a new cube. A cube is an image layer with three "
                "axes: bands first, then rows and columns.",
                "warning",
            )
        elif plain:
            self._status.say(
                f"Took {', '.join(plain)} as {_counted(len(plain), 'cube')}: first "
                "axis = bands, wavelengths unknown.",
                "warning",
            )

    def refresh(self) -> None:
        """Show the study's cubes; mark the one on show."""
        self.list.blockSignals(True)
        self.list.clear()
        missing = self._study.missing
        for index, cube in enumerate(self._study.cubes):
            C, H, W = cube.shape
            there = ", not found" if index in missing else ""
            self.list.addItem(f"{cube.name}   {H} × {W}, {C} bands{there}")
            self.list.item(self.list.count() - 1).setToolTip(
                str(cube.path or "not from a file")
            )
        self.list.setCurrentRow(self._display.shown)
        self.list.blockSignals(False)
        any_cube = self.list.count() > 0
        self.list.setVisible(any_cube)
        self.empty.setVisible(not any_cube)
        self.remove_button.setEnabled(any_cube)
        rows = min(max(self.list.count(), 1), 3)
        height = (
            self.list.sizeHintForRow(0) if any_cube else self.fontMetrics().height()
        )
        self.list.setFixedHeight(rows * height + 2 * self.list.frameWidth() + 2)

    def _is_known(self, layer: Layer) -> bool:
        return any(layer is e.bands for e in self._display.entries)

    def _make_widgets(self) -> None:
        self.list = QListWidget()
        self.list.setToolTip("The study's cubes; choose the one to look at")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.empty = WrappedLabel(_EMPTY)
        self.files_button = QPushButton("Add files…")
        self.files_button.setToolTip(
            "Open hyperspectral cubes: MATLAB, ENVI, .npy or TIFF"
        )
        self.folder_button = QPushButton("Folder…")
        self.folder_button.setToolTip("Open all .mat and .hdr cubes of a folder")
        self.layers_button = QPushButton("Use layers")
        self.layers_button.setToolTip(
            "Use the layers that are open: image layers with three axes, bands first"
        )
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip(
            "Take the chosen cube out of the study and close its layers; "
            "the file stays where it is"
        )

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(Heading("Cubes"))
        for button in (self.files_button, self.folder_button, self.layers_button):
            buttons.addWidget(button, stretch=1)
        buttons.addWidget(self.remove_button, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.empty)
        layout.addWidget(self.list)

    def _connect(self) -> None:
        self.files_button.clicked.connect(self._on_files_clicked)
        self.folder_button.clicked.connect(self._on_folder_clicked)
        self.layers_button.clicked.connect(self.use_open_layers)
        self.remove_button.clicked.connect(self._on_remove_clicked)
        self.list.currentRowChanged.connect(self._on_row_changed)
        self.list.itemClicked.connect(self._on_item_clicked)
        self._poll.timeout.connect(self._on_reading_polled)

    def _on_files_clicked(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add cubes", "", FILE_FILTER)
        if paths:
            self.add_paths(paths)

    def _on_folder_clicked(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Add a folder of cubes")
        if folder:
            self.add_paths([folder])

    def _on_remove_clicked(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            self._display.remove(row)

    def _on_row_changed(self, row: int) -> None:
        if row >= 0:
            self.chosen.emit(row)

    def _on_item_clicked(self, item: QListWidgetItem) -> None:
        # Only the row that is current already: choosing another fills the list anew.
        self.chosen.emit(self.list.row(item))

    def _on_reading_polled(self) -> None:
        """Tell when all files are read; faults are told where they happen."""
        if not all(opening.finished for opening in self._openings):
            return
        self._poll.stop()
        asked = len(self._openings)
        self._openings.clear()
        new = [c for c in self._study.cubes if all(c is not b for b in self._before)]
        self._before = ()
        if not new:
            if self._status.level != "error":  # else it says why already
                self._status.say("No cube was added.", "warning")
            return
        what = "Press First map." if self._study.model is None else "It has no map yet."
        if len(new) < asked:
            text = f"{len(new)} of {_counted(asked, 'cube')} ready, the others not."
            self._status.say(f"{text} {what}", "warning")
        else:
            self._status.say(f"{_counted(len(new), 'cube')} ready. {what}", "good")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
