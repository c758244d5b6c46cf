"""Shares of clusters and groups in cubes, against a count over pixels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.merging import ClusterStatistics, Grouping, History, Merge
from napari_dgc.merging.activation import (
    Activation,
    cluster_activation,
    date_order,
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


def test_counts_are_enough(cubes: list[ClusterStatistics]) -> None:
    counts = [one.count for one in cubes]
    one, other = cluster_activation(counts, IDS), cluster_activation(cubes, IDS)
    np.testing.assert_array_equal(one.shares, other.shares)


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


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["b_2024-05-17", "a_20240516", "c_2023_12_31"], [2, 1, 0]),
        (["x_17.05.2024", "y_3.5.2024"], [1, 0]),
        (["s_20240517_1430", "s_20240517_0915", "s_20240517T120000"], [1, 2, 0]),
        (["leaf_02_day10", "leaf_03_day3", "leaf_01_healthy"], [1, 0, 2]),
        (["5dpi_a", "12 dpi b", "0dpi c"], [2, 0, 1]),
        (["d05", "D3", "field"], [1, 0, 2]),
        (["day3_b", "day3_a", "day1"], [2, 0, 1]),
        (["leaf_2", "leaf_1"], None),
        (["day3_a", "day3_b"], None),
        (["band12345678", "led3"], None),
        ([], None),
    ],
)
def test_cubes_stand_by_the_date_in_their_names(names, order) -> None:
    found = date_order(names)
    assert (None if found is None else found.tolist()) == order
