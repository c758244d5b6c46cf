"""Undo, redo, replay: for any steps in any order."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from merging_strategies import K, TREE, makers, take

from napari_dgc.merging import (
    Grouping,
    History,
    Merge,
    MergeError,
    Rename,
    SetLock,
    SetRole,
    TakeOut,
    operation_from_json,
)

START = Grouping.start(range(1, K + 1))
steps = st.lists(makers, max_size=12)


@given(steps)
def test_all_undone_is_the_start_and_all_redone_the_end(drawn):
    history = History(START)
    seen = [history.current]
    for make in drawn:
        if take(history, make):
            seen.append(history.current)
    for expected in reversed(seen[:-1]):
        change = history.undo()
        assert change.after == history.current == expected
    assert history.current == START
    assert not history.can_undo
    assert history.undo() is None
    for expected in seen[1:]:
        change = history.redo()
        assert change.after == history.current == expected
    assert not history.can_redo
    assert history.redo() is None


@given(steps)
def test_the_log_replays_through_json_without_the_tree(drawn):
    history = History(START)
    for make in drawn:
        take(history, make)
    log = json.loads(json.dumps([step.to_json() for step in history.operations]))
    again = History.replay(START, map(operation_from_json, log))
    assert again.current == history.current
    assert again.operations == history.operations


@given(st.lists(st.one_of(makers, st.sampled_from(["undo", "redo"])), max_size=25))
def test_with_undo_and_redo_in_between_the_log_still_replays(drawn):
    history = History(START)
    for action in drawn:
        if action == "undo":
            history.undo()
        elif action == "redo":
            history.redo()
        else:
            take(history, action)
    assert History.replay(START, history.operations).current == history.current


@given(st.lists(st.one_of(makers, st.just("undo")), max_size=25))
def test_a_group_id_never_stands_for_two_births(drawn):
    history = History(START)
    given_away = set(START.ids)
    for action in drawn:
        if action == "undo":
            history.undo()
            continue
        if take(history, action):
            born = set(history.current.ids) - set(history.base.ids)
            assert not born & given_away, "an id came back, its caches are stale"
            given_away |= born


@settings(max_examples=60)
@given(steps, st.integers(0, 2**32 - 1))
def test_the_group_map_is_what_rewriting_pixels_gives(drawn, seed):
    """A model that does everything the slow way: on pixels, by cluster and group."""
    clusters = np.random.default_rng(seed).integers(0, K + 1, (13, 17))
    owner = clusters.copy()  # the group id of every pixel; 0 stays 0
    history = History(START)
    for make in drawn:
        if not take(history, make):
            continue
        step = history.operations[-1]
        match step:
            case Merge(sources, target):
                for source in sources:
                    owner[owner == source] = target
            case TakeOut(cluster, new_group):
                owner[clusters == cluster] = new_group
            case _ if hasattr(step, "parts"):
                for part in step.parts:
                    owner[np.isin(clusters, [c for a in part.atoms for c in a])] = (
                        part.group
                    )
        painted = np.zeros_like(clusters)
        members = {
            id: [c for c in range(1, K + 1) if history.current.group_of(c).id == id]
            for id in history.current.ids
        }
        for id, held in members.items():
            painted[owner == id] = min(held)
        lut = history.current.lut()
        assert lut.dtype == np.uint8
        assert lut.shape == (256,)
        np.testing.assert_array_equal(lut[clusters], painted)


@given(steps)
def test_every_cluster_is_in_exactly_one_group_and_changes_tell_what_moved(drawn):
    history = History(START)
    for make in drawn:
        before = history.current
        if not take(history, make):
            continue
        after = history.current
        held = sorted(c for group in after.groups for c in group.clusters)
        assert held == list(range(1, K + 1))
        assert all(group.value == min(group.clusters) for group in after.groups)
        change = history.undo()
        moved = {
            c
            for c in held
            if (before.group_of(c).id, before.group_of(c).value)
            != (after.group_of(c).id, after.group_of(c).value)
        }
        assert set(change.changed_clusters) == moved
        same = set(before.groups) & set(after.groups)
        assert not {group.id for group in same} & set(change.changed_groups)
        assert set(change.added) == set(before.ids) - set(after.ids)
        assert set(change.removed) == set(after.ids) - set(before.ids)
        assert history.redo().changed_clusters == change.changed_clusters


@given(steps)
def test_rows_that_stay_keep_their_order(drawn):
    history = History(START)
    for make in drawn:
        before = history.current.ids
        take(history, make)
        after = history.current.ids
        both = set(before) & set(after)
        assert [i for i in before if i in both] == [i for i in after if i in both]


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
    for nothing in (Rename(1, "Cluster 1"), SetLock(2, False), TREE.cut(START, K)):
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
