"""Where the tree of clusters is on its widget, and what is under the mouse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QPointF, QRectF

from napari_dgc.merging.dendrogram import Dendrogram

# Pixels.
LEFT, RIGHT = 6, 16  # margins; on the right there is room for the line's handle
SWATCH, MARK = 9, 3  # heights of a leaf and of what marks it
_WIDEST = 14  # of a swatch
_NEAR = 6.0  # from a join or the line to the mouse that means it


@dataclass(frozen=True, slots=True)
class Spot:
    """What is under the mouse: a "join" or a "leaf" by its node, or the "line"."""

    kind: str
    node: int = -1


@dataclass(frozen=True, slots=True)
class Places:
    """A dendrogram on a widget.

    Attributes
    ----------
    picture : Dendrogram
    width, height : int
        The widget's, in pixels.
    top : int
        Where the topmost join is, in pixels from above.
    """

    picture: Dendrogram
    width: int
    height: int
    top: int

    @property
    def pitch(self) -> float:
        """Pixels from one leaf to the next."""
        return (self.width - LEFT - RIGHT) / self.picture.k

    @property
    def floor(self) -> int:
        """Where the leaves begin, in pixels from above."""
        return self.height - SWATCH - MARK - 2

    def x(self, x: float) -> float:
        """Pixels from the left; leaves are at 0, 1, ..."""
        return LEFT + (x + 0.5) * self.pitch

    def y(self, height: float) -> float:
        """Pixels from above; the topmost join is at 1."""
        return self.floor - height * (self.floor - self.top)

    def height_at(self, y: float) -> float:
        """Undo `y`."""
        return (self.floor - y) / (self.floor - self.top)

    def node(self, node: int) -> QPointF:
        """Give the place of a node: a join's bar, a leaf's upper edge."""
        return QPointF(self.x(self.picture.x[node]), self.y(self.picture.y[node]))

    def swatch(self, leaf: int) -> QRectF:
        """Give the square of a leaf."""
        wide = min(_WIDEST, self.pitch if self.pitch < 4 else self.pitch - 1)
        left = self.x(self.picture.x[leaf]) - wide / 2
        return QRectF(left, self.floor, wide, SWATCH)

    def handle(self, height: float) -> QPointF:
        """Give the point of the handle of a line at some height."""
        return QPointF(self.width - RIGHT + 2, self.y(height))

    def spot_at(self, place: QPointF, line: float | None) -> Spot | None:
        """Say what is at a place: a leaf, or of line and joins the nearer.

        Parameters
        ----------
        place : QPointF
            In pixels of the widget.
        line : float or None
            The line's height; None where there is none.
        """
        picture = self.picture
        if place.y() >= self.floor:
            column = int((place.x() - LEFT) // self.pitch)
            inside = 0 <= column < picture.k
            return Spot("leaf", picture.order[column]) if inside else None
        best, spot = _NEAR, None
        if line is not None:
            on_handle = place.x() > self.width - RIGHT
            apart = abs(place.y() - self.y(line)) - (_NEAR if on_handle else 0)
            if apart < best:
                best, spot = apart, Spot("line")
        if len(picture.children):
            left, right = picture.x[picture.children].T * self.pitch + self.x(0)
            across = np.maximum(0, np.maximum(left - place.x(), place.x() - right))
            down = self.y(0) - picture.y[picture.k :] * (self.floor - self.top)
            apart_from = np.hypot(across, down - place.y())
            nearest = int(apart_from.argmin())
            if apart_from[nearest] < best:
                spot = Spot("join", picture.k + nearest)
        return spot
