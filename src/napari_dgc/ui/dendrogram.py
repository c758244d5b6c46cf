"""The tree of clusters, drawn in the groups' colours: look, merge, cut."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QPainter, QPalette
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_dgc.merging.dendrogram import Dendrogram, lay_out
from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.merging.tree import ClusterTree
from napari_dgc.ui.dendrogram_painting import Look, paint_tree
from napari_dgc.ui.dendrogram_places import LEFT, Places, Spot
from napari_dgc.ui.gestures import CLICK_SLIP
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.wording import word_names

_HEIGHT = 116  # pixels
_GAP = 7  # pixels between the caption and the topmost join
_LONGEST_NAME = 20  # letters, so that the others are read too
_RESTED_MS = 50  # under the mouse for so long before the image is drawn anew
_TIP = (
    "The tree of clusters. The higher two branches meet, the less alike are their "
    "spectra (low joins are drawn a little apart).\n"
    "Click a fork: what is below becomes one group. Click a leaf: select its group. "
    "Drag the dashed line: fewer or more groups, as with the slider."
)


class DendrogramView(QWidget):
    """Shows a tree and passes on what the user wants done to it.

    Signals
    -------
    merge_wanted : tuple of int, int
        Source ids and the target's: all groups below a join.
    clicked : int, bool
        A group's id, and whether Ctrl was held.
    pointed : frozenset of int
        The groups under the mouse; empty where there is none.
    slid, slide_ended : int, ()
        The line is being dragged: groups wanted; and has been let go.
    """

    merge_wanted = Signal(tuple, int)
    clicked = Signal(int, bool)
    pointed = Signal(object)
    slid = Signal(int)
    slide_ended = Signal()

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self._selection = selection
        self._tree: ClusterTree | None = None
        self._picture: Dendrogram | None = None
        self._grouping: Grouping | None = None
        self._owners: list[Group | None] = []
        self._levels = np.empty(0)  # of the line, from most groups to fewest
        self._most = 0
        self._hovered: Spot | None = None
        self._pressed: Spot | None = None
        self._press_place = QPointF()
        self._pointing: frozenset[int] = frozenset()
        self._rested = QTimer(self)
        self._rested.setSingleShot(True)
        self._rested.setInterval(_RESTED_MS)
        self._rested.timeout.connect(self._on_mouse_rested)
        self.setObjectName("dgc_dendrogram")
        self.setAccessibleName("Tree of clusters")
        self.setMouseTracking(True)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        selection.changed.connect(self._on_selection_changed)

    def sizeHint(self) -> QSize:
        """Ask for little width: the dock decides."""
        return QSize(200, _HEIGHT)

    def show_grouping(self, tree: ClusterTree | None, grouping: Grouping | None):
        """Follow a grouping; while the tree is the same, the leaves stay in place."""
        if tree is not self._tree:
            self._tree = tree
            self._picture = None if tree is None else lay_out(tree)
        self._grouping = grouping
        if tree is None or self._picture is None or grouping is None:
            self._owners, self._levels, self._most = [], np.empty(0), 0
        else:
            joins = tree.joins(grouping)
            self._owners = self._picture.owners(grouping)
            self._levels = self._picture.levels(joins)
            locked = sum(group.locked for group in grouping.groups)
            self._most = locked + len(joins) + (locked < len(grouping.groups))
        # The image is about to be drawn anew anyway, without what was pointed at.
        self._rested.stop()
        self._pointing = frozenset()
        if self._pressed is None or self._pressed.kind != "line":
            self._hovered = self._pressed = None
        self.update()

    # -- places -----------------------------------------------------------

    @property
    def line_height(self) -> float | None:
        """Height of the cut, in the tree's units; None where nothing is to cut."""
        if self._grouping is None or len(self._levels) < 2:
            return None
        below = self._most - len(self._grouping.groups)
        return float(self._levels[min(max(below, 0), len(self._levels) - 1)])

    @property
    def places(self) -> Places | None:
        """Where everything is on the widget; None without a tree."""
        if self._picture is None or self._grouping is None:
            return None
        top = self.fontMetrics().height() + _GAP
        return Places(self._picture, self.width(), self.height(), top)

    def _spot_at(self, place: QPointF) -> Spot | None:
        places = self.places
        return None if places is None else places.spot_at(place, self.line_height)

    def paintEvent(self, event) -> None:
        """Draw the caption and the tree."""
        places = self.places
        if places is None:
            return
        # napari's style sheet does not reach the palette by itself: asked for here.
        text = self.palette().color(QPalette.ColorRole.WindowText)
        painter = QPainter(self)
        if not self.isEnabled():
            painter.setOpacity(0.4)
        painter.setPen(text)
        room = self.width() - 2 * LEFT
        metrics = self.fontMetrics()
        caption = metrics.elidedText(self.caption(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(LEFT, metrics.ascent() + 1), caption)
        pointed = frozenset(group.id for group in self.groups_at(self._hovered))
        look = Look(
            self._owners, self.line_height, self._hovered,
            self._selection.ids, pointed, text,
        )  # fmt: skip
        paint_tree(painter, places, look)
        painter.end()

    # -- words --------------------------------------------------------------

    def groups_at(self, spot: Spot | None) -> tuple[Group, ...]:
        """Give the groups that a click at a spot is about."""
        if spot is None or self._picture is None or self._grouping is None:
            return ()
        if spot.kind == "line":
            return ()
        return self._picture.groups_below(spot.node, self._grouping)

    def caption(self) -> str:
        """Say what the mouse would do here, or how the tree is cut."""
        groups, spot = self.groups_at(self._hovered), self._hovered
        if self._grouping is None or self._picture is None or self._tree is None:
            return ""
        if spot is not None and spot.kind == "line":
            return f"{len(self._grouping.groups)} groups: drag up for fewer"
        if not groups:
            return f"{self._picture.k} clusters: click a fork to merge what is below"
        if len(groups) == 1 and spot is not None:
            lock = " (locked)" if groups[0].locked else ""
            many = len(groups[0].clusters)
            if spot.kind == "leaf" and many > 1:
                (cluster,) = self._picture.clusters[spot.node]
                return f"Cluster {cluster}, one of {many} in {groups[0].name}{lock}"
            return f"{groups[0].name}{lock}: click to select"
        locked = [group.name for group in groups if group.locked]
        if locked:
            verb = "is" if len(locked) == 1 else "are"
            return f"No merge here: {word_names(locked)} {verb} locked"
        target = self._tree.heir(groups)
        names = [_short(group.name) for group in groups if group is not target]
        if len(names) == 1:
            return f"Merge {names[0]} into {_short(target.name)}"
        return f"Merge {len(names)} groups into {_short(target.name)}: " + (
            word_names(names)
        )

    # -- mouse --------------------------------------------------------------

    def mouseMoveEvent(self, event) -> None:
        """Drag the line, or say what a click would do."""
        place = event.position()
        if self._pressed is None:
            self._hover(self._spot_at(place))
        elif self._pressed.kind == "line":
            self._slide(place.y())
        elif (place - self._press_place).manhattanLength() > CLICK_SLIP:
            self._pressed = None  # no click any more

    def mousePressEvent(self, event) -> None:
        """Remember what was pressed; nothing happens before the release."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._press_place = event.position()
            self._pressed = self._spot_at(event.position())
            self._hover(self._pressed)

    def mouseReleaseEvent(self, event) -> None:
        """Select, merge, or let go of the line."""
        pressed, self._pressed = self._pressed, None
        if pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if pressed.kind == "line":
            self.slide_ended.emit()
            self._hover(self._spot_at(event.position()))
            return
        if pressed != self._spot_at(event.position()):
            return
        groups = self.groups_at(pressed)
        if len(groups) == 1:
            adding = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.clicked.emit(groups[0].id, adding)
        elif groups and self._tree is not None:
            target = self._tree.heir(groups).id
            sources = tuple(group.id for group in groups if group.id != target)
            self.merge_wanted.emit(sources, target)

    def leaveEvent(self, event) -> None:
        """Point at nothing."""
        if self._pressed is None:
            self._hover(None)

    def event(self, event) -> bool:
        """Explain the tree, or give a caption in full."""
        if event.type() == QEvent.Type.ToolTip and self._grouping is not None:
            text = _TIP if self._hovered is None else self.caption()
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _hover(self, spot: Spot | None) -> None:
        if spot != self._hovered:
            self._hovered = spot
            shape = Qt.CursorShape
            groups = self.groups_at(spot)
            refused = len(groups) > 1 and any(group.locked for group in groups)
            if spot is None:
                self.unsetCursor()
            elif spot.kind == "line":
                self.setCursor(shape.SizeVerCursor)
            else:
                self.setCursor(
                    shape.ForbiddenCursor if refused else shape.PointingHandCursor
                )
            self._rested.start()
            self.update()

    def _slide(self, y: float) -> None:
        places = self.places
        if places is None or self._grouping is None:
            return
        # The level that is nearest to the mouse.
        below = int(np.abs(self._levels - places.height_at(y)).argmin())
        if self._most - below != len(self._grouping.groups):
            self.slid.emit(self._most - below)

    def _on_mouse_rested(self) -> None:
        ids = frozenset(group.id for group in self.groups_at(self._hovered))
        if ids != self._pointing:
            self._pointing = ids
            self.pointed.emit(ids)

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        self.update()


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
