"""Groups under other clusters, against matching by trying everything."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from napari_dgc.merging.carrying import carry, count_overlap, match_clusters
from napari_dgc.merging.grouping import Group, Grouping, default_name
from napari_dgc.merging.history import History
from napari_dgc.merging.operations import Merge, Rename, SetLock, SetRole
from napari_dgc.merging.palette import cluster_color
from napari_dgc.merging.steps import Adopt, Recolor, TakeOut


def relabelled(clusters: np.ndarray, new: dict[int, int]) -> np.ndarray:
    lut = np.zeros(256, np.uint8)
    for old, id in new.items():
        lut[old] = id
    return lut[clusters]


def grouped(k: int, *steps) -> Grouping:
    return History.replay(Grouping.start(range(1, k + 1)), steps).current


def labels(groups, clusters: np.ndarray) -> np.ndarray:
    """Group ids pixel by pixel."""
    out = np.zeros(clusters.shape, int)
    for group in groups:
        out[np.isin(clusters, group.clusters)] = group.id
    return out


@pytest.fixture
def scene() -> np.ndarray:
    """Patches of 6 clusters of different sizes, and pixels without data."""
    rng = np.random.default_rng(0)
    ids = rng.choice(7, (12, 10), p=[0.1, 0.3, 0.2, 0.15, 0.12, 0.08, 0.05])
    return ids.repeat(5, 0).repeat(4, 1).astype(np.uint8)


def test_overlap_counts_pixels_one_by_one():
    rng = np.random.default_rng(1)
    old, new = rng.integers(0, 256, (2, 40, 30), np.uint8)
    table = np.zeros((256, 256), int)
    for a, b in zip(old.ravel(), new.ravel(), strict=True):
        table[a, b] += 1
    np.testing.assert_array_equal(count_overlap(old, new), table)


def test_maps_of_other_sizes_do_not_overlap():
    with pytest.raises(ValueError, match="do not overlap"):
        count_overlap(np.zeros((3, 4), np.uint8), np.zeros((4, 3), np.uint8))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k_new", [3, 5, 6])
def test_matching_is_the_best_of_all_matchings(seed, k_new):
    rng = np.random.default_rng(seed)
    k_old = 5
    old = rng.integers(0, k_old + 1, (9, 11)).astype(np.uint8)
    new = np.where(rng.random(old.shape) < 0.5, old, rng.integers(0, 9, old.shape))
    new = (new % (k_new + 1)).astype(np.uint8)

    def union(a: int, b: int) -> float:
        if not (a and b):
            return 0.0
        one, other = old == a, new == b
        either = (one & (new > 0)) | (other & (old > 0))
        return (one & other).sum() / max(1, either.sum())

    size = max(k_old, k_new)
    alike = np.zeros((size, size))
    for a, b in product(range(k_old), range(k_new)):
        alike[a, b] = union(a + 1, b + 1)
    best = max(
        sum(alike[i, p] for i, p in enumerate(order))
        for order in permutations(range(size))
    )
    pairs = match_clusters(count_overlap(old, new))
    assert sum(pair.overlap for pair in pairs) == pytest.approx(best)
    assert len({p.old for p in pairs}) == len({p.new for p in pairs}) == len(pairs)
    for pair in pairs:
        assert pair.overlap == pytest.approx(union(pair.old, pair.new))
        assert pair.overlap > 0


def test_the_same_map_with_other_ids_keeps_everything(scene):
    grouping = grouped(
        6,
        Merge((2, 5), 1),
        Rename(1, "Leaf"),
        SetRole(1, "healthy"),
        Rename(6, "Spot"),
        SetRole(6, "lesion"),
        SetLock(6, True),
        Recolor(3, (1, 2, 3)),
    )
    new = {1: 12, 2: 3, 3: 1, 4: 7, 5: 200, 6: 2}
    carried = carry(
        grouping, count_overlap(scene, relabelled(scene, new)), new.values()
    )
    by_name = {group.name: group for group in carried.groups}
    assert by_name["Leaf"].clusters == (3, 12, 200)
    assert by_name["Leaf"].atoms == ((3, 12, 200),)  # tied by hand: no cut parts it
    assert by_name["Leaf"].role == "healthy"
    assert by_name["Spot"].clusters == (2,)
    assert by_name["Spot"].locked
    assert by_name["Spot"].role == "lesion"
    recolored = next(g for g in carried.groups if g.color == (1, 2, 3))
    assert recolored.clusters == (1,)
    assert recolored.name == default_name(1)
    assert by_name[default_name(7)].color == cluster_color(7)
    assert carried.kept == 3
    assert not carried.unmatched
    assert not carried.lost
    assert not carried.joined
    assert {(p.old, p.new) for p in carried.pairs} == set(new.items())
    assert all(pair.overlap == 1 for pair in carried.pairs)
    before = labels(grouping.groups, scene)
    after = labels(carried.groups, relabelled(scene, new))
    for id in (1, 6, 3):
        np.testing.assert_array_equal(before == id, after == id)


def test_atoms_of_the_tree_stay_apart(scene):
    """What a cut has put together may be taken apart again, afterwards too."""
    group = Group(1, ((1,), (2, 3)), "Leaf", (9, 9, 9))
    rest = [Group(i, ((i,),), f"Cluster {i}", cluster_color(i)) for i in (4, 5, 6)]
    new = {1: 4, 2: 6, 3: 5, 4: 3, 5: 2, 6: 1}
    overlap = count_overlap(scene, relabelled(scene, new))
    carried = carry(Grouping((group, *rest), 7), overlap, new.values())
    assert carried.groups[0].atoms == ((4,), (5, 6))


def test_a_new_cluster_inside_a_group_of_the_users_joins_it(scene):
    """Cluster 1 is two now: one is its partner, both are leaf."""
    split = scene.copy()
    split[(scene == 1) & (np.arange(scene.shape[1]) < 12)] = 7
    grouping = grouped(6, Merge((2,), 1), Rename(1, "Leaf"))
    carried = carry(grouping, count_overlap(scene, split), range(1, 8))
    leaf = carried.groups[0]
    assert leaf.name == "Leaf"
    assert leaf.clusters == (1, 2, 7)
    assert carried.joined in ((7,), (1,))
    np.testing.assert_array_equal(
        labels(grouping.groups, scene) == 1, labels(carried.groups, split) == 1
    )


def test_a_new_cluster_inside_an_untouched_one_stays_by_itself(scene):
    split = scene.copy()
    split[(scene == 1) & (np.arange(scene.shape[1]) < 12)] = 7
    carried = carry(grouped(6), count_overlap(scene, split), range(1, 8))
    assert [group.clusters for group in carried.groups] == [(i,) for i in range(1, 8)]
    assert len(carried.pairs) == 6
    assert carried.unmatched in ((7,), (1,))
    assert carried.kept == 0


def test_a_group_whose_pixels_went_elsewhere_is_said_to_be_lost(scene):
    eaten = np.where(scene == 6, 1, scene)  # the rare one is in the common one now
    grouping = grouped(6, Rename(1, "Leaf"), Rename(6, "Spot"), SetRole(6, "lesion"))
    carried = carry(grouping, count_overlap(scene, eaten), range(1, 7))
    assert [(lost.group.name, lost.into) for lost in carried.lost] == [("Spot", "Leaf")]
    assert all(group.name != "Spot" for group in carried.groups)
    assert carried.groups[0].clusters == (1,)
    # 6 holds no pixel: nothing to match, and nothing to tell of.
    assert carried.unmatched == ()


def test_no_group_takes_what_was_mostly_something_else():
    """Forced pairs of the Hungarian method do not get into a lesion."""
    old = np.array([[1] * 90 + [2] * 10], np.uint8)
    new = np.array([[1] * 50 + [2] * 50], np.uint8)  # 10 of 50 pixels of 2 were lesion
    grouping = grouped(2, Rename(2, "Spot"), SetRole(2, "lesion"))
    carried = carry(grouping, count_overlap(old, new), (1, 2))
    assert [lost.group.name for lost in carried.lost] == ["Spot"]
    assert carried.unmatched == (2,)


@pytest.mark.parametrize("seed", range(8))
def test_masks_of_the_users_groups_overlap_as_the_rule_says(seed):
    """Any maps: every cluster once, and most of it where its group was."""
    rng = np.random.default_rng(seed)
    old = rng.integers(0, 9, (8, 9)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
    noise = rng.integers(0, 12, (16, 18)).repeat(2, 0).repeat(2, 1)
    new = np.where(noise < 6, old, noise).astype(np.uint8)
    grouping = grouped(
        8, Merge((2, 3), 1), Merge((5,), 4), TakeOut(3), Rename(6, "Spot"),
    )  # fmt: skip
    ids = [*range(1, 12), 77]
    carried = carry(grouping, count_overlap(old, new), ids)
    assert sorted(c for group in carried.groups for c in group.clusters) == ids
    names = {group.name: group for group in grouping.groups}
    by_id = {group.id: group for group in grouping.groups}
    for group in carried.groups[: carried.kept]:
        was = np.isin(old, by_id[group.id].clusters)
        for cluster in group.clusters:
            here = (new == cluster) & (old > 0)
            assert was[here].mean() > 0.5
    assert len({g.name for g in carried.groups}) == len(carried.groups)
    assert "Spot" in names
    # The study can take it as one step, and take it back.
    history = History(Grouping.start(ids))
    history.do(Adopt(carried.groups))
    assert history.current.clusters == tuple(ids)
    history.undo()
    assert history.current == Grouping.start(ids)
