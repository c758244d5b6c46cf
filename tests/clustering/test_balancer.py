from __future__ import annotations

import pytest
import torch

from napari_dgc.clustering.balancer import GradientBalancer


def test_shares_hold_whatever_the_scales() -> None:
    balancer = GradientBalancer({"large": 3.0, "small": 1.0})
    a, b = torch.tensor([1e6, 0.0]), torch.tensor([0.0, 1e-6])
    for _ in range(50):
        total = balancer.combine({"large": a, "small": b})
    torch.testing.assert_close(total, torch.tensor([0.75, 0.25]))


def test_a_gradient_larger_than_usual_claims_more() -> None:
    balancer = GradientBalancer({"a": 1.0}, momentum=0.9)
    for _ in range(100):
        balancer.combine({"a": torch.tensor([1.0])})
    spike = balancer.combine({"a": torch.tensor([10.0])})
    assert 4 < float(spike) < 10


def test_nothing_and_nonsense_add_nothing() -> None:
    balancer = GradientBalancer({"a": 1.0, "b": 1.0, "c": 1.0})
    total = balancer.combine(
        {"a": torch.ones(3), "b": torch.zeros(3), "c": torch.full((3,), torch.nan)}
    )
    torch.testing.assert_close(total, torch.ones(3) / 3 / 3**0.5)
    assert balancer.norms["b"] == balancer.norms["c"] == 0


def test_impossible_shares_are_refused() -> None:
    with pytest.raises(ValueError, match="shares"):
        GradientBalancer({"a": 0.0})
