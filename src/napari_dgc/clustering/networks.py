"""Between a model's plain numbers and the network that computes with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.embedding import Embedder, noise_temperature
from napari_dgc.clustering.frontend import FrontEnd
from napari_dgc.clustering.model import Model
from napari_dgc.cubes.errors import InputError

# What the front-end fixes is stored with the front-end, not with the weights.
_FIXED = (
    "encoder.mean",
    "encoder.projection",
    "encoder.noise_std",
    "encoder.black",
    "encoder.analysis",
)


def band_order(wavelengths: NDArray[np.float64] | None, bands: int) -> Tensor:
    """Band indices by rising wavelength, (C,) int64; as they are if unknown."""
    if wavelengths is None:
        return torch.arange(bands)
    return torch.from_numpy(np.argsort(wavelengths, kind="stable"))


def build_embedder(
    front_end: FrontEnd,
    wavelengths: NDArray[np.float64] | None,
    config: Config,
    *,
    offset: float,
    trained: bool,
    weights: Mapping[str, NDArray[np.float32]] | None = None,
) -> Embedder:
    """Make the network; with `weights`, load them, else draw them by the seed."""
    embedder = Embedder(
        front_end,
        band_order(wavelengths, len(front_end.mean)),
        config,
        offset=offset,
        trained=trained,
        generator=torch.Generator().manual_seed(config.seed),
    )
    if weights:
        state = {n: torch.from_numpy(np.asarray(w)) for n, w in weights.items()}
        own = {n: t for n, t in embedder.state_dict().items() if n not in _FIXED}
        if {n: t.shape for n, t in state.items()} != {
            n: t.shape for n, t in own.items()
        }:
            raise InputError(
                "the model", "its encoder does not fit this version", "train again"
            )
        embedder.load_state_dict(state, strict=False)
    return embedder


def take_weights(embedder: Embedder) -> dict[str, NDArray[np.float32]]:
    """Copy the trained weights out as NumPy arrays."""
    return {
        name: tensor.detach().cpu().numpy().copy()
        for name, tensor in embedder.state_dict().items()
        if name not in _FIXED
    }


def copy_weights(embedder: Embedder) -> dict[str, Tensor]:
    """Copy the trained weights, on their device."""
    return {
        name: tensor.detach().clone()
        for name, tensor in embedder.state_dict().items()
        if name not in _FIXED
    }


def copy_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, dict[str, Tensor]]:
    """Copy what an optimizer remembers of each parameter, by its place."""
    return {
        str(at): {name: value.clone() for name, value in entry.items()}
        for at, entry in optimizer.state_dict()["state"].items()
    }


def load_optimizer(
    optimizer: torch.optim.Optimizer, state: Mapping[str, Mapping[str, Tensor]]
) -> None:
    """Let an optimizer remember what `copy_optimizer` gave; `state` stays as it is."""
    entries = {
        int(at): {name: value.clone() for name, value in entry.items()}
        for at, entry in state.items()
    }
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": entries, "param_groups": groups})


def load_network(model: Model, device: torch.device) -> tuple[Embedder, Tensor, float]:
    """Embedder, centroids (K, D+1) and tau of a model, ready to segment."""
    embedder = build_embedder(
        model.front_end,
        model.wavelengths,
        model.config,
        offset=model.offset,
        trained=bool(model.encoder),
        weights=model.encoder,
    )
    embedder.to(device).eval().requires_grad_(False)
    centroids = torch.from_numpy(model.centroids).to(device)
    return embedder, centroids, noise_temperature(model.front_end, model.offset)
