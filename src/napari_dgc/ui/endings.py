"""What is still to be done when a Qt object goes."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

# Held until they are called. A call that only Qt knows of can be taken apart by the
# garbage collection, in a cycle with its object, before Qt makes it: a crash.
_waiting: set[Callable[..., None]] = set()


def when_destroyed(dying: QObject, call: Callable[[], object]) -> None:
    """Call something when an object is destroyed, whoever does it.

    Parameters
    ----------
    dying : QObject
    call : callable
        Must not need `dying`, which is half gone by then; what it holds lives as
        long as `dying` does.
    """

    def slot(*_: object) -> None:
        _waiting.discard(slot)
        call()

    _waiting.add(slot)
    dying.destroyed.connect(slot)


class DockedWidget(QWidget):
    """A widget that ends when napari takes it out of its window for good."""

    def __init__(self) -> None:
        super().__init__()
        self._docked = False

    def shut(self) -> None:
        """Let go of all that outlives the widget; its subclass says how."""
        raise NotImplementedError

    def event(self, event: QEvent) -> bool:
        """Notice when napari takes this widget out of its window for good."""
        if event.type() == QEvent.Type.ParentChange:
            if self._docked and self.parent() is None:
                self.shut()
                # Here and now, not by a garbage collection in some thread.
                self.deleteLater()
            self._docked = self.parent() is not None
        return super().event(event)
