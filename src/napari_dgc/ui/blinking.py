"""Groups that blink, so that they are found on the image."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QObject, QTimer, Signal

from napari_dgc.study import Study
from napari_dgc.ui.visibility import Visibility

_HALF_MS = 250  # drawn as long as not: two times a second
_HALVES = 16  # four seconds, then all is as before


class Blinker(QObject):
    """Leaves groups out and draws them in turn, for some seconds.

    Any step on the groups ends it.

    Signals
    -------
    changed : bool
        Whether it blinks now.
    """

    changed = Signal(bool)

    def __init__(self, study: Study, visibility: Visibility, parent: QObject) -> None:
        super().__init__(parent)
        self._visibility = visibility
        self._ids: frozenset[int] = frozenset()
        self._halves = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_HALF_MS)
        self._timer.timeout.connect(self._on_timer_ticked)
        study.grouping_changed.connect(self._on_grouping_changed)

    @property
    def active(self) -> bool:
        """Whether groups blink now."""
        return bool(self._ids)

    def start(self, ids: Iterable[int]) -> None:
        """Let these groups blink, beginning without them."""
        self.stop()
        self._ids, self._halves = frozenset(ids), 0
        if self._ids:
            self._timer.start()
            self._on_timer_ticked()
            self.changed.emit(True)

    def stop(self) -> None:
        """Draw all as before."""
        if self._ids:
            self._timer.stop()
            self._ids = frozenset()
            self._visibility.blink((), lit=True)
            self.changed.emit(False)

    def _on_timer_ticked(self) -> None:
        if self._halves == _HALVES:
            self.stop()
            return
        self._visibility.blink(self._ids, lit=bool(self._halves % 2))
        self._halves += 1

    def _on_grouping_changed(self, change: object) -> None:
        self.stop()
