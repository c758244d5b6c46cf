"""File > IO Utilities > Open hyperspectral cube…: any of our formats, by choice.

Reads beside the screen, and asks only what the file itself does not say.
"""

from __future__ import annotations

import contextlib
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import napari
import tifffile
from napari.qt.threading import FunctionWorker, create_worker
from napari.utils.history import get_open_history, update_open_history
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_dgc.cubes.arrays import map_npy
from napari_dgc.cubes.checks import is_real
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.matlab import open_matlab
from napari_dgc.ui.canvas import unwrapped
from napari_dgc.ui.cube_layers import LayerData
from napari_dgc.ui.faults import question, show_fault
from napari_dgc.ui.layout_form import Layout, ask_layout
from napari_dgc.ui.reader import envi_header, read_layers

FILE_FILTER = (
    "Hyperspectral cubes (*.mat *.hdr *.dat *.img *.raw *.bil *.bip *.bsq "
    "*.tif *.tiff *.npy);;All files (*)"
)

STUDY_FILTER = "Studies (*.dgc.json);;All files (*)"


def open_cube() -> None:
    """Ask for files and open them in the viewer in front."""
    viewer = napari.current_viewer()
    if viewer is None:
        return
    names, _ = QFileDialog.getOpenFileNames(
        _window(viewer), "Open hyperspectral cube", get_open_history()[0], FILE_FILTER
    )
    if names:
        update_open_history(names[0])
        open_paths(viewer, names)


def open_study() -> None:
    """Ask for a study and open it in our dock, which is opened where it is not."""
    viewer = napari.current_viewer()
    if viewer is None:
        return
    name, _ = QFileDialog.getOpenFileName(
        _window(viewer), "Open a study", get_open_history()[0], STUDY_FILTER
    )
    if name:
        update_open_history(name)
        open_study_in(viewer, Path(name))


def open_study_in(viewer: napari.Viewer, path: Path) -> None:
    """Open a study in the viewer's dock of ours; its reading goes on by itself."""
    _, dock = viewer.window.add_plugin_dock_widget(
        "napari-dgc", "Deep Global Clustering"
    )
    dock.workspace.studies.open(path)


def open_paths(viewer: napari.Viewer, paths: Iterable[str | Path]) -> list[Opening]:
    """Open cubes in a viewer, beside the screen, in this order.

    Parameters
    ----------
    viewer : napari.Viewer
    paths : iterable of str or pathlib.Path
        A header and its data file count as one.

    Returns
    -------
    list of Opening
        One per cube; they run by themselves.
    """
    files = [Path(path) for path in paths]
    headers = (
        header if (header := envi_header(file)) in files else file for file in files
    )
    openings = [Opening(viewer, file) for file in dict.fromkeys(headers)]
    queue = deque(openings)
    for opening in openings:
        opening.queue = queue
    for opening in openings:
        opening.start()
    return openings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker brings home: layers, or why there are none.

    Errors come as values because napari's workers lose a RuntimeError.
    """

    layers: Sequence[LayerData] = ()
    error: Exception | None = None


class Opening:
    """One cube on its way from a file into a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        Not kept alive by this; a cube that comes after it has closed is dropped.
    path : pathlib.Path

    Attributes
    ----------
    queue : deque of Opening
        Those asked for together. The clusters depend on the order of the cubes: it
        must not depend on which of them was read first.
    """

    _under_way: set[Opening] = set()  # noqa: RUF012 (Qt keeps no reference itself)

    def __init__(self, viewer: napari.Viewer, path: Path) -> None:
        self._viewer = weakref.ref(viewer)
        self.path = path
        self.worker: FunctionWorker | None = None
        self._layout: Layout | None = None
        self._outcome: Outcome | None = None  # read, not shown yet
        self.queue = deque([self])

    def start(self, layout: Layout | None = None) -> None:
        """Read in a thread; `layout` is what the user said about the file."""
        self._layout = layout
        key, axes = (layout.key, layout.axes) if layout else (None, None)
        worker = create_worker(
            read_outcome,
            self.path,
            key,
            axes,
            _start_thread=False,
            _progress={"desc": f"Reading {self.path.name}"},
        )
        worker.returned.connect(self._on_worker_returned)
        worker.finished.connect(partial(self._on_worker_finished, worker))
        self.worker = worker
        self._under_way.add(self)
        worker.start()

    @property
    def finished(self) -> bool:
        """Whether nothing is being read any more."""
        return self not in self._under_way

    def _on_worker_returned(self, outcome: Outcome) -> None:
        self.worker = None
        self._outcome = outcome
        self._advance()

    def _advance(self) -> None:
        """Show the first of those not shown yet, where it has been read."""
        while self.queue and self.queue[0].finished:
            self.queue.popleft()
        first = self.queue[0] if self.queue else self
        outcome, first._outcome = first._outcome, None
        if outcome is None:
            return
        try:
            first._show(outcome)
        finally:
            if first.worker is None:  # not read once more, with the user's answer
                first._under_way.discard(first)
            QTimer.singleShot(0, first._advance)

    def _on_worker_finished(self, worker: FunctionWorker) -> None:
        """Notice a worker that ended without a result: its window was closed."""
        if self.worker is worker:
            self.worker = None
            self._under_way.discard(self)

    def _show(self, outcome: Outcome) -> None:
        viewer = self._viewer()
        if viewer is None or _window(viewer) is None:
            return
        for data, attributes, _ in outcome.layers:
            viewer.add_image(data, **attributes)
        if outcome.error is None:
            return
        if not isinstance(outcome.error, InputError):
            raise outcome.error  # ours to mend: napari shows the traceback
        asked_for = question(outcome.error)
        shapes = stored_shapes(self.path)
        if asked_for == "axes" and self._layout and self._layout.key in shapes:
            shapes = {self._layout.key: shapes[self._layout.key]}
        if asked_for is None or (asked_for == "key" and not shapes):
            show_fault(outcome.error)
            return
        layout = ask_layout(
            self.path,
            outcome.error.fault,
            shapes,
            ask_axes=asked_for == "axes",
            parent=_window(viewer),
        )
        if layout is not None:
            self.start(layout)


def read_outcome(path: Path, key: str | None, axes: str | None) -> Outcome:
    """Read a cube and make its layers; the body of the worker."""
    try:
        return Outcome(layers=read_layers(path, key, axes))
    except Exception as error:
        return Outcome(error=error)


def stored_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays of three axes in a file, read from its header.

    Returns
    -------
    dict of str to tuple of int
        By variable; the array of a file that has but one is called "". Empty
        where the file cannot be read: the user is asked without numbers then.
    """
    suffix = path.suffix.lower()
    with contextlib.suppress(Exception):
        if suffix == ".mat":
            variables = open_matlab(path).variables
            return {
                name: variable.shape
                for name, variable in variables.items()
                if len(variable.shape) == 3 and is_real(variable.dtype)
            }
        if suffix == ".npy":
            return {"": map_npy(path).shape}
        with tifffile.TiffFile(path) as file:
            return {"": file.series[0].shape}
    return {}


def _window(viewer: napari.Viewer) -> QWidget | None:
    """Give the viewer's main window; None once it is closed."""
    return getattr(unwrapped(viewer).window, "_qt_window", None)
