"""Folders of cubes and zarr stores dropped on the image, and cubes on our dock.

napari offers a dropped folder to its own reader alone, or asks each time which of
several shall read any ``.zarr``: so what is surely ours is taken here, and only while
our dock is open.
"""

from __future__ import annotations

from pathlib import Path
from weakref import ref

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QWidget

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes
from napari_dgc.cubes.zarr_store import is_zarr
from napari_dgc.study.label_files import find_label_files
from napari_dgc.ui.evaluation_drop import dropped_paths
from napari_dgc.ui.reader import is_claimed


class CubeDrop(QObject):
    """Watches for dropped cubes.

    Signals
    -------
    dropped : list of Path
        Folders with cubes, zarr stores, or files; at least one.

    Parameters
    ----------
    canvas : QWidget or None
        What the image is drawn on; napari takes drops on one of its parents.
    dock : QWidget
        Takes drops from now on, and owns this.
    """

    dropped = Signal(object)

    def __init__(self, canvas: QWidget | None, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = ref(dock)
        dock.setAcceptDrops(True)
        dock.installEventFilter(self)
        while canvas is not None and not canvas.acceptDrops():
            canvas = canvas.parentWidget()
        if canvas is not None:
            canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take a drop of nothing but cubes; leave all others alone."""
        kind, on_dock = event.type(), watched is self._dock()
        dragged = kind in (QEvent.Type.DragEnter, QEvent.Type.DragMove)
        if kind != QEvent.Type.Drop and not (dragged and on_dock):
            return False
        return self._take(event, on_dock, kind == QEvent.Type.Drop)

    def _take(self, event: QDropEvent, on_dock: bool, dropped: bool) -> bool:
        paths = dropped_paths(event)
        wanted = is_ours if on_dock else is_surely_ours
        if not paths or not all(map(wanted, paths)):
            return False
        event.acceptProposedAction()
        if dropped:
            self.dropped.emit(paths)
        return True


def is_surely_ours(path: Path) -> bool:
    """Whether a dropped folder is a cube, or holds cubes and no labels."""
    if not path.is_dir():
        return False  # files are napari's to hand to our reader
    if is_zarr(path):
        # An array alone may be anything; a group with "cube" in it is not.
        return (path / "cube").is_dir()
    return _holds_cubes(path)


def is_ours(path: Path) -> bool:
    """Whether what is dropped on our dock may be a cube: any zarr store, too."""
    if path.is_dir():
        return is_zarr(path) or _holds_cubes(path)
    return is_claimed(path)


def _holds_cubes(folder: Path) -> bool:
    try:
        return bool(find_cubes(folder)) and not find_label_files([folder])[0]
    except (InputError, OSError):
        return False
