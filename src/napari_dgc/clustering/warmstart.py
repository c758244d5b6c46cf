"""The first map: front-end, sphere and centroids, without a gradient step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.embedding import Embedder
from napari_dgc.clustering.sampling import choose_stripes
from napari_dgc.cubes.cube import Cube

_SPREAD = 4  # pixels in the stripes for each pixel that is kept
# s as a share of the brightest pixels' distance from the black point. Between
# 0.15 and 0.5 little changes; see docs/engine.md.
_OFFSET = 0.3
_BRIGHTEST = 0.99  # quantile


@dataclass(frozen=True, slots=True)
class Sample:
    """Embedded pixels spread over all cubes.

    Attributes
    ----------
    spectra : ndarray of float32, shape (N, C)
    y : Tensor, shape (N, D)
        Their components after mean-shift.
    """

    spectra: NDArray[np.float32]
    y: Tensor

    def offset(self, black: Tensor) -> float:
        """The constant coordinate s of `lift`, from what the pixels are like."""
        length = float((self.y - black).norm(dim=1).quantile(_BRIGHTEST))
        return _OFFSET * length if length > 0 else 1.0


def draw_sample(
    embedder: Embedder, cubes: Sequence[Cube], config: Config, valid_share: float
) -> Iterator[float | Sample]:
    """Embed about `config.sample_pixels` pixels, the same ones for the same seed.

    `valid_share` says how many of the pixels count (see `Moments`).

    Yields
    ------
    float
        The share of the work done, between two reads.
    Sample
        Last.
    """
    generator = torch.Generator().manual_seed(config.seed)
    device = embedder.encoder.mean.device
    wanted = config.sample_pixels
    stripes = choose_stripes(cubes, _SPREAD * wanted / valid_share, embedder.halo)
    total = sum(stripe.pixels for stripe in stripes)
    keep = min(1.0, wanted / (total * valid_share))
    spectra, ys = [], []
    for at, stripe in enumerate(stripes):
        block, valid = cubes[stripe.cube].block(*stripe.read)
        with torch.inference_mode():
            x = torch.from_numpy(block).to(device)[None]
            good = torch.from_numpy(valid).to(device)[None]
            y = embedder.shift(embedder.components(x, good), good)[0]
        inner = np.zeros_like(valid)
        inner[stripe.inner] = valid[stripe.inner]
        places = np.flatnonzero(inner)
        count = round(len(places) * keep)
        chosen = torch.randperm(len(places), generator=generator)[:count].numpy()
        places = np.sort(places[chosen])
        spectra.append(block.reshape(len(block), -1)[:, places].T)
        ys.append(y.flatten(1)[:, torch.from_numpy(places).to(device)].T)
        yield (at + 1) / len(stripes)
    yield Sample(np.concatenate(spectra), torch.cat(ys).clone())


def describe_clusters(
    spectra: NDArray[np.float32], own: NDArray[np.int64], k: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Mean spectrum (K, C) and count (K,) of each cluster; empty ones read 0."""
    counts = np.bincount(own, minlength=k)
    order = np.argsort(own, kind="stable")
    means = np.zeros((k, spectra.shape[1]), np.float32)
    edges = np.concatenate([[0], counts.cumsum()])
    for cluster in np.flatnonzero(counts):
        rows = order[edges[cluster] : edges[cluster + 1]]
        means[cluster] = spectra[rows].mean(axis=0, dtype=np.float64)
    return means, counts
