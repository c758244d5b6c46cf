"""Unrolled mean-shift over a small spatial window, with a bandwidth to learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def mean_shift(
    y: Tensor,
    valid: Tensor,
    bandwidth: float,
    iterations: int,
    radius: int,
    log_ratio: Tensor | None = None,
) -> Tensor:
    """Move each pixel towards those neighbours that look like it.

    Parameters
    ----------
    y : Tensor, shape (B, D, H, W)
    valid : Tensor of bool, shape (B, H, W)
        Pixels that are not valid neither move nor pull.
    bandwidth : float
        h² of the Gaussian weight exp(-‖y_i - y_j‖² / 2h²).
    iterations, radius : int
        A radius of 2 is the paper's 5 x 5 window.
    log_ratio : Tensor, shape (iterations,), optional
        What was learned: iteration t takes the h² of
        ``bandwidth * exp(log_ratio[t])``. Zeros give `bandwidth` to the bit.

    Returns
    -------
    Tensor, shape (B, D, H, W)

    Notes
    -----
    Edge-preserving, unlike a box mean; differentiable through every
    iteration, with respect to y and to the bandwidths. The weight of a pair
    is the same seen from either end, so each of the (2r+1)²-1 shifts is paid
    for half. Nothing of the size (pixels, window, D) is ever held, in
    training neither: an iteration keeps y and what came out, and its weights
    are computed again on the way back. Paper: unrolled mean-shift, 3-5
    iterations; two are enough in noise units (ENGINE.md, section 3).
    """
    weight = valid.to(y.dtype)
    if log_ratio is None:
        log_ratio = y.new_zeros(iterations)
    rates = torch.exp(-log_ratio).to(y.dtype) * (-0.5 / bandwidth)  # -1 / 2h²
    for at in range(iterations):
        y = _Iteration.apply(y, weight, rates[at], radius)  # type: ignore[no-untyped-call]
    return y


class _Iteration(torch.autograd.Function):
    """y' = T / n, T_i = y_i + sum_j p_ij y_j and n_i = 1 + sum_j p_ij.

    p_ij = w_i w_j exp(rate ‖y_i - y_j‖²). With the gradient g at y', that at
    T is u = g / n and that at n is v = -u · y'. Each p_ij then weighs
    e_ij = u_i · y_j + u_j · y_i + v_i + v_j, and

    dy_i = u_i + sum_j p_ij u_j + 2 rate sum_j e_ij p_ij (y_i - y_j),
    d rate = sum over pairs of e_ij p_ij ‖y_i - y_j‖².
    """

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, weight: Tensor, rate: Tensor, radius: int
    ) -> Tensor:
        total, norm = y.clone(), torch.ones_like(weight)
        for here, there in _shifts(weight.shape[-2:], radius):
            a, b = y[here], y[there]
            pull = torch.exp((a - b).square_().sum(1).mul_(rate))
            pull.mul_(weight[here]).mul_(weight[there])
            total[here] += pull[:, None] * b
            total[there] += pull[:, None] * a
            norm[here].add_(pull)
            norm[there].add_(pull)
        out = total.div_(norm[:, None])
        ctx.radius = radius
        ctx.save_for_backward(y, weight, rate, out, norm)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None, Tensor, None]:
        y, weight, rate, out, norm = ctx.saved_tensors
        u = g / norm[:, None]
        v = -(u * out).sum(1)
        dy, d_rate = u.clone(), torch.zeros_like(rate)
        for here, there in _shifts(weight.shape[-2:], ctx.radius):
            a, b, u_a, u_b = y[here], y[there], u[here], u[there]
            apart = a - b
            squared = apart.square().sum(1)
            pull = torch.exp(squared * rate).mul_(weight[here]).mul_(weight[there])
            weighed = (u_a * b).addcmul_(u_b, a).sum(1)
            weighed.add_(v[here]).add_(v[there]).mul_(pull)
            d_rate += (weighed * squared).sum()
            pull, push = pull[:, None], weighed.mul_(2 * rate)[:, None]
            apart.mul_(push)
            dy[here].addcmul_(pull, u_b).add_(apart)
            dy[there].addcmul_(pull, u_a).sub_(apart)
        return dy, None, d_rate, None


def _shifts(
    size: tuple[int, ...], radius: int
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Half of the window's shifts, as the two overlapping parts of the image."""
    H, W = size
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
            yield here, there
