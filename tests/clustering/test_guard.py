"""The guard: what it scores, what it keeps, and when it ends a training."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.guard import (
    Guard,
    best_unions,
    coarse_groups,
    information,
)
from napari_dgc.clustering.inference import segment
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import load_network
from napari_dgc.clustering.step import Step
from napari_dgc.clustering.training import train
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import Scene, SceneConfig, make_scene

CPU = torch.device("cpu")


def assignments(seed: int, pixels: int = 400, k: int = 5) -> tuple[torch.Tensor, ...]:
    """Two assignments that agree on most pixels, and how often each counts."""
    generator = torch.Generator().manual_seed(seed)
    one = torch.randint(k, (pixels,), generator=generator)
    noise = torch.randint(k, (pixels,), generator=generator)
    other = torch.where(torch.rand(pixels, generator=generator) < 0.7, one, noise)
    return one, other, torch.randint(1, 5, (pixels,), generator=generator)


def test_information_is_that_of_repeated_pixels() -> None:
    for seed in range(5):
        one, other, times = assignments(seed)
        expected = mutual_info_score(
            one.repeat_interleave(times), other.repeat_interleave(times)
        )
        assert expected > 0.3
        assert information(one, other, times.double(), 5) == pytest.approx(expected)
        # By their proportions alone, and the same in both directions.
        assert information(other, one, times.double() / 7, 5) == pytest.approx(expected)


def test_information_does_not_depend_on_the_rows_names() -> None:
    one, other, times = assignments(7)
    names = torch.tensor([4, 2, 0, 1, 3])
    told = information(one, other, times.double(), 5)
    assert information(names[one], other, times.double(), 5) == pytest.approx(told)
    assert information(names[one], names[other], times.double(), 9) == pytest.approx(
        told
    )


def test_one_cluster_tells_nothing_and_no_data_does_not_count() -> None:
    one, other, times = assignments(3)
    weights = times.double()
    assert information(torch.zeros_like(one), other, weights, 5) == 0
    assert information(torch.zeros_like(one), torch.zeros_like(one), weights, 5) == 0
    gone, missing = one.clone(), other.clone()
    gone[:50], missing[40:90] = -1, -1
    left = information(one[90:], other[90:], weights[90:], 5)
    assert information(gone, missing, weights, 5) == pytest.approx(left)
    assert information(torch.full_like(one, -1), other, weights, 5) == 0
    assert information(one, other, torch.zeros_like(weights), 5) == 0


def test_best_unions_are_those_of_all_subsets() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        sizes = rng.integers(0, 60, 6)
        groups = 4
        hits = np.stack([rng.binomial(sizes, rng.random(6)) for _ in range(groups)])
        wanted = hits.sum(1) + rng.integers(1, 30, groups)  # some lie in no cluster
        subsets = chain.from_iterable(combinations(range(6), n) for n in range(1, 7))
        ratios = [
            hits[:, list(s)].sum(1)
            / (wanted + sizes[list(s)].sum() - hits[:, list(s)].sum(1))
            for s in subsets
        ]
        found = best_unions(*(a.astype(np.float64) for a in (hits, sizes, wanted)))
        np.testing.assert_allclose(found, np.max(ratios, axis=0))


def test_coarse_groups_are_the_nodes_of_the_tree() -> None:
    """Cloth (0, 3), leaf (1, 4 and, farther, 5), lesion (2): three granularities."""
    vectors = np.array(
        [
            [1.0, 0.0, 0.0],
            [0.0, 1.0, 0.2],
            [0.0, 0.3, 1.0],
            [1.0, 0.05, 0.0],
            [0.0, 1.0, 0.25],
            [0.0, 1.0, 0.5],
        ]
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centroids = vectors.astype(np.float32)
    cuts = {
        2: {(0, 3), (1, 2, 4, 5)},
        3: {(0, 3), (1, 2, 4, 5), (1, 4, 5), (2,)},
        4: {(0, 3), (1, 2, 4, 5), (1, 4, 5), (2,), (1, 4), (5,)},
    }
    for finest, groups in cuts.items():
        found = coarse_groups(centroids, finest)
        assert len(found) == len(groups)
        assert set(found) == groups
    everything = coarse_groups(centroids, 8)  # finer than there are centroids
    assert set(everything) == cuts[4] | {(i,) for i in range(6)}
    order = np.array([5, 4, 3, 2, 1, 0])
    turned = {
        tuple(sorted(5 - i for i in g)) for g in coarse_groups(centroids[order], 4)
    }
    assert turned == cuts[4]


@pytest.fixture(scope="module")
def guard(scenes: list[Scene], first_model: Model) -> Guard:
    return Guard([s.cube for s in scenes], first_model.config, first_model, CPU)


def scored(guard: Guard, model: Model) -> float:
    embedder, centroids, _ = load_network(model, CPU)
    return guard.score(embedder, centroids)


def test_the_first_map_is_the_first_best(guard: Guard, first_model: Model) -> None:
    assert guard.best is guard.start is first_model
    assert guard.best_score == guard.first_score == scored(guard, first_model)
    assert 0.5 < guard.first_score < np.log(first_model.k)
    assert not guard.collapsed(guard.first_score)
    assert not guard.done


def test_rows_that_hold_nothing_and_their_order_do_not_count(
    guard: Guard, first_model: Model
) -> None:
    centroids = first_model.centroids
    far = -centroids.mean(0, keepdims=True)
    far /= np.linalg.norm(far)  # away from every pixel
    order = np.random.default_rng(0).permutation(len(centroids))
    for rows in (
        centroids[order],
        np.concatenate([far, centroids, far]),
        np.concatenate([far, centroids[order], np.repeat(far, 5, axis=0)]),
    ):
        embedder, _, _ = load_network(first_model, CPU)
        score = guard.score(embedder, torch.from_numpy(rows.astype(np.float32)))
        # Another shape of the product rounds differently: a tie may fall otherwise.
        assert score == pytest.approx(guard.first_score, rel=1e-4)


def test_a_collapsed_model_scores_nothing(guard: Guard, first_model: Model) -> None:
    same = np.repeat(first_model.centroids[:1], first_model.k, axis=0)
    score = scored(guard, replace(first_model, centroids=same))
    assert score == pytest.approx(0, abs=1e-6)
    assert guard.collapsed(score)


def test_a_model_that_lost_the_lesion_scores_less(
    guard: Guard, first_model: Model, scenes: list[Scene]
) -> None:
    """Its centroids pulled into the leaf's, as soft targets do it."""
    maps = np.stack([segment(first_model, s.cube).clusters for s in scenes])
    labels = np.stack([s.labels for s in scenes])
    share = np.stack(
        [
            [
                (labels[maps == id] == c).mean() if (maps == id).any() else 0
                for c in (1, 2)
            ]
            for id in first_model.cluster_ids
        ]
    )  # (K, 2): of leaf and lesion
    lesion, leaf = np.flatnonzero(share[:, 1] > 0.5), np.flatnonzero(share[:, 0] > 0.5)
    assert len(lesion)
    scores = []
    for pull in (0.5, 1.0):
        centroids = first_model.centroids.copy()
        for row in lesion:
            near = leaf[np.argmax(centroids[leaf] @ centroids[row])]
            centroids[row] += pull * (centroids[near] - centroids[row])
            centroids[row] /= np.linalg.norm(centroids[row])
        scores.append(scored(guard, replace(first_model, centroids=centroids)))
    assert scores[1] < 0.9 * guard.first_score
    assert scores[1] < scores[0]


def test_it_keeps_the_best_and_counts_looks_since(
    small: list[Scene], few_regions: None
) -> None:
    """Begun with centroids that fit nothing; a state goes on alike."""
    cubes = [s.cube for s in small]
    first = steps_of(small, steps=0)[-1].model
    assert first is not None
    poor = replace(first, centroids=np.roll(first.centroids, 3, axis=1))
    better = replace(first, steps_done=1)
    config = replace(first.config, patience=2)
    guard = Guard(cubes, config, poor, CPU)

    def judge(keeper: Guard, model: Model) -> float:
        embedder, centroids, _ = load_network(model, CPU)
        return keeper.judge(embedder, centroids, model)

    assert judge(guard, better) == guard.best_score > guard.first_score
    assert guard.best is better
    assert guard.checks == 0
    judge(guard, better)  # as good is not better
    assert guard.checks == 1
    assert not guard.done
    again = Guard(cubes, config, poor, CPU)
    assert again.first_score == guard.first_score  # equal seeds, to the bit
    again.load_state(guard.state())
    assert again.best.fingerprint == better.fingerprint
    for keeper in (guard, again):
        judge(keeper, better)
        assert keeper.done
        assert keeper.best_score == guard.best_score
    other = Guard(cubes, replace(config, seed=1), poor, CPU)
    assert other.first_score != guard.first_score


@pytest.fixture(scope="module")
def small() -> list[Scene]:
    """Two scenes of 60 x 64 x 64 with lesions: half a second a training."""
    wish = SceneConfig(size=64, bands=60, leaves=1, lesion_size=0.3)
    return [make_scene(wish, seed, f"s{seed}") for seed in range(2)]


def lesion_iou(model: Model, scenes: list[Scene]) -> float:
    """After the best merge of clusters."""
    ids = np.concatenate([segment(model, s.cube).clusters.ravel() for s in scenes])
    lesion = np.concatenate([s.labels.ravel() for s in scenes]) == 2
    sizes = np.bincount(ids, minlength=256).astype(float)
    hits = np.bincount(ids[lesion], minlength=256).astype(float)
    return float(best_unions(hits[None], sizes, np.array([lesion.sum()]))[0])


def steps_of(scenes: list[Scene], **changes: object) -> list[Step]:
    config = Config(crop=32, batch=1, device="cpu", **changes)  # type: ignore[arg-type]
    return list(train([s.cube for s in scenes], config))


def test_a_collapse_ends_by_itself_and_is_named(small: list[Scene]) -> None:
    steps = steps_of(
        small,
        steps=200,
        snapshot_every=5,
        teacher_temperature=10,
        centroid_rate=0.2,
        learning_rate=3e-3,
    )
    last = steps[-1]
    assert last.stage == "finished"
    assert last.index < 200
    ends = [(s.stage, s.index) for s in steps if s.ended == "collapse"]
    assert ends == [("training", last.index), ("finished", last.index)]
    assert {s.ended for s in steps} == {"", "collapse"}
    scores = [s.score for s in steps if s.score is not None]
    assert scores[-1] < 0.6 * scores[0]
    snapshots = [s.snapshot for s in steps if s.snapshot is not None]
    assert last.model is not None
    assert lesion_iou(last.model, small) > lesion_iou(snapshots[0], small) - 0.01


def test_patience_ends_what_cannot_improve(
    small: list[Scene], few_regions: None
) -> None:
    wish = {"steps": 5, "snapshot_every": 1, "learning_rate": 1e-7}
    steps = steps_of(small, **wish, patience=3, centroid_rate=0.0)
    assert steps[-1].index == 3
    assert [s.index for s in steps if s.ended] == [3, 3]
    assert {s.ended for s in steps[-2:]} == {"guard"}
    assert steps[-1].model is not None
    assert steps[-1].model.steps_done == 0
    steps = steps_of(small, **wish, patience=0, centroid_rate=0.0)
    assert steps[-1].index == 5
    assert [s.index for s in steps if s.ended] == [5, 5]
    assert {s.ended for s in steps} == {"", "steps"}
    assert not any(s.notice for s in steps)


def test_equal_seeds_give_equal_scores(small: list[Scene], few_regions: None) -> None:
    one, two, other = (
        [s.score for s in steps_of(small, steps=2, snapshot_every=1, seed=seed)]
        for seed in (4, 4, 5)
    )
    assert sum(score is not None for score in one) == 3
    steps = steps_of(small, steps=2, snapshot_every=1, seed=4)
    kept = [steps[-1].model, *(s.best for s in steps if s.best is not None)]
    scores = [score for score in one if score is not None]
    assert {model.first_score for model in kept} == {scores[0]}
    assert kept[0].score == max(model.score for model in kept)
    assert kept[0].score in scores
    assert one == two
    assert one != other


def test_pixels_without_data_take_no_part(
    small: list[Scene], few_regions: None
) -> None:
    """What lies under the mask changes no score."""
    mask = np.ones((64, 64), bool)
    mask[10:40, 20:50] = False
    data = [np.array(s.cube.data) for s in small]
    first = [Cube(d, small[0].cube.wavelengths, mask=mask) for d in data]
    other = [d.copy() for d in data]
    for d in other:
        d[:, ~mask] = 1e6
    second = [Cube(d, small[0].cube.wavelengths, mask=mask) for d in other]
    config = Config(steps=0, device="cpu")
    *_, last = train(first, config)
    assert last.model is not None
    guards = [Guard(cubes, config, last.model, CPU) for cubes in (first, second)]
    assert guards[0].first_score > 0
    assert guards[1].first_score == pytest.approx(guards[0].first_score, rel=1e-6)
