"""Opens, hides and closes the dock "Spectra" beside the main one."""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

import napari.viewer
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_dgc.ui.pins import Pins
from napari_dgc.ui.spectra_dock import SpectraDock
from napari_dgc.ui.workspace import Workspace

NAME = "Spectra"
_CORNER = Qt.Corner.BottomRightCorner


class Spectra(QObject):
    """The spectra of one workspace: pins, and a dock that is made when first shown.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    workspace : Workspace
    bind : callable
        Binds our keys to a widget.
    parent : QWidget
        The main dock.

    Attributes
    ----------
    pins : Pins
    dock : SpectraDock or None
        None until it is first shown, and after the user has closed it.

    Signals
    -------
    shown_changed : bool
        Whether the dock is open; one tab among others counts as open.
    """

    shown_changed = Signal(bool)

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        workspace: Workspace,
        bind: Callable[[QWidget], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._workspace = workspace
        self._bind = bind
        self.dock: SpectraDock | None = None
        self._frame: QDockWidget | None = None
        # Held, the window would outlive its closing.
        self._window: ref[QMainWindow] | None = None
        self.pins = Pins(
            viewer,
            workspace.study,
            workspace.display,
            workspace.pointer,
            workspace.status.say,
        )

    @property
    def shown(self) -> bool:
        """Whether the dock is open."""
        return self._frame is not None and not self._frame.isHidden()

    def set_shown(self, on: bool) -> None:
        """Open the dock, or hide it."""
        if on and self._frame is None:
            self._make()
        elif self._frame is not None:
            self._frame.setVisible(on)
        if on and self._frame is not None:
            self._frame.raise_()

    def toggle(self) -> None:
        """Open the dock, or hide it."""
        self.set_shown(not self.shown)

    def pin_here(self) -> None:
        """Pin the pixel under the mouse, where its spectrum can be seen."""
        before = self._workspace.study.view.pins
        self.pins.pin_here()
        if len(self._workspace.study.view.pins) > len(before):
            self.set_shown(True)

    def close(self) -> None:
        """Take dock and marks away."""
        self.pins.close()
        if self.dock is not None:
            self._viewer.window.remove_dock_widget(self.dock)

    def _make(self) -> None:
        self.dock = SpectraDock(self._viewer, self._workspace, self.pins)
        self._bind(self.dock)
        self.dock.closed.connect(self._on_closed)
        frame = self._viewer.window.add_dock_widget(self.dock, name=NAME, area="bottom")
        # A plugin's viewer gives a stand-in, which Qt does not take.
        self._frame = getattr(frame, "__wrapped__", frame)
        window = self.dock.window()
        if isinstance(window, QMainWindow):
            # Below the image only: the docks at the right keep their height.
            self._window = ref(window)
            window.setCorner(_CORNER, Qt.DockWidgetArea.RightDockWidgetArea)
            height = self.dock.sizeHint().height()
            window.resizeDocks([self._frame], [height], Qt.Orientation.Vertical)
        self._frame.visibilityChanged.connect(self._on_visibility_changed)
        self.shown_changed.emit(True)

    def _on_visibility_changed(self, visible: bool) -> None:
        self.shown_changed.emit(self.shown)

    def _on_closed(self) -> None:
        self.dock = self._frame = None
        window = None if self._window is None else self._window()
        if window is not None:
            window.setCorner(_CORNER, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.shown_changed.emit(False)
