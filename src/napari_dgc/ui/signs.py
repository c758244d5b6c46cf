"""Little drawings that are pressed like buttons: eye, lock, way out, list."""

from __future__ import annotations

from enum import Enum, auto

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

SIDE = 16  # pixels
_FAINT = 110  # of 255: what is off
_GREY = QColor(135, 135, 135)
_ORANGE = QColor("#e69f00")


class Sign(Enum):
    """What a cell can show."""

    EYE = auto()
    SHUT_EYE = auto()
    LOCKED = auto()
    UNLOCKED = auto()
    OUT = auto()
    DOWN = auto()


def sign_pixmap(
    sign: Sign, color: QColor, accent: QColor = _ORANGE, scale: float = 1.0
) -> QPixmap:
    """Give a sign as a picture of `SIDE` pixels.

    Parameters
    ----------
    sign : Sign
    color : QColor
        That of the text beside it, so that it is seen in any theme.
    accent : QColor
        For what a locked group stands out by.
    scale : float
        Pixels of the screen for each of the picture.
    """
    pixmap = QPixmap(round(SIDE * scale), round(SIDE * scale))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    _draw_sign(painter, sign, color, accent)
    painter.end()
    return pixmap


def sign_icon(sign: Sign) -> QIcon:
    """Give a sign as an icon, in a grey that is seen in any theme."""
    return QIcon(sign_pixmap(sign, _GREY, _GREY))


def _draw_sign(painter: QPainter, sign: Sign, color: QColor, accent: QColor) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(QPointF(SIDE / 2, SIDE / 2))
    off = sign in (Sign.SHUT_EYE, Sign.UNLOCKED)
    color = QColor(color)
    color.setAlpha(_FAINT if off else 255)
    painter.setPen(_pen(color))
    if sign in (Sign.EYE, Sign.SHUT_EYE):
        _draw_eye(painter, color, shut=off)
    elif sign is Sign.OUT:
        _draw_way_out(painter)
    elif sign is Sign.DOWN:
        painter.drawPolyline([QPointF(-3, -1.5), QPointF(0, 1.5), QPointF(3, -1.5)])
    else:
        _draw_lock(painter, accent, open=off)


def _pen(color: QColor, width: float = 1.5) -> QPen:
    pen = QPen(color, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _draw_eye(painter: QPainter, color: QColor, *, shut: bool) -> None:
    lids = QPainterPath(QPointF(-7, 0))
    lids.quadTo(QPointF(0, -9), QPointF(7, 0))
    lids.quadTo(QPointF(0, 9), QPointF(-7, 0))
    painter.drawPath(lids)
    painter.setBrush(color)
    painter.drawEllipse(QPointF(0, 0), 1.8, 1.8)
    if shut:
        color.setAlpha(255)
        painter.setPen(_pen(color, 1.8))
        painter.drawLine(QPointF(-5.5, 6), QPointF(5.5, -6))


def _draw_lock(painter: QPainter, accent: QColor, *, open: bool) -> None:
    left = -5.5 if open else -3.0
    bow = QPainterPath(QPointF(left, -2 if open else 0))
    bow.lineTo(left, -3)
    bow.arcTo(QRectF(left, -7, 6, 8), 180, -180)
    bow.lineTo(left + 6, 0)
    painter.drawPath(bow)
    body = QRectF(-5, 0, 10, 7)
    if not open:
        painter.setBrush(accent)
        painter.setPen(_pen(accent))
    painter.drawRoundedRect(body, 1, 1)


def _draw_way_out(painter: QPainter) -> None:
    box = QPainterPath(QPointF(0, -6))
    box.lineTo(-6, -6)
    box.lineTo(-6, 6)
    box.lineTo(0, 6)
    painter.drawPath(box)
    painter.drawLine(QPointF(-2, 0), QPointF(7, 0))
    head = QPainterPath(QPointF(4, -3))
    head.lineTo(7, 0)
    head.lineTo(4, 3)
    painter.drawPath(head)
