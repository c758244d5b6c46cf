from __future__ import annotations

import cmath
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from napari_dgc.clustering.affine import Affine, draw_affine

RNG = np.random.default_rng(0)
ROWS, COLS = RNG.uniform(-200, 200, (2, 500))


def drawn(count: int, side: int = 64) -> list[Affine]:
    g = torch.Generator().manual_seed(0)
    return [draw_affine(side, (100.0, 80.0), g) for _ in range(count)]


def test_the_elements_do_what_they_say() -> None:
    for map_, expected in (
        (Affine.moved(2, -3), (12, 17)),
        (Affine.scaled(2, -0.5), (20, -10)),
        (Affine.turned(math.pi / 2), (-20, 10)),
    ):
        np.testing.assert_allclose(map_.apply(10, 20), expected, atol=1e-12)


def test_positions_agree_with_complex_arithmetic_to_sub_pixel() -> None:
    """A rotation with a scale is a product, a flip a conjugate."""
    for _ in range(200):
        angle, scale = RNG.uniform(0, 2 * math.pi), RNG.uniform(0.8, 1.25)
        down, right = RNG.uniform(-50, 50, 2)
        flipped = RNG.random() < 0.5
        map_ = (
            Affine.moved(down, right)
            @ Affine.turned(angle)
            @ Affine.scaled(scale, -scale if flipped else scale)
        )
        z = ROWS + 1j * COLS
        z = cmath.rect(scale, angle) * (z.conj() if flipped else z)
        rows, cols = map_.apply(ROWS, COLS)
        np.testing.assert_allclose(rows, z.real + down, atol=1e-4)
        np.testing.assert_allclose(cols, z.imag + right, atol=1e-4)


def test_the_inverse_leads_back_and_products_apply_the_right_one_first() -> None:
    maps = drawn(100)
    for first, then in pairwise(maps):
        back = first.inverse().apply(*first.apply(ROWS, COLS))
        np.testing.assert_allclose(back, (ROWS, COLS), atol=1e-4)
        both = (then @ first).apply(ROWS, COLS)
        np.testing.assert_allclose(both, then.apply(*first.apply(ROWS, COLS)), 1e-9)
        one = (first @ first.inverse()).matrix
        np.testing.assert_allclose(one, np.eye(3)[:2], atol=1e-9)
    with pytest.raises(np.linalg.LinAlgError):
        Affine.scaled(0, 1).inverse()


def test_draws_cover_what_is_promised() -> None:
    maps = drawn(2000)
    linear = np.stack([m.matrix[:, :2] for m in maps])
    determinants = np.linalg.det(linear)
    scales = np.sqrt(np.abs(determinants))
    assert 0.8 <= scales.min() < 0.81
    assert 1.24 < scales.max() <= 1.25
    assert np.median(scales) == pytest.approx(1, abs=0.02)
    assert (determinants < 0).mean() == pytest.approx(0.5, abs=0.05)
    shapes = linear @ linear.transpose(0, 2, 1) / scales[:, None, None] ** 2
    np.testing.assert_allclose(
        shapes, np.broadcast_to(np.eye(2), shapes.shape), 0, 1e-9
    )
    angles = np.arctan2(linear[:, 1, 0], linear[:, 0, 0])
    assert (np.histogram(angles, 12, (-np.pi, np.pi))[0] > 100).all()
    # The view's middle lies within an eighth of its side of where it was asked.
    middles = np.array([m.apply(31.5, 31.5) for m in maps]) - (100.0, 80.0)
    assert 7.5 < np.abs(middles).max() <= 8
