"""Folders of cubes and zarr stores dropped on the image, and cubes on our dock.

napari offers a dropped folder to its own reader alone, or asks each time which of
several shall read any ``.zarr``: so what is surely ours is taken here, and only while
our dock is open.
"""

from __future__ import annotations

from pathlib import Path
from weakref import ref

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes
from napari_dgc.cubes.zarr_store import is_zarr
from napari_dgc.study.evaluating.label_files import find_label_files
from napari_dgc.ui.dropping import dropped_paths, watch_drops
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
        self._asked: tuple[list[Path], bool] = [], False  # by what was dragged last
        watch_drops(self, canvas, dock)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take a drop of nothing but cubes; leave all others alone."""
        kind, on_dock = event.type(), watched is self._dock()
        dragged = kind in (QEvent.Type.DragEnter, QEvent.Type.DragMove)
        if kind != QEvent.Type.Drop and not (dragged and on_dock):
            return False
        paths = dropped_paths(event)
        # Folders are listed once as they come, not at every move over the dock.
        if kind != QEvent.Type.DragMove or paths != self._asked[0]:
            wanted = is_ours if on_dock else is_surely_ours
            self._asked = paths, bool(paths) and all(map(wanted, paths))
        if not self._asked[1]:
            return False
        event.acceptProposedAction()
        if kind == QEvent.Type.Drop:
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
