"""Fewer clusters than centroids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_dgc import Config, Model, segment, train
from napari_dgc.clustering.gathering import Gathering, centers
from napari_dgc.clustering.splitting import Fit, fit_two, nearest
from napari_dgc.clustering.step import Step
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes import Scene
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.operations import apply
from napari_dgc.study.grouped import tree_of


@pytest.fixture(scope="module")
def four(scenes: list[Scene]) -> Model:
    """The first map's model of four clusters."""
    *_, last = train([s.cube for s in scenes], Config(k=4, steps=0, device="cpu"))
    assert last.model is not None
    return last.model


def in_groups(
    model: Model, n: int
) -> tuple[NDArray[np.int64], Callable[[NDArray[np.uint8]], NDArray[np.int64]]]:
    """What a model's tree makes of each cluster id at `n` groups."""
    start = Grouping.start(model.cluster_ids.tolist())
    lut = apply(start, tree_of(model).cut(start, n)).after.lut()
    return np.asarray(lut, np.int64), lambda ids: np.asarray(lut, np.int64)[ids]


def same_parts(one: NDArray[np.integer], other: NDArray[np.integer]) -> bool:
    """Whether two maps differ in their ids' names alone."""
    pairs = {*zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_four_clusters_are_the_usual_ones_cut_by_the_tree(
    four: Model, first_model: Model, scenes: list[Scene]
) -> None:
    assert first_model.k == 16
    assert not first_model.owners.size
    assert (four.k, four.config.k, four.cluster_ids.tolist()) == (4, 4, [1, 2, 3, 4])
    np.testing.assert_array_equal(four.centroids, first_model.centroids)
    _, cut = in_groups(first_model, 4)
    for scene in scenes:
        few, many = segment(four, scene.cube), segment(first_model, scene.cube)
        assert same_parts(few.clusters, cut(many.clusters))
        # The centroids of a cluster speak for it together.
        assert (few.confidence >= many.confidence - 1e-6).all()
        assert few.confidence.max() <= 1 + 1e-6


def test_coarser_cuts_are_those_of_the_usual_clusters(
    four: Model, first_model: Model, scenes: list[Scene], tmp_path: Path
) -> None:
    four.save(tmp_path / "m.safetensors")
    for model in (four, Model.load(tmp_path / "m.safetensors")):
        for n in (1, 2, 3):
            (_, few), (_, many) = in_groups(model, n), in_groups(first_model, n)
            for scene in scenes:
                assert same_parts(
                    few(segment(model, scene.cube).clusters),
                    many(segment(first_model, scene.cube).clusters),
                )
    # Where the tree of centroids never shows the clusters, theirs is built anew.
    odd = Gathering({id: 1 + id % 4 for id in range(1, 17)}).gather(first_model)
    assert (odd.k, len(odd.linkage)) == (4, 0)
    assert tree_of(odd).linkage.shape == (3, 4)


@pytest.mark.parametrize(
    "change", [lambda a: a[:-1], lambda a: a * 0, lambda a: a * np.nan]
)
def test_a_tree_that_is_none_is_refused(
    four: Model, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    replace(four, linkage=change(four.linkage)).save(tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="damaged"):
        Model.load(tmp_path / "m.safetensors")


def test_they_are_described_by_their_pixels(four: Model, first_model: Model) -> None:
    assert four.counts.sum() == first_model.counts.sum()
    assert (np.diff(four.counts) <= 0).all()  # by falling number
    for row, id in enumerate(four.cluster_ids):
        parts = four.owners == id
        assert four.counts[row] == first_model.counts[parts].sum()
        mean = np.average(
            first_model.mean_spectra[parts], axis=0, weights=first_model.counts[parts]
        )
        np.testing.assert_allclose(four.mean_spectra[row], mean, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(centers(four), axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(centers(first_model), first_model.centroids)


def test_the_lesion_has_a_cluster_of_its_own(four: Model, scenes: list[Scene]) -> None:
    """Four centroids would have to be lucky."""
    ids = np.concatenate([segment(four, s.cube).clusters.ravel() for s in scenes])
    lesion = np.concatenate([s.labels.ravel() for s in scenes]) == 2  # the lesion
    assert lesion.mean() < 0.05
    best = max(
        ((ids == id) & lesion).sum() / ((ids == id) | lesion).sum()
        for id in range(1, 5)
    )
    assert best > 0.9


def test_training_is_that_of_the_sixteen(
    scenes: list[Scene], training: list[Step]
) -> None:
    """The same steps and scores; only what is shown is gathered."""
    config = Config(k=5, steps=12, crop=48, snapshot_every=5, device="cpu")
    steps = list(train([s.cube for s in scenes], config))
    assert [s.losses for s in steps] == [s.losses for s in training]
    assert [s.score for s in steps] == [s.score for s in training]
    for few, many in zip(steps, training, strict=True):
        assert few.active <= 5
        for one, other in ((few.snapshot, many.snapshot), (few.model, many.model)):
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                assert one.k == 5
                np.testing.assert_array_equal(one.centroids, other.centroids)


def test_a_saved_one_comes_back(
    four: Model, scenes: list[Scene], tmp_path: Path
) -> None:
    four.save(tmp_path / "four.safetensors")
    again = Model.load(tmp_path / "four.safetensors")
    np.testing.assert_array_equal(again.owners, four.owners)
    assert again.fingerprint == four.fingerprint
    assert again.centroid_fingerprints == four.centroid_fingerprints
    assert len(four.centroid_fingerprints) == 4
    # Who belongs to whom decides the map.
    other = replace(four, owners=np.roll(four.owners, 1))
    assert other.fingerprint != four.fingerprint
    np.testing.assert_array_equal(
        segment(again, scenes[0].cube).clusters, segment(four, scenes[0].cube).clusters
    )


@pytest.mark.parametrize(
    "owners", [[1] * 16, [1, 2, 3, 4], [5, *[1, 2, 3, 4] * 4][:16], [0] * 16]
)
def test_owners_that_do_not_fit_are_refused(
    four: Model, owners: list[int], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="cluster"):
        replace(four, owners=np.array(owners))
    four.save(tmp_path / "m.safetensors")
    whole = (tmp_path / "m.safetensors").read_bytes()
    told = str(four.owners.tolist()).encode()
    assert told in whole.replace(b'\\"', b'"')
    wrong = str(owners).encode().ljust(len(told))
    (tmp_path / "m.safetensors").write_bytes(whole.replace(told, wrong))
    with pytest.raises(InputError, match="damaged"):
        Model.load(tmp_path / "m.safetensors")


def test_a_cluster_is_retired_with_its_last_centroid(first_model: Model) -> None:
    """One that comes later belongs to the cluster of the nearest that was there."""
    gathering = Gathering.of_first_map(first_model, 4)
    whole = gathering.gather(first_model)
    lost = int(whole.cluster_ids[-1])
    left = whole.owners != lost
    near = int(np.flatnonzero(left)[3])
    later = first_model.centroids[near] + 0.01
    later /= np.linalg.norm(later)
    pruned = replace(
        first_model,
        centroids=np.vstack(
            [first_model.centroids[left], later / np.linalg.norm(later)]
        ),
        mean_spectra=np.vstack(
            [first_model.mean_spectra[left], first_model.mean_spectra[near]]
        ),
        counts=np.append(first_model.counts[left], 7),
        cluster_ids=np.append(first_model.cluster_ids[left], np.uint8(40)),
        retired_ids=tuple(first_model.cluster_ids[~left].tolist()),
    )
    found = gathering.gather(pruned)
    assert found.cluster_ids.tolist() == [1, 2, 3]
    assert found.retired_ids == (lost,)
    anew = gathering.renewed(pruned).gather(pruned)
    assert (anew.k, anew.retired_ids) == (3, (lost,))
    assert found.owners.tolist() == [*whole.owners[left], whole.owners[near]]
    shares = dict.fromkeys(pruned.cluster_ids.tolist(), 0.1)
    assert gathering.active(shares, 0.05) == 4  # the later one for itself
    assert gathering.active(shares, 10) == 0


def test_a_trained_model_is_cut_anew_and_keeps_what_it_can(
    four: Model, first_model: Model
) -> None:
    gathering = Gathering.of_first_map(first_model, 4)
    assert gathering.renewed(first_model).clusters == gathering.clusters
    # Another centroid's spectrum: it goes to that one's cluster, the ids stay.
    row = int(np.flatnonzero(four.owners == 1)[-1])
    other = int(np.flatnonzero(four.owners == 2)[0])
    spectra = first_model.mean_spectra.copy()
    spectra[row] = spectra[other]
    trained = replace(first_model, mean_spectra=spectra)
    clusters = gathering.renewed(trained).clusters
    moved = int(first_model.cluster_ids[row])
    assert clusters[moved] == 2
    alike = [id for id in gathering.clusters if clusters[id] == gathering.clusters[id]]
    assert len(alike) == 15
    # The order in which the parts come out of the tree does not matter.
    order = np.random.default_rng(0).permutation(16)
    turned = replace(
        first_model,
        centroids=first_model.centroids[order],
        mean_spectra=first_model.mean_spectra[order],
        counts=first_model.counts[order],
        cluster_ids=first_model.cluster_ids[order],
    )
    assert dict(gathering.renewed(turned).clusters) == dict(gathering.clusters)
    assert Gathering({}).renewed(first_model).clusters == {}


def test_such_a_cluster_can_be_split(four: Model, scenes: list[Scene]) -> None:
    cube = scenes[1].cube
    where = segment(four, cube).clusters == 1
    *_, fit = fit_two(four, [cube], [where])
    assert isinstance(fit, Fit)
    parts = np.zeros(where.shape, np.uint8)
    for window in nearest(four, cube, fit.centroids, (7, 9), where):
        parts[window.rows, window.cols] = window.ids
    assert {*np.unique(parts[where]).tolist()} == {7, 9}
