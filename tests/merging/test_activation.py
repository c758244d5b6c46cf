"""Shares of clusters and groups in cubes, against a count over pixels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.merging import ClusterStatistics, Grouping, History, Merge
from napari_dgc.merging.activation import (
    Activation,
    cluster_activation,
    group_activation,
)

IDS = (1, 2, 3, 5)


def statistics(counts: list[int]) -> ClusterStatistics:
    count = np.array(counts)
    sums = np.zeros((len(count), 4))
    pairs = np.zeros((len(count), len(count)), int)
    return ClusterStatistics(count, sums, sums, np.zeros(len(count)), pairs)


@pytest.fixture
def cubes() -> list[ClusterStatistics]:
    # Row 0 is "no data": it is in no share. The second cube's rows end at 3.
    return [
        statistics([50, 60, 30, 0, 0, 10]),
        statistics([0, 100, 99_900, 0]),
        statistics([9, 0, 0, 0, 0, 0]),
    ]


def test_shares_are_of_valid_pixels(cubes: list[ClusterStatistics]) -> None:
    found = cluster_activation(cubes, IDS)
    expected = [[0.6, 0.001, 0], [0.3, 0.999, 0], [0, 0, 0], [0.1, 0, 0]]
    np.testing.assert_allclose(found.shares, expected)
    # 0.1 % itself is not above 0.1 %.
    assert found.active.tolist() == [
        [True, False, False],
        [True, True, False],
        [False, False, False],
        [True, False, False],
    ]
    assert found.selective.tolist() == [True, True, False, True]


def test_groups_add_up(cubes: list[ClusterStatistics]) -> None:
    history = History(Grouping.start(IDS))
    history.do(Merge((5,), 2))
    found = group_activation(cubes, history.current)
    assert found.ids == history.current.ids == (1, 2, 3)
    np.testing.assert_allclose(found.shares[1], [0.4, 0.999, 0])
    none = group_activation([], history.current)
    assert none.shares.shape == (3, 0)
    assert none.row_order().tolist() == [0, 1, 2]


def test_likes_stand_side_by_side() -> None:
    rng = np.random.default_rng(0)
    infected = np.array([0.2, 0.05, 0.5, 0.25])
    healthy = np.array([0.3, 0.0, 0.7, 0.0])
    kinds = [infected, healthy, infected, healthy, infected, healthy]
    shares = np.array(kinds).T + rng.uniform(0, 0.01, (4, 6))
    found = Activation((1, 2, 3, 4), shares)
    order = found.cube_order().tolist()
    assert {frozenset(order[:3]), frozenset(order[3:])} == {
        frozenset({0, 2, 4}),
        frozenset({1, 3, 5}),
    }
    assert sorted(found.row_order().tolist()) == [0, 1, 2, 3]
    assert order[0] < order[-1]
