"""A suggestion as a question with its reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari_dgc.merging.beginning import Beginning
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.palette import Color
from napari_dgc.study import Study
from napari_dgc.ui.merge_wording import (
    explain_beginning,
    explain_reasons,
    word_beginning,
    word_reasons,
    word_unstable,
)
from napari_dgc.ui.suggestion_queue import Offer

_ASK = "Merge {0} into {1}?"
_ASK_LIKE = "Like {1}: merge {0}?"
_ASK_CUT = "Begin with {} groups?"
_CLOSED = "Suggestions: what to merge next (N)"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, and why.

    Attributes
    ----------
    form : str
        The question, with a place for each name.
    names, colors : tuple
        Of source and target; empty where it is about no pair.
    short, long : str
        The reasons in a line, and at length.
    """

    form: str
    names: tuple[str, ...]
    colors: tuple[Color, ...]
    short: str
    long: str

    @property
    def text(self) -> str:
        """The whole question."""
        return self.form.format(*self.names)


def word_offer(offer: Offer | None) -> str:
    """Say in one line what there is: a cut can be accepted at once."""
    if isinstance(offer, Beginning):
        return f"{_ASK_CUT.format(offer.groups)} A yes · N why, and more"
    return _CLOSED


def ask_about(
    study: Study,
    grouping: Grouping,
    offer: Offer,
    *,
    like: bool,
    stable: Callable[[tuple[int, ...]], float | None],
) -> Asked:
    """Put a suggestion into words.

    Parameters
    ----------
    study : Study
    grouping : Grouping
        The present one, which the suggestion is for.
    offer : Beginning or Suggestion
    like : bool
        Whether the target is the group that was selected.
    stable : callable
        How stable clusters are together, 0..1; None where unknown.
    """
    if isinstance(offer, Beginning):
        form = _ASK_CUT.format(offer.groups)
        return Asked(form, (), (), word_beginning(offer), explain_beginning(offer))
    pair = grouping.group(offer.source), grouping.group(offer.target)
    cubes = sum(study.statistics(i) is not None for i in range(len(study.cubes)))
    warnings = [word_unstable(group.name, stable(group.clusters)) for group in pair]
    unstable = "".join(f"\n{warning}" for warning in warnings if warning)
    return Asked(
        _ASK_LIKE if like else _ASK,
        tuple(group.name for group in pair),
        tuple(group.color for group in pair),
        word_reasons(offer.reasons, cubes) + unstable,
        explain_reasons(offer.reasons, cubes) + unstable,
    )
