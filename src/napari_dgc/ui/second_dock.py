"""A dock below the image that is opened from ours and goes with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from weakref import ref

import napari.viewer
from qtpy.QtCore import QObject, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_dgc.ui.canvas import unwrapped
from napari_dgc.ui.endings import DockedWidget, when_destroyed

_CORNER = Qt.Corner.BottomRightCorner


class ClosableWidget(DockedWidget):
    """What such a dock holds: something drawn anew when what it shows has changed.

    Parameters
    ----------
    height : int
        Pixels to ask for, of 800 in a small window.

    Signals
    -------
    closed : ()
        napari took the widget out of its window for good.
    """

    closed = Signal()

    def __init__(self, height: int) -> None:
        super().__init__()
        self._height = height
        # What outlives this dock, and what follows it: let go of in the end.
        self._links: list[tuple] = []
        # Many things change at one step; one drawing answers them, after the image.
        self._renewal = QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.timeout.connect(self.renew)
        when_destroyed(self, partial(_let_go, self._links))

    def renew(self) -> None:
        """Show what has changed; nothing while hidden."""
        raise NotImplementedError

    def listen(self, *links: tuple) -> None:
        """Connect signals of what outlives this dock, each with its slot."""
        for signal, slot in links:
            signal.connect(slot)
            self._links.append((signal, slot))

    def sizeHint(self) -> QSize:
        """Leave most of a small window to the image."""
        return QSize(600, self._height)

    def showEvent(self, event) -> None:
        """Make up for what was missed."""
        super().showEvent(event)
        self._renewal.start(0)

    def shut(self) -> None:
        """Let go of the study and the viewer."""
        _let_go(self._links)
        self.closed.emit()

    def _on_anything_changed(self, *_: object) -> None:
        self._renewal.start(0)


class SecondDock(QObject):
    """Makes a dock when it is first shown; a tab beside others that are open there.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    name : str
    make : callable
        Makes the widget.
    bind : callable
        Binds our keys to it.
    parent : QWidget
        The main dock.

    Attributes
    ----------
    dock : ClosableWidget or None
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
        name: str,
        make: Callable[[], ClosableWidget],
        bind: Callable[[QWidget], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._name = name
        self._make_widget = make
        self._bind = bind
        self.dock: ClosableWidget | None = None
        self._frame: QDockWidget | None = None
        # Held, the window would outlive its closing.
        self._window: ref[QMainWindow] | None = None
        self._raising = QTimer(self)
        self._raising.setSingleShot(True)
        self._raising.timeout.connect(self._raise)

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
        if on:
            self._raise()
            self._raising.start(0)  # Qt raises no tab that it has just made

    def toggle(self) -> None:
        """Open the dock, or hide it; a tab behind another one comes to the front."""
        behind = self.dock is not None and self.dock.visibleRegion().isEmpty()
        self.set_shown(not self.shown or behind)

    def close(self) -> None:
        """Take the dock away."""
        if self.dock is not None:
            self._viewer.window.remove_dock_widget(self.dock)

    def _raise(self) -> None:
        if self._frame is not None and self.shown:
            self._frame.raise_()

    def _make(self) -> None:
        self.dock = self._make_widget()
        self._bind(self.dock)
        self.dock.closed.connect(self._on_closed)
        frame = self._viewer.window.add_dock_widget(
            self.dock, name=self._name, area="bottom"
        )
        self._frame = unwrapped(frame)  # Qt takes no stand-in
        window = self.dock.window()
        if isinstance(window, QMainWindow):
            # Below the image only: the docks at the right keep their height.
            self._window = ref(window)
            window.setCorner(_CORNER, Qt.DockWidgetArea.RightDockWidgetArea)
            others = self._others(window)
            if others:
                window.tabifyDockWidget(others[0], self._frame)
            height = self.dock.sizeHint().height()
            window.resizeDocks([self._frame], [height], Qt.Orientation.Vertical)
        self._frame.visibilityChanged.connect(self._on_visibility_changed)
        self.shown_changed.emit(True)

    def _others(self, window: QMainWindow) -> list[QDockWidget]:
        """Open docks below the image, this one not among them."""
        area = Qt.DockWidgetArea.BottomDockWidgetArea
        return [
            frame
            for frame in window.findChildren(QDockWidget)
            if frame is not self._frame
            and window.dockWidgetArea(frame) == area
            and not frame.isHidden()
            and not frame.isFloating()
        ]

    def _on_visibility_changed(self, visible: bool) -> None:
        self.shown_changed.emit(self.shown)

    def _on_closed(self) -> None:
        self.dock = self._frame = None
        window = None if self._window is None else self._window()
        if window is not None and not self._others(window):
            window.setCorner(_CORNER, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.shown_changed.emit(False)


def _let_go(links: list[tuple]) -> None:
    while links:
        signal, slot = links.pop()
        signal.disconnect(slot)
