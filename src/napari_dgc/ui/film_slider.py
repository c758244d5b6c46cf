"""A slider along steps that stands on frames alone."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractSlider, QSlider

from napari_dgc.study.film import Film

_Action = QAbstractSlider.SliderAction
_FAR = 5  # frames, with PgUp and PgDown


class FilmSlider(QSlider):
    """The scrubber: its value is the step of a frame.

    Keys go from frame to frame; the mouse snaps to the nearest one; the wheel is
    left to the dock.
    """

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._film = Film()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.actionTriggered.connect(self._on_action)

    def show_film(self, film: Film, step: int) -> None:
        """Follow a film, and stand at a step of it; emits nothing."""
        self._film = film
        steps = [frame.step for frame in film.frames] or [0]
        self.blockSignals(True)
        try:
            self.setRange(steps[0], max(steps[-1], steps[0] + 1))
            self.setValue(step)
        finally:
            self.blockSignals(False)

    def wheelEvent(self, event) -> None:
        """Leave the wheel to the dock: one that scrolls it shall change no map."""
        event.ignore()

    def _on_action(self, action: int) -> None:
        # Qt lets a slot set the position that an action is about to give.
        frames = self._film.frames
        if not frames:
            return
        at = self._film.nearest(self.value())
        moves = {
            _Action.SliderSingleStepAdd: 1,
            _Action.SliderSingleStepSub: -1,
            _Action.SliderPageStepAdd: _FAR,
            _Action.SliderPageStepSub: -_FAR,
        }
        by = next((n for kind, n in moves.items() if _number(kind) == action), None)
        if by is None:
            at = self._film.nearest(self.sliderPosition())
        else:
            at = min(max(at + by, 0), len(frames) - 1)
        self.setSliderPosition(frames[at].step)


def _number(action) -> int:
    """The number that Qt's signal carries."""
    return int(getattr(action, "value", action))
