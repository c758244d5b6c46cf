"""The film of a training: what is kept, and what another model makes of a study."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_study import K, make_study, small_model

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.step import Step
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.merging.statistics import StatisticsBuilder
from napari_dgc.study import Study
from napari_dgc.study.film import Film, are_alike
from napari_dgc.study.mapping import (
    Finished,
    MappedCube,
    Progress,
    map_cubes,
    train_and_map,
)
from napari_dgc.study.previews import Preview, enlarge, preview_all, thumbnail
from napari_dgc.study.storing.study_file import open_study, save_study
from napari_dgc.study.taking import describe_by, map_anew, take_over


def model_of(step: int, weights: int = 4):
    encoder = {"w": np.full(weights, step, np.float32)} if step else {}
    return replace(small_model(), steps_done=step, encoder=encoder)


def preview(place: int, model) -> Preview:
    small = np.full((2, 2), place, "u1")
    return Preview(place, small.repeat(2, 0).repeat(2, 1), model, small)


def filmed(steps, best: int, film: Film | None = None, weights: int = 4) -> Film:
    """A film of snapshots at these steps, each told as a training tells it."""
    film = film or Film()
    kept = model_of(best)
    for step in steps:
        model = model_of(step, weights)
        here = kept if step >= best else model_of(0)
        told = Step("training", step, 999, active=9, snapshot=model)
        film = film.take(replace(told, score=1.0, best=here))
        film = film.take(preview(0, model))
    return film


def test_a_frame_taken_into_use_keeps_its_score() -> None:
    film = filmed([0, 25], 25)
    unscored = film.take(Step("training", 50, 999, snapshot=model_of(50)))
    for frame in film.frames:
        model = film.scored(frame).model
        assert (model.score, model.first_score) == (1.0, 1.0)
        assert are_alike(model, frame.model)
    assert unscored.scored(unscored.frames[-1]).model.score is None


def test_a_trained_model_keeps_the_maps_of_its_own_clusters_alone() -> None:
    film = filmed([0, 25], 25)
    kept = film.frames[1].previews
    assert kept.keys() == {0}
    described = replace(film.frames[1].model, counts=film.frames[1].model.counts + 1)
    other = replace(described, centroids=described.centroids[::-1])
    for model, previews in ((described, kept), (other, {})):
        frame = film.take(Step("finished", 25, 25, 1.0, model=model)).frames[1]
        assert frame.model is model
        assert frame.previews == previews


@pytest.mark.parametrize("count", [1, 2, 59, 60, 61, 150, 500])
def test_a_long_training_is_thinned_evenly(count):
    steps = [25 * i for i in range(count)]
    best = steps[count // 3]
    film = filmed(steps, best)
    kept = [frame.step for frame in film.frames]
    assert kept == sorted(set(kept))
    assert set(kept) <= set(steps)
    assert kept[0] == 0
    assert kept[-1] == steps[-1]
    assert best in kept
    assert len(kept) == min(count, 60)
    assert film.frames[film.best_frame].step == best
    gaps = np.diff([step for step in kept if step != best])
    if count > 2:  # the last gap is still growing
        assert gaps.max() <= 4 * gaps[:-1].min(initial=25 * count)


def test_only_so_many_bytes_are_kept():
    """Brute force: what frames hold, counted one by one."""
    film = filmed(range(0, 400, 10), 30, Film(most_bytes=200_000), weights=4000)
    assert film.nbytes <= 200_000
    assert 5 < len(film.frames) < 40
    shared = model_of(0).front_end
    own = sum(frame.model.encoder["w"].nbytes for frame in film.frames if frame.step)
    assert film.nbytes >= own + shared.projection.nbytes
    assert [film.frames[i].step for i in (0, -1)] == [0, 390]
    assert film.best_frame >= 0
    huge = filmed([0, 5, 10, 15], 10, Film(most_bytes=1))
    assert [frame.step for frame in huge.frames] == [0, 10, 15]


def test_arrays_that_frames_share_count_once():
    model = model_of(5)
    one = Film().take(Step("training", 0, 9, snapshot=model))
    two = one.take(Step("training", 5, 9, snapshot=replace(model, steps_done=5)))
    assert two.nbytes == one.nbytes


def test_scores_warnings_and_the_trained_model_find_their_frames():
    film, models = Film(), [model_of(step) for step in (0, 10, 20)]
    first = Step("training", 0, 20, snapshot=models[0], active=6, notice="dark cube")
    film = film.take(first)
    assert film.frames[0].score is None
    film = film.take(Step("training", 0, 20, score=0.9, best=models[0]))
    assert film.frames[0].score == 0.9
    film = film.take(Step("training", 4, 20, notice="crops are smaller"))
    at = Step("training", 10, 20, snapshot=models[1], active=5)
    film = film.take(replace(at, score=1.1, best=models[1]))
    film = film.take(Step("training", 12, 20, notice="crops are smaller"))  # said once
    at = Step("training", 20, 20, snapshot=models[2], active=2, ended="collapse")
    film = film.take(replace(at, score=0.1, best=models[1]))
    trained = replace(models[1], counts=models[1].counts + 1)
    film = film.take(Step("finished", 20, 20, model=trained, notice="late"))
    assert film.take(Progress("Mapping", 0.5, "notice")) is film
    assert film.take(Finished(trained, ())) is film
    assert [frame.step for frame in film.frames] == [0, 10, 20]
    assert [frame.score for frame in film.frames] == [0.9, 1.1, 0.1]
    assert [frame.active for frame in film.frames] == [6, 5, 2]
    assert film.best_frame == 1
    assert film.frames[1].model is trained
    assert [frame.described for frame in film.frames] == [True, True, False]
    assert film.warnings_of(0) == ("dark cube",)
    assert film.warnings_of(1) == ("crops are smaller",)
    collapse, late = film.warnings_of(2)
    assert "melt together" in collapse
    assert late == "late"
    assert film.total == 20


def test_warnings_of_frames_that_were_dropped_go_to_the_next_one():
    film = filmed(range(0, 100, 10), 0, Film(most_frames=3))
    for step in (0, 15, 50, 95):
        film = film.take(Step("training", step, 99, notice=f"at {step}"))
    told = [text for i in range(len(film.frames)) for text in film.warnings_of(i)]
    assert sorted(told) == ["at 0", "at 15", "at 50", "at 95"]


def test_nearest_frame():
    film = filmed([0, 10, 30], 0)
    assert [film.nearest(step) for step in (-5, 4, 5, 6, 20, 21, 99)] == [
        0, 0, 0, 1, 1, 2, 2,
    ]  # fmt: skip
    assert Film().nearest(3) == -1
    assert Film().best_frame == -1


def test_a_frame_keeps_the_maps_of_few_cubes():
    film, model = filmed([0], 0), model_of(7)
    film = film.take(Step("training", 7, 9, snapshot=model))
    for place in (0, 1, 2, 3, 0, 9):
        film = film.take(preview(place, model))
    assert list(film.frames[1].previews) == [2, 3, 0, 9]
    assert film.frames[1].previews[9][0, 0] == 9
    assert list(film.frames[0].previews) == [0]
    # Of a model that is in no frame there is nothing to keep.
    other = film.take(preview(0, model_of(8)))
    assert [list(f.previews) for f in other.frames] == [[0], [2, 3, 0, 9]]


def test_models_alike():
    model = model_of(5)
    assert are_alike(model, replace(model, counts=model.counts + 1))
    assert not are_alike(model, None)
    assert not are_alike(model, model_of(6))
    assert not are_alike(model, model_of(0))
    assert not are_alike(model, replace(model, centroids=model.centroids[::-1]))


@pytest.mark.parametrize("shape", [(7, 9), (256, 256), (300, 100), (513, 700)])
def test_a_map_of_a_thumbnail_is_blown_up_pixel_by_pixel(shape):
    rng = np.random.default_rng(0)
    H, W = shape
    cube = Cube(rng.random((1, H, W), np.float32))
    small, stride = thumbnail(cube)
    ids = rng.integers(0, 9, small.shape[1:]).astype(np.uint8)
    large = enlarge(ids, cube)
    assert large.shape == shape
    for row, col in rng.integers(0, shape, (50, 2)):
        assert large[row, col] == ids[row // stride, col // stride]


@pytest.fixture(scope="module")
def leaf() -> Cube:
    return make_scene(SceneConfig(size=64, bands=40, leaves=1), 0, "leaf").cube


@pytest.fixture(scope="module")
def trained(leaf) -> tuple[Film, Finished]:
    config = Config(
        k=6, steps=6, crop=16, batch=1, snapshot_every=2, patience=0, device="cpu"
    )
    film, last = Film(), None
    for piece in train_and_map([leaf], config):
        film, last = film.take(piece), piece
    assert isinstance(last, Finished)
    return film, last


def test_a_real_training_leaves_a_film(trained, leaf):
    film, finished = trained
    assert [frame.step for frame in film.frames] == [0, 2, 4, 6]
    assert all(frame.score is not None for frame in film.frames)
    assert film.frames[film.best_frame].model is finished.model
    # What is shown of a frame is what its model maps; 64 pixels are not thinned.
    assert finished.model.owners.tolist() != film.frames[-2].model.owners.tolist()
    assert not film.frames[film.best_frame].previews, "it was cut anew in the end"
    for frame in film.frames:
        if frame.model is finished.model:
            continue
        *_, mapped = map_cubes(frame.model, [leaf])
        np.testing.assert_array_equal(
            enlarge(frame.previews[0], leaf), mapped.maps[0].clusters
        )


def test_previews_of_another_cube_can_be_had_later(trained, leaf):
    film, finished = trained
    models = [frame.model for frame in film.frames]
    for preview in preview_all(models, leaf, index=3):
        film = film.take(preview)
    for frame in film.frames:
        if frame.previews.keys() > {3}:
            np.testing.assert_array_equal(frame.previews[3], frame.previews[0])
    *_, mapped = map_cubes(finished.model, [leaf])
    small = film.frames[film.best_frame].previews[3]
    np.testing.assert_array_equal(enlarge(small, leaf), mapped.maps[0].clusters)


def test_any_frame_can_be_taken_with_the_merges(trained, leaf, tmp_path):
    """A script's way: groups on the result go on with the clusters of a frame."""
    film, finished = trained
    study = Study()
    study.add_cubes([leaf])
    assert take_over(study, finished) is None  # there were no groups
    counts = study.counts(0)
    a, b, c = sorted(range(1, 7), key=lambda id: -counts[id])[:3]
    study.merge((b,), a)
    study.rename(a, "Leaf")
    study.set_role(a, "healthy")
    study.set_view(replace(study.view, hidden=frozenset({a, c})))
    before = np.isin(study.cluster_map(0), (a, b))
    frame = film.frames[-1]
    pieces = list(
        map_anew(frame.model, [leaf], [study.cluster_map(0)], described=frame.described)
    )
    assert any(isinstance(piece, Progress) for piece in pieces)
    carried = take_over(study, pieces[-1])
    assert carried is not None
    group = study.grouping.groups[0]
    assert (group.name, group.role) == ("Leaf", "healthy")
    after = study.group_map(0) == group.value
    assert (before & after).sum() / (before | after).sum() > 0.8
    assert study.view.hidden == {group.id}
    assert study.history.undo_text.startswith("adopt")
    assert are_alike(study.model, frame.model)
    # Described by its own map: the mean of each cluster's pixels.
    pixels = np.asarray(leaf.data)[:, study.cluster_map(0) == a]
    row = study.model.cluster_ids.tolist().index(a)
    np.testing.assert_allclose(study.model.mean_spectra[row], pixels.mean(1), rtol=1e-4)
    assert study.model.counts.sum() == (study.cluster_map(0) > 0).sum()
    groups = study.grouping.groups
    again = open_study(save_study(study, tmp_path / "S.dgc.json"))
    assert again.grouping.groups == groups
    again.undo()
    assert are_alike(again.model, finished.model)
    assert again.view.hidden == {a, c}
    np.testing.assert_array_equal(np.isin(again.cluster_map(0), (a, b)), before)


def test_a_cluster_without_pixels_keeps_its_spectrum(tmp_path):
    study = make_study(tmp_path)
    model = study.model
    assert describe_by(model, ()) is model
    builder = StatisticsBuilder(K, model.bands)
    ids = np.where(study.cluster_map(0) == 3, 3, 0).astype(np.uint8)
    builder.add(ids, np.ones(ids.shape), np.asarray(study.cubes[0].data))
    one = MappedCube(0, ids, np.ones(ids.shape, np.float32), builder.finish(ids))
    again = describe_by(model, [one])
    np.testing.assert_array_equal(again.mean_spectra[3], model.mean_spectra[3])
    assert again.counts.tolist() == [0, 0, (ids == 3).sum(), 0, 0, 0, 0, 0]
    assert not np.array_equal(again.mean_spectra[2], model.mean_spectra[2])


def test_cubes_that_are_gone_are_left_out(tmp_path):
    study = make_study(tmp_path)
    model, maps = small_model(1), [study.cluster_map(i) for i in (0, 1)]
    mapped = tuple(mapped_as_it_is(study, i) for i in (0, 1))
    finished = Finished(model, mapped, np.zeros((256, 256), np.int64))
    study.remove_cube(0)
    take_over(study, finished, places=[-1, 0])
    assert len(study.cubes) == 1
    np.testing.assert_array_equal(study.cluster_map(0), maps[1])
    assert study.model is model


def mapped_as_it_is(study: Study, index: int):
    clusters = study.cluster_map(index)
    confidence = np.ones(clusters.shape, np.float32)
    return MappedCube(index, clusters, confidence, study.statistics(index))
