"""Stability of a study's maps: measured, pooled by group, and forgotten in time."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.clustering.config import Config
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.merging.grouping import MergeError
from napari_dgc.merging.refining import fold_lut
from napari_dgc.study import Study
from napari_dgc.study.mapping import Finished, Progress, train_and_map
from napari_dgc.study.moved import Moved
from napari_dgc.study.splitting import Whole, split_by_pieces
from napari_dgc.study.stability import CubeStability, MapStability, measure_cubes
from napari_dgc.study.storing.loading import load_study
from napari_dgc.study.storing.study_file import open_study, save_study


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


def measure(study: Study, index: int) -> CubeStability:
    *shares, last = measure_cubes(study.model, [study.cubes[index]], device="cpu")
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


def split_largest(study: Study, index: int = 0) -> tuple[int, ...]:
    """Split the cluster with the most pieces there, by pieces; its ids."""
    for id in np.argsort(-np.bincount(study.cluster_map(index).ravel())).tolist():
        try:
            *_, divided = split_by_pieces(Whole.of(study, id), index)
        except MergeError:
            continue
        study.take_split(divided)
        return divided.split.ids
    raise AssertionError("no cluster is in pieces")


def test_parts_of_a_split_have_their_own_share_and_nothing_is_measured_again(
    study: Study,
) -> None:
    store = MapStability(study)
    for index in (0, 1):
        store.put(measure(study, index))
    before = store.agreement(0)
    whole = {id: store.share((id,), 0) for id in study.grouping.clusters}
    ids = split_largest(study)
    refined = study.cluster_map(0)
    np.testing.assert_array_equal(store.agreement(0), before)  # the model's clusters
    found = {}
    for part in ids:
        found[part] = before[refined == part].mean() / 255
        assert store.share((part,), 0) == pytest.approx(found[part], abs=2e-3)
    assert len(set(found.values())) > 1
    assert store.share(ids, 0) == pytest.approx(whole[ids[0]])
    assert store.pooled(ids[1:2]) == store.share(ids[1:2], 0)
    study.undo()
    assert {id: store.share((id,), 0) for id in study.grouping.clusters} == whole
    study.redo()
    for part in ids:
        assert store.share((part,), 0) == pytest.approx(found[part], abs=2e-3)


def test_brute_force_over_the_views(study: Study) -> None:
    """Against each pixel in each view, looked at one by one."""
    store = MapStability(study)
    store.put(measure(study, 0))
    split_largest(study)
    study.merge(study.grouping.ids[1:3], study.grouping.ids[0])
    clusters, moved = study.cluster_map(0).ravel(), study.moved(0)
    lut = fold_lut(study.splits)
    views = np.repeat(lut[clusters][None], moved.views, 0)
    views[:, moved.places] = moved.ids
    for group in study.grouping.groups:
        here = np.isin(clusters, group.clusters)
        homes = {int(lut[c]) for c in group.clusters}
        stay = sum(int(v) in homes for row in views[:, here] for v in row)
        if here.any():
            share = stay / (moved.views * int(here.sum()))
            assert store.share(group.clusters, 0) == pytest.approx(share)
    kept, total = store.total(0, study.grouping)
    assert total == moved.views * (clusters > 0).sum()
    agreement = store.group_agreement(0, study.grouping).ravel()[clusters > 0]
    assert kept / total == pytest.approx(agreement.mean() / 255, abs=2e-3)


def test_all_cubes_in_one_go_and_kept_with_the_study(study: Study, tmp_path) -> None:
    store = MapStability(study)
    assert store.unmeasured == (0, 1)
    pieces = list(measure_cubes(study.model, study.cubes, device="cpu"))
    done = [piece.done for piece in pieces if isinstance(piece, Progress)]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1)
    assert "(2 of 2)" in pieces[-2].text
    for piece in pieces:
        if isinstance(piece, CubeStability):
            assert store.put(piece)
    assert store.measured == (0, 1)
    ids = split_largest(study)
    shares = [store.pooled((id,)) for id in study.grouping.clusters]
    assert min(share for share in shares if share is not None) < 1
    path = save_study(study, tmp_path / "S.dgc.json")
    folder = tmp_path / "S.dgc" / study.model.fingerprint
    files = sorted(folder.glob("*_stability.npz"))
    assert len(files) == 2
    content = files[0].read_bytes()
    again = open_study(path)
    opened = MapStability(again)
    assert [opened.pooled((id,)) for id in again.grouping.clusters] == shares
    again.undo()
    save_study(again, path)
    assert sorted(folder.glob("*_stability.npz")) == files
    assert files[0].read_bytes() == content
    assert opened.share((ids[0],), 0) is not None
    # Another measurement does not take the place of the file that is there.
    again.set_moved(0, Moved(np.array([4]), np.array([[1], [2]], "u1")))
    save_study(again, path)
    assert files[0].read_bytes() == content
    assert len(sorted(folder.glob("*_stability*.npz"))) == 3
    assert open_study(path).moved(0).places.tolist() == [4]
    # Gone or damaged, it was not measured: no fault, and all else is there.
    files[1].write_bytes(b"no archive")
    left = load_study(path)
    assert not left.faults
    assert sorted(left.stability) == [0]
    assert sorted(left.maps) == [0, 1]


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
    with pytest.raises(ValueError, match="no map of which"):
        study.set_moved(0, Moved(np.array([10**6]), np.ones((1, 1), "u1")))
    store.put(measure(study, 0))
    study.accept_model(study.model)
    assert heard == [1, 2, 1, 0, 1, 0]
