"""Hide, solo, blink and split: the buttons below the group table, what they say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QWidget,
)

from napari_dgc.study import Study
from napari_dgc.ui.blinking import Blinker
from napari_dgc.ui.group_menu import SPLITS
from napari_dgc.ui.notices import StatusLine
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.visibility import Visibility

_SELECT = "Select groups first: click on the image or in the table."
_ONE = (
    "Select one cluster to split: a group of one, or a cluster of a group that is "
    "opened by the arrow beside it."
)
_ALL = "All shown"


class GroupTools(QWidget):
    """Says which groups are not drawn, and changes it for the selected ones.

    Signals
    -------
    split_wanted : int, bool
        A cluster shall be split: by connected pieces, or in two.
    stop_wanted : ()
        The split that is being worked out is not wanted any more.

    Parameters
    ----------
    study : Study
    selection : Selection
    visibility : Visibility
    status : StatusLine
        Told why nothing happened.
    """

    split_wanted = Signal(int, bool)
    stop_wanted = Signal()

    def __init__(
        self,
        study: Study,
        selection: Selection,
        visibility: Visibility,
        status: StatusLine,
    ) -> None:
        super().__init__()
        self._study = study
        self._selection = selection
        self._visibility = visibility
        self._status = status
        self.blinker = Blinker(study, visibility, self)
        self.hide_button = QPushButton("Hide")
        self.hide_button.setToolTip("Hide the selected groups, or show them again (V)")
        self.solo_button = QPushButton("Solo")
        self.solo_button.setCheckable(True)
        self.solo_button.setToolTip(
            "Show the selected groups alone; again: all as before (S)"
        )
        self.blink_button = QPushButton("Blink")
        self.blink_button.setCheckable(True)
        self.blink_button.setToolTip(
            "Let the selected groups blink for some seconds; again: stop (B)"
        )
        self.split_button = QPushButton("Split")
        self.split_button.setToolTip(
            "Make two clusters of the selected one, or one of each large piece it is "
            "in on the image"
        )
        menu = QMenu(self.split_button)
        for text, by_pieces in SPLITS:
            action = menu.addAction(text)
            action.triggered.connect(partial(self._on_split_chosen, by_pieces))
        self.split_button.setMenu(menu)
        self.stop_button = QPushButton("Stop")
        self.stop_button.setToolTip("Stop splitting; nothing has changed then")
        self.stop_button.setVisible(False)
        self.label = QLabel()
        self.progress = QProgressBar()
        self.progress.setRange(0, 100)
        self.progress.setVisible(False)
        self.more_button = QPushButton("More")
        self.more_button.setToolTip("Look closer at clusters and groups")
        self.menu = QMenu(self)
        self.more_button.setMenu(self.menu)
        self.all_button = QPushButton("All")
        self.all_button.setToolTip("Show all groups again")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for button in (
            self.hide_button,
            self.solo_button,
            self.blink_button,
            self.split_button,
            self.more_button,
            self.stop_button,
        ):
            layout.addWidget(button)
        layout.addWidget(self.label, stretch=1)
        layout.addWidget(self.progress, stretch=1)
        layout.addWidget(self.all_button)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self.hide_button.clicked.connect(self.toggle_hidden)
        self.solo_button.clicked.connect(self.toggle_solo)
        self.blink_button.clicked.connect(self.toggle_blink)
        self.all_button.clicked.connect(self.show_all)
        self.stop_button.clicked.connect(self.stop_wanted)
        self.blinker.changed.connect(self.refresh)
        self._visibility.changed.connect(self.refresh)
        self._selection.changed.connect(self._on_selection_changed)

    # -- what the user can do -------------------------------------------------

    def toggle_hidden(self) -> None:
        """Hide the selected groups; show them where all of them are hidden."""
        ids = self._chosen()
        if ids:
            hide = not ids <= self._visibility.resting
            self._visibility.hide(ids, hidden=hide)

    def toggle_solo(self) -> None:
        """Draw the selected groups alone, or all as before."""
        if self._visibility.solo:
            self._visibility.set_solo(())
        else:
            self._visibility.set_solo(self._chosen())
        self.refresh()

    def toggle_blink(self) -> None:
        """Let the selected groups blink, or stop it."""
        if self.blinker.active:
            self.blinker.stop()
        else:
            self.blinker.start(self._chosen())
        self.refresh()

    def split(self, by_pieces: bool = False) -> None:
        """Split the selected cluster; say so where there is not just one."""
        cluster = self._cluster()
        if not self.isEnabled() or self._study.grouping is None:
            return
        if cluster is None:
            self._status.say(_ONE)
        else:
            self.split_wanted.emit(cluster, by_pieces)

    def show_splitting(self, on: bool) -> None:
        """Offer to stop a split while it is worked out."""
        self.split_button.setVisible(not on)
        self.stop_button.setVisible(on)

    def show_all(self) -> None:
        """Draw all groups."""
        self._visibility.show_all()

    def offer(self, text: str, wish: Callable[[], object]) -> QAction:
        """Put something into the menu "More"."""
        action = self.menu.addAction(text)
        action.triggered.connect(lambda _=False: wish())
        return action

    def show_progress(self, done: float, tip: str = "") -> None:
        """Show how much of a long work is done, 0..1; -1: none is at work."""
        self.progress.setVisible(done >= 0)
        self.label.setVisible(done < 0)
        self.progress.setValue(round(100 * done))
        self.progress.setToolTip(tip)

    def refresh(self, *_: object) -> None:
        """Say how things are, and offer what makes sense."""
        grouping, visibility = self._study.grouping, self._visibility
        ids = frozenset() if grouping is None else frozenset(grouping.ids)
        chosen, hidden = self._selection.ids & ids, visibility.resting & ids
        solo = visibility.solo & ids
        self.label.setText(_word(len(hidden), len(solo), len(ids)))
        self.label.setToolTip(_explain(len(solo) or len(ids - hidden), len(ids)))
        self.hide_button.setText("Show" if chosen and chosen <= hidden else "Hide")
        self.hide_button.setEnabled(bool(chosen))
        self.solo_button.setEnabled(bool(chosen or solo))
        self.solo_button.setChecked(bool(solo))
        self.blink_button.setEnabled(bool(chosen) or self.blinker.active)
        self.blink_button.setChecked(self.blinker.active)
        self.all_button.setEnabled(bool(hidden))
        self.all_button.setVisible(bool(hidden))  # else its room is the label's

    def _chosen(self) -> frozenset[int]:
        """Give the selected groups; without any, or without a map, say so."""
        if not self.isEnabled() or self._study.grouping is None:
            return frozenset()
        if not self._selection.ids:
            self._status.say(_SELECT)
        return self._selection.ids

    def _cluster(self) -> int | None:
        """The one cluster that is selected, in whatever way; None for no such one."""
        grouping, selection = self._study.grouping, self._selection
        if grouping is None or len(selection.ids) + len(selection.members) != 1:
            return None
        clusters = tuple(selection.members)
        for id in selection.ids:
            clusters = grouping.group(id).clusters if id in grouping else ()
        return clusters[0] if len(clusters) == 1 else None

    def _on_split_chosen(self, by_pieces: bool, _: bool = False) -> None:
        self.split(by_pieces)

    def _on_selection_changed(self, ids: frozenset[int]) -> None:
        self.blinker.stop()
        self.refresh()


def _word(hidden: int, solo: int, total: int) -> str:
    """Say in short how many groups are not drawn; the buttons leave little room."""
    if solo:
        return f"<b>{solo} of {total}</b>"
    if hidden:
        return f"<b>{hidden} hidden</b>"
    return _ALL if total else ""


def _explain(shown: int, total: int) -> str:
    return f"{shown} of {total} groups are drawn; exports hold every group"
