"""The suggestions on the screen: a cut to begin with, one pair at a time, and why."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QTimer, Signal

from napari_dgc.merging.beginning import Beginning
from napari_dgc.merging.ranking import Suggestion
from napari_dgc.study import Study
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.suggestion_form import SuggestionForm
from napari_dgc.ui.suggestion_queue import Offer, SuggestionQueue
from napari_dgc.ui.suggestion_words import ask_about, word_offer

_FIRST = "This is the first suggestion: none was passed over before it."
_AFTER = 40  # ms after a step: the image is drawn first
_NO_MAP = "Make a map first: press First map."


class SuggestionsPanel(SuggestionForm):
    """Asks whether to cut the tree, and whether two groups belong together.

    Not there without a grouping.

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
    cut_wanted : int
        That to begin with so many groups was.
    unfolded : ()
    pointed : frozenset of int
        Ids of the pair while it is looked at: the mouse is over the panel, or a
        key came last. Empty when that is over.
    previewed : tuple of int, int
        The same as source ids and the target's.

    Notes
    -----
    Ranks no pairs while folded in, and does nothing out of the window. Folded in,
    its one line asks whether to begin with a cut.
    """

    merge_wanted = Signal(tuple, int)
    cut_wanted = Signal(int)
    pointed = Signal(frozenset)
    unfolded = Signal()
    previewed = Signal(tuple, int)

    def __init__(self, study: Study, selection: Selection, status: StatusLine) -> None:
        super().__init__()
        self._study = study
        self._status = status
        self._selection = selection
        self._lit = False
        self._stale = True  # the queue is of an earlier grouping
        self._shown = frozenset[int]()  # the pair that others were told of
        self._stable: Callable[[tuple[int, ...]], float | None] = lambda _: None
        self.queue = SuggestionQueue(study, selection)
        self._rejected = self.queue.rejected
        self._renewal = QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.timeout.connect(self.renew)
        self._connect(selection)

    # -- what the user can do -------------------------------------------------

    def pass_on(self) -> None:
        """Show the next suggestion; if none was looked at, the first."""
        seen = self._lit and self.arrow.isChecked()
        if not self._ready():
            return
        if seen:
            self.queue.pass_on()
        self._light(True)

    def go_back(self) -> None:
        """Show the suggestion passed over last."""
        if not self._ready():
            return
        gone = self.queue.go_back()
        self._light(True)
        if not gone and not self.queue.fault:
            self._status.say(_FIRST)

    def accept(self) -> None:
        """Do as suggested; what was not looked at yet is only shown."""
        seen = self._seen()
        if not self._ready():
            return
        current = self.queue.current
        if current is not None and current == seen:
            if isinstance(current, Beginning):
                self.cut_wanted.emit(current.groups)
            else:
                self._merge(current)
            self._lit = True  # the next one, once all has followed the step
        else:
            self._light(True)

    def _merge(self, pair: Suggestion) -> None:
        """Merge a pair and select what it has become, as a merge by hand does."""
        self.merge_wanted.emit((pair.source,), pair.target)
        grouping = self._study.grouping
        if grouping is not None and pair.source not in grouping:  # else it is refused
            self.queue.select(pair.target)

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

    def _seen(self) -> Offer | None:
        """Give what the user has before the eyes: all that a key may act on."""
        words = self.reasons if self.arrow.isChecked() else self.question
        in_sight = not words.visibleRegion().isEmpty()
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
        """Look at the groups anew and show the first suggestion not passed over."""
        self._renewal.stop()
        if at_once or self._lit or self.isVisible():
            self._stale = False
            self.queue.renew(pairs=self.arrow.isChecked())
            self._show()

    def _show(self) -> None:
        study, queue = self._study, self.queue
        grouping, current, (pairs, cut) = study.grouping, queue.current, queue.rejected
        rejected = len(pairs) + cut
        if not self.arrow.isChecked():
            self.show_closed(word_offer(current))
        elif grouping is None or current is None:
            self.show_fault(queue.fault, rejected)
        else:
            like = queue.like is not None
            self.show_asked(
                ask_about(study, grouping, current, like=like, stable=self._stable),
                (queue.place, len(queue)),
                rejected,
            )
        self._tell()

    def _tell(self) -> None:
        """Tell which pair is looked at, where that has changed."""
        current = self.queue.current
        pair = frozenset[int]()
        looked_at = self._lit and self.arrow.isChecked()
        merge: tuple[tuple[int, ...], int] = (), -1
        if looked_at and current is not None and not isinstance(current, Beginning):
            pair = frozenset((current.source, current.target))
            merge = (current.source,), current.target
        if not (pair or self._shown):
            return
        self._shown = pair
        self.pointed.emit(pair)
        self.previewed.emit(*merge)

    # -- what follows from it -----------------------------------------------------

    def _on_numbers_changed(self, *_: object) -> None:
        self.queue.forget()
        self.follow()

    def _on_model_changed(self, *_: object) -> None:
        self.queue.start_over()
        self._on_numbers_changed()

    def _on_view_changed(self, *_: object) -> None:
        if self.queue.rejected != self._rejected:
            self._rejected = self.queue.rejected
            self._stale = True
            self._renewal.start(0)

    def _on_selection_changed(self, *_: object) -> None:
        self._lit = self.underMouse()
        self.queue.follow_selection()
        self.follow()

    def _on_grouping_changed(self, *_: object) -> None:
        self.queue.follow_step()

    def _on_back_clicked(self) -> None:
        self._lit = True
        self.go_back()

    def _on_next_clicked(self) -> None:
        self._lit = True
        self.pass_on()

    def _on_folded(self, open_: bool) -> None:
        if open_:
            self.renew(at_once=True)
            self.unfolded.emit()
        else:
            self._lit = False
            self.renew(at_once=True)

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
        study.grouping_changed.connect(self._on_grouping_changed)
        study.cubes_changed.connect(self._on_numbers_changed)
        study.view_changed.connect(self._on_view_changed)
        selection.changed.connect(self._on_selection_changed)
        self.arrow.toggled.connect(self._on_folded)
        self.accept_button.clicked.connect(self.accept)
        self.reject_button.clicked.connect(self.reject)
        self.back_button.clicked.connect(self._on_back_clicked)
        self.next_button.clicked.connect(self._on_next_clicked)
        self.forget_button.clicked.connect(self.forget_rejections)
