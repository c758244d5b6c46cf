"""A part of the dock that folds in by a click on its heading.

superqt's QCollapsible is not it: it holds no buttons beside its heading, keeps the
height its content had when it was unfolded, and paints its arrow once, in the
colours of the theme of that moment.
"""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

_SPACING, _BESIDE = 2, 2  # pixels
SLIM = "QPushButton { padding: 3px; }"
"""The dock's buttons: napari's own padding leaves no room for five in a row."""


class FoldButton(QToolButton):
    """An arrow with a bold heading; a click, Space or Enter folds in or out."""

    def __init__(self, text: str = "", tip: str = "Fold in or out") -> None:
        super().__init__()
        self.setText(text)
        self.setToolTip(tip)
        self.setCheckable(True)
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style = Qt.ToolButtonStyle
        self.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly
        )
        self.setStyleSheet("QToolButton { font-weight: bold; padding: 1px 0; }")
        self.toggled.connect(self._on_toggled)
        self.setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter for a click, as Qt takes Space."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def _on_toggled(self, open_: bool) -> None:
        arrows = Qt.ArrowType
        self.setArrowType(arrows.DownArrow if open_ else arrows.RightArrow)


class Section(QWidget):
    """A heading, what stands beside it, and a body that can be folded in.

    Parameters
    ----------
    title : str

    Attributes
    ----------
    heading : FoldButton
        Checked while the body is unfolded.
    body : QVBoxLayout
        Takes what is folded in.
    rows : QVBoxLayout
        Heading and body; takes what stays in sight.

    Signals
    -------
    folded : bool
        Whether the body is now folded in.
    """

    folded = Signal(bool)

    def __init__(self, title: str) -> None:
        super().__init__()
        self.heading = FoldButton(title, f"Fold “{title}” in or out")
        self._summary = QElidingLabel()
        self._summary.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        self._content = QWidget()
        self.body = QVBoxLayout(self._content)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(_SPACING)
        self._row = QHBoxLayout()
        self._row.setSpacing(_BESIDE)
        self._row.addWidget(self.heading)
        self._row.addWidget(self._summary, stretch=1)
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(_SPACING)
        self.rows.addLayout(self._row)
        self.rows.addWidget(self._content, stretch=1)
        self.heading.toggled.connect(self._on_toggled)

    @property
    def open(self) -> bool:
        """Whether the body is unfolded."""
        return self.heading.isChecked()

    def fold(self, in_: bool = True) -> None:
        """Fold the body in, or out."""
        self.heading.setChecked(not in_)

    def put_beside(self, *widgets: QWidget) -> None:
        """Put widgets into the heading's row, where they stay in sight."""
        for widget in widgets:
            self._row.addWidget(widget)

    def summarize(self, text: str) -> None:
        """Say in the heading's row what the body holds."""
        self._summary.setText(text)
        self._summary.setToolTip(text)

    @property
    def summary(self) -> str:
        """What is said in the heading's row."""
        return self._summary.text()

    def _on_toggled(self, open_: bool) -> None:
        self._content.setVisible(open_)
        self.folded.emit(not open_)


def give_room(column: QVBoxLayout, section: Section) -> None:
    """Let one section have all room that is left, below it while it is folded in.

    Parameters
    ----------
    column : QVBoxLayout
        Holds the section; gets a stretch at its end.
    section : Section
    """
    column.addStretch()
    place, end = column.indexOf(section), column.count() - 1

    def share(folded: bool) -> None:
        column.setStretch(place, int(not folded))
        column.setStretch(end, int(folded))

    section.folded.connect(share)
    share(not section.open)


def make_rule() -> QFrame:
    """Make a thin line across, between two parts of the dock."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line
