"""Label files dropped on the image or on our dock: taken here, all others by napari."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from weakref import ref

from qtpy.QtCore import QEvent, QMimeData, QObject, QUrl, Signal
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_dgc.study.evaluating.label_files import find_label_files, may_be_labels
from napari_dgc.ui.dropping import dropped_paths, watch_drops


class LabelDrop(QObject):
    """Watches for dropped files.

    Signals
    -------
    dropped : list of Path
        Label files, at least one.

    Parameters
    ----------
    canvas : QWidget or None
        What the image is drawn on; napari takes drops on one of its parents.
    dock : QWidget
        Takes drops from now on, and owns this.
    known : callable
        Gives the files of the cubes that are open already.
    """

    dropped = Signal(object)

    def __init__(
        self,
        canvas: QWidget | None,
        dock: QWidget,
        known: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        super().__init__(dock)
        self._known = known
        self._dock = dock
        target = watch_drops(self, canvas, dock)
        self._viewer = None if target is None else ref(target)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take label files; hand the rest of a drop on."""
        if event.type() == QEvent.Type.Drop:
            return self._take(watched, event)
        # Files alone: the group table's own rows are dragged over the dock too.
        dragged = event.type() in (QEvent.Type.DragEnter, QEvent.Type.DragMove)
        if watched is not self._dock or not dragged:
            return False
        welcome = any(may_be_labels(path) for path in dropped_paths(event))
        if welcome:
            event.acceptProposedAction()
        return welcome

    def _take(self, watched: QObject, event: QDropEvent) -> bool:
        labels, others = find_label_files(dropped_paths(event), self._known())
        if not labels:
            return False  # on the image it is napari's, on the dock nobody's
        event.acceptProposedAction()
        viewer = None if self._viewer is None else self._viewer()
        if others and viewer is not None:
            _drop(others, viewer, event)
        self.dropped.emit(labels)
        return True


def _drop(paths: list[Path], target: QWidget, event: QDropEvent) -> None:
    """Drop some of the files of another drop."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    new = hasattr(event, "position")  # Qt 6
    keys = event.modifiers() if new else event.keyboardModifiers()
    buttons = event.buttons() if new else event.mouseButtons()
    place = event.position() if new else event.posF()
    drop = QDropEvent(place, event.possibleActions(), data, buttons, keys)
    QApplication.sendEvent(target, drop)
