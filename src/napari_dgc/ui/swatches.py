"""Little squares of a group's colour."""

from __future__ import annotations

from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

from napari_dgc.merging.palette import Color

_SIDE = 14  # pixels
_EDGE = QColor(128, 128, 128)  # seen on dark and on light


class Swatches(dict[Color, QIcon]):
    """Icons by colour, each made when it is first asked for.

    Lives as long as its model and no longer: an icon must not outlive Qt.
    """

    def __missing__(self, color: Color) -> QIcon:
        self[color] = icon = _make_icon(color)
        return icon


def _make_icon(color: Color) -> QIcon:
    pixmap = QPixmap(_SIDE, _SIDE)
    pixmap.fill(QColor(*color))
    painter = QPainter(pixmap)
    painter.setPen(_EDGE)
    painter.drawRect(0, 0, _SIDE - 1, _SIDE - 1)
    painter.end()
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else Qt tints a selected row's
    return icon
