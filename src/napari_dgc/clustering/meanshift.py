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
    contrast: float = 0.0,
    log_ratio: Tensor | None = None,
) -> Tensor:
    """Move each pixel towards those neighbours that look like it.

    Parameters
    ----------
    y : Tensor, shape (B, D, H, W)
    valid : Tensor of bool, shape (B, H, W)
        Pixels that are not valid neither move nor pull.
    bandwidth : float
        The part of h² that noise alone asks for.
    iterations, radius : int
        A radius of 2 is the paper's 5 x 5 window.
    contrast : float
        What the surroundings add to a pixel's h²: this share of the mean
        squared distance to the pixels of its window.
    log_ratio : Tensor, shape (iterations,), optional
        What was learned: iteration t takes h² times ``exp(log_ratio[t])``.

    Returns
    -------
    Tensor, shape (B, D, H, W)

    Notes
    -----
    Pixel i becomes the mean of its window with the Gaussian weights
    exp(-‖y_i - y_j‖² / 2h_i²), h_i² = bandwidth + contrast · mean_j ‖y_i - y_j‖²:
    a variable-bandwidth mean-shift (Comaniciu, Ramesh & Meer 2001). Within a
    leaf, h follows the unevenness of light and texture where that is larger
    than the noise. At an edge, where h is wide, a mixed pixel leaves the
    middle for the side that it is nearer to, iteration by iteration: with a
    contrast of 0.1 a pixel alone among others hardly moves, and one of 60 % leaf
    becomes leaf. Paper: unrolled mean-shift, 3-5 iterations.

    Differentiable through every iteration, with respect to y and to the
    bandwidths; the contrast term is taken as given. Nothing of the size
    (pixels, window, D) is ever held, in training neither: an iteration keeps
    y and what came out, and its weights are computed again on the way back.
    """
    weight = valid.to(y.dtype)
    if log_ratio is None:
        log_ratio = y.new_zeros(iterations)
    inverse = torch.exp(-log_ratio).to(y.dtype)
    for at in range(iterations):
        with torch.no_grad():
            apart = _squared_distances(y, radius)
            squared = torch.full_like(weight, bandwidth)  # h², (B, H, W)
            if contrast:
                squared += contrast * _window_mean(apart, weight, radius)
        rate = inverse[at] * (-0.5 / squared)  # -1 / 2h²
        y = _Iteration.apply(y, weight, rate, radius, apart)  # type: ignore[no-untyped-call]
    return y


def _squared_distances(y: Tensor, radius: int) -> list[Tensor]:
    """‖y_i - y_j‖² for each of half the window's shifts; as large as y for D = 12."""
    return [
        (y[here] - y[there]).square_().sum(1)
        for here, there in _shifts(y.shape[-2:], radius)
    ]


def _window_mean(apart: list[Tensor], weight: Tensor, radius: int) -> Tensor:
    """Mean over the valid pixels of each pixel's window, itself a zero among them.

    From the pairs, not from box sums of y and ‖y‖²: those cancel, and what is
    lost would let the map depend on the tile.
    """
    total, count = torch.zeros_like(weight), torch.ones_like(weight)
    shifts = _shifts(weight.shape[-2:], radius)
    for (here, there), squared in zip(shifts, apart, strict=True):
        total[here].addcmul_(squared, weight[there])
        total[there].addcmul_(squared, weight[here])
        count[here].add_(weight[there])
        count[there].add_(weight[here])
    return total.div_(count)


class _Iteration(torch.autograd.Function):
    """y' = T / n, T_i = y_i + sum_j p_ij y_j and n_i = 1 + sum_j p_ij.

    p_ij = w_i w_j exp(r_i ‖y_i - y_j‖²), r (B, H, W) negative. With the
    gradient g at y', that at T is u = g / n and that at n is v = -u · y'.
    Each p_ij then weighs e_ij = u_i · y_j + v_i, and

    dy_i = u_i + sum_j p_ji u_j + 2 sum_j (r_i e_ij p_ij + r_j e_ji p_ji)(y_i - y_j),
    dr_i = sum_j e_ij p_ij ‖y_i - y_j‖².
    """

    @staticmethod
    def forward(
        ctx: Any,
        y: Tensor,
        weight: Tensor,
        rate: Tensor,
        radius: int,
        apart: list[Tensor],
    ) -> Tensor:
        total, norm = y.clone(), torch.ones_like(weight)
        shifts = _shifts(weight.shape[-2:], radius)
        for (here, there), squared in zip(shifts, apart, strict=True):
            a, b = y[here], y[there]
            both = weight[here] * weight[there]
            for own, other in ((here, b), (there, a)):
                pull = torch.exp(squared * rate[own]).mul_(both)
                total[own] += pull[:, None] * other
                norm[own].add_(pull)
        out = total.div_(norm[:, None])
        ctx.radius = radius
        ctx.save_for_backward(y, weight, rate, out, norm)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None, Tensor, None, None]:
        y, weight, rate, out, norm = ctx.saved_tensors
        u = g / norm[:, None]
        v = -(u * out).sum(1)
        dy, d_rate = u.clone(), torch.zeros_like(rate)
        for here, there in _shifts(weight.shape[-2:], ctx.radius):
            apart = y[here] - y[there]
            squared = apart.square().sum(1)
            both = weight[here] * weight[there]
            push = torch.zeros_like(squared)
            for i, j in ((here, there), (there, here)):
                pull = torch.exp(squared * rate[i]).mul_(both)
                weighed = (u[i] * y[j]).sum(1).add_(v[i]).mul_(pull)
                d_rate[i] += weighed * squared
                push.addcmul_(weighed, rate[i], value=2)
                dy[j].addcmul_(pull[:, None], u[i])
            apart.mul_(push[:, None])
            dy[here].add_(apart)
            dy[there].sub_(apart)
        return dy, None, d_rate, None, None


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
