"""The suggestions on the screen: one pair of groups at a time, and why."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_dgc.study import Study
from napari_dgc.ui.group_delegates import SWATCH
from napari_dgc.ui.merge_wording import explain_reasons, word_reasons
from napari_dgc.ui.notices import StatusLine, WrappedLabel
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.suggestion_queue import SuggestionQueue
from napari_dgc.ui.swatches import Swatches

_CLOSED = "Suggestions: what to merge next (N)"
_NO_MAP = "Make a map first: press First map."
_TIP = "Fold the suggestions in or out"


class SuggestionsPanel(QWidget):
    """Asks whether two groups belong together; not there without a grouping.

    Parameters
    ----------
    study : Study
    selection : Selection
    status : StatusLine

    Attributes
    ----------
    queue : SuggestionQueue

    Signals
    -------
    merge_wanted : tuple of int, int
        The suggestion was accepted: source ids and the target's.
    pointed : frozenset of int
        Ids of the pair while it is looked at: the mouse is over the panel, or a
        key came last. Empty when that is over.
    previewed : tuple of int, int
        The same as source ids and the target's.

    Notes
    -----
    Ranks nothing while folded in or out of the window.
    """

    merge_wanted = Signal(tuple, int)
    pointed = Signal(frozenset)
    previewed = Signal(tuple, int)

    def __init__(self, study: Study, selection: Selection, status: StatusLine) -> None:
        super().__init__()
        self.setObjectName("dgc_suggestions")
        self._study = study
        self._status = status
        self._swatches = Swatches()
        self._lit = False
        self._shown = frozenset[int]()  # the pair that others were told of
        self._rejected = study.view.rejected
        self.queue = SuggestionQueue(study, selection)
        self._renewal = QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.timeout.connect(self.renew)
        self._make_widgets()
        self._lay_out()
        self._connect(selection)

    # -- what the user can do -------------------------------------------------

    def pass_on(self) -> None:
        """Show the next suggestion; if none was looked at, the first."""
        seen = self._lit
        if not self._ready():
            return
        if seen:
            self.queue.pass_on()
        self._light(True)

    def accept(self) -> None:
        """Merge as suggested; what was not looked at yet is only shown."""
        seen = self._looked_at()
        if not self._ready():
            return
        current = self.queue.current
        if current is not None and seen:
            self.merge_wanted.emit((current.source,), current.target)
            self._lit = True  # the next one, once all has followed the step
        else:
            self._light(True)

    def reject(self) -> None:
        """Never suggest this again; what was not looked at yet is only shown."""
        seen = self._looked_at()
        if not self._ready():
            return
        if seen:
            self.queue.reject()
            self.queue.renew()
        self._light(True)

    def forget_rejections(self) -> None:
        """Suggest again what was rejected."""
        self.queue.forget_rejections()

    def _ready(self) -> bool:
        """Whether there are groups to merge; opens the panel. Else says why not."""
        if not self.isEnabled():
            return False
        if self._study.grouping is None:
            self._status.say(_NO_MAP)
            return False
        if not self.arrow.isChecked():
            self.arrow.setChecked(True)
        elif self._renewal.isActive() or not self.isVisible():
            self.renew(at_once=True)
        return True

    def _looked_at(self) -> bool:
        in_sight = not self.reasons.visibleRegion().isEmpty()
        return self._lit or (self.arrow.isChecked() and in_sight)

    def _light(self, on: bool) -> None:
        self._lit = on
        self._show()
        current = self.queue.current
        if on and self.queue.fault:
            self._status.say(self.queue.fault)
        elif on and current is not None and not self.underMouse():
            # By key: the panel may be out of sight, this line is not.
            self._status.say(f"{self._question()} A: yes · R: never · N: next")

    # -- what is shown ----------------------------------------------------------

    def follow(self) -> None:
        """Renew once everything else has followed a step."""
        self._renewal.start(0)

    def renew(self, *, at_once: bool = False) -> None:
        """Rank the pairs and show the first not passed over; nothing if folded in."""
        self._renewal.stop()
        if self.arrow.isChecked() and (at_once or self.isVisible()):
            self.queue.renew()
            self._show()

    def _show(self) -> None:
        grouping, queue = self._study.grouping, self.queue
        open_, current = self.arrow.isChecked(), self.queue.current
        there = open_ and grouping is not None and current is not None
        for widget in (self.source_swatch, self.into, self.target_swatch, self.reasons):
            widget.setVisible(there)
        for button in (self.accept_button, self.reject_button, self.next_button):
            button.setEnabled(there)
        count = len(queue.rejected)
        self.forget_button.setVisible(bool(count))
        self.forget_button.setText(f"Forget rejections ({count})")
        self.row.setVisible(open_ and (there or bool(count)))
        self.question.setVisible(there or not open_)
        self.fault.setVisible(open_ and not there)
        self.fault.setText(queue.fault)
        self.count.setText(f"{queue.place:,} of {len(queue):,}" if there else "")
        if there and grouping is not None and current is not None:
            for label, id in (
                (self.source_swatch, current.source),
                (self.target_swatch, current.target),
            ):
                icon = self._swatches[grouping.group(id).color]
                label.setPixmap(icon.pixmap(SWATCH, SWATCH))
            cubes = self._cubes()
            self.reasons.setText(word_reasons(current.reasons, cubes))
            self.reasons.setToolTip(explain_reasons(current.reasons, cubes))
            self.question.setToolTip(self._question())
        self._fit_question()
        self._tell()

    def _cubes(self) -> int:
        places = range(len(self._study.cubes))
        return sum(self._study.statistics(i) is not None for i in places)

    def _question(self, room: int | None = None) -> str:
        """Ask, in `room` pixels if given."""
        grouping, current, like = self._study.grouping, self.queue.current, self.like
        if not self.arrow.isChecked():
            return _CLOSED
        if grouping is None or current is None:
            return ""
        names = [grouping.group(id).name for id in (current.source, current.target)]
        form = "Like {1}: merge {0} into it?" if like else "Merge {0} into {1}?"
        if room is not None:
            metrics = self.question.fontMetrics()
            names = fit_names(metrics, form, names, room)
        return form.format(*names)

    @property
    def like(self) -> bool:
        """Whether the queue is of what goes into the selected group."""
        return self.queue.like is not None

    def _fit_question(self) -> None:
        self.question.setText(self._question(self.question.width()))

    def _tell(self) -> None:
        """Tell which pair is looked at, where that has changed."""
        current = self.queue.current
        pair = frozenset[int]()
        if self._lit and current is not None and self.arrow.isChecked():
            pair = frozenset((current.source, current.target))
        if not (pair or self._shown):
            return
        self._shown = pair
        self.pointed.emit(pair)
        if pair and current is not None:
            self.previewed.emit((current.source,), current.target)
        else:
            self.previewed.emit((), -1)

    # -- what follows from it -----------------------------------------------------

    def _on_numbers_changed(self, *_: object) -> None:
        self.queue.forget()
        self.follow()

    def _on_model_changed(self, *_: object) -> None:
        self.queue.start_over()
        self._on_numbers_changed()

    def _on_view_changed(self, view) -> None:
        if view.rejected != self._rejected:
            self._rejected = view.rejected
            self.follow()

    def _on_selection_changed(self, *_: object) -> None:
        self._lit = self.underMouse()
        self.follow()

    def _on_next_clicked(self) -> None:
        self._lit = True
        self.pass_on()

    def _on_folded(self, open_: bool) -> None:
        self.arrow.setArrowType(
            Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow
        )
        if open_:
            self.renew(at_once=True)
        else:
            self._lit = False
            self._show()

    def let_go(self) -> None:
        """Be looked at no more, unless the mouse is here."""
        if self._lit and not self.underMouse():
            self._light(False)

    def enterEvent(self, event) -> None:
        """Be looked at."""
        super().enterEvent(event)
        self._light(True)

    def leaveEvent(self, event) -> None:
        """Be looked at no more."""
        super().leaveEvent(event)
        self._light(False)

    def showEvent(self, event) -> None:
        """Make up for what was missed."""
        super().showEvent(event)
        self.follow()

    def resizeEvent(self, event) -> None:
        """Cut the names to the new width."""
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._fit_question)

    # -- how it is made -----------------------------------------------------------

    def _make_widgets(self) -> None:
        self.arrow = QToolButton()
        self.arrow.setCheckable(True)
        self.arrow.setChecked(True)
        self.arrow.setAutoRaise(True)
        self.arrow.setArrowType(Qt.ArrowType.DownArrow)
        self.arrow.setToolTip(_TIP)
        self.source_swatch, self.target_swatch = QLabel(), QLabel()
        self.into = QLabel("→")
        self.question = QLabel()
        self.reasons = QLabel()
        self.fault = WrappedLabel()
        self.count = QLabel()
        self.count.setToolTip("Place of this suggestion among all, the likest first")
        for label in (self.question, self.reasons):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setSizePolicy(
                QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
            )
        self.accept_button = QPushButton("Accept")
        self.accept_button.setToolTip("Merge them; Ctrl+Z takes it back (A)")
        self.reject_button = QPushButton("Reject")
        self.reject_button.setToolTip("They do not belong together: never again (R)")
        self.next_button = QPushButton("Next")
        self.next_button.setToolTip("Leave it open and show the next one (N)")
        self.forget_button = QPushButton()
        self.forget_button.setToolTip("Suggest again what was rejected")

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
        for widget in (self.accept_button, self.reject_button, self.next_button):
            bottom.addWidget(widget)
        bottom.addWidget(self.count)
        bottom.addStretch()
        bottom.addWidget(self.forget_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self.reasons)
        layout.addWidget(self.row)

    def _connect(self, selection: Selection) -> None:
        study = self._study
        study.model_changed.connect(self._on_model_changed)
        study.map_changed.connect(self._on_numbers_changed)
        study.cubes_changed.connect(self._on_numbers_changed)
        study.view_changed.connect(self._on_view_changed)
        selection.changed.connect(self._on_selection_changed)
        self.arrow.toggled.connect(self._on_folded)
        self.accept_button.clicked.connect(self.accept)
        self.reject_button.clicked.connect(self.reject)
        self.next_button.clicked.connect(self._on_next_clicked)
        self.forget_button.clicked.connect(self.forget_rejections)


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
