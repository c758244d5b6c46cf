"""The cut to begin with: where the tree parts most clearly, and when it is offered."""

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
from napari_dgc.merging.beginning import (
    FEWEST,
    MOST,
    Beginning,
    may_begin,
    suggest_beginning,
)

K, C = 16, 30
MATERIALS = 4  # clusters 1..4, 5..8, 9..12 and 13..16 are of one each


def tree_of(materials: int, spread: float = 0.02):
    rng = np.random.default_rng(7)
    pure = np.eye(materials, C) + 0.1
    spectra = pure[np.arange(K) * materials // K] + spread * rng.random((K, C))
    return build_tree(spectra, np.full(K, 10))


@pytest.fixture
def tree():
    return tree_of(MATERIALS)


@pytest.fixture
def history() -> History:
    return History(Grouping.start(range(1, K + 1)))


def parts(history: History) -> set[tuple[int, ...]]:
    return {group.clusters for group in history.current.groups}


def test_the_widest_gap_of_the_tree_is_offered_with_its_forks(tree, history) -> None:
    found = suggest_beginning(tree, history)
    assert found is not None
    heights = np.degrees(tree.linkage[:, 2])
    assert found == Beginning(MATERIALS, heights[-MATERIALS], heights[1 - MATERIALS])
    assert found.joined < 5 < 20 < found.apart
    history.do(tree.cut(history.current, found.groups))
    assert parts(history) == {tuple(range(i, i + 4)) for i in (1, 5, 9, 13)}


@pytest.mark.parametrize("materials", [2, 5, 8])
def test_it_is_never_below_three_nor_above_eight(materials: int, history) -> None:
    found = suggest_beginning(tree_of(materials), history)
    assert found is not None
    assert FEWEST <= found.groups <= MOST
    if materials >= FEWEST:
        assert found.groups == materials


def test_groups_that_are_few_already_are_left_alone(tree, history) -> None:
    history.do(Merge((2, 3, 4), 1))
    history.do(Merge((6, 7, 8), 5))
    history.do(Merge((10, 11, 12), 9))
    assert suggest_beginning(tree, history) is not None, "7 are left, for 4"
    history.do(Merge((14, 15), 13))
    assert suggest_beginning(tree, history) is None
    # Among so few only what is far apart could be joined.
    assert not may_begin(4)
    assert may_begin(5)
    five = build_tree(np.eye(5, C), np.full(5, 10))
    assert suggest_beginning(five, History(Grouping.start(range(1, 6)))) is None


def test_work_by_hand_is_never_redone(tree, history) -> None:
    history.do(Merge((5,), 1))  # of two materials: no cut takes it apart
    found = suggest_beginning(tree, history)
    assert found is not None
    history.do(tree.cut(history.current, found.groups))
    assert any({1, 5} <= set(clusters) for clusters in parts(history))
    assert suggest_beginning(tree, history) is None, "a cut was made"
    history.undo()
    history.undo()
    assert suggest_beginning(tree, history) is not None
    history.do(Merge((2,), 1))
    history.do(TakeOut(2))
    assert suggest_beginning(tree, history) is None


def test_locked_groups_count_and_stay(tree, history) -> None:
    history.do(SetLock(1, True))
    found = suggest_beginning(tree, history)
    assert found is not None
    assert found.groups == MATERIALS + 1
    history.do(tree.cut(history.current, found.groups))
    assert len(history.current.groups) == MATERIALS + 1
    assert history.current.group(1).clusters == (1,)


@pytest.mark.parametrize(
    ("steps", "rejected", "apart"),
    [
        ([], [((9,), (11,))], (9, 11)),
        ([SetRole(5, "lesion"), SetRole(6, "healthy")], [], (5, 6)),
        ([Rename(13, "Vein"), Rename(15, "Lamina")], [], (13, 15)),
    ],
)
def test_roles_names_and_rejected_pairs_stay_apart(
    tree, history, steps, rejected, apart
) -> None:
    for step in (SetRole(1, "healthy"), SetRole(2, "healthy"), *steps):
        history.do(step)  # two of one role may be together
    pairs = [(frozenset(one), frozenset(other)) for one, other in rejected]
    found = suggest_beginning(tree, history, rejected=pairs)
    assert found is not None
    assert found.groups > MATERIALS
    history.do(tree.cut(history.current, found.groups))
    one, other = map(history.current.group_of, apart)
    assert one != other


def test_nothing_is_offered_where_every_cut_joins_what_must_not(tree, history) -> None:
    pairs = [(frozenset({c}), frozenset({c + 1})) for c in range(1, K)]
    assert suggest_beginning(tree, history, rejected=pairs) is None


def test_a_tree_of_other_clusters_is_refused(tree) -> None:
    with pytest.raises(MergeError):
        suggest_beginning(tree, History(Grouping.start(range(2, K + 2))))
