"""Painting the tree of clusters in the groups' colours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QLineF, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF

from napari_dgc.merging.grouping import Group
from napari_dgc.merging.palette import Color
from napari_dgc.ui.dendrogram_places import LEFT, MARK, RIGHT, SWATCH, Places, Spot

GREY: Color = (128, 128, 128)  # seen on dark and on light
_TINT = 45  # of 255: how strongly the branch under the mouse is tinted
_WIDE = 40  # leaves, up to which branches are two pixels wide


@dataclass(frozen=True, slots=True)
class Look:
    """What is shown besides the tree itself.

    Attributes
    ----------
    owners : sequence of Group or None
        By node; see `Dendrogram.owners`.
    line : float or None
        Height of the cut.
    hovered : Spot or None
    selected, pointed : frozenset of int
        Ids of groups whose leaves are marked: selected, and under the mouse.
    text : QColor
        The theme's colour of text.
    """

    owners: Sequence[Group | None]
    line: float | None
    hovered: Spot | None
    selected: frozenset[int]
    pointed: frozenset[int]
    text: QColor


def paint_tree(painter: QPainter, places: Places, look: Look) -> None:
    """Paint tint, branches, leaves and line."""
    join = look.hovered if look.hovered and look.hovered.kind == "join" else None
    if join is not None:
        _paint_tint(painter, places, join.node, look.text)
    width = 2 if places.picture.k <= _WIDE else 1
    for color, lines in _branches(places, look).items():
        painter.setPen(QPen(QColor(*color), width))
        painter.drawLines(lines)
    if join is not None:
        painter.setPen(QPen(look.text, 2))
        painter.drawLines(_bracket(places, join.node))
    _paint_leaves(painter, places, look)
    if look.line is not None:
        _paint_line(painter, places, look)


def _branches(places: Places, look: Look) -> dict[Color, list[QLineF]]:
    """Bars and stems by colour: a group's where it holds all below, else grey."""
    picture, owners = places.picture, look.owners
    lines: dict[Color, list[QLineF]] = defaultdict(list)
    lines[GREY] = []  # painted first: no colour is painted over
    xs = [places.x(x) for x in picture.x.tolist()]
    ys = [places.y(y) for y in picture.y.tolist()]
    cut = -1.0 if look.line is None else places.y(look.line)
    for row, pair in enumerate(picture.children.tolist()):
        node = picture.k + row
        owner, top = owners[node], ys[node]
        color = GREY if owner is None else owner.color
        lines[color].append(QLineF(xs[pair[0]], top, xs[pair[1]], top))
        for child in pair:
            x, below, own = xs[child], ys[child], owners[child]
            turn = below  # up to here in the child's colour, from here in the join's
            if owner is None and own is not None:
                turn = min(max(cut, top), below)
                lines[own.color].append(QLineF(x, below, x, turn))
            lines[color].append(QLineF(x, turn, x, top))
    return lines


def _bracket(places: Places, node: int) -> list[QLineF]:
    left, right = places.picture.children[node - places.picture.k].tolist()
    top = places.node(node).y()
    a, b = places.node(left), places.node(right)
    return [
        QLineF(a.x(), a.y(), a.x(), top),
        QLineF(a.x(), top, b.x(), top),
        QLineF(b.x(), top, b.x(), b.y()),
    ]


def _paint_tint(painter: QPainter, places: Places, node: int, text: QColor) -> None:
    """Tint all that is below a join, its leaves included."""
    picture, tint = places.picture, QColor(text)
    tint.setAlpha(_TINT)
    ends = []
    for side in (0, 1):  # the outermost leaves
        end = node
        while end >= picture.k:
            end = int(picture.children[end - picture.k][side])
        ends.append(places.swatch(end))
    top = places.node(node).y()
    rect = QRectF(ends[0].left() - 1, top, ends[1].right() - ends[0].left() + 2, 0)
    rect.setBottom(places.floor + SWATCH)
    painter.fillRect(rect, tint)


def _paint_leaves(painter: QPainter, places: Places, look: Look) -> None:
    """Paint swatches; a bar under those selected, a thin one under those pointed at."""
    for leaf in places.picture.order:
        group, rect = look.owners[leaf], places.swatch(leaf)
        painter.fillRect(rect, QColor(*(GREY if group is None else group.color)))
        if group is None:
            continue
        if group.locked and rect.width() > SWATCH - 3:  # as a keyhole
            middle = rect.center()
            dot = QRectF(middle.x() - 1.5, middle.y() - 1.5, 3, 3)
            painter.fillRect(dot.adjusted(-1, -1, 1, 1), QColor(0, 0, 0))
            painter.fillRect(dot, QColor(255, 255, 255))
        if group.id in look.selected | look.pointed:
            mark = QRectF(rect.left(), rect.bottom() + 1, rect.width(), MARK)
            chosen = group.id in look.selected
            painter.fillRect(mark, look.text if chosen else QColor(*GREY))


def _paint_line(painter: QPainter, places: Places, look: Look) -> None:
    """Paint the dashed line of the cut and the handle at its end."""
    held = look.hovered is not None and look.hovered.kind == "line"
    point = places.handle(look.line or 0.0)
    y = round(point.y())
    pen = QPen(look.text, 2 if held else 1, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.drawLine(QLineF(LEFT, y, places.width - RIGHT, y))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.text)
    corners = [QPointF(dx, dy) for dx, dy in ((0, 0), (9, -5), (9, 5))]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawPolygon(QPolygonF([QPointF(point.x(), y) + c for c in corners]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
