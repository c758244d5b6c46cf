"""Where the leaves and joins of the tree of clusters stand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_dgc.merging import Grouping, Merge, SetLock, apply, build_tree
from napari_dgc.merging.dendrogram import lay_out


def random_tree(k, seed, uncounted=0.2):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 100, k) * (rng.random(k) > uncounted)
    return build_tree(rng.random((k, 9)), counts, rng.normal(size=(k, 4)))


@given(st.integers(1, 40), st.integers(0, 10_000), st.floats(0, 1))
def test_no_branches_cross_and_joins_stand_above_what_they_join(k, seed, uncounted):
    tree = random_tree(k, seed, uncounted)
    picture = lay_out(tree)
    assert picture.k == k
    assert sorted(picture.order) == list(range(k))
    across = [tree.cluster_ids[leaf] for leaf in picture.order]
    assert picture.clusters[-1] == tuple(across)
    for row, (left, right) in enumerate(picture.children):
        node = k + row
        below = picture.clusters[node]
        start = across.index(below[0])
        assert below == tuple(across[start : start + len(below)]), "side by side"
        assert picture.x[left] < picture.x[node] < picture.x[right]
        assert picture.y[node] > max(picture.y[left], picture.y[right])
    assert (np.diff(picture.y[k:]) > 0).all(), "in the order in which cuts join"
    assert picture.y.max() == (1 if k > 1 else 0)


@given(
    st.integers(0, 1000),
    st.lists(st.lists(st.integers(1, 12), min_size=2, max_size=3, unique=True)),
    st.sets(st.integers(1, 12), max_size=4),
)
def test_the_line_stands_where_the_cut_is(seed, merges, locks):
    tree = random_tree(12, seed)
    picture = lay_out(tree)
    grouping = Grouping.start(range(1, 13))
    for clusters in merges:
        ids = {grouping.group_of(c).id for c in clusters}
        if len(ids) > 1:
            target, *sources = sorted(ids)
            grouping = apply(grouping, Merge(tuple(sources), target)).after
    for cluster in locks:
        grouping = apply(grouping, SetLock(grouping.group_of(cluster).id, True)).after
    joins = tree.joins(grouping)
    assert list(joins) == sorted(set(joins))
    free = [g for g in grouping.groups if not g.locked]
    most = len(grouping.groups)
    assert len(joins) == max(0, len(free) - 1)
    levels = picture.levels(joins)
    assert (np.diff(levels) > 0).all()
    for count in range(most, most - len(joins) - 1, -1):
        cut = apply(grouping, tree.cut(grouping, count)).after
        owners = picture.owners(cut)
        for i, row in enumerate(joins):
            assert (picture.y[12 + row] < levels[most - count]) == (i < most - count)
        # What the line has below it and the cut joins is one group's.
        loose = {g.clusters for g in grouping.groups if len(g.clusters) == 1}
        for row in joins[: most - count]:
            if all((c,) in loose for c in picture.clusters[12 + row]) and not locks:
                assert owners[12 + row] is not None


def test_owners_are_groups_that_hold_all_below():
    tree = random_tree(9, 4)
    picture = lay_out(tree)
    grouping = apply(Grouping.start(range(1, 10)), Merge((4, 7), 2)).after
    owners = picture.owners(grouping)
    for node, clusters in enumerate(picture.clusters):
        groups = {grouping.group_of(c).id for c in clusters}
        owner = owners[node]
        assert (None if owner is None else {owner.id}) == (
            groups if len(groups) == 1 else None
        )
        found = [g.id for g in picture.groups_below(node, grouping)]
        assert found == [id for id in grouping.ids if id in groups]


def test_leaves_outside_the_grouping_belong_to_nobody():
    picture = lay_out(random_tree(5, 1))
    owners = picture.owners(Grouping.start([1, 3]))
    assert [o and o.id for o in owners[:5]] == [1, None, 3, None, None]


@pytest.mark.parametrize("k", [1, 2, 128])
def test_any_number_of_leaves(k):
    tree = random_tree(k, 0)
    picture = lay_out(tree)
    start = Grouping.start(range(1, k + 1))
    levels = picture.levels(tree.joins(start))
    assert len(levels) == k
    assert 0 < levels[0] < levels[-1] + (k == 1)


def test_low_joins_stay_apart_and_wide_gaps_are_seen():
    """Three materials, forty clusters: the two joins between them stand out."""
    rng = np.random.default_rng(3)
    materials = np.eye(3).repeat([14, 13, 13], 0)
    spectra = np.hstack([materials, materials]) + 0.01 * rng.random((40, 6))
    picture = lay_out(build_tree(spectra, np.full(40, 9)))
    heights = picture.y[40:]
    assert np.diff(heights).min() > 0.4 / 40
    assert heights[-2] - heights[-3] > 0.2
