from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from napari_dgc.clustering.crops import CropPair, crop_side, draw_pair
from napari_dgc.clustering.learner import _align
from napari_dgc.clustering.reading import Region, croppable, read_region
from napari_dgc.cubes.cube import Cube


def numbered(height: int, width: int) -> np.ndarray:
    """Each pixel's spectrum names its place: row, column, both."""
    rows, cols = np.mgrid[:height, :width]
    return np.stack([rows, cols, rows * 1000 + cols + 0.5]).astype(np.float32)


def numbered_cube(height: int, width: int) -> Cube:
    return Cube(numbered(height, width))


def numbered_region(height: int, width: int) -> Region:
    return Region(numbered(height, width), np.ones((height, width), bool))


def shown(pair: CropPair, at: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What the overlap's rows hold: the student's (C, N), the other crop's (C, N)."""
    own, other = pair.overlap[at]
    return pair.student_x[at].flatten(1)[:, own], pair.x[1 - at].flatten(1)[:, other]


# Much room, none at all, edges on one axis, odd sides, wide and tall.
SIZES = [(128, 128, 64), (64, 64, 64), (65, 128, 64), (31, 43, 31), (300, 40, 33)]


@pytest.mark.parametrize(("height", "width", "side"), SIZES)
def test_student_and_teacher_see_the_very_same_pixels(
    height: int, width: int, side: int
) -> None:
    g = torch.Generator().manual_seed(0)
    region = numbered_region(height, width)
    seen = np.zeros((height, width), bool)
    for _ in range(400):
        pair = draw_pair(region, side, g)
        for at in (0, 1):
            student, teacher = shown(pair, at)
            assert student.shape[1] > 0
            assert torch.equal(student, teacher)
            seen[student[0].int().numpy(), student[1].int().numpy()] = True
            # The teacher's crop is the region as it is.
            top, left = pair.corners[1 - at]
            plain = region.spectra[:, top : top + side, left : left + side]
            assert np.array_equal(pair.x[1 - at], plain)
            # Nothing that both see is left out, and nothing is named twice.
            rows, cols, _ = pair.student_x[at]
            both = (rows >= top) & (rows < top + side) & pair.student_valid[at]
            both &= (cols >= left) & (cols < left + side)
            assert torch.equal(pair.overlap[at][0], both.flatten().nonzero()[:, 0])
    assert seen.mean() > 0.9  # two crops seldom share the very corners


@pytest.mark.parametrize(("height", "width", "side"), SIZES)
def test_a_view_shows_the_nearest_pixel_or_padding(
    height: int, width: int, side: int
) -> None:
    g = torch.Generator().manual_seed(1)
    region = numbered_region(height, width)
    grid = np.mgrid[:side, :side]
    for _ in range(100):
        pair = draw_pair(region, side, g)
        for at, view in enumerate(pair.views):
            rows, cols = view.to_region.apply(*grid)
            inside = (rows > -0.5) & (rows < height - 0.5)
            inside &= (cols > -0.5) & (cols < width - 0.5)
            np.testing.assert_array_equal(view.inside, inside)
            np.testing.assert_array_equal(pair.student_valid[at], inside)
            x = pair.student_x[at].double().numpy()
            assert np.abs(x[0] - rows)[inside].max() <= 0.5 + 1e-4
            assert np.abs(x[1] - cols)[inside].max() <= 0.5 + 1e-4
            np.testing.assert_array_equal(x[:2].astype(int), [view.rows, view.cols])
            # Back through the inverse: each lands on the view's own pixel.
            back = view.to_region.inverse().apply(x[0], x[1])
            reach = math.hypot(0.5, 0.5) / 0.8 + 1e-4
            away = np.hypot(back[0] - grid[0], back[1] - grid[1])
            assert away[inside].max() <= reach


def test_the_crops_share_at_least_a_quarter_and_often_little_more() -> None:
    g = torch.Generator().manual_seed(2)
    shares = []
    for _ in range(1000):
        (top, left), (other_top, other_left) = draw_pair(
            numbered_region(128, 128), 64, g
        ).corners
        shares.append(
            max(0, 64 - abs(top - other_top)) * max(0, 64 - abs(left - other_left))
        )
    assert min(shares) / 64**2 >= 0.25
    assert np.mean(np.array(shares) < 0.35 * 64**2) > 0.1
    assert np.mean(np.array(shares) > 0.75 * 64**2) > 0.1


def test_the_same_place_in_two_crops_is_another_pixel() -> None:
    """What the reference code compares, pixel i with pixel i, hardly ever fits."""
    g = torch.Generator().manual_seed(3)
    region = numbered_region(128, 128)
    pairs = [draw_pair(region, 64, g) for _ in range(200)]
    fits = torch.stack([(p.student_x[0] == p.x[1]).all(0) for p in pairs])
    assert float(fits.float().mean()) < 0.005


def test_rows_of_the_student_meet_their_own_targets() -> None:
    """In a step of several pairs, with pixels of whole cubes that are not valid."""
    g = torch.Generator().manual_seed(4)
    pairs = []
    for height, width in ((128, 128), (80, 70), (64, 200)):
        region = numbered_region(height, width)
        region.valid[20:50, 10:50] = False
        region.spectra[:, ~region.valid] = -1
        pairs.append(draw_pair(region, 48, g))
    # Each pair of another scene: crops of one pair never meet those of the next.
    scene = 1e5 * torch.arange(3).repeat_interleave(2)[:, None, None, None]
    z = torch.cat([pair.student_x for pair in pairs]) + scene
    targets = torch.cat([pair.x for pair in pairs]) + scene
    own, target = _align(z, targets, pairs)
    assert own.shape == target.shape
    assert own.shape[1] == 3
    assert len(own) > 1000
    assert torch.equal(own, target)
    assert ((own[:, 0] % 1e5) < 1e4).all()  # none that is not valid


def test_padding_holds_nothing_that_anyone_learns_from() -> None:
    """A region as small as its crops: rotated views reach far beyond it."""
    g = torch.Generator().manual_seed(5)
    region = numbered_region(40, 40)
    pairs = [draw_pair(region, 40, g) for _ in range(100)]
    padded = torch.stack([~p.student_valid for p in pairs]).float().mean()
    assert padded > 0.05
    for pair in pairs:
        for at in (0, 1):
            assert pair.student_valid[at].flatten()[pair.overlap[at][0]].all()


def test_views_are_nearest_pixels_never_mixtures() -> None:
    """The values of a noise image keep their distribution, and no new one appears."""
    g = torch.Generator().manual_seed(6)
    rng = np.random.default_rng(0)
    region = Region(
        rng.normal(size=(2, 128, 128)).astype(np.float32), np.ones((128, 128), bool)
    )
    known = set(region.spectra.ravel().tolist())
    spread = []
    for _ in range(20):
        pair = draw_pair(region, 64, g)
        values = pair.student_x.movedim(1, 0)[:, pair.student_valid]
        spread.append(float(values.std()))
        assert set(values.flatten().tolist()) <= known
    assert np.mean(spread) == pytest.approx(1, abs=0.02)


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
    assert pair.x.shape == pair.student_x.shape == (2, 3, 31, 31)
    assert croppable([small, sliver, large]) == [small, large]
    assert croppable([sliver]) == [sliver]
    one = draw_pair(read_region([sliver], 64, g), 1, g)
    assert one.student_valid.all()


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
        pairs = [draw_pair(read_region(cubes, 32, g), 32, g) for _ in range(5)]
        runs.append([torch.cat([p.x, p.student_x]) for p in pairs])
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
