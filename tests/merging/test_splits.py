"""Splits as steps: what they do to groups, the tree, and sums."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_dgc.merging import (
    Centers,
    Grouping,
    History,
    Merge,
    MergeError,
    Pieces,
    Recipe,
    Rename,
    SetLock,
    Split,
    StatisticsBuilder,
    build_tree,
    operation_from_json,
)
from napari_dgc.merging.refining import (
    choose_pieces,
    divide,
    fold_lut,
    fold_statistics,
    mask_digest,
    shares,
)
from napari_dgc.merging.split_tree import with_splits
from napari_dgc.merging.splits import free_ids

CENTERS = Centers(((1.0, 0.0), (0.6, 0.8)))
TWO = Split(2, (5,), (30, 10), CENTERS)


def started(k: int = 4) -> History:
    return History(Grouping.start(range(1, k + 1)))


def tree(k: int = 4):
    rng = np.random.default_rng(k)
    return build_tree(rng.random((k, 6)), rng.integers(10, 99, k))


@pytest.mark.parametrize(
    "split",
    [
        TWO,
        replace(TWO, new_groups=(9,)),
        Split(2, (5, 6), (1, 2, 3), Pieces("叶", "ab12", True), ()),
    ],
)
def test_a_split_goes_through_json(split: Split):
    text = json.dumps(split.to_json())
    assert operation_from_json(json.loads(text)) == split


def test_float32_centroids_keep_every_bit():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2, 13)).astype(np.float32)
    split = Split(1, (3,), (1, 1), Centers(tuple(map(tuple, rows.tolist()))))
    back = operation_from_json(json.loads(json.dumps(split.to_json())))
    assert (np.array(back.rule.values, np.float32) == rows).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(parts=[2]), "cannot be split into"),
        (lambda d: d.update(parts=[]), "cannot be split into"),
        (lambda d: d.update(parts=[256]), "from 1 to 255"),
        (lambda d: d.update(pixels=[1]), "how many pixels"),
        (lambda d: d.update(centers=[[1.0, 0.0]]), "two centroids"),
        (lambda d: d.update(centers=[[1.0], [1.0, 0.0]]), "one length"),
        (lambda d: d.update(centers=[[1.0], ["x"]]), "no number"),
        (lambda d: d.update(centers=[[1.0], [0.5], [0.1]]), "one centroid for each"),
        (lambda d: d.pop("centers"), "no field 'pieces'"),
    ],
)
def test_damage_is_named(change, words):
    data = TWO.to_json()
    change(data)
    with pytest.raises(ValueError, match=words):
        operation_from_json(data)


def test_a_cluster_alone_becomes_two_groups_one_below_the_other():
    history = started()
    history.do(Rename(2, "Leaf"))
    change = history.do(TWO)
    assert history.current.ids == (1, 2, 5, 3, 4)
    assert history.current.group(2).name == "Leaf"
    assert history.current.group(5).name == "Group 5"
    assert change.operation.new_groups == (5,)
    assert history.splits == (change.operation,)
    history.undo()
    assert history.splits == ()
    assert history.current.clusters == (1, 2, 3, 4)
    again = History.replay(Grouping.start(range(1, 5)), history.steps)
    assert again.current.ids == (1, 2, 5, 3, 4)


def test_in_a_group_made_by_hand_the_parts_stay_tied():
    history = started()
    history.do(Merge((3,), 2))
    history.do(TWO)
    assert history.current.group(2).atoms == ((2, 3, 5),)


def test_in_a_group_made_by_a_cut_the_parts_are_free():
    history, clusters = started(), tree()
    history.do(clusters.cut(history.current, 1))
    history.do(TWO)
    (group,) = history.current.groups
    assert group.atoms == ((1,), (2,), (3,), (4,), (5,))
    grown = with_splits(clusters, history.splits)
    history.do(grown.cut(history.current, 5, history.origins()))
    assert len(history.current.groups) == 5
    assert history.current.group_of(2).name == "Group 2"


def test_a_name_comes_back_to_the_larger_part_after_a_coarse_cut():
    history, clusters = started(), tree()
    history.do(Rename(2, "Leaf"))
    history.do(clusters.cut(history.current, 1))
    history.do(replace(TWO, pixels=(1, 99)))
    grown = with_splits(clusters, history.splits)
    history.do(grown.cut(history.current, 5, history.origins()))
    assert history.current.group_of(5).name == "Leaf"


def test_what_cannot_be_split_is_refused():
    history = started()
    history.do(SetLock(2, True))
    with pytest.raises(MergeError, match="locked"):
        history.do(TWO)
    with pytest.raises(MergeError, match="in use already"):
        history.do(Split(1, (3,), (1, 1), CENTERS))
    with pytest.raises(MergeError, match="in no group"):
        history.do(Split(9, (10,), (1, 1), CENTERS))
    with pytest.raises(MergeError, match="cannot be the ids"):
        history.do(Split(1, (5,), (1, 1), CENTERS, (7, 8)))


def test_ids_are_the_next_ones_then_gaps_then_none():
    assert free_ids([1, 3, 4], 2) == (5, 6)
    assert free_ids([1, 3, 253], 4) == (254, 255, 2, 4)
    assert free_ids(range(1, 255), 3) == (255,)
    with pytest.raises(MergeError, match="all 255"):
        free_ids(range(1, 256), 1)


@pytest.mark.parametrize("k", [1, 2, 5, 16])
def test_parts_join_their_cluster_before_it_joins_another(k: int):
    clusters = tree(k)
    splits = [
        Split(1, (k + 1,), (3, 1), CENTERS),
        Split(k + 1, (k + 2,), (1, 1), CENTERS),
        Split(k, (k + 3, k + 4), (1, 1, 2), Pieces("a", "b", False)),
    ]
    grown = with_splits(clusters, splits)
    assert sorted(grown.cluster_ids) == list(range(1, k + 5))
    assert len(grown.linkage) == k + 3
    assert (np.diff(grown.linkage[:, 2]) >= 0).all()
    assert grown.counts.sum() == clusters.counts.sum()
    into = fold_lut(splits)
    below = [{int(into[id])} for id in grown.cluster_ids]
    joined = []
    for left, right, *_ in grown.linkage:
        a, b = below[int(left)], below[int(right)]
        below.append(a | b)
        if a != b:
            assert not a & b, "parts of one cluster are on both sides"
            joined.append(a | b)
    assert grown.linkage[-1, 3] == k + 4
    # What is left of the joins is the tree as it was.
    before = [{id} for id in clusters.cluster_ids]
    for left, right, *_ in clusters.linkage:
        before.append(before[int(left)] | before[int(right)])
    assert joined == before[k:]


def test_pieces_large_and_small():
    mask = np.zeros((20, 20), bool)
    mask[:5, :5] = mask[10:16, :8] = True  # 25 and 48
    assert choose_pieces(mask)[0].tolist() == [25]
    assert choose_pieces(mask)[1], "without small ones the largest keeps the id"
    mask[18, 18] = True
    sizes, keeps_largest = choose_pieces(mask)
    assert sizes.tolist() == [48, 25]
    assert not keeps_largest
    clusters = np.where(mask, np.uint8(2), np.uint8(1))
    split = Split(2, (7, 9), (1, 48, 25), Pieces("a", mask_digest(mask), False))
    refined = divide(clusters, split)
    assert (refined[10:16, :8] == 7).all()
    assert (refined[:5, :5] == 9).all()
    assert refined[18, 18] == 2
    assert (fold_lut([split])[refined] == clusters).all()
    clusters[19, 0] = 2
    assert divide(clusters, split) is None, "another map"


def test_one_piece_or_crumbs_are_not_worth_it():
    mask = np.zeros((20, 20), bool)
    assert not choose_pieces(mask)[0].size
    mask[:5, :5] = True
    assert not choose_pieces(mask)[0].size
    crumbs = np.zeros((20, 20), bool)
    crumbs[::3, ::3] = True
    assert not choose_pieces(crumbs)[0].size


def test_folded_sums_are_those_of_the_folded_map():
    rng = np.random.default_rng(1)
    splits = [
        TWO,
        Split(5, (6, 8), (1, 1, 1), CENTERS_3),
        Split(1, (7,), (1, 1), CENTERS),
    ]
    fine = rng.integers(0, 9, (15, 11)).astype(np.uint8)
    cube, sure = rng.random((3, 15, 11)), rng.random((15, 11))

    def sums(clusters):
        builder = StatisticsBuilder(8, 3)
        builder.add(clusters, sure, cube)
        return builder.finish(clusters)

    lut = fold_lut(splits)
    folded, expected = fold_statistics(sums(fine), lut), sums(lut[fine])
    np.testing.assert_array_equal(folded.count, expected.count)
    np.testing.assert_array_equal(folded.boundary, expected.boundary)
    np.testing.assert_allclose(folded.sum, expected.sum, rtol=1e-6)
    np.testing.assert_allclose(folded.sum_squares, expected.sum_squares, rtol=1e-6)
    np.testing.assert_allclose(folded.confidence, expected.confidence, rtol=1e-6)


CENTERS_3 = Centers(((1.0, 0.0), (0.6, 0.8), (0.0, 1.0)))


def test_shares_add_up():
    assert shares((1, 1, 1), 10) == [3, 4, 3]
    assert shares((0, 0), 5) == [5, 0]
    assert sum(shares((7, 11, 13), 101)) == 101


def test_a_recipe_carries_splits_and_checks_them():
    history = started()
    history.do(TWO)
    prints = {id: f"c{id}" for id in range(1, 5)}
    recipe = Recipe.of(history.current, "m", prints, history.splits)
    data = json.loads(json.dumps(recipe.to_json()))
    assert Recipe.from_json(data) == recipe
    assert data["version"] == 2
    assert data["splits"][0]["centers"] == [[1.0, 0.0], [0.6, 0.8]]
    data["splits"] = []
    with pytest.raises(ValueError, match="no centroid"):
        Recipe.from_json(data)
    data["splits"] = [TWO.to_json(), TWO.to_json()]
    with pytest.raises(ValueError, match="cannot be split so"):
        Recipe.from_json(data)
