"""Stability of a study's maps: measured, pooled by group, and forgotten in time."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.clustering.config import Config
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.study import Study
from napari_dgc.study.mapping import Finished, Progress, train_and_map
from napari_dgc.study.stability import MapStability, MeasuredCube, measure_cube


@pytest.fixture(scope="module")
def made() -> Finished:
    cubes = [
        make_scene(SceneConfig(size=40, bands=20, leaves=1), seed, f"c{seed}").cube
        for seed in range(2)
    ]
    *_, done = train_and_map(cubes, Config(k=6, steps=0, device="cpu"))
    return cubes, done


@pytest.fixture
def study(made) -> Study:
    cubes, done = made
    study = Study()
    study.add_cubes(cubes)
    study.accept_model(done.model)
    for one in done.maps:
        study.set_map(one.index, one.clusters.copy(), one.statistics, one.confidence)
    return study


def measure(study: Study, index: int) -> MeasuredCube:
    *shares, last = measure_cube(
        study.model, study.cubes[index], study.cluster_map(index), device="cpu"
    )
    assert all(isinstance(piece, Progress) for piece in shares)
    assert shares[-1].done == 1
    return last


def test_a_clusters_share_is_the_mean_agreement_of_its_pixels(study: Study) -> None:
    store = MapStability(study)
    assert store.pooled((1,)) is None
    assert store.put(measure(study, 0))
    agreement, clusters = store.agreement(0), study.cluster_map(0)
    for id in np.unique(clusters).tolist():
        mean = agreement[clusters == id].mean() / 255
        assert store.share((id,), 0) == pytest.approx(mean, abs=2e-3)
    assert store.share((99,), 0) is None
    assert store.share((1,), 1) is None
    assert store.agreement(1) is None


def test_what_noise_moves_within_a_group_stays_in_it(study: Study) -> None:
    store = MapStability(study)
    store.put(measure(study, 0))
    ids = np.unique(study.cluster_map(0)).tolist()
    assert store.share(ids, 0) == 1
    counts = np.bincount(study.cluster_map(0).ravel(), minlength=256)
    pair = ids[:2]
    apart = sum(store.share((id,), 0) * counts[id] for id in pair) / counts[pair].sum()
    assert store.share(pair, 0) >= apart


def test_group_agreement_follows_the_groups(study: Study) -> None:
    store = MapStability(study)
    store.put(measure(study, 0))
    clusters, ids = study.cluster_map(0), study.grouping.ids
    np.testing.assert_array_equal(
        store.group_agreement(0, study.grouping), store.agreement(0)
    )
    study.merge(ids[1:3], ids[0])
    found = store.group_agreement(0, study.grouping)
    assert (found >= store.agreement(0)).all()
    assert (found > store.agreement(0)).any()
    for group in study.grouping.groups:
        here = np.isin(clusters, group.clusters)
        if here.any():
            share = store.share(group.clusters, 0)
            assert found[here].mean() / 255 == pytest.approx(share, abs=2e-3)
    study.merge(study.grouping.ids[1:], ids[0])
    assert (store.group_agreement(0, study.grouping) == 255).all()
    assert store.group_agreement(1, study.grouping) is None


def test_all_measured_cubes_count_by_their_pixels(study: Study) -> None:
    store = MapStability(study)
    for index in (0, 1):
        store.put(measure(study, index))
    assert len(store) == 2
    counts = [np.bincount(study.cluster_map(i).ravel(), minlength=256) for i in (0, 1)]
    id = int(np.minimum(*counts)[1:].argmax()) + 1
    expected = sum(store.share((id,), i) * counts[i][id] for i in (0, 1))
    expected /= counts[0][id] + counts[1][id]
    assert store.pooled((id,)) == pytest.approx(expected)


def test_a_part_of_a_split_cluster_is_as_stable_as_the_models_cluster(
    study: Study,
) -> None:
    refined = study.cluster_map(0).copy()
    id = int(np.bincount(refined.ravel())[1:].argmax()) + 1
    refined[:20][refined[:20] == id] = 200
    study.set_map(0, refined)
    store = MapStability(study)
    store.put(measure(study, 0))
    agreement = store.agreement(0)
    for part in (id, 200):
        mean = agreement[refined == part].mean() / 255
        assert store.share((part,), 0) == pytest.approx(mean, abs=2e-3)


def test_it_is_forgotten_with_its_map(study: Study) -> None:
    store, heard = MapStability(study), []
    store.changed.connect(lambda: heard.append(len(store)))
    for index in (0, 1):
        store.put(measure(study, index))
    late = measure(study, 0)
    study.remove_cube(0)  # the second cube moves up
    assert store.agreement(0) is not None
    assert store.agreement(0).shape == study.cluster_map(0).shape
    assert heard == [1, 2, 1]
    assert not store.put(late)
    study.set_map(0, study.cluster_map(0).copy())
    assert len(store) == 0
    store.put(measure(study, 0))
    study.accept_model(study.model)
    assert heard == [1, 2, 1, 0, 1, 0]
