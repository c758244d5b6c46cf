"""Ranking pairs of groups, against a plain count over their clusters."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_dgc.cubes.likeness import LAST, tree_angles
from napari_dgc.merging import (
    ClusterStatistics,
    Grouping,
    History,
    Merge,
    Rename,
    SetLock,
    SetRole,
)
from napari_dgc.merging.ranking import FARTHEST
from napari_dgc.merging.statistics import count_boundaries
from napari_dgc.merging.suggestions import Suggester

K, C, D = 12, 15, 6
IDS = tuple(range(2, K + 2))  # cluster ids need not begin at 1


def statistics(seed: int) -> ClusterStatistics:
    rng = np.random.default_rng(seed)
    map_ = rng.integers(0, K + 2, (30, 20))
    map_[map_ == 1] = 0
    count = np.bincount(map_.ravel(), minlength=K + 2)
    sums = rng.random((K + 2, C)) * count[:, None]
    return ClusterStatistics(
        count, sums, sums**2, rng.random(K + 2), count_boundaries(map_, K + 1)
    )


@pytest.fixture
def spectra() -> np.ndarray:
    """Near each other: none of the pairs is too far apart to be asked about."""
    rng = np.random.default_rng(3)
    return rng.random(C) + 0.03 * rng.random((K, C))


@pytest.fixture
def suggester(spectra: np.ndarray) -> Suggester:
    rng = np.random.default_rng(4)
    centroids = rng.normal(size=(K, D))
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    return Suggester(
        IDS,
        spectra,
        np.arange(1, K + 1) * 10,
        centroids,
        [statistics(0), statistics(1)],
    )


def start() -> History:
    return History(Grouping.start(IDS))


def test_all_pairs_are_ranked_once(suggester: Suggester) -> None:
    found = suggester.suggest(start().current)
    pairs = {frozenset((s.source, s.target)) for s in found}
    assert pairs == {frozenset(p) for p in itertools.combinations(IDS, 2)}
    assert len(found) == len(pairs)
    costs = [s.cost for s in found]
    assert costs == sorted(costs)


@pytest.mark.parametrize("merges", [0, 2, K - LAST + 1])
def test_reasons_equal_a_plain_count(
    suggester: Suggester, spectra: np.ndarray, merges: int
) -> None:
    history = start()
    for source in IDS[1 : merges + 1]:
        history.do(Merge((source,), IDS[0]))
    grouping = history.current
    angles = tree_angles(spectra, last=len(grouping.groups) <= LAST)
    cubes = [statistics(0), statistics(1)]
    for s in suggester.suggest(grouping):
        a, b = (list(grouping.group(g).clusters) for g in (s.source, s.target))
        pixels = [(x - 1) * (y - 1) for x in a for y in b]
        angle = np.average([angles[x - 2, y - 2] for x in a for y in b], weights=pixels)
        assert s.reasons.angle == pytest.approx(np.degrees(angle))
        border = sum(int(c.boundary[np.ix_(a, b)].sum()) for c in cubes)
        others = [
            sum(
                int(c.boundary[x, y])
                for c in cubes
                for x in own
                for y in IDS
                if y not in own
            )
            for own in (a, b)
        ]
        assert s.reasons.outline == pytest.approx(border / min(others))
        shares = np.array(
            [[c.count[own].sum() / c.count[1:].sum() for c in cubes] for own in (a, b)]
        )
        root = np.sqrt(shares)
        cosine = root[0] @ root[1] / np.linalg.norm(root[0]) / np.linalg.norm(root[1])
        assert s.reasons.together == pytest.approx(cosine)
        assert 0 <= s.reasons.embedding <= 180


def test_pairs_far_apart_are_not_suggested_but_the_closest_is_told() -> None:
    spectra = np.eye(4, C) + 0.01
    spectra[1] = spectra[0] + 0.02 * np.eye(4, C)[3]
    suggester = Suggester((1, 2, 3, 4), spectra, [5, 9, 5, 5])
    history = History(Grouping.start((1, 2, 3, 4)))
    found = suggester.suggest(history.current)
    assert [(s.source, s.target) for s in found] == [(1, 2)]
    assert found.closest == pytest.approx(found[0].reasons.angle)
    with pytest.raises(IndexError):
        found[1]
    assert found[-1].reasons.angle == found[0].reasons.angle
    assert not found.into(3)
    history.do(Merge((1,), 2))
    rest = suggester.suggest(history.current)
    assert not rest
    far = [
        suggester.angle(history.current, [a], b)
        for a, b in itertools.combinations(history.current.ids, 2)
    ]
    assert rest.closest in [pytest.approx(angle) for angle in far]
    assert rest.closest > FARTHEST
    assert np.isnan(Suggester((1,), spectra[:1], [5]).suggest(
        Grouping.start((1,))).closest)  # fmt: skip


def test_the_angle_of_a_drag_is_that_of_the_suggestion(
    suggester: Suggester, spectra: np.ndarray
) -> None:
    history = start()
    history.do(Merge((7, 9), 6))
    grouping = history.current
    for s in suggester.suggest(grouping):
        told = suggester.angle(grouping, [s.source], s.target)
        assert told == pytest.approx(s.reasons.angle)
    angles = np.degrees(tree_angles(spectra))
    several = suggester.angle(grouping, [2, 6], 5)
    places = np.array([0, 4, 5, 7])
    expected = np.average(angles[places, 3], weights=places + 1)
    assert several == pytest.approx(expected)
    counts = [0] + [5] * (K - 1)
    assert np.isnan(Suggester(IDS, spectra, counts).angle(grouping, [2], 5))


def test_like_clusters_come_first_and_shared_outlines_break_ties() -> None:
    spectra = np.random.default_rng(0).random((4, C))
    spectra[1] = spectra[0] * 1.0001
    found = Suggester((1, 2, 3, 4), spectra, [5, 9, 5, 5]).suggest(
        Grouping.start((1, 2, 3, 4))
    )
    assert (found[0].source, found[0].target) == (1, 2)  # the larger keeps its name
    assert np.isnan(found[0].reasons.embedding)
    assert found[0].reasons.together == 1  # nothing is known of the cubes
    # Three spectra of equal angles: the pair that touches is likest.
    flat = np.eye(3) + 30
    one = np.zeros((4, 4), np.int64)
    one[1, 3] = one[3, 1] = 7
    count = np.array([0, 5, 5, 5])
    stats = ClusterStatistics(count, flat[[0, 0, 1, 2]], flat[[0, 0, 1, 2]], count, one)
    first = Suggester((1, 2, 3), flat, [5, 5, 5], None, [stats]).suggest(
        Grouping.start((1, 2, 3))
    )[0]
    assert {first.source, first.target} == {1, 3}


def test_locks_roles_and_rejections_are_honoured(suggester: Suggester) -> None:
    history = start()
    history.do(SetLock(2, True))
    history.do(SetRole(3, "lesion"))
    history.do(SetRole(4, "healthy"))
    history.do(SetRole(5, "healthy"))
    history.do(Merge((7,), 6))
    # 7 and 8 are not to be together: that holds for all who hold them.
    rejected = [(frozenset({7}), frozenset({8}))]
    found = suggester.suggest(history.current, rejected=rejected)
    pairs = {frozenset((s.source, s.target)) for s in found}
    assert not any(2 in pair for pair in pairs)
    assert frozenset((3, 4)) not in pairs
    assert frozenset((4, 5)) in pairs
    assert frozenset((6, 8)) not in pairs
    assert frozenset((6, 9)) in pairs
    back = suggester.suggest(
        history.current, rejected=[(frozenset({8}), frozenset({6, 7}))]
    )
    assert frozenset((6, 8)) not in {frozenset((s.source, s.target)) for s in back}


def test_many_rejections_forbid_what_a_plain_search_forbids(
    suggester: Suggester,
) -> None:
    history = start()
    for sources, target in (((3, 4), 2), ((6,), 5), ((9, 10), 8)):
        history.do(Merge(sources, target))
    grouping = history.current
    rng = np.random.default_rng(5)
    rejected = [
        tuple(frozenset(rng.choice(IDS, n, replace=False).tolist()) for n in sizes)
        for sizes in rng.integers(1, 3, (60, 2))
    ]
    forbidden = {
        frozenset((a.id, b.id))
        for a, b in itertools.permutations(grouping.groups, 2)
        for x, y in rejected
        if x <= set(a.clusters) and y <= set(b.clusters)
    }
    every = {frozenset((s.source, s.target)) for s in suggester.suggest(grouping)}
    found = suggester.suggest(grouping, rejected=rejected)
    assert forbidden
    assert {frozenset((s.source, s.target)) for s in found} == every - forbidden
    assert found[1:3] == (found[1], found[2])


def test_the_target_is_the_one_with_a_role_then_a_name_then_more_pixels(
    suggester: Suggester,
) -> None:
    history = start()
    assert all(s.target > s.source for s in suggester.suggest(history.current))
    history.do(Rename(2, "Vein"))
    history.do(SetRole(3, "lesion"))
    for s in suggester.suggest(history.current):
        if 3 in (s.source, s.target):
            assert s.target == 3
        elif 2 in (s.source, s.target):
            assert s.target == 2


def test_more_like_this_ranks_what_goes_into_one_group(suggester: Suggester) -> None:
    grouping = start().current
    found = suggester.like(grouping, 5)
    assert {s.source for s in found} == set(IDS) - {5}
    assert all(s.target == 5 for s in found)
    costs = [s.cost for s in found]
    assert costs == sorted(costs)


def test_groups_without_pixels_are_not_suggested(spectra: np.ndarray) -> None:
    counts = np.full(K, 10)
    counts[3] = 0
    spectra[3] = np.nan
    found = Suggester(IDS, spectra, counts).suggest(Grouping.start(IDS))
    assert not any(IDS[3] in (s.source, s.target) for s in found)
    assert not Suggester(IDS, spectra, counts).suggest(Grouping.start(IDS[:1]))
