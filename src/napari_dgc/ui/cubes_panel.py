"""The list of cubes and the buttons that fill it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from weakref import WeakSet

from napari.layers import Layer
from napari.viewer import Viewer
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QListWidgetItem, QPushButton

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes
from napari_dgc.study import Study
from napari_dgc.study.calibrating.preparing import outdated
from napari_dgc.study.familiarity import Familiarity, familiarity
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.cube_list import CubeList
from napari_dgc.ui.cube_thumbnails import Thumbnails
from napari_dgc.ui.cube_wording import CubeWords, word_cube, word_strange
from napari_dgc.ui.layer_cubes import plain_cube
from napari_dgc.ui.menus import FILE_FILTER, Opening, open_paths
from napari_dgc.ui.notices import StatusLine, WrappedLabel
from napari_dgc.ui.preparation_wording import OUTDATED
from napari_dgc.ui.section import Section
from napari_dgc.ui.suggestion_form import Words

_POLL_MS = 100
MAP_THEM = "Press “Map new cubes”: your groups hold for them too."
_RAW = "Raw counts? Calibrate them first: More, beside RGB."
_EMPTY = (
    "Add a cube, drop one on the window, or open a sample: "
    "File > Open Sample > napari-dgc. “Use layers” takes image layers that are open."
)
_HINT = (
    "Look at a diseased cube first, where lesions are plain to see (, and . step "
    "through the cubes). The groups you make hold for all of them."
)


class CubesPanel(Section):
    """Add, choose and remove cubes; see what each of them holds.

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
        super().__init__("Cubes")
        self._viewer = viewer
        self._study = study
        self._display = display
        self._status = status
        self._openings: list[Opening] = []
        self._before: tuple[Cube, ...] = ()  # there when the reading began
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._familiarity: Familiarity | None = None  # None: to be worked out
        self._warned: WeakSet[Cube] = WeakSet()
        self.thumbnails = Thumbnails(self)
        self._renewal = QTimer(self)  # once for many steps, after the image
        self._renewal.setSingleShot(True)
        self._renewal.timeout.connect(self.refresh)
        self._make_widgets()
        self.put_beside(
            self.files_button,
            self.folder_button,
            self.layers_button,
            self.remove_button,
        )
        for widget in (self.empty, self.list, self.hint):
            self.body.addWidget(widget)
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
        """Show the study's cubes, what they hold, and which is on show."""
        study = self._study
        cubes = study.cubes
        self.list.show_cubes(
            cubes,
            self._words(),
            [self.thumbnails.icon(cube) for cube in cubes],
            self._display.shown,
        )
        missing = study.missing
        self.thumbnails.want(c for i, c in enumerate(cubes) if i not in missing)
        self.list.setVisible(bool(cubes))
        self.empty.setVisible(not cubes)
        self.hint.setVisible(len(cubes) > 1 and study.grouping is None)
        self.remove_button.setEnabled(bool(cubes))

    def step(self, by: int) -> None:
        """Show the next cube, or the one before; at the end say so."""
        count, to = len(self._study.cubes), self._display.shown + by
        if not count:
            self._status.say("Begin with a cube.")
        elif not 0 <= to < count:
            self._status.say(f"This is the {'last' if by > 0 else 'first'} cube.")
        else:
            self._choose(to)

    def warn(self) -> None:
        """Tell of cubes just mapped that lie outside what the model has seen."""
        found = self._compared()
        new = [i for i in found.strange if self._study.cubes[i] not in self._warned]
        self._warned.update(self._study.cubes[i] for i in new)
        if new:
            names = [self._study.cubes[i].name for i in new]
            most = max(found.departures[i] for i in new)
            self._status.say(word_strange(names, most, found.limit), "warning")

    def _compared(self) -> Familiarity:
        if self._familiarity is None:
            self._familiarity = familiarity(self._study)
        return self._familiarity

    def _words(self) -> list[CubeWords]:
        study, found, missing = self._study, self._compared(), self._study.missing
        return [
            word_cube(
                cube,
                study.counts(i),
                study.grouping,
                missing=i in missing,
                departure=found.departures.get(i),
                limit=found.limit,
            )
            for i, cube in enumerate(study.cubes)
        ]

    def _is_known(self, layer: Layer) -> bool:
        return any(layer is e.bands for e in self._display.entries)

    def _make_widgets(self) -> None:
        self.list = CubeList()
        self.empty = WrappedLabel(_EMPTY)
        self.hint = Words(_HINT)
        self.files_button = QPushButton("Add files…")
        self.files_button.setToolTip(
            "Open hyperspectral cubes: MATLAB, ENVI, .npy or TIFF"
        )
        self.folder_button = QPushButton("Folder…")
        self.folder_button.setToolTip(
            "Open all .mat and .hdr cubes of a folder, or a zarr store"
        )
        self.layers_button = QPushButton("Use layers")
        self.layers_button.setToolTip(
            "Use the layers that are open: image layers with three axes, bands first"
        )
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip(
            "Take the chosen cube out of the study and close its layers; "
            "the file stays where it is"
        )

    def _connect(self) -> None:
        self.files_button.clicked.connect(self._on_files_clicked)
        self.folder_button.clicked.connect(self._on_folder_clicked)
        self.layers_button.clicked.connect(self.use_open_layers)
        self.remove_button.clicked.connect(self._on_remove_clicked)
        self.list.currentRowChanged.connect(self._on_row_changed)
        self.list.itemClicked.connect(self._on_item_clicked)
        self._poll.timeout.connect(self._on_reading_polled)
        self.thumbnails.made.connect(self._renew)
        # By now it knows training cubes by their fingerprints.
        self.thumbnails.runner.succeeded.connect(self._on_numbers_changed)
        self._study.grouping_changed.connect(self._renew)
        self._study.map_changed.connect(self._on_numbers_changed)
        self._study.model_changed.connect(self._on_numbers_changed)
        self._study.cubes_changed.connect(self._on_numbers_changed)

    def _renew(self, *_: object) -> None:
        self._renewal.start(0)

    def _on_numbers_changed(self, *_: object) -> None:
        self._familiarity = None
        self._renew()

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
            name = self._study.cubes[row].name
            self._display.remove(row)
            if self._study.cubes:  # else what to begin with is said
                self._status.say(f"{name} is out of the study. Its file stays.")

    def _on_row_changed(self, row: int) -> None:
        if row >= 0:
            self._choose(row)

    def _choose(self, row: int) -> None:
        """Show a cube, by key or by click; who has more to say of it comes after."""
        cubes = self._study.cubes
        self._status.say(f"{cubes[row].name}: {row + 1} of {len(cubes)}.")
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
        what = "Press First map." if self._study.model is None else MAP_THEM
        what = OUTDATED[outdated(self._study)] or what
        if any(c.calibration is None and c.data.dtype.kind in "iu" for c in new):
            what = f"{_RAW} {what}"
        if len(new) < asked:
            text = f"{len(new)} of {_counted(asked, 'cube')} ready, the others not."
            self._status.say(f"{text} {what}", "warning")
        else:
            self._status.say(f"{_counted(len(new), 'cube')} ready. {what}", "good")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
