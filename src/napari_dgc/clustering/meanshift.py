"""Unrolled mean-shift over a small spatial window."""

from __future__ import annotations

import torch
from torch import Tensor


def mean_shift(
    y: Tensor, valid: Tensor, bandwidth: Tensor | float, iterations: int, radius: int
) -> Tensor:
    """Move each pixel towards those neighbours that look like it.

    Parameters
    ----------
    y : Tensor, shape (B, D, H, W)
    valid : Tensor of bool, shape (B, H, W)
        Pixels that are not valid neither move nor pull.
    bandwidth : Tensor or float
        h² of the Gaussian weight exp(-‖y_i - y_j‖² / 2h²).
    iterations, radius : int
        A radius of 2 is the paper's 5 x 5 window.

    Returns
    -------
    Tensor, shape (B, D, H, W)

    Notes
    -----
    Edge-preserving, unlike a box mean; differentiable through every
    iteration. The weight of a pair is the same seen from either end, so each
    of the (2r+1)²-1 shifts is paid for half; nothing of the size
    (pixels, window, D) is ever held. Paper: unrolled mean-shift, 3-5
    iterations; two are enough in noise units (ENGINE.md, section 3).
    """
    weight = valid.to(y.dtype)
    for _ in range(iterations):
        y = _one_iteration(y, weight, bandwidth, radius)
    return y


def _one_iteration(
    y: Tensor, weight: Tensor, bandwidth: Tensor | float, radius: int
) -> Tensor:
    """One iteration; `weight` (B, H, W) is 1 for valid pixels, else 0."""
    H, W = y.shape[-2:]
    total, norm = y.clone(), torch.ones_like(weight)
    for down in range(min(radius, H - 1) + 1):
        for right in range(-min(radius, W - 1), min(radius, W - 1) + 1):
            if down == 0 and right <= 0:
                continue
            here = (
                ...,
                slice(0, H - down),
                slice(max(0, -right), W - max(0, right)),
            )
            there = (..., slice(down, H), slice(max(0, right), W + min(0, right)))
            a, b = y[here], y[there]
            pull = torch.exp((a - b).square().sum(1) * (-0.5 / bandwidth))
            pull = pull * weight[here] * weight[there]
            total[here] += pull[:, None] * b
            total[there] += pull[:, None] * a
            norm[here] += pull
            norm[there] += pull
    return total / norm[:, None]
