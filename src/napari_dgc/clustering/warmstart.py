"""The first map: front-end, sphere and centroids, without a gradient step."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_dgc.clustering.centroids import Rarity, find_rarity, start_centroids
from napari_dgc.clustering.config import Config
from napari_dgc.clustering.devices import in_room
from napari_dgc.clustering.embedding import Embedder, lift
from napari_dgc.clustering.frontend import (
    FrontEnd,
    Moments,
    fit_front_end,
    gather_moments,
)
from napari_dgc.clustering.gathering import centroids_wanted
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import build_embedder
from napari_dgc.clustering.sampling import choose_stripes
from napari_dgc.clustering.step import Step
from napari_dgc.cubes.agreement import common_wavelengths
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

_SPREAD = 4  # pixels in the stripes for each pixel that is kept
# s as a share of the brightest pixels' distance from the black point. Between
# 0.15 and 0.5 little changes; see docs/engine.md.
_OFFSET = 0.3
_BRIGHTEST = 0.99  # quantile


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """What training begins with.

    Attributes
    ----------
    model : Model
        The first map's; each of its centroids is a cluster (see `gathering`).
    rarity : Rarity
    valid_share : float
        See `Moments`.
    notice : str
        Something the user should know; mostly empty.
    """

    model: Model
    rarity: Rarity
    valid_share: float
    notice: str = ""


def begin(
    cubes: Sequence[Cube], config: Config, good: NDArray[np.bool_], device: torch.device
) -> Generator[Step, None, Beginning]:
    """Pass over the cubes, fit the front-end and find the first centroids."""
    moments = None
    for piece in gather_moments(cubes):
        if isinstance(piece, Moments):
            moments = piece
        else:
            yield Step("reading", 0, config.steps, done=piece)
    if moments is None:
        raise RuntimeError("the pass over the cubes gave no moments")
    front_end = fit_front_end(moments, config.components, good)
    model, rarity = yield from _start(cubes, config, front_end, good, moments, device)
    notice = ""
    if front_end.noise_method == "differences":
        notice = (
            f"Only {moments.count} valid pixels for {cubes[0].bands} bands: the noise "
            "was estimated from neighbouring pixels; more pixels give better clusters"
        )
    return Beginning(model, rarity, moments.valid_share, notice)


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
            y = in_room(embedder.shifted, x, good, embedder.halo)[0]
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


def with_description(model: Model, sample: Sample) -> Model:
    """The model with its clusters' mean spectra and counts over a sample."""
    device = sample.y.device
    centroids = torch.from_numpy(model.centroids).to(device)
    black = torch.from_numpy(model.front_end.black).to(device)
    z = lift(sample.y, black, model.offset)
    own = (z @ centroids.T).argmax(1).cpu().numpy()
    spectra, counts = describe_clusters(sample.spectra, own, model.k)
    return replace(model, mean_spectra=spectra, counts=counts)


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


def _start(
    cubes: Sequence[Cube],
    config: Config,
    front_end: FrontEnd,
    good: NDArray[np.bool_],
    moments: Moments,
    device: torch.device,
) -> Generator[Step, None, tuple[Model, Rarity]]:
    """Embed a sample with the front-end alone and find the first centroids."""
    embedder = build_embedder(
        front_end, common_wavelengths(cubes), config, offset=1.0, trained=False
    ).to(device)
    sample = None
    for piece in draw_sample(embedder, cubes, config, moments.valid_share):
        if isinstance(piece, Sample):
            sample = piece
        else:
            yield Step("clustering", 0, config.steps, done=piece)
    if sample is None or not len(sample.spectra):
        raise InputError("the cubes", "no valid pixel was sampled", "check their masks")
    if not bool(torch.isfinite(sample.y).all()):
        raise InputError(
            "the cubes",
            "they hold values too large to compute with",
            "state them as data ignore value in the header",
        )
    black = torch.from_numpy(front_end.black).to(device)
    offset = sample.offset(black)
    generator = torch.Generator().manual_seed(config.seed)
    z = lift(sample.y, black, offset)
    rarity = find_rarity(z, generator)
    K = centroids_wanted(config)
    centroids = start_centroids(z, K, rarity, generator)
    model = Model(
        front_end=front_end,
        encoder={},
        centroids=centroids.cpu().numpy(),
        offset=offset,
        mean_spectra=np.zeros((K, len(good)), np.float32),
        counts=np.zeros(K, np.int64),
        wavelengths=common_wavelengths(cubes),
        good_bands=good,
        config=config,
    )
    return with_description(model, sample), rarity
