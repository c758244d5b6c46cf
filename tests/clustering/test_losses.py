from __future__ import annotations

import math

import pytest
import torch

from napari_dgc.clustering import losses

TAU = 0.1
CENTROIDS = torch.eye(4)


def one_hot(own: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(own, 4).float()


OWN = torch.arange(4).repeat(25)
ALIGNED = CENTROIDS[OWN]
UNIFORM = torch.full((100, 4), 0.5)  # as far from every centroid
COLLAPSED = CENTROIDS[torch.zeros(100, dtype=torch.long)]
MISALIGNED = CENTROIDS[(OWN + 1) % 4]


def value(loss, z: torch.Tensor, target: torch.Tensor | None = None) -> float:
    return float(loss(z, CENTROIDS, one_hot(OWN) if target is None else target, TAU))


def test_consistency_is_nought_aligned_and_worst_misaligned() -> None:
    aligned = value(losses.consistency, ALIGNED)
    uniform = value(losses.consistency, UNIFORM)
    assert aligned < 1e-3
    assert uniform == pytest.approx(math.log(4))
    assert value(losses.consistency, MISALIGNED) > uniform
    # A constant output is no optimum (it was the reference code's).
    assert value(losses.consistency, COLLAPSED) > uniform


def test_compactness_is_the_distance_in_noise_units() -> None:
    assert value(losses.compactness, ALIGNED) == pytest.approx(0)
    assert value(losses.compactness, UNIFORM) == pytest.approx(0.5 / TAU)
    assert value(losses.compactness, MISALIGNED) == pytest.approx(1 / TAU)


def test_separation_punishes_collapse_and_is_silent_with_one_cluster() -> None:
    aligned = value(losses.separation, ALIGNED)
    assert aligned == pytest.approx(math.exp(-1 / TAU), rel=1e-3)
    assert value(losses.separation, UNIFORM) > 10 * aligned
    assert value(losses.separation, COLLAPSED) > 10 * aligned
    single = one_hot(torch.zeros(100, dtype=torch.long))
    z = COLLAPSED.clone().requires_grad_()
    loss = losses.separation(z, CENTROIDS, single, TAU)
    loss.backward()
    assert float(loss.detach()) == 0
    assert float(z.grad.abs().sum()) == 0


def test_balance_asks_for_the_teachers_use_neither_uniform_nor_collapsed() -> None:
    """Plus the entropy, as in the reference code, would be lowest at collapse."""
    assert value(losses.balance, ALIGNED) == pytest.approx(0, abs=1e-3)
    assert value(losses.balance, COLLAPSED) > 1
    sparse = one_hot(torch.zeros(100, dtype=torch.long))
    assert value(losses.balance, COLLAPSED, sparse) == pytest.approx(0, abs=1e-3)
    assert value(losses.balance, UNIFORM, sparse) > 1


def test_anchor_is_silent_within_the_noise_and_counts_noise_units_beyond() -> None:
    noise = torch.tensor([0.5, 2.0])
    linear = torch.zeros(1, 2, 3, 3)
    for departure, expected in ((0.0, 0), (0.9, 0), (-0.9, 0), (4.0, 9), (-4.0, 9)):
        y = linear + noise[:, None, None] * departure
        assert float(losses.anchor(y, linear, noise)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "loss",
    [losses.consistency, losses.compactness, losses.separation, losses.balance],
)
def test_gradients_are_right(loss) -> None:
    g = torch.Generator().manual_seed(0)
    z = torch.randn(12, 5, generator=g, dtype=torch.float64, requires_grad=True)
    centroids = torch.nn.functional.normalize(
        torch.randn(4, 5, generator=g, dtype=torch.float64)
    )
    target = torch.randn(12, 4, generator=g, dtype=torch.float64).softmax(1)
    assert torch.autograd.gradcheck(lambda v: loss(v, centroids, target, 0.5), (z,))
