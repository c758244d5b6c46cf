"""Properties that hold for any steps, valid and refused, in any order."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_dgc.merging import (
    ROLES,
    ClusterTree,
    Grouping,
    History,
    Merge,
    MergeError,
    Move,
    Operation,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeApart,
    TakeOut,
    build_tree,
    operation_from_json,
)

K = 9
Make = Callable[[Grouping], Operation]


def small_tree(k: int = K, seed: int = 0) -> ClusterTree:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 50, k)
    counts[:2] = 0, 30
    return build_tree(rng.random((k, 12)), counts, rng.normal(size=(k, 4)))


TREE = small_tree()

START = Grouping.start(range(1, K + 1))

_ids = st.integers(0, K + 6)  # some of them never exist
_channel = st.integers(0, 255)


def _fixed(operation: Operation) -> Make:
    return lambda grouping: operation


def _cut(n: int) -> Make:
    return lambda grouping: TREE.cut(grouping, n)


def _merge_rows(rows: list[int]) -> Make:
    """Merge by place in the table, so that most drawn merges are valid."""

    def make(grouping: Grouping) -> Operation:
        ids = [grouping.ids[row % len(grouping.ids)] for row in rows]
        return Merge(tuple(ids[1:]), ids[0])

    return make


_clusters = st.lists(st.integers(1, K), max_size=4).map(tuple)

makers: st.SearchStrategy[Make] = st.one_of(
    st.builds(Merge, st.lists(_ids, max_size=3).map(tuple), _ids).map(_fixed),
    st.lists(st.integers(0, K), min_size=1, max_size=4).map(_merge_rows),
    st.builds(TakeOut, st.integers(0, K + 1)).map(_fixed),
    st.builds(TakeApart, _clusters).map(_fixed),
    st.builds(Move, _clusters, _ids).map(_fixed),
    st.builds(Rename, _ids, st.sampled_from(["Lesion", "Blatt", "叶"])).map(_fixed),
    st.builds(Recolor, _ids, st.tuples(_channel, _channel, _channel)).map(_fixed),
    st.builds(SetRole, _ids, st.sampled_from([None, *ROLES])).map(_fixed),
    st.builds(SetLock, _ids, st.booleans()).map(_fixed),
    st.integers(0, K + 1).map(_cut),
)


def take(history: History, make: Make) -> bool:
    """Take a drawn step; whether it was recorded."""
    before = history.current
    try:
        return history.do(make(before)).changed
    except MergeError:
        pass
    assert history.current is before, "a refused step changes nothing"
    return False


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
            case TakeApart(leaving, new_groups):
                for cluster, new_group in zip(leaving, new_groups, strict=True):
                    owner[clusters == cluster] = new_group
            case Move(moved, target):
                owner[np.isin(clusters, moved)] = target
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
