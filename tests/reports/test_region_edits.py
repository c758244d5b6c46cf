"""Leaves changed by hand: numbers, names, cuts."""

from __future__ import annotations

import numpy as np

from napari_dgc.reports.region_edits import (
    carry_names,
    cut_regions,
    delete_regions,
    merge_regions,
    renumber,
)
from napari_dgc.reports.regions import find_regions


def three() -> np.ndarray:
    """Leaves 1 and 2 above, 3 below."""
    tissue = np.zeros((40, 60), bool)
    tissue[2:14, 4:24] = tissue[2:14, 34:54] = tissue[22:38, 10:50] = True
    return find_regions(tissue)


def test_numbers_are_in_reading_order_and_names_go_with_their_leaf() -> None:
    regions = three()
    painted = regions.astype(np.int64)
    painted[18:20, 0:4] = 4_000_000  # a new leaf, between the rows
    painted[painted == 2] = -5  # and one erased, by a value that is none
    numbered, names = renumber(painted, {1: "Leaf 1", 3: "Flag", 4_000_000: "Leaf 9"})
    assert numbered.dtype == np.uint16
    assert names == ("Leaf 1", "Leaf 2", "Flag")
    assert [numbered[5, 5], numbered[18, 0], numbered[30, 30]] == [1, 2, 3]
    assert (numbered > 0).sum() == (painted > 0).sum()
    empty, none = renumber(np.zeros((4, 4), int))
    assert not empty.any()
    assert none == ()
    full, one = renumber(np.full((4, 4), 7))
    assert (full == 1).all()
    assert one == ("Leaf 1",)


def test_merging_and_deleting_leave_the_others_alone() -> None:
    regions = three()
    merged = merge_regions(regions, (3, 2))
    assert set(np.unique(merged)) == {0, 1, 2}
    np.testing.assert_array_equal(merged == 2, regions > 1)
    gone = delete_regions(regions, (1, 3))
    np.testing.assert_array_equal(gone, np.where(regions == 2, 2, 0))


def test_a_line_right_across_parts_a_leaf_and_loses_no_pixel() -> None:
    regions = three()
    cut = cut_regions(regions, [(16.0, 20.0), (39.0, 21.4)])
    assert cut is not None
    np.testing.assert_array_equal(cut > 0, regions > 0)
    np.testing.assert_array_equal(cut[:20], regions[:20])
    assert set(np.unique(cut[22:])) == {0, 3, 4}
    assert (cut == 3).sum() > (cut == 4).sum()  # the larger part keeps the number
    assert cut[30, 12] == 4
    assert cut[30, 45] == 3
    slanting = cut_regions(regions, [(-3, 0), (50, 55)])  # beyond the image
    assert slanting is not None
    assert slanting.max() == 5  # it crosses two


def test_a_line_that_ends_inside_or_passes_by_parts_nothing() -> None:
    regions = three()
    assert cut_regions(regions, [(16, 20), (30, 21)]) is None
    assert cut_regions(regions, [(18, 0), (18, 59)]) is None
    two = merge_regions(regions, (1, 2))  # of two pieces: the line crosses neither
    assert cut_regions(two, [(0, 28), (18, 28)]) is None
    one = cut_regions(two, [(0, 10), (18, 10)])
    assert one is not None
    assert set(np.unique(one)) == {0, 1, 3, 4}
    assert one[5, 40] == 1


def test_given_names_go_to_the_leaf_in_the_place() -> None:
    regions = three()
    names = ("Flag", "Leaf 2", "Oldest")
    moved = np.roll(regions, 2, axis=1)
    moved = np.where(moved == 3, 0, moved)  # gone
    assert carry_names(regions, names, moved, 2) == ("Flag", "Leaf 2")
    assert carry_names(regions, names, moved[:20], 2) == ("Leaf 1", "Leaf 2")
    assert carry_names(regions, names, np.zeros_like(regions), 0) == ()
