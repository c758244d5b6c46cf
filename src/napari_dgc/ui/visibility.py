"""Which groups are drawn: hidden ones are kept with the study, solo ones are not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from psygnal import Signal

from napari_dgc.study import Study
from napari_dgc.study.view import View


class Visibility:
    """Hides groups; for a while, all but some.

    Attributes
    ----------
    changed : Signal
        Emitted, without a value, when another set of groups is drawn.
    """

    changed = Signal()

    def __init__(self, study: Study) -> None:
        self._study = study
        self._solo: frozenset[int] = frozenset()
        study.view_changed.connect(self._on_view_changed)
        self._hidden = study.view.hidden

    @property
    def hidden(self) -> frozenset[int]:
        """Ids of groups not drawn."""
        grouping = self._study.grouping
        if grouping is None or not self._solo & set(grouping.ids):
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
        """Hide these groups too, or show them again."""
        old, ids = self._study.view.hidden, frozenset(ids)
        self.set_hidden(old | ids if hidden else old - ids)

    def set_solo(self, ids: Iterable[int]) -> None:
        """Draw these groups alone; none: as before."""
        new = frozenset(ids)
        if new != self._solo:
            self._solo = new
            self.changed.emit()

    def _on_view_changed(self, view: View) -> None:
        if view.hidden != self._hidden:
            self._hidden = view.hidden
            self.changed.emit()
