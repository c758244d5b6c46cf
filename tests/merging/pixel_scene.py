"""Two small maps with spectra, and what sums over their pixels are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray
from pixel_model import PixelModel, State

from napari_dgc.merging import (
    Change,
    ClusterStatistics,
    ClusterTree,
    Grouping,
    Recipe,
    Split,
    StatisticsBuilder,
    build_tree,
    group_statistics,
)

BANDS = 5
SPARE = 256
MODEL = "the model's fingerprint"


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Maps of some of the clusters, and one more pixel per id that is in none.

    Those last pixels give the model on pixels a place for every cluster, also for
    such as no map has; `is_data` is 0 there, as it is where there is no data.
    """

    ids: list[int]
    maps: list[NDArray[np.uint8]]
    statistics: ClusterStatistics
    tree: ClusterTree
    clusters: NDArray[np.int64]  # (P,) of the maps' pixels, then one per id 0..255
    is_data: NDArray[np.int64]  # (P,)
    spectra: NDArray[np.float64]  # (BANDS, P)
    confidence: NDArray[np.float64]  # (P,)
    embedding: NDArray[np.float64]  # (P, 2), unit vectors

    @property
    def prints(self) -> dict[int, str]:
        """Fingerprints of the centroids."""
        return {id: f"centroid {id}" for id in self.ids}

    def recipe(self, grouping: Grouping, splits: Sequence[Split] = ()) -> str:
        """Write a recipe as a file would hold it."""
        return json.dumps(Recipe.of(grouping, MODEL, self.prints, splits).to_json())

    def sums(
        self, maps: Sequence[NDArray[np.uint8]], highest: int
    ) -> ClusterStatistics:
        """Sums over refined maps, up to the highest id."""
        start, found = 0, []
        for clusters in maps:
            cube = self.spectra[:, start : start + clusters.size]
            sure = self.confidence[start : start + clusters.size]
            start += clusters.size
            builder = StatisticsBuilder(highest, BANDS)
            builder.add(
                clusters,
                sure.reshape(clusters.shape).astype(np.float32),
                cube.reshape(BANDS, *clusters.shape).astype(np.float32),
            )
            found.append(builder.finish(clusters))
        return reduce(add, found)

    def adopted(self, text: str) -> Grouping:
        """Read that recipe again."""
        return Recipe.from_json(json.loads(text)).grouping(MODEL, self.prints)


def make_scene(k: int, rng: np.random.Generator, *, gaps: bool) -> Scene:
    """Make maps of 24 x 24 and 13 x 17 pixels.

    Parameters
    ----------
    k : int
    rng : Generator
    gaps : bool
        Whether the cluster ids have gaps, as those of a pruned model.
    """
    ids = list(range(1, k + 1))
    if gaps:
        ids = sorted(rng.choice(range(1, k + k // 2 + 2), k, replace=False).tolist())
    present = [0, *ids] if k < 5 else [0, *rng.choice(ids, k - k // 8, replace=False)]
    blocks = rng.choice(present, (6, 6)).repeat(4, 0).repeat(4, 1)  # in pieces
    maps = [
        np.where(rng.random((24, 24)) < 0.9, blocks, rng.choice(present, (24, 24))),
        rng.choice(present, (13, 17)),
    ]
    maps = [one.astype(np.uint8) for one in maps]
    spectra, confidence, sums = [], [], []
    means = rng.random((256, BANDS)) * 5
    for clusters in maps:
        pixels = means[clusters] + rng.normal(size=(*clusters.shape, BANDS))
        pixels[clusters == 0] = np.nan
        cube = np.moveaxis(pixels, 2, 0).astype(np.float32)
        sure = rng.random(clusters.shape).astype(np.float32)
        builder = StatisticsBuilder(max(ids), BANDS)
        builder.add(clusters[:10], sure[:10], cube[:, :10])
        builder.add(clusters[10:], sure[10:], cube[:, 10:])
        sums.append(builder.finish(clusters))
        spectra.append(cube.reshape(BANDS, -1))
        confidence.append(sure.ravel())
    pooled = reduce(add, sums)
    flat = np.concatenate([clusters.ravel() for clusters in maps])
    none = np.full((BANDS, SPARE), np.nan)
    spare = np.isin(np.arange(SPARE), ids) * np.arange(SPARE)
    angles = rng.random(flat.size + SPARE) * 2 * np.pi
    return Scene(
        ids,
        maps,
        pooled,
        build_tree(
            pooled.mean()[ids], pooled.count[ids], rng.normal(size=(k, 3)),
            cluster_ids=ids,
        ),
        np.concatenate([flat.astype(np.int64), spare]),
        np.concatenate([flat > 0, np.zeros(SPARE)]).astype(np.int64),
        np.concatenate([*spectra, none], axis=1).astype(np.float64),
        np.concatenate([*confidence, none[0]]).astype(np.float64),
        np.stack([np.cos(angles), np.sin(angles)], axis=1),
    )  # fmt: skip


def check_change(change: Change, model: PixelModel, left: State) -> None:
    """Compare what a change says with the pixels that changed."""
    state = model.state
    assert change.changed == (state != left)
    assert change.added == tuple(id for id in state.order if id not in left.order)
    assert change.removed == tuple(id for id in left.order if id not in state.order)
    places = [_places(model, one) for one in (left, state)]
    moved = {c for c in {*places[0], *places[1]}
             if places[0].get(c) != places[1].get(c)}  # fmt: skip
    assert list(change.changed_clusters) == sorted(moved)
    differ = {id for id in {*state.order, *left.order}
              if model.described(state, id) != model.described(left, id)}  # fmt: skip
    assert set(change.changed_groups) == differ
    assert change.text


def _places(model: PixelModel, state: State) -> dict[int, tuple[int, int]]:
    """Group and label value of each cluster."""
    found = zip(state.clusters, state.owner, model.painted(state), strict=True)
    return {int(c): (int(owner), int(value)) for c, owner, value in found if c}


def check_statistics(
    scene: Scene, statistics: ClusterStatistics, grouping: Grouping, state: State
) -> None:
    """Compare the sums pooled by group with sums over the groups' pixels."""
    pooled = group_statistics(statistics, grouping)
    assert pooled.ids == tuple(state.order)
    assert pooled.mean.shape == pooled.std.shape == (len(state.order), BANDS)
    data = scene.is_data > 0
    for row, id in enumerate(state.order):
        inside = data & (state.owner == id)
        assert pooled.count[row] == inside.sum()
        if not inside.any():
            assert np.isnan(pooled.mean[row]).all()
            assert np.isnan(pooled.std[row]).all()
            assert np.isnan(pooled.confidence[row])
            continue
        spectra = scene.spectra[:, inside]
        np.testing.assert_allclose(
            pooled.mean[row], spectra.mean(axis=1), rtol=1e-5, atol=1e-6
        )
        np.testing.assert_allclose(
            pooled.std[row], spectra.std(axis=1), rtol=1e-4, atol=1e-4
        )
        np.testing.assert_allclose(
            pooled.confidence[row], scene.confidence[inside].mean(), rtol=1e-5
        )
    np.testing.assert_array_equal(pooled.boundary, _boundaries(scene, state))


def _boundaries(scene: Scene, state: State) -> NDArray[np.int64]:
    """Count pairs of neighbours by their groups, pair by pair."""
    row_of = np.full(max(state.order) + 1, -1)
    row_of[state.order] = range(len(state.order))
    pairs = np.zeros((len(state.order), len(state.order)), np.int64)
    start = 0
    for clusters in scene.maps:
        owner = state.owner[start : start + clusters.size].reshape(clusters.shape)
        start += clusters.size
        rows = np.where(owner > 0, row_of[owner], -1)
        for one, other in ((rows[:, 1:], rows[:, :-1]), (rows[1:], rows[:-1])):
            both = (one >= 0) & (other >= 0)
            np.add.at(pairs, (one[both], other[both]), 1)
            apart = both & (one != other)
            np.add.at(pairs, (other[apart], one[apart]), 1)
    return pairs
