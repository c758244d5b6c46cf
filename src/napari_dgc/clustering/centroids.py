"""The dictionary of centroids: how it starts and how it moves."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_COARSE_CLUSTERS = 96
_COARSE_ITERATIONS = 8
_DRAWN = 12_000
_FEWEST = 20  # a coarse cluster counts as at least this large
_LLOYD_ITERATIONS = 50
_CANDIDATES = 6  # of each greedy k-means++ step
# Starts, of which the tightest is kept: one start in twelve gives no centroid to
# a lesion (IoU 0.86 where the others have 0.96); see docs/engine.md.
_STARTS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Rarity:
    """How much a pixel weighs by how rare its like is.

    Attributes
    ----------
    coarse : Tensor, shape (M, D+1)
        Centroids of a coarse over-clustering.
    weights : Tensor, shape (M,)
        n^(-1/2) of each one's size, such that the mean over the pixels is 1.
        The square root stands between clustering the cloth (equal weights)
        and clustering the rarest crumbs (equal shares); it is what tames the
        seed (ENGINE.md, "Judge embeddings").
    """

    coarse: Tensor
    weights: Tensor

    def weigh(self, z: Tensor) -> Tensor:
        """Weights (N,) of embedded pixels z (N, D+1)."""
        return self.weights[(z @ self.coarse.T).argmax(1)]


def find_rarity(z: Tensor, generator: torch.Generator) -> Rarity:
    """Over-cluster embedded pixels (N, D+1) coarsely, and weigh the clusters."""
    count = max(1, min(_COARSE_CLUSTERS, len(z) // 4))
    rough = z[torch.randperm(len(z), generator=generator)[:count].to(z.device)]
    coarse, own = lloyd(z, rough, _COARSE_ITERATIONS)
    sizes = own.bincount(minlength=count).to(z.dtype)
    weights = sizes.clamp(min=_FEWEST).rsqrt()
    return Rarity(coarse, weights * (sizes.sum() / (weights * sizes).sum()))


def start_centroids(
    z: Tensor, k: int, rarity: Rarity, generator: torch.Generator
) -> Tensor:
    """Find K starting centroids among embedded pixels.

    Parameters
    ----------
    z : Tensor, shape (N, D+1)
        Unit vectors, spread over all scenes.
    k : int
    rarity : Rarity
        Pixels are drawn by its weights before they are clustered by greedy
        k-means++ and Lloyd, several times: the start of the smallest sum of
        squared distances is kept.
    generator : torch.Generator
        On the CPU.

    Returns
    -------
    Tensor, shape (K, D+1)
        Unit vectors, by falling mass of the clusters they found in `z`.
        Where there are fewer pixels than centroids, pixels serve twice, a
        little apart.
    """
    if len(z) < k:
        z = _spread(z, k, generator)
    drawn = z[draw(rarity.weigh(z).cpu(), _DRAWN, generator).to(z.device)]
    centroids, tightest = drawn[:k], -1.0
    for _ in range(_STARTS):
        seeds = greedy_kmeans_plus_plus(drawn, k, generator)
        found, _ = lloyd(drawn, seeds, _LLOYD_ITERATIONS)
        cosines = float((drawn @ found.T).amax(1).double().mean())
        if cosines > tightest:
            centroids, tightest = found, cosines
    mass = (z @ centroids.T).argmax(1).bincount(minlength=k)
    return centroids[mass.argsort(descending=True, stable=True)]


def draw(weights: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw `count` indices with replacement, in proportion to `weights` (N,)."""
    edges = weights.double().cumsum(0)
    places = torch.rand(count, generator=generator, dtype=torch.float64) * edges[-1]
    return torch.searchsorted(edges, places).clamp(max=len(weights) - 1)


def greedy_kmeans_plus_plus(z: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Pick K rows of z (N, D+1), each the best of several candidates.

    Candidates are drawn in proportion to the squared distance to the nearest
    row picked so far; the one that lowers the sum of these most is taken
    (Arthur & Vassilvitskii 2007, section 5; Grunau et al. 2023).
    """
    first = int(torch.randint(len(z), (1,), generator=generator))
    picked = [first]
    nearest = (1 - z @ z[first]).clamp(min=0)  # half the squared distance
    for _ in range(k - 1):
        if float(nearest.sum()) <= 0:  # fewer distinct pixels than centroids
            candidates = torch.randint(len(z), (_CANDIDATES,), generator=generator)
        else:
            candidates = draw(nearest.cpu(), _CANDIDATES, generator)
        distances = (1 - z @ z[candidates.to(z.device)].T).clamp(min=0)
        lowered = torch.minimum(nearest[:, None], distances)  # (N, candidates)
        best = int(lowered.sum(0).argmin())
        picked.append(int(candidates[best]))
        nearest = lowered[:, best]
    return z[torch.tensor(picked, device=z.device)]


def lloyd(z: Tensor, centroids: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Spherical k-means from given centroids.

    Returns
    -------
    centroids : Tensor, shape (K, D+1)
        An empty cluster's centroid stays where it was.
    own : Tensor of int64, shape (N,)
        Which centroid each row of `z` is nearest to.
    """
    own = (z @ centroids.T).argmax(1)
    for _ in range(iterations):
        total = torch.zeros_like(centroids).index_add_(0, own, z)
        norm = total.norm(dim=1, keepdim=True)
        centroids = torch.where(norm > 0, total / norm.clamp(min=1e-12), centroids)
        moved = (z @ centroids.T).argmax(1)
        if torch.equal(moved, own):
            break
        own = moved
    return centroids, own


def move_centroids(
    centroids: Tensor,
    z: Tensor,
    shares: Tensor,
    rarity: Rarity,
    rate: float,
    full_mass: float,
) -> Tensor:
    """Move each centroid a little towards the pixels assigned to it.

    Parameters
    ----------
    centroids : Tensor, shape (K, D+1)
    z : Tensor, shape (N, D+1)
    shares : Tensor, shape (N, K)
        Sharp assignments; soft ones would let the bulk pull small clusters
        over, which is how the paper's version erodes.
    rarity : Rarity
        Weighs the pixels as they were weighed when the centroids were found.
        With equal weights the centroids would leave that optimum for the one
        in which the bulk pulls on every cluster at its border.
    rate : float
        Share of the way for a cluster of at least `full_mass` pixels; a
        cluster of less mass moves in proportion.
    full_mass : float
        In pixels.

    Returns
    -------
    Tensor, shape (K, D+1)
        Unit vectors.
    """
    mass = shares.sum(0)  # (K,)
    target = (shares * rarity.weigh(z)[:, None]).T @ z
    target = target / target.norm(dim=1, keepdim=True).clamp(min=1e-12)
    step = (rate * (mass / full_mass).clamp(max=1))[:, None]
    moved = centroids + step * (target - centroids)
    unit: Tensor = moved / moved.norm(dim=1, keepdim=True)
    return unit


def _spread(z: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Repeat rows until there are `k`, jittered so that none coincide."""
    copies = z.repeat(-(-k // len(z)), 1)
    jitter = torch.randn(copies.shape, generator=generator).to(z.device)
    copies = copies + 1e-4 * jitter
    return torch.cat([z, copies / copies.norm(dim=1, keepdim=True)])
