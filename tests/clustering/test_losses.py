from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
import torch

from napari_dgc.clustering import losses
from napari_dgc.clustering.learner import _LOSSES, _SHARES

TAU = 0.1
CENTROIDS = torch.eye(4)


def one_hot(own: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(own, 4).float()


OWN = torch.arange(4).repeat(25)
ALIGNED = CENTROIDS[OWN]
UNIFORM = torch.full((100, 4), 0.5)  # as far from every centroid
COLLAPSED = CENTROIDS[torch.zeros(100, dtype=torch.long)]
MISALIGNED = CENTROIDS[(OWN + 1) % 4]
# Right clusters, each as often as it should be, at random pixels.
PERMUTED = ALIGNED[torch.randperm(100, generator=torch.Generator().manual_seed(0))]


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
    assert value(losses.consistency, PERMUTED) > uniform
    sharp = math.log(1 + 3 * math.exp(-1 / TAU))  # the price of a finite tau
    assert aligned == pytest.approx(sharp, rel=1e-3)
    assert value(losses.consistency, MISALIGNED) == pytest.approx(1 / TAU + sharp)


def test_compactness_is_the_distance_in_noise_units() -> None:
    assert value(losses.compactness, ALIGNED) == pytest.approx(0)
    assert value(losses.compactness, UNIFORM) == pytest.approx(0.5 / TAU)
    assert value(losses.compactness, MISALIGNED) == pytest.approx(1 / TAU)
    assert value(losses.compactness, COLLAPSED) == pytest.approx(0.75 / TAU)
    astray = float((PERMUTED != ALIGNED).any(1).float().mean())
    assert value(losses.compactness, PERMUTED) == pytest.approx(astray / TAU)


def test_separation_punishes_collapse_and_is_silent_with_one_cluster() -> None:
    aligned = value(losses.separation, ALIGNED)
    assert aligned == pytest.approx(math.exp(-1 / TAU), rel=1e-3)
    assert value(losses.separation, UNIFORM) > 10 * aligned
    assert value(losses.separation, COLLAPSED) > 10 * aligned
    # Each cluster's mean on another's centroid; all means in the midst of them.
    assert value(losses.separation, MISALIGNED) == pytest.approx(1 / 3, rel=1e-3)
    assert value(losses.separation, PERMUTED) > 10 * aligned
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
    # It looks at how much of each cluster there is, never at where it is.
    for same in (UNIFORM, MISALIGNED, PERMUTED):
        assert value(losses.balance, same) == pytest.approx(0, abs=1e-3)


def test_collapse_never_pays_as_the_references_entropy_made_it() -> None:
    """Plus the entropy of the mean use: ln 4 if even, 0 if collapsed (minimised)."""
    use = (COLLAPSED @ CENTROIDS.T / TAU).softmax(1).mean(0)
    assert float(-(use * use.log()).sum()) < 0.01
    for loss in _LOSSES.values():
        assert value(loss, COLLAPSED) > value(loss, ALIGNED) + 1e-3
    # Also at the very brink, the way down leads out of it.
    z = (0.98 * COLLAPSED + 0.02 * UNIFORM).requires_grad_()
    losses.balance(z, CENTROIDS, one_hot(OWN), TAU).backward()
    downhill = -z.grad.mean(0)
    assert downhill[0] < 0
    assert (downhill[1:] > 0).all()


@pytest.mark.parametrize("other", [UNIFORM, COLLAPSED, MISALIGNED, PERMUTED])
def test_all_together_are_lowest_where_student_and_teacher_agree(
    other: torch.Tensor,
) -> None:
    def total(z: torch.Tensor) -> float:
        return sum(_SHARES[name] * value(loss, z) for name, loss in _LOSSES.items())

    assert total(ALIGNED) < 0.1 * total(other)


def descend(targets: Iterable[torch.Tensor]) -> torch.Tensor:
    """Pixels, free to go anywhere, after some steps on consistency (N, K)."""
    g = torch.Generator().manual_seed(1)
    z = (0.5 + 0.1 * torch.randn(100, 4, generator=g)).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)
    for target in targets:
        optimizer.zero_grad()
        losses.consistency(z, CENTROIDS, target, TAU).backward()
        optimizer.step()
    return (z.detach() @ CENTROIDS.T / TAU).softmax(1)


def test_the_optimum_is_the_teachers_map_not_one_over_k() -> None:
    """The reference's pseudo-labels are a new random permutation in each step."""
    found = descend([one_hot(OWN)] * 60)
    assert torch.equal(found.argmax(1), OWN)
    assert float(found.max(1).values.min()) > 0.95
    g = torch.Generator().manual_seed(2)
    theirs = descend(
        [one_hot(OWN)[torch.randperm(100, generator=g)] for _ in range(60)]
    )
    assert float(theirs.max(1).values.mean()) < 0.8
    assert (theirs.argmax(1) == OWN).float().mean() < 0.5


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
