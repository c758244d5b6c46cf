"""The suggestions on the screen: one pair of groups at a time, and why."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QTimer, Signal

from napari_dgc.merging.suggestions import Suggestion
from napari_dgc.study import Study
from napari_dgc.ui.merge_wording import explain_reasons, word_reasons, word_unstable
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.suggestion_form import SuggestionForm
from napari_dgc.ui.suggestion_queue import SuggestionQueue

_ASK = "Merge {0} into {1}?"
_ASK_LIKE = "Like {1}: merge {0}?"
_AFTER = 40  # ms after a step: the image is drawn first
_NO_MAP = "Make a map first: press First map."


class SuggestionsPanel(SuggestionForm):
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
    unfolded : ()
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
    unfolded = Signal()
    previewed = Signal(tuple, int)

    def __init__(self, study: Study, selection: Selection, status: StatusLine) -> None:
        super().__init__()
        self._study = study
        self._status = status
        self._lit = False
        self._stale = True  # the queue is of an earlier grouping
        self._shown = frozenset[int]()  # the pair that others were told of
        self._rejected = study.view.rejected
        self._stable: Callable[[tuple[int, ...]], float | None] = lambda _: None
        self.queue = SuggestionQueue(study, selection)
        self._renewal = QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.timeout.connect(self.renew)
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
        seen = self._seen()
        if not self._ready():
            return
        current = self.queue.current
        if current is not None and current == seen:
            self.merge_wanted.emit((current.source,), current.target)
            self._lit = True  # the next one, once all has followed the step
        else:
            self._light(True)

    def reject(self) -> None:
        """Never suggest this again; what was not looked at yet is only shown."""
        seen = self._seen()
        if not self._ready():
            return
        if seen is not None and self.queue.current == seen:
            self.queue.reject()
            self.queue.renew()
        self._light(True)

    def forget_rejections(self) -> None:
        """Suggest again what was rejected."""
        self.queue.forget_rejections()

    def set_stability(self, share: Callable[[tuple[int, ...]], float | None]) -> None:
        """Take over how stable clusters are together; call again when it changes."""
        self._stable = share
        self.follow()

    def _ready(self) -> bool:
        """Whether there are groups to merge; opens the panel. Else says why not."""
        if not self.isEnabled():
            return False
        if self._study.grouping is None:
            self._status.say(_NO_MAP)
            return False
        if not self.arrow.isChecked():
            self.arrow.setChecked(True)
        elif self._stale:
            self.renew(at_once=True)
        return True

    def _seen(self) -> Suggestion | None:
        """Give what the user has before the eyes: all that a key may act on."""
        in_sight = self.arrow.isChecked() and not self.reasons.visibleRegion().isEmpty()
        return self.queue.current if self._lit or in_sight else None

    def _light(self, on: bool) -> None:
        self._lit = on
        if self._stale:
            self.renew(at_once=True)
        else:
            self._show()
        current = self.queue.current
        if on and self.queue.fault:
            self._status.say(self.queue.fault)
        elif on and current is not None and not self.underMouse():
            # By key: the panel may be out of sight, this line is not.
            self._status.say(f"{self.question.toolTip()} A yes · R no · N next")

    # -- what is shown ----------------------------------------------------------

    def follow(self) -> None:
        """Renew once everything else has followed a step."""
        self._stale = True
        self._renewal.start(_AFTER)

    def renew(self, *, at_once: bool = False) -> None:
        """Rank the pairs and show the first not passed over; nothing if folded in."""
        self._renewal.stop()
        wanted = at_once or self._lit or self.isVisible()
        if self.arrow.isChecked() and wanted:
            self._stale = False
            self.queue.renew()
            self._show()

    def _show(self) -> None:
        grouping, queue = self._study.grouping, self.queue
        current, rejected = queue.current, len(queue.rejected)
        if not self.arrow.isChecked():
            self.show_closed()
        elif grouping is None or current is None:
            self.show_fault(queue.fault, rejected)
        else:
            source = grouping.group(current.source)
            target = grouping.group(current.target)
            cubes = self._cubes()
            warnings = [
                word_unstable(group.name, self._stable(group.clusters))
                for group in (source, target)
            ]
            unstable = "".join(f"\n{warning}" for warning in warnings if warning)
            self.show_pair(
                _ASK if queue.like is None else _ASK_LIKE,
                (source.name, target.name),
                (source.color, target.color),
                (
                    word_reasons(current.reasons, cubes) + unstable,
                    explain_reasons(current.reasons, cubes) + unstable,
                ),
                (queue.place, len(queue)),
                rejected,
            )
        self._tell()

    def _cubes(self) -> int:
        places = range(len(self._study.cubes))
        return sum(self._study.statistics(i) is not None for i in places)

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
            self._stale = True
            self._renewal.start(0)

    def _on_selection_changed(self, *_: object) -> None:
        self._lit = self.underMouse()
        self.follow()

    def _on_next_clicked(self) -> None:
        self._lit = True
        self.pass_on()

    def _on_folded(self, open_: bool) -> None:
        if open_:
            self.renew(at_once=True)
            self.unfolded.emit()
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
        self._light(self.isEnabled())

    def leaveEvent(self, event) -> None:
        """Be looked at no more."""
        super().leaveEvent(event)
        self._light(False)

    def showEvent(self, event) -> None:
        """Make up for what was missed."""
        super().showEvent(event)
        self.follow()

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
