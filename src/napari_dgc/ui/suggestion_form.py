"""What a suggestion looks like: a question, two colours, reasons, buttons."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_dgc.ui.group_delegates import SWATCH
from napari_dgc.ui.notices import WrappedLabel
from napari_dgc.ui.section import FoldButton
from napari_dgc.ui.suggestion_words import Asked
from napari_dgc.ui.swatches import Swatches

_TIP = "Fold the suggestions in or out"


class Question(QLabel):
    """A sentence on one line, its names cut to the room there is."""

    def __init__(self) -> None:
        super().__init__()
        self._form, self._names = "", tuple[str, ...]()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def ask(self, form: str, names: tuple[str, ...] = ()) -> None:
        """Show a sentence with a place for each name: two or none."""
        self._form, self._names = form, names
        self._fit()

    def resizeEvent(self, event) -> None:
        """Cut the names to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        names: Sequence[str] = self._names
        if names:
            names = fit_names(self.fontMetrics(), self._form, names, self.width())
        self.setText(self._form.format(*names))


class Words(WrappedLabel):
    """Text that wraps, but lets the table above it keep its height.

    A label whose height follows its width makes Qt lay the whole column out by
    preferred heights: the table would grow and push this out of a small window.
    """

    def hasHeightForWidth(self) -> bool:
        """Say no: the height asked for fits the present width already."""
        return False

    def sizeHint(self) -> QSize:
        """Ask for what the text needs, no more."""
        return self.minimumSizeHint()


class SuggestionForm(QWidget):
    """Two lines and a row of buttons; one line while folded in."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("dgc_suggestions")
        self._swatches = Swatches()
        self._make_widgets()
        self._lay_out()
        self.show_closed()

    def mousePressEvent(self, event) -> None:
        """Fold out at a click anywhere on the one line."""
        if self.arrow.isChecked():
            super().mousePressEvent(event)
        else:
            self.arrow.setChecked(True)

    def show_closed(self, text: str = "") -> None:
        """Be one line."""
        self._show_parts(question=True)
        self.question.ask(text)
        self.count.setText("")
        self.question.setToolTip(_TIP)

    def show_fault(self, text: str, rejected: int) -> None:
        """Say why there is nothing to suggest, and how many were rejected."""
        self._show_parts(fault=True, row=bool(rejected))
        self.fault.setText(text)
        self.count.setText("")
        self._count_rejected(rejected)

    def show_asked(self, asked: Asked, place: tuple[int, int], rejected: int) -> None:
        """Ask.

        Parameters
        ----------
        asked : Asked
            About two groups, or about none.
        place : tuple of two int
            The suggestion's, from 1, and how many there are.
        rejected : int
            How many can be suggested again.
        """
        self._show_parts(question=True, pair=bool(asked.colors), answers=True, row=True)
        labels = self.source_swatch, self.target_swatch
        for label, color in zip(labels, asked.colors, strict=False):
            label.setPixmap(self._swatches[color].pixmap(SWATCH, SWATCH))
        self.reasons.setText(asked.short)
        self.reasons.setToolTip(asked.long)
        self.count.setText(f"{place[0]:,} of {place[1]:,}")
        self._count_rejected(rejected)
        self.question.ask(asked.form, asked.names)
        self.question.setToolTip(asked.text)

    def _show_parts(
        self, *, question=False, fault=False, pair=False, answers=False, row=False
    ) -> None:
        for widget in (self.source_swatch, self.into, self.target_swatch):
            widget.setVisible(pair)
        for widget in (self.reasons, *self._answers):
            widget.setVisible(answers)
        self.question.setVisible(question)
        self.fault.setVisible(fault)
        self.row.setVisible(row)

    def _count_rejected(self, count: int) -> None:
        self.forget_button.setVisible(bool(count))
        self.forget_button.setText(f"Unreject ({count})")

    def _make_widgets(self) -> None:
        self.arrow = FoldButton(tip=_TIP)
        self.arrow.setChecked(False)
        self.source_swatch, self.target_swatch = QLabel(), QLabel()
        self.into = QLabel("→")
        self.question = Question()
        self.reasons, self.fault = Words(), Words()
        self.count = QLabel()
        self.count.setToolTip("Place of this suggestion among all, the likest first")
        self.accept_button = QPushButton("Accept")
        self.accept_button.setToolTip("Do it; Ctrl+Z takes it back (A)")
        self.reject_button = QPushButton("Reject")
        self.reject_button.setToolTip("No, and never ask that again (R)")
        self.back_button = QPushButton("Back")
        self.back_button.setToolTip("Show the one before again (Shift+N)")
        self.next_button = QPushButton("Next")
        self.next_button.setToolTip("Leave it open and show the next one (N)")
        self.forget_button = QPushButton()
        self.forget_button.setToolTip("Forget all rejections: suggest those again")
        self._answers = (
            self.accept_button,
            self.reject_button,
            self.back_button,
            self.next_button,
        )

    def _lay_out(self) -> None:
        top, self.row = QHBoxLayout(), QWidget()
        top.setSpacing(4)
        for widget in (self.arrow, self.source_swatch, self.into, self.target_swatch):
            top.addWidget(widget)
        top.addWidget(self.question, stretch=1)
        top.addWidget(self.fault, stretch=1)
        bottom = QHBoxLayout(self.row)
        bottom.setContentsMargins(0, 0, 0, 0)
        bottom.setSpacing(4)
        for widget in self._answers:
            bottom.addWidget(widget)
        bottom.addWidget(self.count)
        bottom.addStretch()
        bottom.addWidget(self.forget_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.reasons)
        layout.addWidget(self.row)


def fit_names(
    metrics: QFontMetrics, form: str, names: Sequence[str], room: int
) -> list[str]:
    """Cut the two names of a sentence in their middle, so that it fits a line.

    Parameters
    ----------
    metrics : QFontMetrics
    form : str
        The sentence, with a place for each name.
    names : sequence of two str
    room : int
        Pixels.
    """
    left = max(0, room - metrics.horizontalAdvance(form.format("", "")) - 4)
    widths = [metrics.horizontalAdvance(name) for name in names]
    if sum(widths) <= left:
        return list(names)
    most = max(left // 2, left - min(widths))  # a short name leaves its room
    middle = Qt.TextElideMode.ElideMiddle
    return [metrics.elidedText(name, middle, most) for name in names]
