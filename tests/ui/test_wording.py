"""What the status line says of each step, its undoing and redoing, and of training."""

from __future__ import annotations

import pytest

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.history import History
from napari_dgc.merging.steps import (
    Merge,
    Move,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeApart,
    TakeOut,
)
from napari_dgc.ui.wording import (
    word_change,
    word_names,
    word_offer,
    word_outcome,
    word_step,
    word_stop,
)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Merge((1, 3), 2), "merged Cloth, Group 3 into Group 2"),
        (Rename(2, "Vein"), "renamed Group 2 to Vein"),
        (Recolor(2, (1, 2, 3)), "coloured Group 2"),
        (SetRole(2, "lesion"), "Group 2 has the role lesion"),
        (SetLock(2, True), "locked Group 2"),
        (TakeOut(5), "took cluster 5 out of Group 4"),
        (TakeApart((4, 5)), "took cluster 5 out of Group 4"),
        (Move((3, 5), 1), "moved clusters 3, 5 into Cloth"),
    ],
)
def test_steps_are_told_by_name(step, said):
    history = History(Grouping.start(range(1, 7), {1: "Cloth"}))
    history.do(Merge((5,), 4))
    assert word_change(history.do(step)) == f"{said[:1].upper()}{said[1:]}."
    assert word_step(history.last) == said
    assert word_change(history.undo()) == f"Undone: {said}."
    assert word_step(history.next) == said
    assert word_change(history.redo()) == f"Done again: {said}."
    assert word_step(history.next) == ""


def test_many_names_are_counted():
    assert word_names("abcd") == "a, b, c, d"
    assert word_names("abcde") == "a, b, c and 2 more"


@pytest.mark.parametrize(
    ("kept_step", "scores", "more", "said"),
    [
        (
            0, (0.98, 0.98), {},
            "Training found nothing better than the first map, which is kept.",
        ),
        (
            75, (0.98, 1.05), {},
            "Training has improved the map (score 1.05, first map 0.98).",
        ),
        (
            75, (1.051, 1.054), {"ended_at": 275},
            "Training ended by itself at step 275. Training has improved the map "
            "(score 1.054, first map 1.051).",
        ),
        (
            0, (0.98, 0.98), {"ended_at": 50, "collapsed": True},
            "Clusters began to melt together, so training was ended. The first map is "
            "kept.",
        ),
        (
            25, (0.98, 1.05), {"ended_at": 50, "collapsed": True},
            "Clusters began to melt together, so training was ended. The better map of "
            "step 25 is kept (score 1.05, first map 0.98).",
        ),
    ],
)  # fmt: skip
def test_what_has_come_of_training(kept_step, scores, more, said):
    assert word_outcome(kept_step, *scores, **more) == said


def test_what_stop_keeps_and_offers():
    assert "first map is kept" in word_stop(0)
    assert "that of step 25" in word_stop(25)
    assert "takes its first map instead" in word_offer(0)
    assert "takes the best so far, of step 25, instead" in word_offer(25)
