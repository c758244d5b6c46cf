from __future__ import annotations

import torch

from napari_dgc.clustering.meanshift import mean_shift


def brute_force(y: torch.Tensor, valid: torch.Tensor, h2: float) -> torch.Tensor:
    """One iteration over a 5 x 5 window, pixel by pixel. y (D, H, W)."""
    D, H, W = y.shape
    out = y.clone()
    for i in range(H):
        for j in range(W):
            if not valid[i, j]:
                continue
            total, norm = torch.zeros(D, dtype=y.dtype), 0.0
            for a in range(max(0, i - 2), min(H, i + 3)):
                for b in range(max(0, j - 2), min(W, j + 3)):
                    if valid[a, b]:
                        d2 = float((y[:, i, j] - y[:, a, b]).square().sum())
                        w = torch.exp(torch.tensor(-d2 / (2 * h2), dtype=y.dtype))
                        total += w * y[:, a, b]
                        norm += float(w)
            out[:, i, j] = total / norm
    return out


def test_equals_the_definition() -> None:
    g = torch.Generator().manual_seed(0)
    y = torch.randn(3, 9, 7, generator=g, dtype=torch.float64)
    valid = torch.rand(9, 7, generator=g) > 0.2
    expected = brute_force(brute_force(y, valid, 0.7), valid, 0.7)
    got = mean_shift(y[None], valid[None], 0.7, iterations=2, radius=2)[0]
    torch.testing.assert_close(got[:, valid], expected[:, valid])


def test_keeps_an_edge_that_a_box_mean_would_blur() -> None:
    y = torch.zeros(1, 1, 8, 8)
    y[..., 4:] = 10.0
    valid = torch.ones(1, 8, 8, dtype=torch.bool)
    torch.testing.assert_close(mean_shift(y, valid, 0.5, 2, 2), y)


def test_gradient_flows_through_every_iteration() -> None:
    g = torch.Generator().manual_seed(1)
    y = torch.randn(1, 2, 5, 5, generator=g, dtype=torch.float64, requires_grad=True)
    valid = torch.ones(1, 5, 5, dtype=torch.bool)
    assert torch.autograd.gradcheck(
        lambda v: mean_shift(v, valid, 0.9, iterations=3, radius=2), (y,)
    )


def test_works_on_windows_smaller_than_its_reach() -> None:
    y = torch.randn(2, 3, 1, 2)
    valid = torch.ones(2, 1, 2, dtype=torch.bool)
    assert mean_shift(y, valid, 1.0, 2, 2).shape == y.shape
