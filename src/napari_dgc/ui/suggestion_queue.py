"""Which merge is suggested now: ranked anew after every step, with what was passed."""

from __future__ import annotations

from dataclasses import replace

from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.merging.suggestions import Ranking, Suggester, Suggestion
from napari_dgc.study import Study
from napari_dgc.study.clusters import known_clusters
from napari_dgc.study.view import Rejected
from napari_dgc.ui.selection import Selection

_ONE = "Nothing left to suggest: all is one group."
_NONE = (
    "Nothing left to suggest: what remains is locked, rejected, empty or of "
    "different roles."
)


class SuggestionQueue:
    """A ranked queue of merges, of which one is looked at.

    Nothing is computed before `renew`.

    Parameters
    ----------
    study : Study
    selection : Selection
        With exactly one group selected, the queue is of what may go into it.

    Attributes
    ----------
    like : Group or None
        The selected group that the queue is for.
    fault : str
        Why there is nothing to suggest; empty where there is something.
    """

    def __init__(self, study: Study, selection: Selection) -> None:
        self._study = study
        self._selection = selection
        self._suggester: Suggester | None = None
        self._ranking = Ranking()
        self._at = 0
        # Ids of the pairs passed over; they come again when all have been seen.
        self._passed: set[frozenset[int]] = set()
        self.like: Group | None = None
        self.fault = ""

    # -- what is looked at ----------------------------------------------------

    @property
    def current(self) -> Suggestion | None:
        """The suggestion looked at."""
        return self._ranking[self._at] if self._at < len(self._ranking) else None

    @property
    def place(self) -> int:
        """Its place in the ranking, from 1."""
        return self._at + 1

    def __len__(self) -> int:
        """How many there are."""
        return len(self._ranking)

    def forget(self) -> None:
        """Gather all numbers anew: model, maps or cubes are others."""
        self._suggester = None

    def renew(self) -> None:
        """Rank the pairs of the present grouping; about 5 ms at K = 128."""
        grouping = self._study.grouping
        self._ranking, self.like, self.fault = Ranking(), None, ""
        if self._suggester is None:
            self._suggester = self._gather()
        if grouping is not None and self._suggester is not None:
            self._rank(grouping, self._suggester)
        self._seek()

    def _rank(self, grouping: Grouping, suggester: Suggester) -> None:
        ranking = suggester.suggest(
            grouping,
            rejected=[(frozenset(a), frozenset(b)) for a, b in self.rejected],
        )
        ids = self._selection.ids
        if len(ids) == 1 and not self._selection.members and ids <= set(grouping.ids):
            (id,) = ids
            self.like = grouping.group(id)
            ranking = ranking.into(id)
        self._ranking = ranking
        if not ranking:
            self.fault = self._why(grouping)

    def _gather(self) -> Suggester | None:
        """Take the numbers of model and maps: 30 ms for K = 128 and 100 cubes."""
        study, known = self._study, known_clusters(self._study)
        if known is None:
            return None
        found = (study.statistics(i) for i in range(len(study.cubes)))
        return Suggester(
            known.ids,
            known.mean_spectra,
            known.counts,
            known.centroids,
            [statistics for statistics in found if statistics is not None],
        )

    def _why(self, grouping: Grouping) -> str:
        if len(grouping.groups) < 2:
            return _ONE
        if self.like is None:
            return _NONE
        if self.like.locked:
            return f"{self.like.name} is locked: nothing is suggested for it."
        return f"Nothing left to suggest for {self.like.name}. Esc: for all groups."

    def _seek(self) -> None:
        """Go to the first that was not passed over; after the last, begin anew."""
        for at in range(len(self._ranking)):
            if _pair(self._ranking[at]) not in self._passed:
                self._at = at
                return
        self._passed.clear()
        self._at = 0

    # -- what the user decides --------------------------------------------------

    def pass_on(self) -> None:
        """Go to the next; after the last, to the first."""
        if self.current is not None:
            self._passed.add(_pair(self.current))
            self._seek()

    def start_over(self) -> None:
        """Know of no passed pairs: groups are others."""
        self._passed.clear()

    def reject(self) -> None:
        """Never suggest the present pair, nor what it becomes; kept in the view."""
        grouping, current = self._study.grouping, self.current
        if grouping is not None and current is not None:
            one, other = grouping.group(current.source), grouping.group(current.target)
            view = self._study.view
            self._study.set_view(view.rejecting(one.clusters, other.clusters))

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """Pairs rejected, as the study keeps them."""
        return self._study.view.rejected

    def forget_rejections(self) -> None:
        """Suggest all pairs again."""
        self._study.set_view(replace(self._study.view, rejected=()))


def _pair(suggestion: Suggestion) -> frozenset[int]:
    return frozenset((suggestion.source, suggestion.target))
