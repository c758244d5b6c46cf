"""The tree of clusters and its cuts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, is_valid_linkage

from napari_dgc.cubes.likeness import material_angles, spectral_angles
from napari_dgc.merging import (
    Grouping,
    History,
    Merge,
    MergeError,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    apply,
    build_tree,
    operation_from_json,
)


def partition(grouping):
    return {group.clusters for group in grouping.groups}


def is_coarser(coarse, fine):
    return all(any(set(f) <= set(c) for c in coarse) for f in fine)


def random_tree(k, seed, *, uncounted=0.3):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 100, k) * (rng.random(k) > uncounted)
    return build_tree(rng.random((k, 15)), counts, rng.normal(size=(k, 5)))


@pytest.mark.parametrize("k", [2, 7, 40])
def test_plain_cuts_are_those_of_scipy(k):
    tree = random_tree(k, seed=k, uncounted=0)
    start = Grouping.start(range(1, k + 1))
    for n in range(1, k + 1):
        labels = fcluster(tree.linkage, n, "maxclust")
        expected = {tuple(np.flatnonzero(labels == label) + 1) for label in set(labels)}
        assert partition(apply(start, tree.cut(start, n)).after) == expected


@given(st.integers(1, 30), st.integers(0, 10_000), st.floats(0, 1))
def test_linkage_is_valid_and_every_granularity_is_reached(k, seed, uncounted):
    tree = random_tree(k, seed, uncounted=uncounted)
    assert tree.linkage.shape == (k - 1, 4)
    if k > 1:
        assert is_valid_linkage(tree.linkage)
        assert (np.diff(tree.linkage[:, 2]) >= 0).all()
        assert tree.linkage[-1, 3] == k
    start = Grouping.start(range(1, k + 1))
    for n in range(1, k + 1):
        assert len(apply(start, tree.cut(start, n)).after.groups) == n


@given(
    st.integers(0, 1000),
    st.lists(st.lists(st.integers(1, 12), min_size=2, max_size=3, unique=True)),
    st.sets(st.integers(1, 12), max_size=4),
)
def test_cuts_are_nested_and_respect_the_hand_and_locks(seed, merges, locks):
    tree = random_tree(12, seed)
    history = History(Grouping.start(range(1, 13)))
    for clusters in merges:
        ids = {history.current.group_of(c).id for c in clusters}
        if len(ids) > 1:
            history.do(Merge(tuple(ids)[1:], next(iter(ids))))
    for cluster in locks:
        history.do(SetLock(history.current.group_of(cluster).id, True))
    by_hand = history.current
    locked = [group for group in by_hand.groups if group.locked]
    free_atoms = sum(len(g.atoms) for g in by_hand.groups if not g.locked)
    finer = None
    for n in range(14, 0, -1):
        history.do(tree.cut(history.current, n))
        now = history.current
        reachable = min(n, len(locked) + free_atoms)
        assert len(now.groups) == max(reachable, len(locked) + (free_atoms > 0))
        assert is_coarser(partition(now), partition(by_hand))
        assert [now.group(group.id) for group in locked] == locked
        if finer is not None:
            assert is_coarser(partition(now), finer), "a coarser cut only merges"
        finer = partition(now)
    history.do(tree.cut(history.current, 99))
    assert partition(history.current) == partition(by_hand), "back to the atoms"


def test_cuts_do_not_depend_on_the_way_there():
    tree = random_tree(16, seed=3)
    start = Grouping.start(range(1, 17))
    history = History(start)
    for n in (3, 12, 1, 16, 7):
        history.do(tree.cut(history.current, n))
        straight = apply(start, tree.cut(start, n)).after
        assert partition(history.current) == partition(straight)


def test_light_and_glint_do_not_count():
    rng = np.random.default_rng(5)
    materials = rng.random((4, 30)) + 0.2
    gains, glints = np.array([0.5, 1, 2.0, 1]), np.array([0, 0, 0, 0.5])
    spectra = materials[:, None] * gains[:, None] + glints[:, None]
    spectra = spectra.reshape(16, 30)
    shuffle = rng.permutation(16)
    tree = build_tree(spectra[shuffle], np.full(16, 10))
    start = Grouping.start(range(1, 17))
    cut = apply(start, tree.cut(start, 4)).after
    for group in cut.groups:
        assert len({shuffle[c - 1] // 4 for c in group.clusters}) == 1


def test_what_is_nearly_black_goes_to_the_black():
    """Cloth with a tenth of leaf in its pixels has the colour of leaf."""
    band = np.linspace(0, 1, 40)
    leaf, cloth = 0.1 + 0.4 / (1 + np.exp(-40 * (band - 0.5))), np.full(40, 0.03)
    spectra = np.stack([leaf, 0.5 * leaf, 1.3 * leaf, cloth, 0.9 * cloth + 0.1 * leaf])
    angles = spectral_angles(spectra)
    assert angles[4, 0] < angles[4, 3], "by the plain angle it is leaf"
    tree = build_tree(spectra, np.full(5, 10))
    start = Grouping.start(range(1, 6))
    assert partition(apply(start, tree.cut(start, 2)).after) == {(1, 2, 3), (4, 5)}


def test_neither_units_nor_bad_bands_count():
    rng = np.random.default_rng(8)
    spectra = rng.random((20, 15)) * rng.random((20, 1))
    plain = build_tree(spectra, np.full(20, 3)).linkage
    np.testing.assert_allclose(build_tree(spectra * 1e4, np.full(20, 3)).linkage, plain)
    bad = np.insert(spectra, [3, 3, 9], 0.0, axis=1)
    np.testing.assert_allclose(build_tree(bad, np.full(20, 3)).linkage, plain)
    assert not material_angles(np.zeros((3, 4)), 0.0).any()


def test_angles_of_awkward_spectra():
    spectra = np.array(
        [[1, 0], [0, 2], [-3, 0], [1, 1e-9], [0, 0], [0, 0], [1e300, 1e300]], float
    )
    angles = spectral_angles(spectra)
    assert angles[0, 1] == pytest.approx(np.pi / 2)
    assert angles[0, 2] == pytest.approx(np.pi)
    assert angles[0, 3] == pytest.approx(1e-9, rel=1e-6), "no digits lost when near"
    assert angles[0, 4] == np.pi / 2
    assert angles[4, 5] == 0
    assert angles[0, 6] == pytest.approx(np.pi / 4)
    np.testing.assert_array_equal(angles, angles.T)


def test_clusters_without_pixels_hang_on_the_nearest_centroid_that_has_some():
    spectra = np.array([[1.0, 0], [np.nan, np.nan], [0, 1.0], [np.nan, np.nan]])
    centroids = np.array([[0.0, 0], [4.9, 0], [5.0, 0], [4.95, 0]])
    tree = build_tree(spectra, [7, 0, 9, 0], centroids)
    np.testing.assert_array_equal(tree.linkage[:2, 2], [0, 0])
    start = Grouping.start(range(1, 5))
    assert partition(apply(start, tree.cut(start, 2)).after) == {(1,), (2, 3, 4)}
    without = build_tree(spectra, [7, 0, 9, 0])
    assert partition(apply(start, without.cut(start, 2)).after) == {(1, 2, 4), (3,)}


def test_nothing_counted_falls_back_on_centroids():
    centroids = np.array([[1, 0], [0, 1], [0.9, 0.1]])
    tree = build_tree(np.full((3, 5), np.nan), [0, 0, 0], centroids)
    start = Grouping.start([1, 2, 3])
    assert partition(apply(start, tree.cut(start, 2)).after) == {(1, 3), (2,)}
    assert build_tree(np.full((3, 5), np.nan), [0, 0, 0]).linkage.shape == (2, 4)


def test_one_cluster():
    tree = build_tree(np.ones((1, 4)), [3])
    start = Grouping.start([1])
    assert tree.linkage.shape == (0, 4)
    assert not apply(start, tree.cut(start, 1)).changed


def test_a_grouping_need_not_hold_all_clusters():
    tree = random_tree(10, seed=2)
    start = Grouping.start([2, 3, 5, 7])
    for n in range(1, 5):
        after = apply(start, tree.cut(start, n)).after
        assert len(after.groups) == n
        assert after.clusters == (2, 3, 5, 7)


def test_255_clusters():
    tree = random_tree(255, seed=1)
    start = Grouping.start(range(1, 256))
    assert len(apply(start, tree.cut(start, 17)).after.groups) == 17


def test_the_largest_part_keeps_the_identity():
    spectra = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 0, 1.0], [0, 0.1, 0.9]])
    tree = build_tree(spectra, [10, 20, 500, 5])
    history = History(Grouping.start([1, 2, 3, 4]))
    history.do(Rename(4, "Halo"))
    history.do(Rename(3, "Lesion"))
    history.do(SetRole(3, "lesion"))
    history.do(tree.cut(history.current, 1))
    assert [g.name for g in history.current.groups] == ["Lesion"]
    assert history.current.group(3).role == "lesion"
    history.do(tree.cut(history.current, 2))
    kept, new = history.current.group(3), history.current.group_of(1)
    assert kept.clusters == (3, 4)
    assert kept.name == "Lesion"
    assert new.clusters == (1, 2)
    assert new.name == "Group 1"
    assert new.role is None
    assert new.id > 4


def test_a_new_row_stands_below_the_one_it_came_from():
    spectra = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0.1], [1, 0.1, 0]])
    tree = build_tree(spectra, [9, 9, 5, 5])
    history = History(Grouping.start([1, 2, 3, 4]))
    history.do(tree.cut(history.current, 2))
    assert history.current.ids == (1, 2)
    history.do(tree.cut(history.current, 4))
    rows = [group.clusters for group in history.current.groups]
    assert rows == [(1,), (4,), (2,), (3,)]


def test_ties_keep_the_lowest_id():
    tree = build_tree(np.eye(3), [5, 5, 5])
    start = Grouping.start([1, 2, 3])
    after = apply(start, tree.cut(start, 1)).after
    assert after.ids == (1,)


def test_what_a_cut_refuses():
    tree = random_tree(4, seed=0)
    start = Grouping.start([1, 2, 3, 4])
    with pytest.raises(MergeError, match="1 or more"):
        tree.cut(start, 0)
    with pytest.raises(MergeError, match="cluster 9 is not in the tree"):
        tree.cut(Grouping.start([1, 9]), 1)
    cut = tree.cut(start, 2)
    merged = apply(start, Merge((1,), 4)).after
    with pytest.raises(MergeError, match="another grouping"):
        apply(merged, cut)


@pytest.mark.parametrize(
    ("spectra", "counts", "centroids", "words"),
    [
        (np.ones((2, 3)), [1], None, "one mean spectrum"),
        (np.empty((0, 3)), [], None, "one mean spectrum"),
        (np.full((2, 3), np.nan), [1, 1], None, "not finite"),
        (np.ones((2, 3)), [1, 0], np.ones((3, 2)), "one centroid"),
        (np.ones((2, 3)), [1, 0], np.full((2, 2), np.inf), "centroid is not finite"),
    ],
)
def test_what_a_tree_refuses(spectra, counts, centroids, words):
    with pytest.raises(ValueError, match=words):
        build_tree(spectra, counts, centroids)


def test_other_ids_give_the_same_groups_under_other_names():
    rng = np.random.default_rng(3)
    spectra, counts = rng.random((5, 12)), np.array([9, 0, 5, 7, 2])
    centroids = rng.normal(size=(5, 4))
    names = {1: 1, 2: 2, 3: 4, 4: 17, 5: 255}
    plain = build_tree(spectra, counts, centroids)
    sparse = build_tree(
        spectra, counts, centroids, cluster_ids=np.array([*names.values()], np.uint8)
    )
    for n in range(1, 6):
        before = Grouping.start(range(1, 6)), Grouping.start(names.values())
        one = apply(before[0], plain.cut(before[0], n)).after
        other = apply(before[1], sparse.cut(before[1], n)).after
        renamed = [tuple(names[c] for c in group.clusters) for group in one.groups]
        assert renamed == [group.clusters for group in other.groups]
    with pytest.raises(ValueError, match="comes twice"):
        build_tree(spectra, counts, cluster_ids=[1, 2, 2, 4, 5])


PAIRS = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 0, 1.0], [0, 0.1, 0.9]])


def test_a_name_or_a_role_wins_over_pixels():
    tree = build_tree(PAIRS, [10, 900, 500, 5])
    for step in (Rename(1, "Vein"), SetRole(1, "healthy")):
        start = apply(Grouping.start([1, 2, 3, 4]), step).after
        for n in (2, 1):
            assert apply(start, tree.cut(start, n)).after.group_of(2).id == 1
        assert tree.heir(start.groups).id == 1
    plain = Grouping.start([1, 2, 3, 4])
    assert tree.heir(plain.groups).id == 2
    both = apply(apply(plain, Rename(4, "Halo")).after, Rename(3, "Lesion")).after
    assert tree.heir(both.groups).id == 3, "of two with names, the one of more pixels"


def test_what_a_cut_has_hidden_comes_back_at_a_finer_one():
    tree = build_tree(PAIRS, [10, 900, 500, 5])
    history = History(Grouping.start([1, 2, 3, 4]))

    def cut(n):
        history.do(tree.cut(history.current, n, history.origins()))

    for step in (Rename(1, "Vein"), SetRole(1, "healthy"), Rename(3, "Lesion")):
        history.do(step)
    history.do(Recolor(1, (1, 2, 3)))
    cut(1)
    assert [g.name for g in history.current.groups] == ["Lesion"]
    cut(2)
    history.do(Rename(history.current.group_of(2).id, "Leaf"))
    cut(1)
    cut(3)
    cut(4)
    names = [history.current.group_of(c).name for c in (1, 2, 3, 4)]
    # The pair had come back as the vein, and was then renamed.
    assert names == ["Leaf", "Group 2", "Lesion", "Group 4"]
    leaf = history.current.group_of(1)
    assert (leaf.color, leaf.role) == ((1, 2, 3), "healthy")
    assert history.current.group_of(3).id == 3
    steps = [operation_from_json(s.to_json()) for s in history.operations]
    assert History.replay(history.start, steps).current == history.current


@given(
    st.integers(0, 1000),
    st.lists(st.integers(1, 9), max_size=8),
    st.sets(st.integers(1, 9), max_size=5),
    st.booleans(),
)
def test_after_any_slides_the_finest_cut_gives_every_name_back(
    seed, counts, named, merge
):
    tree = random_tree(9, seed)
    history = History(Grouping.start(range(1, 10)))
    if merge:
        history.do(Merge((1,), 9))
    for cluster in named:
        group = history.current.group_of(cluster)
        history.do(Rename(group.id, f"Mine {group.id}"))
        history.do(SetRole(group.id, "lesion"))
    before = {(g.clusters, g.name, g.color, g.role) for g in history.current.groups}
    for n in [*counts, 99]:
        history.do(tree.cut(history.current, n, history.origins()))
        shown = [group.name for group in history.current.groups]
        assert len(set(shown)) == len(shown)
    after = {(g.clusters, g.name, g.color, g.role) for g in history.current.groups}
    assert after == before
