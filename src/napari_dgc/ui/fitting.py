"""The image fitted once to the room our dock leaves it, never again by itself."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

from napari_dgc.ui.cube_display import CubeDisplay

_SETTLE_MS = 50  # until dock and slider have taken their room from the canvas


class FirstFit(QObject):
    """Resets the view when dock and first cube are both there for the first time.

    napari fits an image when it comes. The dock, and the slider that comes with a
    cube, then take room from the canvas and the image is cropped.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    display : CubeDisplay
    dock : QWidget
        Owns this.
    """

    def __init__(self, viewer: Viewer, display: CubeDisplay, dock: QWidget) -> None:
        super().__init__(dock)
        self._viewer = viewer
        self._display = display
        self._dock = dock
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._fit)
        display.shown_changed.connect(self._wait)
        dock.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that the dock is shown."""
        if event.type() == QEvent.Type.Show:
            self._wait()
        return False

    def stop(self) -> None:
        """Fit nothing any more."""
        self._timer.stop()
        self._display.shown_changed.disconnect(self._wait)
        self._dock.removeEventFilter(self)

    def _wait(self, *_: object) -> None:
        if self._display.entry is not None and self._dock.isVisible():
            self._timer.start()

    def _fit(self) -> None:
        if self._display.entry is not None and self._dock.isVisible():
            self.stop()
            self._viewer.reset_view()
