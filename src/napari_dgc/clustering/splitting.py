"""Dividing one cluster in the model's embedding, and pixels among what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_dgc.clustering.centroids import greedy_kmeans_plus_plus, lloyd
from napari_dgc.clustering.devices import find_device
from napari_dgc.clustering.inference import Window, blocks, windows
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import load_network
from napari_dgc.cubes.cube import Cube

_TILE = 96  # pixels; a tile's halo costs a quarter of it
_PIXELS = 20_000  # to fit on, over all cubes
_STARTS, _ITERATIONS = 8, 50


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Centroids that divide a cluster in two.

    Attributes
    ----------
    centroids : ndarray of float32, shape (2, D+1)
        Unit vectors, that of more pixels first; equal ones where the pixels cannot
        be told apart.
    pixels : int
        How many it was fitted on.
    """

    centroids: NDArray[np.float32]
    pixels: int


def fit_two(
    model: Model,
    cubes: Sequence[Cube],
    masks: Sequence[NDArray[np.bool_]],
    *,
    seed: int = 0,
    device: str = "auto",
) -> Iterator[float | Fit]:
    """Find two centroids for some pixels by 2-means in the model's embedding.

    Parameters
    ----------
    model : Model
    cubes : sequence of Cube
    masks : sequence of ndarray of bool, shape (H, W)
        Which pixels of each cube; there is one at least.
    seed : int
        Same seed, same machine: the same centroids.
    device : str
        As in `Config`.

    Yields
    ------
    float
        How much is read, 0..1, after each tile.
    Fit
        Last.

    Raises
    ------
    InputError
        If a cube's bands are not the model's, or it cannot be read.
    """
    on = find_device(device)
    embedder, _, _ = load_network(model, on)
    rng = np.random.default_rng(seed)
    total = sum(int(mask.sum()) for mask in masks)
    share = min(1.0, _PIXELS / max(1, total))
    taken: list[torch.Tensor] = []
    seen = 0
    for cube, mask in zip(cubes, masks, strict=True):
        # Whole tiles, drawn: whoever embeds one pixel pays for all around it.
        wanted = round(share * int(mask.sum())) or 1
        chosen = _draw_tiles(mask, wanted, rng)
        for block in blocks(
            model, cube, embedder.halo, tile=(_TILE, _TILE), where=chosen
        ):
            inner = chosen[block.rows, block.cols]
            with torch.inference_mode():
                x = torch.from_numpy(block.spectra).to(on)[None]
                keep = torch.from_numpy(block.valid).to(on)[None]
                z = embedder(x, keep)[0, :, *block.inner]  # (D+1, h, w)
                taken.append(z[:, torch.from_numpy(inner).to(on)].T)
            seen += int(inner.sum())
            yield min(1.0, seen / (share * total))
    z = torch.cat(taken).clone()
    yield Fit(_two_means(z, seed), len(z))


def _draw_tiles(
    mask: NDArray[np.bool_], wanted: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Keep the pixels of some tiles, drawn at random until there are `wanted`."""
    H, W = mask.shape
    corners = [(y, x) for y in range(0, H, _TILE) for x in range(0, W, _TILE)]
    kept, held = np.zeros_like(mask), 0
    for at in rng.permutation(len(corners)):
        if held >= wanted:
            break
        y, x = corners[at]
        tile = (slice(y, y + _TILE), slice(x, x + _TILE))
        kept[tile] = mask[tile]
        held += int(mask[tile].sum())
    return kept


def _two_means(z: torch.Tensor, seed: int) -> NDArray[np.float32]:
    """The tightest of several starts; see `centroids.start_centroids`."""
    generator = torch.Generator().manual_seed(seed)
    if len(z) > 2 * _PIXELS:
        z = z[torch.randperm(len(z), generator=generator)[: 2 * _PIXELS].to(z.device)]
    best, tightest = z[:1].repeat(2, 1), -1.0
    mass = torch.tensor([1, 0])
    for _ in range(_STARTS):
        found, own = lloyd(z, greedy_kmeans_plus_plus(z, 2, generator), _ITERATIONS)
        cosines = float((z @ found.T).amax(1).double().mean())
        if cosines > tightest:
            best, tightest, mass = found, cosines, own.bincount(minlength=2)
    order = mass.argsort(descending=True, stable=True)
    centroids: NDArray[np.float32] = best[order.to(best.device)].cpu().numpy()
    return centroids


def nearest(
    model: Model,
    cube: Cube,
    centroids: NDArray[np.float32],
    ids: Sequence[int],
    where: NDArray[np.bool_],
    *,
    device: str = "auto",
) -> Iterator[Window]:
    """Assign pixels to the nearest of some centroids, window by window.

    Parameters
    ----------
    model : Model
        Whose embedding counts.
    cube : Cube
    centroids : ndarray of float32, shape (n, D+1)
        Unit vectors.
    ids : sequence of int, length n
        Their ids, within 1..255.
    where : ndarray of bool, shape (H, W)
        Windows without any of these pixels are left out; in the others every
        pixel is assigned.
    device : str
        As in `Config`.
    """
    n = len(ids)
    parts = replace(
        model,
        centroids=np.ascontiguousarray(centroids, np.float32),
        cluster_ids=np.array(ids),
        owners=np.empty(0, np.uint8),
        linkage=np.empty((0, 4)),
        retired_ids=(),
        mean_spectra=np.zeros((n, model.bands), np.float32),
        counts=np.zeros(n, np.int64),
    )
    return windows(parts, cube, device=device, where=where)
