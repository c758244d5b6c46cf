"""The losses, each one pure function of embedded pixels.

Shapes: z (N, D+1) student embeddings on the sphere, centroids (K, D+1), tau
the noise temperature. Targets come from the teacher and carry no gradient.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

_EPS = 1e-8


def consistency(z: Tensor, centroids: Tensor, target: Tensor, tau: float) -> Tensor:
    """Cross-entropy to what the teacher says of the same pixels in the other crop.

    -mean_i sum_k target_ik log softmax(z_i · c_k / tau). Paper: crop
    consistency; here aligned exactly on the overlap, with the targets
    (N, K) of a sharp teacher.
    """
    logp = F.log_softmax(z @ centroids.T / tau, dim=1)
    return -(target * logp).sum(1).mean()


def compactness(z: Tensor, centroids: Tensor, target: Tensor, tau: float) -> Tensor:
    """Mean squared distance to the assigned centroid, in noise units.

    mean_i (1 - z_i · c_a(i)) / tau, a(i) the teacher's choice. Paper:
    compactness.
    """
    own = centroids[target.argmax(1)]
    return (1 - (z * own).sum(1)).mean() / tau


def separation(z: Tensor, centroids: Tensor, target: Tensor, tau: float) -> Tensor:
    """Overlap of the clusters' means with the other active centroids.

    mean over pairs k ≠ j of exp((m_k · c_j - 1) / tau), m_k the direction of
    the mean of the pixels of cluster k. Paper: orthogonality; on a sphere on
    which all clusters lie close together, "many noise radii apart" takes the
    place of a right angle. Zero where fewer than two clusters are active.
    """
    mass = target.sum(0)  # (K,)
    active = mass >= 1
    if int(active.sum()) < 2:
        return z.sum() * 0
    means = (target.T @ z)[active] / mass[active, None]
    means = means / means.norm(dim=1, keepdim=True).clamp(min=_EPS)
    overlap = torch.exp((means @ centroids[active].T - 1) / tau)  # (A, A)
    A = len(means)
    return (overlap.sum() - overlap.diagonal().sum()) / (A * (A - 1))


def balance(z: Tensor, centroids: Tensor, target: Tensor, tau: float) -> Tensor:
    """Divergence of the student's use of clusters from the teacher's.

    KL(mean target ‖ mean student assignment). Not towards uniform use: that
    would fight sparse activation. (The reference code minimises plus the
    entropy, whose optimum is one cluster for everything.)
    """
    student = F.softmax(z @ centroids.T / tau, dim=1).mean(0)
    teacher = target.mean(0)
    ratio = (teacher + _EPS) / (student + _EPS)
    return (teacher * ratio.log()).sum()


def anchor(y: Tensor, linear: Tensor, noise_std: Tensor) -> Tensor:
    """Mean squared departure of y from U(x - mu) beyond one noise radius.

    y, linear (B, D, H, W), noise_std (D,). Not in the paper: without it
    training forgot what the first map already knew. Within the noise the
    encoder is free; a loss that pulls there too, once balanced, pulls as hard
    on a tiny departure as on a large one, and nothing is learned.
    """
    departure = ((y - linear) / noise_std[:, None, None]).abs()
    return (departure - 1).clamp(min=0).square().mean()
