"""File > IO Utilities > Open hyperspectral cube…: any of our formats, by choice.

Reads beside the screen, and asks only what the file itself does not say.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import napari
import numpy as np
from napari.qt.threading import FunctionWorker, create_worker
from napari.utils.history import get_open_history, update_open_history
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_dgc.cubes.errors import InputError
from napari_dgc.ui.cube_layers import LayerData
from napari_dgc.ui.faults import is_question, show_fault
from napari_dgc.ui.layout_form import Layout, ask_layout
from napari_dgc.ui.reader import envi_header, read_layers

FILE_FILTER = (
    "Hyperspectral cubes (*.mat *.hdr *.dat *.img *.raw *.bil *.bip *.bsq "
    "*.tif *.tiff *.npy);;All files (*)"
)


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


def open_paths(viewer: napari.Viewer, paths: Iterable[str | Path]) -> list[Opening]:
    """Open cubes in a viewer, one after the other, beside the screen.

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
    """

    _under_way: set[Opening] = set()  # noqa: RUF012 (Qt keeps no reference itself)

    def __init__(self, viewer: napari.Viewer, path: Path) -> None:
        self._viewer = weakref.ref(viewer)
        self.path = path
        self.worker: FunctionWorker | None = None

    def start(self, layout: Layout | None = None) -> None:
        """Read in a thread; `layout` is what the user said about the file."""
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
        self.worker = worker
        self._under_way.add(self)
        worker.start()

    @property
    def finished(self) -> bool:
        """Whether nothing is being read any more."""
        return self not in self._under_way

    def _on_worker_returned(self, outcome: Outcome) -> None:
        self.worker = None
        self._under_way.discard(self)
        self._show(outcome)

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
        if not is_question(outcome.error):
            show_fault(outcome.error)
            return
        layout = ask_layout(
            self.path, outcome.error.fault, stored_shapes(self.path), _window(viewer)
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
    with contextlib.suppress(Exception):
        shapes = _READ_SHAPES[path.suffix.lower()](path)
        return {key: shape for key, shape in shapes.items() if len(shape) == 3}
    return {}


def _npy_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    return {"": np.load(path, mmap_mode="r").shape}


def _tiff_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        return {"": file.series[0].shape}


def _matlab_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    from scipy.io import whosmat

    try:
        return {name: shape for name, shape, _ in whosmat(str(path))}
    except NotImplementedError:  # v7.3 is HDF5
        pass
    import h5py

    with h5py.File(path) as file:
        return {
            name: array.shape[:: -1 if "MATLAB_class" in array.attrs else 1]
            for name, array in file.items()
            if isinstance(array, h5py.Dataset)
        }


_READ_SHAPES = {
    ".npy": _npy_shapes,
    ".tif": _tiff_shapes,
    ".tiff": _tiff_shapes,
    ".mat": _matlab_shapes,
}


def _window(viewer: napari.Viewer) -> QWidget | None:
    """Give the viewer's main window; None once it is closed."""
    return getattr(viewer.window, "_qt_window", None)
