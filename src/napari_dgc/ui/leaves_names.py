"""Numbers and names of leaves on the image, legible on any picture.

napari's own texts have no ground and no outline: white is lost on a light leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari.viewer import Viewer
from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QWidget

from napari_dgc.ui.canvas import camera_of

_GROUND, _CHOSEN = QColor(20, 20, 20, 205), QColor(255, 208, 0)
_LONGEST = 18  # letters of a name on the image
_LINE = QColor(255, 208, 0)


@dataclass(frozen=True, slots=True)
class Mark:
    """A leaf's number, its name if it was given one, and its place in the world."""

    number: int
    name: str
    y: float
    x: float

    @property
    def text(self) -> str:
        """What is written where there is room."""
        if not self.name:
            return str(self.number)
        short = len(self.name) <= _LONGEST
        return f"{self.number} {self.name if short else self.name[:_LONGEST] + '…'}"


class LeafNames(QWidget):
    """Lies on the canvas and lets the mouse through.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Its camera says where what is.
    canvas : QWidget
    """

    def __init__(self, viewer: Viewer, canvas: QWidget) -> None:
        super().__init__(canvas)
        self._camera = camera_of(viewer)
        self.marks: tuple[Mark, ...] = ()
        self.chosen: frozenset[int] = frozenset()
        self._line: list[QPointF] = []  # canvas pixels
        self.setObjectName("dgc_leaf_names")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(canvas.size())
        canvas.installEventFilter(self)
        self._camera.events.connect(self._on_moved)

    def detach(self) -> None:
        """Let go of viewer and canvas."""
        self._camera.events.disconnect(self._on_moved)
        self.hide()
        self.deleteLater()

    def show_marks(self, marks: Sequence[Mark], chosen: frozenset[int]) -> None:
        """Draw these; those of chosen leaves stand out."""
        if (tuple(marks), chosen) != (self.marks, self.chosen):
            self.marks, self.chosen = tuple(marks), chosen
            self.update()

    def show_line(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw a line under way, (x, y) in canvas pixels; none: no line."""
        self._line = [QPointF(x, y) for x, y in points]
        self.update()

    def eventFilter(self, canvas: QObject, event: QEvent) -> bool:
        """Stay as large as the canvas."""
        if event.type() == QEvent.Type.Resize:
            self.resize(event.size())
        return False

    def texts(self) -> list[tuple[Mark, str, QRectF]]:
        """What is written where: names only where they hide no other number."""
        visible, places = QRectF(self.rect()), {}
        for mark in self.marks:
            box = self._box(mark, str(mark.number))
            if visible.intersects(box):
                places[mark] = str(mark.number), box
        for mark in sorted(places, key=lambda one: one.number not in self.chosen):
            box = self._box(mark, mark.text)
            others = (taken for one, (_, taken) in places.items() if one != mark)
            if mark.name and not any(box.intersects(taken) for taken in others):
                places[mark] = mark.text, box
        return [(mark, text, box) for mark, (text, box) in places.items()]

    def paintEvent(self, event) -> None:
        """Draw grounds with texts on them, and the line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for mark, text, box in self.texts():
            chosen = mark.number in self.chosen
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_CHOSEN if chosen else _GROUND)
            painter.drawRoundedRect(box, 3, 3)
            painter.setPen(QColor(0, 0, 0) if chosen else QColor(255, 255, 255))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        if len(self._line) > 1:
            for color, width in ((QColor(0, 0, 0), 5), (_LINE, 2)):
                painter.setPen(QPen(color, width))
                painter.drawPolyline(self._line)

    def _box(self, mark: Mark, text: str) -> QRectF:
        space = self.fontMetrics()
        box = QRectF(0, 0, space.horizontalAdvance(text) + 8, space.height() + 2)
        box.moveCenter(self._place(mark))
        return box

    def _place(self, mark: Mark) -> QPointF:
        camera = self._camera
        y, x = camera.center[-2:]
        return QPointF(
            (mark.x - x) * camera.zoom + self.width() / 2,
            (mark.y - y) * camera.zoom + self.height() / 2,
        )

    def _on_moved(self, event=None) -> None:
        if self.isVisible():
            self.update()
