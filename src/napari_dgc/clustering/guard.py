"""The guard: a score without labels, kept along training.

Two things are asked of a model. How much do its clusters tell of a pixel that
does not depend on the light and the noise it was seen in? That is what training
may improve. And can the coarse groups that the first map shows still be put
together from them? The first map needs no gradient and does not collapse; what
it tells apart must not be lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from torch import Tensor

from napari_dgc.clustering.augmentation import Augmenter
from napari_dgc.clustering.config import Config
from napari_dgc.clustering.devices import in_room
from napari_dgc.clustering.embedding import Embedder
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import load_network
from napari_dgc.clustering.reading import Region, read_region
from napari_dgc.cubes.cube import Cube

_CANDIDATES, _KEPT = 32, 12  # regions read, and those that are kept
_SIDE = 24  # of a crop, a region is twice as wide: 12 of them are 28,000 pixels
# The other light: log-normal over a region, smooth across it, and glints.
_BRIGHTNESS, _TILT, _GLINT = 0.3, 0.2, 0.1
_FINEST = 8  # cuts of the tree of centroids from 2 up to this many groups
_FEWEST = 64  # pixels of a group that counts
# How much of the first map's own agreement the worst group must keep: while clusters
# get better it may sink to 0.7, while a lesion is eaten it falls to 0.3 and below.
_FREE = 0.5
_COLLAPSED = 0.6  # of the first map's score
# Shares that count as a rise; below them scores go up and down by chance. The first
# map gives way only to what is clearly better: it is faster to compute, too.
_RISE, _ADOPT = 1e-3, 3e-3


class Guard:
    """Scores models on the same pixels, all along.

    Parameters
    ----------
    cubes : sequence of Cube
    config : Config
    start : Model
        The first map. It is the reference, and the first best.
    device : torch.device

    Attributes
    ----------
    start, best : Model
        The first map, and the best model so far.
    first_score, best_score : float
        Theirs, in nats.
    checks : int
        Scores taken since the best.

    Notes
    -----
    Score: I · min(1, R / 0.5).

    I, in nats, is the mutual information between the clusters of the same pixels
    in two pictures of other light and noise. It falls when clusters melt
    together, and when they split by what changes with the light. Pixels weigh
    n^(-1/2) of their first cluster's size n, as they do where centroids are found.

    R is what is left of the worst reference group: the best intersection over
    union that any set of the model's clusters, in a noisier picture, reaches with
    the group, as a share of what the first map's reach. The groups are the nodes
    of the tree of the first centroids (average linkage of the cosine) from 2 to 8
    groups, so losing a lesion costs as much as losing the cloth.

    Alone, I may rise while a lesion is eaten by a better split of the leaf, and R
    can never see a gain (docs/engine.md has the figures). The pixels are 12
    regions, of 32 drawn those with the rarest clusters. Deterministic; takes no
    part in the training and draws from a generator of its own.
    """

    def __init__(
        self, cubes: Sequence[Cube], config: Config, start: Model, device: torch.device
    ) -> None:
        self._patience = config.patience
        embedder, centroids, _ = load_network(start, device)
        generator = torch.Generator().manual_seed(config.seed + 3)
        noisy, lit = (
            Augmenter(start.front_end, start.wavelengths, wish, generator, device)
            for wish in (config, _relit(config))
        )
        rarity = torch.from_numpy(np.maximum(start.counts, 1)).rsqrt()
        kept: list[tuple[float, Region, Tensor]] = []
        for _ in range(_CANDIDATES):
            region = read_region(cubes, _SIDE, generator)
            ids = _assign(embedder, centroids, *_tensors(region, device))
            worth = float(rarity[ids[ids >= 0]].sum())
            kept.append((worth, region, ids))
            kept = sorted(kept, key=lambda entry: -entry[0])[:_KEPT]
        self._views: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        for _, region, _ in kept:
            x, valid = _tensors(region, device)
            self._views.append((noisy(x), lit(x), lit(x), valid))
        reference = torch.cat([ids for *_, ids in kept])
        self._weights = torch.where(reference >= 0, rarity[reference], 0).double()
        groups = coarse_groups(start.centroids, _FINEST)
        member = torch.zeros(len(groups), len(centroids) + 1, dtype=torch.bool)
        for row, group in enumerate(groups):
            member[row, list(group)] = True  # the last column stands for "no data"
        inside = member[:, reference]  # (G, N)
        self._inside = inside[inside.sum(1) >= _FEWEST].double()
        self._reached = self._reach(embedder, centroids)
        self.start = self.best = start
        self.first_score = self.best_score = self.score(embedder, centroids)
        self.checks, self._fallen = 0, False

    def score(self, embedder: Embedder, centroids: Tensor) -> float:
        """The score of an embedder with centroids (K, D+1); see the class."""
        one, other = (self._look(embedder, centroids, view) for view in (1, 2))
        told = information(one, other, self._weights, len(centroids))
        left = self._reach(embedder, centroids) / np.maximum(self._reached, 1e-6)
        return float(told * min(1.0, left.min(initial=1.0) / _FREE))

    def judge(self, embedder: Embedder, centroids: Tensor, model: Model) -> float:
        """Score a model as it stands, and keep it if it is the best; its score."""
        score = self.score(embedder, centroids)
        self._fallen = self.collapsed(score)
        rise = _ADOPT if self.best is self.start else _RISE
        if score > self.best_score * (1 + rise):
            self.best, self.best_score, self.checks = model, score, 0
        else:
            self.checks += 1
        return score

    @property
    def kept(self) -> Model:
        """The best model so far, with its score and the first map's."""
        return replace(self.best, score=self.best_score, first_score=self.first_score)

    def collapsed(self, score: float) -> bool:
        """Whether a model has lost much of what the first map tells apart."""
        return score < _COLLAPSED * self.first_score

    def _reach(self, embedder: Embedder, centroids: Tensor) -> NDArray[np.float64]:
        """Best intersection over union with each reference group, (G,)."""
        own, K = self._look(embedder, centroids, 0), len(centroids)
        holds = torch.zeros(K + 1, len(own), dtype=torch.float64)
        holds[own, torch.arange(len(own))] = 1
        hits = (self._inside @ holds.T)[:, :K].numpy()  # (G, K)
        sizes, wanted = holds.sum(1)[:K].numpy(), self._inside.sum(1).numpy()
        return best_unions(hits, sizes, wanted)

    def _look(self, embedder: Embedder, centroids: Tensor, view: int) -> Tensor:
        """Rows of the nearest centroids in one of the pictures, (N,), or -1."""
        return torch.cat(
            [_assign(embedder, centroids, seen[view], seen[3]) for seen in self._views]
        )

    @property
    def fallen(self) -> bool:
        """Whether the last model judged had collapsed."""
        return self._fallen

    @property
    def done(self) -> bool:
        """Whether the score has not risen for as long as the config waits, or fell."""
        return self._fallen or 0 < self._patience <= self.checks

    def state(self) -> dict[str, Any]:
        """What `load_state` and `start_of` need; the pixels are drawn by the seed."""
        return {
            "start": _pack(self.start),
            "best": _pack(self.best),
            "best_score": self.best_score,
            "checks": self.checks,
            "fallen": self._fallen,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` gave, of a guard with the same start."""
        best = replace(_unpack(state["best"]), config=self.start.config)
        self.best = best if best.steps_done else self.start
        self.best_score, self.checks = float(state["best_score"]), int(state["checks"])
        self._fallen = bool(state["fallen"])


def start_of(state: Mapping[str, Any]) -> Model:
    """The first map that a guard's state was kept with."""
    return _unpack(state["start"])


def _pack(model: Model) -> dict[str, Any]:
    meta, arrays = model.parts()
    tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    return {"meta": meta, "arrays": tensors}


def _unpack(state: Mapping[str, Any]) -> Model:
    arrays = {name: tensor.numpy() for name, tensor in state["arrays"].items()}
    return Model.from_parts(state["meta"], arrays)


def coarse_groups(centroids: NDArray[np.float32], finest: int) -> list[tuple[int, ...]]:
    """Rows of centroids that lie together, at every granularity from 2 to `finest`.

    Average linkage of the cosine between unit vectors (K, D+1); each node of
    the tree that some cut shows is given once.
    """
    K = len(centroids)
    vectors = np.asarray(centroids, np.float64)
    apart = np.maximum(1 - vectors @ vectors.T, 0)
    apart = (apart + apart.T) / 2
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    members: dict[int, tuple[int, ...]] = {i: (i,) for i in range(K)}
    for row, node in enumerate(tree):
        members[K + row] = (*members[int(node[0])], *members[int(node[1])])
    shown = {int(child) for row in tree[-(finest - 1) :] for child in row[:2]}
    return [tuple(sorted(members[node])) for node in sorted(shown)]


def information(one: Tensor, other: Tensor, weights: Tensor, k: int) -> float:
    """Mutual information in nats of two assignments (N,) of weighted pixels.

    Rows from 0 to k - 1; pixels without data (-1) do not count. 0 where there is
    no weight.
    """
    keep = (one >= 0) & (other >= 0)
    table = torch.zeros(k * k, dtype=torch.float64)
    table.index_add_(0, one[keep] * k + other[keep], weights[keep])
    if float(table.sum()) <= 0:
        return 0.0
    joint = table.view(k, k) / table.sum()
    apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    terms = joint * (joint.clamp(min=1e-300) / apart.clamp(min=1e-300)).log()
    return max(0.0, float(terms.sum()))


def best_unions(
    hits: NDArray[np.float64], sizes: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Best intersection over union of any set of clusters, for each group.

    Parameters
    ----------
    hits : ndarray of float64, shape (G, K)
        Pixels that cluster k shares with group g.
    sizes : ndarray of float64, shape (K,)
        Pixels of each cluster.
    wanted : ndarray of float64, shape (G,)
        Pixels of each group.

    Returns
    -------
    ndarray of float64, shape (G,)

    Notes
    -----
    Taking clusters by falling purity and stopping at the best is exact: adding
    a cluster raises the ratio exactly if its purity h / (n - h) does.
    """
    order = np.argsort(-hits / np.maximum(sizes, 1), axis=1, kind="stable")
    hit = np.take_along_axis(hits, order, axis=1).cumsum(axis=1)
    size = sizes[order].cumsum(axis=1)
    union = wanted[:, None] + size - hit
    best: NDArray[np.float64] = (hit / np.maximum(union, 1)).max(axis=1)
    return best


def _relit(config: Config) -> Config:
    return replace(
        config,
        augment_brightness=_BRIGHTNESS,
        augment_tilt=_TILT,
        augment_glint=_GLINT,
    )


def _tensors(region: Region, device: torch.device) -> tuple[Tensor, Tensor]:
    x = torch.from_numpy(region.spectra).to(device)[None]
    return x, torch.from_numpy(region.valid).to(device)[None]


@torch.no_grad()
def _assign(embedder: Embedder, centroids: Tensor, x: Tensor, valid: Tensor) -> Tensor:
    """Row of the nearest centroid for each pixel (N,), -1 where there is no data."""
    z = in_room(embedder, x, valid, embedder.halo)[0].flatten(1)  # (D+1, N)
    own = (centroids @ z).argmax(0)
    return torch.where(valid.flatten(), own, -1).cpu()
