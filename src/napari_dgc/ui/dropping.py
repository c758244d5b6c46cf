"""What all watch for that take files dropped on the image or on our dock."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QWidget


def watch_drops(
    watcher: QObject, canvas: QWidget | None, dock: QWidget
) -> QWidget | None:
    """Have an event filter see what is dropped on the dock and on the image.

    Parameters
    ----------
    watcher : QObject
        The filter.
    canvas : QWidget or None
        What the image is drawn on; napari takes drops on one of its parents.
    dock : QWidget
        Takes drops from now on.

    Returns
    -------
    QWidget or None
        The part of napari's window that takes drops on the image. Not to be held:
        it would outlive the window's closing.
    """
    dock.setAcceptDrops(True)
    dock.installEventFilter(watcher)
    while canvas is not None and not canvas.acceptDrops():
        canvas = canvas.parentWidget()
    if canvas is not None:
        canvas.installEventFilter(watcher)
    return canvas


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Give the files on this machine that are dragged."""
    urls = event.mimeData().urls()
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
