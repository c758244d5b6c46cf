"""Undo, redo, amend: checkpoints one can read."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.merging import (
    Grouping,
    History,
    Merge,
    MergeError,
    Rename,
    SetLock,
    SetRole,
    TakeOut,
    build_tree,
)
from napari_dgc.merging.memory import remember

K = 9
START = Grouping.start(range(1, K + 1))
_rng = np.random.default_rng(0)
TREE = build_tree(_rng.random((K, 12)), _rng.integers(1, 50, K))


def test_merge_undo_redo_against_checkpoints():
    history = History(START)
    assert history.do(Merge((5, 3), 2)).text == "merge 3, 5 into 2"
    merged = history.current
    assert merged.group(2).clusters == (2, 3, 5)
    history.do(Rename(2, "Lesion"))
    history.do(SetRole(2, "lesion"))
    assert history.undo_text == "make 2 lesion"
    assert history.undo().text == "undo make 2 lesion"
    assert history.undo().text == "undo rename 2 to “Lesion”"
    assert history.current == merged
    assert history.redo().text == "redo rename 2 to “Lesion”"
    assert history.current.group(2).name == "Lesion"
    assert history.redo_text == "make 2 lesion"
    history.do(Merge((1,), 2))  # a new step drops what was undone
    assert not history.can_redo
    assert history.redo_text == ""


def test_a_step_that_changes_nothing_leaves_no_trace():
    history = History(START)
    history.do(SetLock(4, True))
    history.undo()
    for nothing in (Rename(1, "Group 1"), SetLock(2, False), TREE.cut(START, K)):
        change = history.do(nothing)
        assert not change.changed
        assert change.before is change.after is history.current
        assert change.changed_clusters == change.changed_groups == ()
    assert history.operations == ()
    assert history.can_redo, "doing nothing must not cost the user the redo"


def test_undone_ids_are_not_given_away_again():
    history = History(START)
    history.do(Merge((2, 3), 1))
    history.do(TakeOut(2))
    first = history.operations[-1].new_group
    history.undo()
    history.do(TakeOut(3))
    second = history.operations[-1].new_group
    assert second > first > K
    assert History.replay(START, history.operations).current == history.current


def test_a_slide_is_one_step_and_comes_back_with_names_and_roles():
    history = History(START)
    history.do(Rename(4, "Lesion"))
    history.do(SetRole(4, "lesion"))
    named = history.current
    shown = [history.do(TREE.cut(history.current, 6)).after]
    for n in (3, 1, 2, 5):
        change = history.amend(TREE.cut(history.base, n))
        assert change.before is shown[-1]
        assert len(change.after.groups) == n
        shown.append(change.after)
    assert len(history.operations) == 3
    assert history.undo().after == named
    assert history.redo().after == shown[-1]
    assert History.replay(START, history.operations).current == history.current
    back = history.amend(TREE.cut(history.base, K))
    assert back.after == named
    assert len(history.operations) == 2, "a slide back to where it began is no step"


def test_an_amendment_to_the_same_leaves_the_record_as_it_is():
    history = History(START)
    history.do(Merge((1,), 2))
    history.do(Merge((3,), 2))
    history.undo()
    before = history.current
    change = history.amend(Merge((1, 1), 2))
    assert not change.changed
    assert history.current is before
    assert history.can_redo


def test_a_history_is_restored_with_what_was_undone_and_the_ids_given_away():
    history = History(START)
    history.do(Merge((2, 3), 1))
    history.do(TakeOut(2))
    history.undo()
    history.do(Rename(1, "kept"))  # the step undone is on no record any more
    history.do(TREE.cut(history.current, 3))
    history.undo()
    again = History.restore(
        START, history.steps, history.index, history.current.next_id
    )
    assert again.current == history.current
    assert again.current.next_id == history.current.next_id
    assert (again.undo_text, again.redo_text) == (history.undo_text, history.redo_text)
    assert again.redo().after == history.redo().after
    assert again.do(TakeOut(3)) == history.do(TakeOut(3))


@pytest.mark.parametrize(
    ("steps", "index", "fault"),
    [
        ([Merge((2,), 1), Merge((2,), 1)], 2, "step 2 cannot be taken: there is no"),
        ([Merge((2,), 1), SetLock(1, False)], 2, "step 2 changes nothing"),
        ([Merge((2,), 1)], 2, "2 of 1 steps"),
        ([Merge((2,), 1)], -1, "-1 of 1 steps"),
    ],
)
def test_what_is_no_history_is_not_restored(steps, index, fault):
    with pytest.raises(MergeError, match=fault):
        History.restore(START, steps, index, 99)


def test_a_refused_amendment_changes_nothing():
    history = History(START)
    with pytest.raises(MergeError, match="no step"):
        history.amend(Merge((1,), 2))
    history.do(Merge((1,), 2))
    with pytest.raises(MergeError, match="no group 99"):
        history.amend(Merge((99,), 2))
    assert history.operations == (Merge((1,), 2),)


def test_a_thousand_steps_are_all_kept():
    history = History(START)
    for i in range(1000):
        history.do(Rename(1, f"name {i}"))
    while history.undo():
        pass
    assert history.current == START


def test_origins_are_those_of_all_steps_however_they_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    tree = build_tree(rng.random((8, 5)), rng.integers(1, 9, 8))
    history = History(Grouping.start(range(1, 9)))
    for _ in range(200):
        match rng.integers(5):
            case 0:
                history.undo()
            case 1:
                history.redo()
            case 2 if history.can_undo:
                cut = tree.cut(history.base, int(rng.integers(1, 9)))
                history.amend(cut)
            case 3:
                id = int(rng.choice(history.current.ids))
                history.do(Rename(id, f"Name {rng.integers(99)}"))
            case _:
                n = int(rng.integers(1, 9))
                history.do(tree.cut(history.current, n, history.origins()))
        for amend in (False, True) if history.can_undo else (False,):
            steps = history._changes[: history._index - amend]
            assert history.origins(amend=amend) == remember(steps)
