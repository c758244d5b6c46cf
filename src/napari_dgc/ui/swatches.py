"""Little squares of a group's colour."""

from __future__ import annotations

from functools import lru_cache

from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

from napari_dgc.merging.palette import Color

_SIDE = 14  # pixels
_EDGE = QColor(128, 128, 128)  # seen on dark and on light


@lru_cache(maxsize=1024)
def swatch(color: Color) -> QIcon:
    """Make an icon of one colour, the same whether its row is selected or not."""
    pixmap = QPixmap(_SIDE, _SIDE)
    pixmap.fill(QColor(*color))
    painter = QPainter(pixmap)
    painter.setPen(_EDGE)
    painter.drawRect(0, 0, _SIDE - 1, _SIDE - 1)
    painter.end()
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
