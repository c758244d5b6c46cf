"""Sums over the cubes are kept, and never outlive the cubes they are of."""

from __future__ import annotations

import numpy as np

from napari_dgc.merging import ClusterStatistics, StatisticsBuilder
from napari_dgc.study.maps import CubeMaps


def mapped(pixels: int) -> tuple[np.ndarray, ClusterStatistics]:
    clusters = np.ones((1, pixels), np.uint8)
    builder = StatisticsBuilder(2, 3)
    builder.add(clusters, np.ones((1, pixels)), np.ones((3, 1, pixels)))
    return clusters, builder.finish(clusters)


def test_pooled_statistics_follow_the_cubes():
    maps = CubeMaps()
    assert maps.pooled is None
    for index, pixels in enumerate((1, 20, 300)):
        maps.put(index, *mapped(pixels), None)
    assert maps.pooled.count[1] == 321
    assert maps.pooled is maps.pooled
    maps.put(0, *mapped(4000), None)
    assert maps.pooled.count[1] == 4320
    maps.remove(1)
    assert maps.pooled.count[1] == 4300
    maps.put(1, mapped(300)[0], None, None)  # a map without statistics
    assert maps.pooled.count[1] == 4000
    maps.clear()
    assert maps.pooled is None
