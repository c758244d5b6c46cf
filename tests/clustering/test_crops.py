from __future__ import annotations

import numpy as np
import torch

from napari_dgc.clustering.crops import crop_side, draw_pair
from napari_dgc.clustering.reading import croppable, read_region
from napari_dgc.cubes.cube import Cube


def numbered_cube(height: int, width: int) -> Cube:
    """Each pixel's spectrum names its place."""
    rows, cols = np.mgrid[:height, :width]
    return Cube(np.stack([rows, cols, rows * 1000 + cols + 0.5]).astype(np.float32))


def test_the_overlap_shows_the_very_same_pixels() -> None:
    g = torch.Generator().manual_seed(0)
    cubes = [numbered_cube(150, 90), numbered_cube(70, 200)]
    for _ in range(200):
        region = read_region(cubes, 48, g)
        pair = draw_pair(region, 48, g)
        first, second = (pair.x[i][(slice(None), *pair.overlap[i])] for i in range(2))
        assert first.shape[1] >= 12
        assert first.shape[2] >= 12
        assert torch.equal(first, second)


def test_crops_lie_apart_mostly() -> None:
    g = torch.Generator().manual_seed(1)
    cubes = [numbered_cube(200, 200)]
    pairs = [draw_pair(read_region(cubes, 48, g), 48, g) for _ in range(100)]
    apart = [not torch.equal(p.x[0], p.x[1]) for p in pairs]
    assert sum(apart) > 90


def test_every_place_is_reached_evenly() -> None:
    g = torch.Generator().manual_seed(2)
    cube = numbered_cube(128, 128)
    seen = np.zeros((128, 128))
    for _ in range(600):
        pair = draw_pair(read_region([cube], 32, g), 32, g)
        rows, cols = pair.x[0, 0].int().numpy(), pair.x[0, 1].int().numpy()
        seen[rows, cols] += 1
    assert (seen[24:-24, 24:-24] > 0).all()


def test_small_cubes_make_small_crops_and_slivers_none() -> None:
    g = torch.Generator().manual_seed(3)
    small, large, sliver = (numbered_cube(*s) for s in ((31, 43), (100, 90), (1, 300)))
    regions = [read_region([c], 64, g) for c in (small, large)]
    assert crop_side(regions, 64) == 31
    assert crop_side(regions[1:], 64) == 64
    pair = draw_pair(regions[0], 31, g)
    assert pair.x.shape == (2, 3, 31, 31)
    assert croppable([small, sliver, large]) == [small, large]
    assert croppable([sliver]) == [sliver]


def test_regions_without_a_valid_pixel_are_passed_over() -> None:
    g = torch.Generator().manual_seed(5)
    masked = Cube(numbered_cube(60, 60).data, mask=np.zeros((60, 60), bool))
    cubes = [masked, numbered_cube(60, 60)]
    assert all(read_region(cubes, 32, g).valid.any() for _ in range(30))


def test_one_seed_one_sequence() -> None:
    cubes = [numbered_cube(90, 90)]
    runs = []
    for _ in range(2):
        g = torch.Generator().manual_seed(4)
        runs.append([draw_pair(read_region(cubes, 32, g), 32, g).x for _ in range(5)])
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
