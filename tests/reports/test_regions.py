"""Leaf regions: what is found, in which order, and against the scenes' truth."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.cubes.scenes import SceneConfig, make_scenes
from napari_dgc.reports.regions import RegionSettings, count_in_regions, find_regions

ROWS, COLUMNS = np.ogrid[:80, :120]


def disc(row: float, column: float, radius: float) -> np.ndarray:
    return (ROWS - row) ** 2 + (COLUMNS - column) ** 2 <= radius**2


def test_reading_order_and_small_pieces() -> None:
    tissue = np.zeros((80, 120), bool)
    # The second of the upper row lies a little higher than the first.
    places = [(22, 20), (18, 60), (21, 100), (60, 90), (58, 30)]
    for row, column in places:
        tissue |= disc(row, column, 12)
    tissue[40, 5] = True
    regions = find_regions(tissue)
    assert regions.dtype == np.uint16
    assert regions.max() == 5
    order = [int(regions[place]) for place in places]
    assert order == [1, 2, 3, 5, 4]
    assert regions[40, 5] == 0
    assert find_regions(tissue, RegionSettings(min_pixels=1)).max() == 6


def test_holes_are_closed() -> None:
    tissue = disc(40, 60, 20) & ~disc(40, 60, 5)
    np.testing.assert_array_equal(find_regions(tissue) == 1, disc(40, 60, 20))


def test_corners_do_not_join() -> None:
    tissue = np.zeros((20, 20), bool)
    tissue[:10, :10] = tissue[10:, 10:] = True
    assert find_regions(tissue).max() == 2


def test_touching_leaves_are_split_on_request_alone() -> None:
    one, other, third = disc(40, 30, 18), disc(40, 62, 18), disc(40, 90, 15)
    tissue = one | other | third
    assert find_regions(tissue).max() == 1
    regions = find_regions(tissue, RegionSettings(split=True))
    assert regions.max() == 3
    assert (regions > 0).sum() == tissue.sum()
    for number, leaf in enumerate((one, other, third), 1):
        wrong = (regions == number) ^ leaf
        assert wrong[~(one & other) & ~(other & third)].sum() < 0.03 * leaf.sum()


def test_leaves_all_around_a_gap_are_split() -> None:
    rows, columns = np.ogrid[:200, :200]
    tissue = np.zeros((200, 200), bool)
    for row in (52, 148):
        for column in (52, 148):
            tissue |= (rows - row) ** 2 + (columns - column) ** 2 <= 50**2
    tissue[50:56, 50:56] = False  # a hole in a leaf, which is closed
    regions = find_regions(tissue, RegionSettings(split=True))
    assert regions.max() == 4
    assert [regions[p] for p in ((52, 52), (52, 148), (148, 52), (148, 148))] == [
        1, 2, 3, 4,
    ]  # fmt: skip
    assert regions[100, 100] == 0  # the gap belongs to none
    counts = np.bincount(regions.ravel())[1:]
    np.testing.assert_allclose(counts, np.pi * 50**2, rtol=0.02)


@pytest.mark.parametrize("radii", [(35, 8), (20, 20), (38, 14)])
def test_one_leaf_is_not_split(radii: tuple[int, int]) -> None:
    tissue = ((COLUMNS - 60) / radii[0]) ** 2 + ((ROWS - 40) / radii[1]) ** 2 <= 1
    tissue[38:42, 60 + radii[0] - 2 : 60 + radii[0] + 12] = True  # a stalk
    assert find_regions(tissue, RegionSettings(split=True)).max() == 1


@pytest.mark.parametrize("seed", range(3))
def test_the_leaves_of_sample_scenes_are_found(seed: int) -> None:
    for scene in make_scenes(2, 96, seed, config=SceneConfig(size=96, bands=8)):
        for split in (False, True):
            regions = find_regions(scene.labels > 0, RegionSettings(split=split))
            counts = count_in_regions(regions, scene.leaves)
            assert len(counts) - 1 == scene.leaves.max()
            # Each region is one leaf, and no leaf is in two.
            assert (counts[1:, 1:].max(axis=1) >= 0.98 * counts[1:].sum(axis=1)).all()
            assert len(set(counts[1:, 1:].argmax(axis=1))) == len(counts) - 1


def test_nothing_and_everything() -> None:
    nothing, everything = np.zeros((9, 9), bool), np.ones((9, 9), bool)
    for split in (False, True):
        assert not find_regions(nothing, RegionSettings(split=split)).any()
        assert (find_regions(everything, RegionSettings(split=split)) == 1).all()


def test_counts_are_of_each_pair() -> None:
    regions = np.array([[0, 1, 1], [2, 2, 1]], np.uint16)
    clusters = np.array([[3, 3, 4], [0, 4, 4]], np.uint8)
    counts = count_in_regions(regions, clusters)
    assert counts.shape == (3, 256)
    assert counts[0, 3] == counts[1, 3] == counts[2, 0] == counts[2, 4] == 1
    assert counts[1, 4] == 2
    assert counts.sum() == 6
    with pytest.raises(ValueError, match="differ"):
        count_in_regions(regions, clusters[:1])


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="bool"):
        find_regions(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="neck"):
        RegionSettings(neck=1.0)
    with pytest.raises(ValueError, match="smallest area"):
        RegionSettings(min_pixels=0)
