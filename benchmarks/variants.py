"""The engine without one of its parts, for ablation.py.

Where `Config` has no switch, a part is replaced in the running program: call `patch`
in a process that does nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

COMPLETE = "complete"


@dataclass(frozen=True)
class Variant:
    """The engine without one part: a Config, and what is replaced."""

    config: Mapping[str, Any] = field(default_factory=dict)
    patch: Callable[[], None] = lambda: None


def _swap(owner: Any, name: str, new: Any) -> Any:
    """Replace what is there; returns the old one."""
    old = getattr(owner, name)  # fails where there is no such name
    setattr(owner, name, new)
    return old


def _rescale_front_end(rescale: Callable[[Any, Any], Any]) -> None:
    """Let the front-end be what `rescale` makes of it and of the moments."""
    from napari_dgc.clustering import warmstart

    def fit(moments: Any, *rest: Any, **named: Any) -> Any:
        return rescale(old(moments, *rest, **named), moments)

    old = _swap(warmstart, "fit_front_end", fit)


def whiten() -> None:
    """w^0: every component has the standard deviation 1, noise that of w^(-1/2)."""

    def rescale(front_end: Any, moments: Any) -> Any:
        std = front_end.noise_std  # w^(-1/4)
        projection = (front_end.projection * std[:, None]).astype(np.float32)
        return replace(front_end, projection=projection, noise_std=std**2)

    _rescale_front_end(rescale)


def plain_pca() -> None:
    """Principal components as they are: the largest variance, not the best SNR."""

    def rescale(front_end: Any, moments: Any) -> Any:
        good = front_end.band_noise > 0
        covariance = moments.covariance[np.ix_(good, good)]
        vectors = np.linalg.eigh(covariance)[1][:, ::-1]
        projection = np.zeros_like(front_end.projection)
        projection[:, good] = vectors[:, : len(projection)].T
        noise = np.sqrt(np.square(projection * front_end.band_noise).sum(axis=1))
        # One unit for all components, such that noise is of the usual size.
        unit = np.sqrt((front_end.noise_std**2).sum() / (noise**2).sum())
        return replace(
            front_end,
            projection=(projection * unit).astype(np.float32),
            noise_std=(noise * unit).astype(np.float32),
        )

    _rescale_front_end(rescale)


def from_the_mean() -> None:
    """The sphere seen from the mean spectrum, s = 3 median lengths (ENGINE.md, 3)."""
    import torch

    from napari_dgc.clustering import embedding, warmstart

    def lift(y: Any, black: Any, offset: float) -> Any:
        return old(y, torch.zeros_like(black), offset)

    old = _swap(embedding, "lift", lift)
    _swap(warmstart, "lift", lift)
    _swap(
        warmstart.Sample,
        "offset",
        lambda self, black: 3 * float(self.y.norm(dim=1).median()) or 1.0,
    )


def uniform_sampling() -> None:
    """Centroids are found, and moved, with equal weights instead of n^(-1/2)."""
    import torch

    from napari_dgc.clustering import warmstart

    def find(z: Any, generator: Any) -> Any:
        rarity = old(z, generator)
        return replace(rarity, weights=torch.ones_like(rarity.weights))

    old = _swap(warmstart, "find_rarity", find)


def plain_tree() -> None:
    """The tree on the plain spectral angle between mean spectra."""
    from napari_dgc.cubes import likeness

    def plain(spectra: Any) -> Any:
        return likeness.link(likeness.spectral_angles(spectra))

    _swap(likeness, "link_materials", plain)


def without_share(name: str) -> Callable[[], None]:
    """One loss gets no share of the step."""

    def patch() -> None:
        from napari_dgc.clustering import learner

        for shares in ("_SHARES", "_ANCHOR_SHARES"):
            old = getattr(learner, shares)
            if name in old:
                _swap(learner, shares, {**old, name: 0.0})
                return
        raise AttributeError(f"no loss is called {name}")

    return patch


def without_balancer() -> None:
    """Gradients are summed by their shares alone, whatever their norms."""
    from napari_dgc.clustering.balancer import GradientBalancer

    _swap(GradientBalancer, "usual", lambda self, name: 1.0)


def frozen_bandwidth() -> None:
    """Every iteration's h² stays what it starts with."""
    from napari_dgc.clustering.embedding import Embedder

    _swap(Embedder, "_limited", lambda self: 0.0 * self.log_ratio)


FIRST_MAP: dict[str, Variant] = {
    COMPLETE: Variant(),
    "whitened, w^0 for w^(1/4)": Variant(patch=whiten),
    "PCA for noise-adjusted components": Variant(patch=plain_pca),
    "no mean-shift": Variant({"mean_shift_iterations": 0}),
    "fixed bandwidth": Variant({"mean_shift_contrast": 0.0}),
    "sphere seen from the mean": Variant(patch=from_the_mean),
    "uniform sampling": Variant(patch=uniform_sampling),
    "tree on the plain spectral angle": Variant(patch=plain_tree),
}
TRAINING: dict[str, Variant] = {
    COMPLETE: Variant(),
    "no teacher (momentum 0)": Variant({"teacher_momentum": 0.0}),
    "soft teacher (temperature 1)": Variant({"teacher_temperature": 1.0}),
    "no anchor": Variant(patch=without_share("anchor")),
    "no balancer": Variant(patch=without_balancer),
    "no consistency": Variant(patch=without_share("consistency")),
    "no compactness": Variant(patch=without_share("compactness")),
    "no orthogonality": Variant(patch=without_share("orthogonality")),
    "no balance": Variant(patch=without_share("balance")),
    "frozen centroids": Variant({"centroid_rate": 0.0}),
    "frozen bandwidth": Variant(patch=frozen_bandwidth),
    "no mean-shift": Variant({"mean_shift_iterations": 0}),
    "uniform sampling": Variant(patch=uniform_sampling),
}
