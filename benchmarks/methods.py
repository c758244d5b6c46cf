"""The rows of the tables: ways to cluster, all called alike.

Ours go through the public API (`train`, `segment`, `Config`). The supervised ceiling
needs the features themselves, which no public function gives: it asks the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scoring import Ints, score_maps

from napari_dgc import Config, Cube, Model, segment, train
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.operations import apply
from napari_dgc.merging.tree import build_tree
from napari_dgc.study.grouped import tree_of

COMPONENTS = 12
GMM_PIXELS = 30_000  # as many as the first map looks at
FIRST, TRAINED, CEILING = "first map", "trained", "supervised ceiling"
MIXTURE = "PCA + GMM"

_SKLEARN = (
    "cluster",
    "decomposition",
    "discriminant_analysis",
    "linear_model",
    "metrics",
    "mixture",
)

Predict = Callable[[Cube], Ints]


@dataclass(frozen=True, eq=False)
class Clustering:
    """What a row has found.

    Attributes
    ----------
    predict : callable
        A cube's map of ids 1..255, (H, W), 0 = no data.
    model : Model, optional
        Its tree is the clustering's; else one is built on the mean spectra.
    told : dict
        More to record.
    """

    predict: Predict
    model: Model | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


def ours(cubes: Sequence[Cube], config: Config) -> Clustering:
    """Train by `config`; with 0 steps, the first map."""
    steps = []
    for step in train(cubes, config):
        steps.append((step.index, step.score))
        last = step
    model = last.model
    if model is None:
        raise RuntimeError("training ended without a model")
    scores = [score for _, score in steps if score is not None]
    told = {
        "steps_taken": max(index for index, _ in steps),
        "steps_of_model": model.steps_done,
        "last_score": scores[-1] if scores else None,
    }
    return Clustering(lambda cube: segment(model, cube).clusters, model, told)


def kmeans(cubes: Sequence[Cube], k: int, seed: int, *, unit: bool) -> Clustering:
    """scikit-learn's MiniBatchKMeans at its defaults, on all pixels."""
    from sklearn.cluster import MiniBatchKMeans

    def features(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
        if not unit:
            return spectra
        norms = np.linalg.norm(spectra, axis=1, keepdims=True)
        return spectra / np.maximum(norms, 1e-12)

    fitted = MiniBatchKMeans(n_clusters=k, random_state=seed)
    fitted.fit(features(all_pixels(cubes)))
    return Clustering(_by_pixel(lambda x: fitted.predict(features(x)) + 1))


def mixture(cubes: Sequence[Cube], k: int, seed: int) -> Clustering:
    """PCA to 12 components and a Gaussian mixture, full covariances.

    PCA sees all pixels, the mixture 30,000 of them.
    """
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    pixels = all_pixels(cubes)
    pca = PCA(COMPONENTS, svd_solver="covariance_eigh").fit(pixels)
    chosen = np.random.default_rng(seed).permutation(len(pixels))[:GMM_PIXELS]
    some = pca.transform(pixels[np.sort(chosen)]).astype(np.float64)
    scale = np.sqrt(pca.explained_variance_[0])  # one for all: units do not matter
    gmm = GaussianMixture(k, random_state=seed).fit(some / scale)
    return Clustering(_by_pixel(lambda x: gmm.predict(pca.transform(x) / scale) + 1))


def ceilings(
    cubes: Sequence[Cube], labels: Sequence[Ints], ignore: int | None = None
) -> dict[str, Clustering]:
    """Two supervised classifiers on the first map's features, after mean-shift.

    Trained on the true labels of these very cubes (apart from the value `ignore`).
    Their maps hold label + 1, and no tree belongs to them.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = ours(cubes, Config(steps=0)).model
    if model is None:
        raise RuntimeError("the first map has no model")
    parts, truths = [], []
    for cube, truth in zip(cubes, labels, strict=True):
        y, valid = shifted_features(model, cube)
        keep = valid if ignore is None else valid & (truth != ignore)
        parts.append(y[keep])
        truths.append(truth[keep])
    x, truth = np.concatenate(parts), np.concatenate(truths)
    found = {}
    for name, classifier in (
        ("LDA", LinearDiscriminantAnalysis()),
        ("logistic regression", LogisticRegression(max_iter=1000)),
    ):
        fitted = make_pipeline(StandardScaler(), classifier).fit(x, truth)

        def predict(cube: Cube, fitted: Any = fitted) -> Ints:
            y, valid = shifted_features(model, cube)
            out = np.zeros(valid.shape, np.uint8)
            out[valid] = fitted.predict(y[valid]) + 1
            return out

        found[name] = Clustering(predict, told={"classifier": name})
    return found


def shifted_features(
    model: Model, cube: Cube
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Components after mean-shift (H, W, D) and the valid pixels (H, W)."""
    import torch

    from napari_dgc.clustering.networks import load_network

    embedder, _, _ = load_network(model, torch.device("cpu"))
    spectra, valid = _whole(cube)
    keep = torch.from_numpy(valid)[None]
    with torch.inference_mode():
        y = embedder.components(torch.from_numpy(spectra)[None], keep)
        y = embedder.shift(y, keep)[0]
    return y.movedim(0, -1).numpy(), valid


# (cubes, k, seed, steps) to a clustering.
UNSUPERVISED: dict[str, Callable[[Sequence[Cube], int, int, int], Clustering]] = {
    "MiniBatchKMeans, raw": lambda c, k, seed, _: kmeans(c, k, seed, unit=False),
    "MiniBatchKMeans, ℓ2": lambda c, k, seed, _: kmeans(c, k, seed, unit=True),
    MIXTURE: lambda c, k, seed, _: mixture(c, k, seed),
    FIRST: lambda c, k, seed, _: ours(c, Config(k=k, seed=seed, steps=0)),
    TRAINED: lambda c, k, seed, steps: ours(c, Config(k=k, seed=seed, steps=steps)),
}
ROWS = (*UNSUPERVISED, CEILING)


def warm_imports() -> None:
    """Import what the rows need, so that neither clock nor memory sees it."""
    for name in (
        *(f"sklearn.{part}" for part in _SKLEARN),
        "torch._dynamo",  # torch's optimizers import it at their first step
        "napari_dgc.clustering.inference",
        "napari_dgc.clustering.training",
        "napari_dgc.study.evaluating.evaluation",
    ):
        import_module(name)


def score_clustering(
    found: Clustering,
    seen: Sequence[Any],
    unseen: Sequence[Any],
    maps: Sequence[Ints],
    *,
    classes: bool = False,
) -> dict[str, Any]:
    """`score_maps` of a clustering whose maps of the seen scenes are `maps`.

    Parameters
    ----------
    seen, unseen : sequence of BenchScene
    classes : bool
        The ids are labels + 1: they need no tree to tell tissue.
    """
    cubes = [scene.cube for scene in seen]
    if classes:
        cuts = {2: (np.arange(256) > 1).astype(np.int64)}
    else:
        cuts = tree_cuts(found, cubes, maps)
    return score_maps(
        maps,
        [scene.labels for scene in seen],
        [found.predict(scene.cube) for scene in unseen],
        [scene.labels for scene in unseen],
        cuts,
    )


def tree_cuts(
    found: Clustering,
    cubes: Sequence[Cube],
    maps: Sequence[Ints],
    numbers: Sequence[int] = (2, 4, 6),
) -> dict[int, Ints]:
    """The group of each id, (256,), when the tree is cut at so many groups."""
    model = found.model
    if model is None:
        spectra, counts = mean_spectra(cubes, maps)
        ids = np.flatnonzero(counts)
        tree = build_tree(spectra[ids], counts[ids], cluster_ids=ids.tolist())
    else:
        tree = tree_of(model)
    start = Grouping.start(list(tree.cluster_ids))
    return {n: apply(start, tree.cut(start, n)).after.lut() for n in numbers}


def mean_spectra(
    cubes: Sequence[Cube], maps: Sequence[Ints]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean spectrum (256, C) and count (256,) of each id; row 0 reads 0."""
    total, count = np.zeros((256, cubes[0].bands)), np.zeros(256, np.int64)
    for cube, ids in zip(cubes, maps, strict=True):
        spectra = _whole(cube)[0].reshape(cube.bands, -1)
        own = ids.ravel().astype(np.int64)
        count += np.bincount(own, minlength=256)
        for band, row in enumerate(spectra):
            total[:, band] += np.bincount(own, weights=row, minlength=256)
    count[0], total[0] = 0, 0
    return total / np.maximum(count, 1)[:, None], count


def all_pixels(cubes: Sequence[Cube]) -> NDArray[np.float32]:
    """The valid pixels of all cubes, (N, C)."""
    out = []
    for cube in cubes:
        spectra, valid = _whole(cube)
        out.append(spectra[:, valid].T)
    return np.concatenate(out)


def _by_pixel(classify: Callable[[NDArray[np.float32]], Ints]) -> Predict:
    """A map from what tells one pixel's id from its spectrum."""

    def predict(cube: Cube) -> Ints:
        spectra, valid = _whole(cube)
        out = np.zeros(valid.shape, np.uint8)
        out[valid] = classify(np.ascontiguousarray(spectra[:, valid].T))
        return out

    return predict


def _whole(cube: Cube) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    _, H, W = cube.shape
    return cube.block(slice(0, H), slice(0, W))
