"""What each step does, what it refuses, and how it travels as JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_dgc.merging import (
    Adopt,
    Cut,
    Group,
    Grouping,
    Merge,
    MergeError,
    Move,
    Part,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeApart,
    TakeOut,
    apply,
    cluster_color,
    operation_from_json,
)

START = Grouping.start(range(1, 7))


def after(*operations, start=START):
    for operation in operations:
        start = apply(start, operation).after
    return start


def test_the_start():
    assert START.ids == (1, 2, 3, 4, 5, 6)
    assert START.group(4) == Group(4, ((4,),), "Group 4", cluster_color(4))
    assert START.next_id == 7
    named = Grouping.start([5, 2], {2: "Tray"})
    assert [g.name for g in named.groups] == ["Group 5", "Tray"]
    assert Grouping.start([]).groups == ()


def test_merge_keeps_everything_of_the_target():
    prepared = after(
        Rename(4, "Lesion"), Recolor(4, (1, 2, 3)), SetRole(4, "lesion"), Merge((5,), 2)
    )
    change = apply(prepared, Merge((6, 2), 4))
    assert change.text == "merge 2, 6 into 4"
    assert change.after.ids == (1, 3, 4)
    assert change.after.group(4) == Group(
        4, ((2, 4, 5, 6),), "Lesion", (1, 2, 3), role="lesion"
    )
    assert change.after.group(4).value == 2
    assert change.after.by_value(2).id == 4
    assert change.removed == (2, 6)
    assert change.changed_clusters == (2, 4, 5, 6)
    assert change.changed_groups == (2, 4, 6)


def test_take_out():
    change = apply(after(Merge((2, 3), 5)), TakeOut(3))
    assert change.operation == TakeOut(3, new_group=7)
    assert change.after.ids == (1, 4, 5, 7, 6), "right below the group it left"
    assert change.after.group(7) == Group(7, ((3,),), "Group 3", cluster_color(3))
    assert change.after.group(5).atoms == ((2, 5),)
    assert change.added == (7,)


def test_clusters_taken_apart_are_groups_of_their_own_below_the_one_they_leave():
    merged = after(Merge((2, 3), 5), Merge((4,), 1))
    change = apply(merged, TakeApart((3, 4, 2)))
    assert change.operation == TakeApart((2, 3, 4), (7, 8, 9))
    assert change.after.ids == (1, 9, 5, 7, 8, 6)
    assert [change.after.group(id).clusters for id in (1, 5, 7, 8, 9)] == [
        (1,), (5,), (2,), (3,), (4,)
    ]  # fmt: skip
    assert change.after.next_id == 10
    assert change.text == "take clusters 2, 3, 4 out of 5, 1"
    assert apply(merged, change.operation).after == change.after


def test_of_a_group_taken_apart_wholly_the_lowest_cluster_keeps_it():
    merged = after(Merge((2, 3), 5), Rename(5, "Leaf"))
    change = apply(merged, TakeApart((2, 3, 5, 6)))
    assert change.operation == TakeApart((3, 5), (7, 8))
    assert change.after.group(5).name == "Leaf"
    assert change.after.group(5).clusters == (2,)
    assert apply(merged, change.operation).after == change.after


def test_move_ties_clusters_to_the_target_and_leaves_the_others():
    merged = after(Merge((2, 3), 5), Rename(4, "Lesion"), SetRole(4, "lesion"))
    change = apply(merged, Move((3, 2), 4))
    assert change.text == "move clusters 2, 3 into 4"
    assert change.after.ids == merged.ids
    assert change.after.group(4) == Group(
        4, ((2, 3, 4),), "Lesion", cluster_color(4), role="lesion"
    )
    assert change.after.group(5).atoms == ((5,),)
    assert change.changed_groups == (4, 5)
    assert apply(merged, Move((3, 4), 4)).after.group(4).clusters == (3, 4)


def test_a_group_whose_clusters_have_all_moved_is_gone():
    change = apply(after(Merge((2,), 5)), Move((2, 5, 3), 1))
    assert change.after == after(Merge((2, 3, 5), 1))
    assert change.removed == (3, 5)


def test_move_keeps_what_else_is_tied_together():
    cut = apply(after(Merge((2,), 1), Merge((4,), 3)), Cut(3, (
        Part(1, ((1, 2), (3, 4))), Part(5, ((5,),)), Part(6, ((6,),))
    ))).after  # fmt: skip
    moved = apply(cut, Move((3,), 6)).after
    assert moved.group(1).atoms == ((1, 2), (4,))


def test_a_new_group_never_looks_like_another():
    """Group 2 has grown and keeps name and colour; then cluster 2 leaves it."""
    grown = after(Merge((5,), 2), TakeOut(2))
    old, new = grown.group(2), grown.group(7)
    assert (old.name, old.color) == ("Group 2", cluster_color(2))
    assert new.name == "Group 2 (2)"
    assert new.color not in {g.color for g in grown.groups if g.id != 7}


def test_a_lock_guards_what_a_group_holds_and_only_that():
    locked = after(Merge((2,), 1), SetLock(1, True))
    for step in (
        Merge((3,), 1), Merge((1,), 3), TakeOut(2), TakeApart((2,)), TakeApart((2, 3)),
        Move((2,), 3), Move((3,), 1),
    ):  # fmt: skip
        with pytest.raises(MergeError, match="“Group 1” is locked"):
            apply(locked, step)
    assert after(Rename(1, "x"), SetRole(1, "ignore"), start=locked).group(1).locked
    assert after(SetLock(1, False), Merge((3,), 1), start=locked)


def test_role_and_texts():
    texts = [
        apply(START, SetRole(2, "lesion")).text,
        apply(after(SetRole(2, "lesion")), SetRole(2, None)).text,
        apply(START, SetLock(2, True)).text,
        apply(START, Recolor(2, (0, 0, 1))).text,
        apply(START, Rename(2, " Halo ")).text,
    ]
    assert texts == [
        "make 2 lesion",
        "clear the role of 2",
        "lock 2",
        "recolour 2",
        "rename 2 to “Halo”",
    ]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (Merge((), 1), "at least one"),
        (Merge((1,), 1), "into itself"),
        (Merge((2, 1), 1), "into itself"),
        (Merge((9,), 1), "no group 9"),
        (Merge((1,), 9), "no group 9"),
        (TakeOut(9), "cluster 9 is in no group"),
        (TakeOut(0), "cluster 0 is in no group"),
        (TakeOut(3), "alone in “Group 3”"),
        (TakeApart(()), "no cluster is named"),
        (TakeApart((3, 4)), "alone in their groups"),
        (TakeApart((9,)), "cluster 9 is in no group"),
        (Move((), 1), "no cluster is named"),
        (Move((1,), 1), "in it already"),
        (Move((1,), 9), "no group 9"),
        (Move((9,), 1), "cluster 9 is in no group"),
        (Rename(9, "x"), "no group 9"),
        (SetLock(9, True), "no group 9"),
        (Cut(0, ()), "ask for 1 or more"),
        (Cut(2, (Part(1, ((1, 2),)),)), "another grouping"),
        (Adopt(START.groups[1:]), "other clusters"),
        (Adopt((*START.groups, START.groups[0])), "same id"),
    ],
)
def test_what_is_refused(operation, words):
    with pytest.raises(MergeError, match=words):
        apply(START, operation)


def test_a_cut_cannot_bring_an_id_back():
    once = after(Merge((2,), 1))
    atoms = [atom for group in once.groups for atom in group.atoms]
    parts = [Part(group, (atom,)) for group, atom in zip([1, 3, 4, 5], atoms[:-1])]  # noqa: B905
    with pytest.raises(MergeError, match="given away before"):
        apply(once, Cut(5, (*parts, Part(2, (atoms[-1],)))))
    with pytest.raises(MergeError, match="same group id"):
        apply(once, Cut(5, (*parts, Part(5, (atoms[-1],)))))
    with pytest.raises(MergeError, match="given away before"):
        apply(once, TakeOut(2, new_group=2))
    with pytest.raises(MergeError, match="given away before"):
        apply(once, TakeApart((2,), (2,)))
    with pytest.raises(MergeError, match="cannot be their ids"):
        apply(once, TakeApart((2,), (7, 8)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Rename(1, " "),
        lambda: Rename(1, "two\nlines"),
        lambda: Recolor(1, (0, 0, 256)),
        lambda: Recolor(1, (0, 0)),
        lambda: Recolor(1, (0.5, 0, 0)),
        lambda: SetRole(1, "leaf"),
        lambda: Group(1, (), "x", (0, 0, 0)),
        lambda: Group(1, ((1,), (1, 2)), "x", (0, 0, 0)),
        lambda: Group(1, ((0,),), "x", (0, 0, 0)),
        lambda: Group(1, ((256,),), "x", (0, 0, 0)),
        lambda: Grouping((START.groups[0], START.groups[0]), 9),
        lambda: Grouping(START.groups, 6),
        lambda: Part(1, ((),)),
    ],
)
def test_values_that_cannot_be(make):
    with pytest.raises(MergeError):
        make()


def test_adopt_takes_over_a_recipe_and_gives_spent_ids_anew():
    spent = after(Merge((2,), 1))  # the id 2 is spent
    groups = after(Merge((1,), 2), Merge((4,), 3), TakeOut(4)).groups
    assert [g.id for g in groups] == [2, 3, 7, 5, 6]
    change = apply(spent, Adopt(groups))
    assert [g.clusters for g in change.after.groups] == [g.clusters for g in groups]
    assert change.after.ids == (8, 3, 7, 5, 6)
    assert change.after.next_id == 9
    assert apply(spent, change.operation).after == change.after
    assert change.text == "adopt 5 groups"


def test_numbers_from_arrays_become_plain():
    merge = Merge(tuple(np.array([3, 5], np.uint8)), np.int64(2))
    assert merge == Merge((3, 5), 2)
    assert json.dumps(merge.to_json())
    assert START.group_of(np.uint8(3)).id == 3


@pytest.mark.parametrize(
    "operation",
    [
        Merge((3, 5), 2),
        TakeOut(3),
        TakeOut(3, 17),
        TakeApart((3, 4)),
        TakeApart((3, 4), (17, 18)),
        Move((3, 5), 2),
        Rename(1, "Läsion ✓"),
        Recolor(1, (0, 128, 255)),
        SetRole(1, "healthy"),
        SetRole(1, None),
        SetLock(2, True),
        Cut(2, (Part(1, ((1, 4), (2,))), Part(9, ((3,),)))),
        Adopt(START.groups),
    ],
)
def test_json_there_and_back(operation):
    text = json.dumps(operation.to_json())
    assert operation_from_json(json.loads(text)) == operation


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "not a JSON object"),
        ({}, "no field 'step'"),
        ({"step": "explode"}, "no step called 'explode'"),
        ({"step": "merge", "sources": [1]}, "no field 'target'"),
        ({"step": "merge", "sources": 1, "target": 2}, "should be a list"),
        ({"step": "merge", "sources": [True], "target": 2}, "whole number"),
        ({"step": "merge", "sources": [1.0], "target": 2}, "whole number"),
        ({"step": "rename", "group": 1, "name": 7}, "should be text"),
        ({"step": "recolor", "group": 1, "color": "red"}, "such as #1a2b3c"),
        ({"step": "recolor", "group": 1, "color": "#12345g"}, "such as #1a2b3c"),
        ({"step": "set role", "group": 1, "role": "x"}, "a role is one of"),
        ({"step": "move", "clusters": 3, "target": 2}, "should be a list"),
        ({"step": "take apart", "clusters": [3], "new_groups": 7}, "should be a list"),
        ({"step": "set lock", "group": 1, "locked": 1}, "true or false"),
        (
            {"step": "cut", "granularity": 1, "parts": [{"group": 1, "atoms": [1]}]},
            "should be a list",
        ),
    ],
)
def test_damaged_json_says_what_is_wrong(data, words):
    with pytest.raises(ValueError, match=words):
        operation_from_json(data)


def test_look_ups():
    assert 3 in START
    assert 9 not in START
    with pytest.raises(MergeError, match="label value 5"):
        after(Merge((5,), 2)).by_value(5)
    lut = after(Merge((2,), 5)).lut()
    assert lut[[0, 1, 2, 5, 6, 7, 255]].tolist() == [0, 1, 2, 2, 6, 0, 0]
