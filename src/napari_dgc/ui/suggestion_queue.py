"""What is suggested now: ranked anew after every step, with what was passed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from napari_dgc.merging.beginning import Beginning, suggest_beginning
from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.merging.ranking import Ranking, Suggestion
from napari_dgc.merging.suggestions import Rejection, Suggester
from napari_dgc.study import Study
from napari_dgc.study.clusters import known_clusters
from napari_dgc.study.view import Rejected
from napari_dgc.ui.selection import Selection

_ONE = "Nothing left to suggest: all is one group."
_NONE = (
    "Nothing left to suggest: what remains is locked, rejected, empty or of "
    "different roles."
)
_FAR = "Nothing more to suggest: the closest pair is {0:.0f}° apart."
_FAR_LIKE = (
    "Nothing more is like {1}: the closest is {0:.0f}° apart. Esc: for all groups."
)

Offer = Beginning | Suggestion
"""A cut to begin with, or a pair."""


class SuggestionQueue:
    """A cut to begin with, then a ranked queue of merges: one is looked at.

    Nothing is computed before `renew`.

    Parameters
    ----------
    study : Study
    selection : Selection
        With exactly one group selected by the user, the queue is of what may go
        into it.

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
        self._made: Suggester | None = None
        self._beginning: Beginning | None = None
        self._ranking = Ranking()
        self._at = 0
        # Those passed over, by `_key`, in that order; all come again when every one
        # has been seen, and the way back stays.
        self._passed: set[frozenset[int]] = set()
        self._trail: list[frozenset[int]] = []
        # A step may move the selection to a group that nobody chose.
        self._chosen = frozenset[int]()
        self._followed: Grouping | None = None
        self.like: Group | None = None
        self.fault = ""

    # -- what is looked at ----------------------------------------------------

    @property
    def current(self) -> Offer | None:
        """The suggestion looked at."""
        return self._offer(self._at) if self._at < len(self) else None

    @property
    def place(self) -> int:
        """Its place in the queue, from 1."""
        return self._at + 1

    def __len__(self) -> int:
        """How many there are."""
        return len(self._ranking) + (self._beginning is not None)

    def angle(self, sources: Iterable[int], target: int) -> float:
        """Angle between groups and a target, in degrees, as suggestions tell it.

        NaN without a pixel or a model.
        """
        grouping, suggester = self._study.grouping, self._suggester()
        if grouping is None or suggester is None:
            return math.nan
        return suggester.angle(grouping, sources, target)

    def forget(self) -> None:
        """Gather all numbers anew: model, maps or cubes are others."""
        self._made = None

    def renew(self, *, pairs: bool = True) -> None:
        """Look at the present grouping; about 5 ms at K = 128.

        Parameters
        ----------
        pairs : bool
            Rank these too; else the cut alone is offered.
        """
        grouping, view = self._study.grouping, self._study.view
        rejected = [(frozenset(a), frozenset(b)) for a, b in view.rejected]
        self._ranking, self._beginning = Ranking(), None
        self.like, self.fault = self._wanted(), ""
        if self.like is None:
            self._beginning = self._begin(rejected)
        if grouping is not None and pairs and (made := self._suggester()) is not None:
            ranking = made.suggest(grouping, rejected=rejected)
            like = self.like
            self._ranking = ranking if like is None else ranking.into(like.id)
            if not len(self):
                self.fault = self._why(grouping)
        self._seek()

    def _offer(self, at: int) -> Offer:
        if self._beginning is None:
            return self._ranking[at]
        return self._ranking[at - 1] if at else self._beginning

    def _wanted(self) -> Group | None:
        """Give the one group that the user has selected."""
        grouping, selected = self._study.grouping, self._selection
        ids = selected.ids & self._chosen
        if grouping is None or selected.members or len(selected.ids) != 1:
            return None
        return next((grouping.group(id) for id in ids if id in grouping), None)

    def _begin(self, rejected: Iterable[Rejection]) -> Beginning | None:
        study = self._study
        if study.tree is None or study.history is None or study.view.cut_rejected:
            return None
        return suggest_beginning(study.tree, study.history, rejected=rejected)

    def _suggester(self) -> Suggester | None:
        """Take the numbers of model and maps, once: 30 ms for K = 128, 100 cubes."""
        study = self._study
        if self._made is None and (known := known_clusters(study)) is not None:
            found = (study.statistics(i) for i in range(len(study.cubes)))
            self._made = Suggester(
                known.ids,
                known.mean_spectra,
                known.counts,
                known.centroids,
                [statistics for statistics in found if statistics is not None],
            )
        return self._made

    def _why(self, grouping: Grouping) -> str:
        if len(grouping.groups) < 2:
            return _ONE
        closest, like = self._ranking.closest, self.like
        if like is not None and like.locked:
            return f"{like.name} is locked: nothing is suggested for it."
        if math.isfinite(closest):
            form = _FAR if like is None else _FAR_LIKE
            return form.format(closest, "" if like is None else like.name)
        if like is None:
            return _NONE
        return f"Nothing left to suggest for {like.name}. Esc: for all groups."

    def _seek(self) -> None:
        """Go to the first that was not passed over; after the last, begin anew."""
        for at in range(len(self)):
            if _key(self._offer(at)) not in self._passed:
                self._at = at
                return
        self._passed.clear()
        self._at = 0

    # -- what the user decides --------------------------------------------------

    def pass_on(self) -> None:
        """Go to the next; after the last, to the first."""
        if self.current is not None:
            key = _key(self.current)
            self._passed.add(key)
            self._trail.append(key)
            self._seek()

    def go_back(self) -> bool:
        """Go to the one passed over last that is still there; False for none."""
        places = {_key(self._offer(at)): at for at in range(len(self))}
        there = [s for s, key in enumerate(self._trail)
                 if places.get(key, self._at) != self._at]  # fmt: skip
        if not there:
            return False
        key = self._trail[there[-1]]
        del self._trail[there[-1] :]
        self._passed.discard(key)
        self._at = places[key]
        return True

    def start_over(self) -> None:
        """Know of no passed pairs: groups are others."""
        self._passed.clear()
        self._trail.clear()

    def follow_selection(self) -> None:
        """Notice whom the user has selected; what a step has selected is no wish."""
        ids = self._selection.ids
        by_hand = self._followed is self._study.grouping
        self._chosen = ids if by_hand else self._chosen & ids

    @contextmanager
    def no_wish(self) -> Iterator[None]:
        """Take what is selected meanwhile for no wish of the user's."""
        chosen = self._chosen
        yield
        self._chosen = chosen & self._selection.ids

    def follow_step(self) -> None:
        """Notice that the groups are others, after the selection has followed."""
        self._followed = self._study.grouping

    def reject(self) -> None:
        """Never suggest the present one, nor what it becomes; kept in the view."""
        grouping, current, view = self._study.grouping, self.current, self._study.view
        if isinstance(current, Beginning):
            self._study.set_view(replace(view, cut_rejected=True))
        elif grouping is not None and current is not None:
            one, other = grouping.group(current.source), grouping.group(current.target)
            self._study.set_view(view.rejecting(one.clusters, other.clusters))

    @property
    def rejected(self) -> tuple[tuple[Rejected, ...], bool]:
        """Pairs rejected, and whether the cut was, as the study keeps them."""
        return self._study.view.rejected, self._study.view.cut_rejected

    def forget_rejections(self) -> None:
        """Suggest all of them again."""
        view = self._study.view
        self._study.set_view(replace(view, rejected=(), cut_rejected=False))


def _key(offer: Offer) -> frozenset[int]:
    """What a suggestion is known by from one ranking to the next."""
    if isinstance(offer, Beginning):
        return frozenset()
    return frozenset((offer.source, offer.target))
