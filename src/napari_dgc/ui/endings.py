"""What is still to be done when a Qt object goes."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject

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
