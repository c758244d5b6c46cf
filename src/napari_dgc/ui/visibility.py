"""Which groups are drawn: hidden ones are kept with the study, solo ones are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from psygnal import Signal

from napari_dgc.merging.operations import Change
from napari_dgc.study import Study
from napari_dgc.study.view import View
from napari_dgc.ui.selection import follow


class Visibility:
    """Hides groups; for a while all but some, or some now and then.

    Attributes
    ----------
    changed : Signal
        Emitted, without a value, when another set of groups is drawn, but for a
        step on the groups, after which all is drawn anew.
    """

    changed = Signal()

    def __init__(self, study: Study) -> None:
        self._study = study
        self._solo: frozenset[int] = frozenset()
        self._blinking: frozenset[int] = frozenset()
        self._lit = True
        study.view_changed.connect(self._on_view_changed)
        study.grouping_changed.connect(self._on_grouping_changed)
        self._hidden = study.view.hidden

    @property
    def hidden(self) -> frozenset[int]:
        """Ids of groups not drawn at this moment."""
        if self._lit:
            return self.resting - self._blinking
        return self.resting | self._blinking

    @property
    def resting(self) -> frozenset[int]:
        """Ids of groups not drawn, blinking left aside."""
        grouping = self._study.grouping
        if grouping is None or not self._solo:
            return self._study.view.hidden
        return frozenset(grouping.ids) - self._solo

    @property
    def solo(self) -> frozenset[int]:
        """Ids of the groups that alone are drawn; empty: all that are not hidden."""
        return self._solo

    def set_hidden(self, ids: Iterable[int]) -> None:
        """Hide these groups and no other."""
        self._study.set_view(replace(self._study.view, hidden=frozenset(ids)))

    def hide(self, ids: Iterable[int], hidden: bool = True) -> None:
        """Hide these groups too, or show them again; in solo, for as long as it is."""
        ids = frozenset(ids)
        if self._solo:
            self.set_solo(self._solo - ids if hidden else self._solo | ids)
        else:
            old = self._study.view.hidden
            self.set_hidden(old | ids if hidden else old - ids)

    def toggle(self, id: int) -> None:
        """Hide a group that is drawn, show one that is not."""
        self.hide({id}, hidden=id not in self.resting)

    def set_solo(self, ids: Iterable[int]) -> None:
        """Draw these groups alone; none: as before."""
        new = frozenset(ids)
        if new != self._solo:
            self._solo = new
            self.changed.emit()

    def show_all(self) -> None:
        """Draw all groups."""
        self.set_solo(())
        self.set_hidden(())

    def blink(self, ids: Iterable[int], lit: bool) -> None:
        """For now draw these groups, hidden or not, or leave them out; none: ends."""
        before = self.hidden
        self._blinking, self._lit = frozenset(ids), lit
        if self.hidden != before:
            self.changed.emit()

    def _on_view_changed(self, view: View) -> None:
        if view.hidden != self._hidden:
            self._hidden = view.hidden
            self.changed.emit()

    def _on_grouping_changed(self, change: Change | None) -> None:
        """Follow the groups; whoever draws them asks for what is hidden."""
        self._blinking, self._lit = frozenset(), True
        self._solo = frozenset() if change is None else follow(self._solo, change)
