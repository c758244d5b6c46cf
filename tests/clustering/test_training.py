from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from napari_dgc import Config, segment, train
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.training import Step
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes import Scene

# The fixtures of the session, made before it, have all of the guard's regions.
pytestmark = pytest.mark.usefixtures("few_regions")

LOSSES = {"total", "consistency", "compactness", "orthogonality", "balance", "anchor"}


def best_lesion_iou(model: Model, scenes: list[Scene]) -> float:
    """Lesion IoU after the best merge of clusters."""
    ids = np.concatenate([segment(model, s.cube).clusters.ravel() for s in scenes])
    lesion = np.concatenate([s.labels.ravel() for s in scenes]) == 2
    total = np.bincount(ids, minlength=model.k + 1)
    hits = np.bincount(ids[lesion], minlength=model.k + 1)
    order = np.argsort(-hits / np.maximum(total, 1))
    hit, size = hits[order].cumsum(), total[order].cumsum()
    return float((hit / (lesion.sum() + size - hit)).max())


def test_steps_tell_a_story_and_the_last_carries_the_model(
    training: list[Step],
) -> None:
    stages = list(dict.fromkeys(step.stage for step in training))
    assert stages == ["reading", "clustering", "training", "finished"]
    steps = [s for s in training if s.stage == "training"]
    assert [s.index for s in steps] == [0, *range(13)]  # the guard's first score
    assert all(set(s.losses) == LOSSES for s in steps[2:])
    assert all(np.isfinite(list(s.losses.values())).all() for s in steps)
    assert [s.index for s in steps if s.snapshot is not None] == [0, 5, 10, 12]
    scored = [s for s in steps if s.score is not None]
    assert [s.index for s in scored] == [0, 5, 10, 12]
    assert scored == [s for s in steps if s.best is not None]
    assert scored[0] is steps[1]
    assert [s.model is not None for s in training] == [False] * (len(training) - 1) + [
        True
    ]


def test_no_steps_give_the_first_map(first_model: Model, scenes: list[Scene]) -> None:
    assert first_model.encoder == {}
    assert best_lesion_iou(first_model, scenes) > 0.9


def test_training_starts_from_the_first_map(
    training: list[Step], first_model: Model, scenes: list[Scene]
) -> None:
    start = next(s.snapshot for s in training if s.snapshot is not None)
    np.testing.assert_array_equal(
        segment(start, scenes[1].cube).clusters,
        segment(first_model, scenes[1].cube).clusters,
    )


def test_the_trained_model_differs_and_keeps_the_lesion(
    trained_model: Model, scenes: list[Scene]
) -> None:
    model = trained_model
    assert any(np.abs(w).sum() > 0 for n, w in model.encoder.items() if "_out" in n)
    assert best_lesion_iou(model, scenes) > 0.9
    assert model.counts.sum() > 0
    assert model.steps_done == 12


def test_clusters_fire_only_where_they_belong(
    first_model: Model, scenes: list[Scene]
) -> None:
    """The lesion's clusters hold under 0.1 % of the healthy scene."""
    healthy = segment(first_model, scenes[0].cube).clusters
    infected = segment(first_model, scenes[1].cube).clusters
    lesion = scenes[1].labels == 2
    ids = [
        i
        for i in range(1, first_model.k + 1)
        if (infected == i).any() and lesion[infected == i].mean() > 0.5
    ]
    assert ids
    assert np.isin(healthy, ids).mean() < 0.001


def test_the_clusters_are_described_by_their_pixels(
    first_model: Model, scenes: list[Scene]
) -> None:
    maps = [segment(first_model, s.cube).clusters for s in scenes]
    for cluster in (1, 2, 3):
        spectra = np.concatenate(
            [
                np.asarray(s.cube.data)[:, m == cluster].T
                for s, m in zip(scenes, maps, strict=True)
            ]
        )
        np.testing.assert_allclose(
            first_model.mean_spectra[cluster - 1], spectra.mean(0), atol=2e-3
        )


def test_k_128_works(scenes: list[Scene]) -> None:
    *_, last = train([scenes[1].cube], Config(k=128, steps=1, crop=32, device="cpu"))
    assert last.model is not None
    assert last.model.k == 128
    assert segment(last.model, scenes[1].cube).clusters.max() <= 128


def test_different_seeds_differ_and_nothing_global_is_seeded(
    scenes: list[Scene], first_model: Model
) -> None:
    import torch

    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    *_, last = train([s.cube for s in scenes], Config(steps=0, seed=1, device="cpu"))
    assert torch.equal(before, torch.random.get_rng_state())
    assert last.model is not None
    assert last.model.fingerprint != first_model.fingerprint


def test_closing_the_generator_stops_and_leaves_no_thread(
    scenes: list[Scene],
) -> None:
    threads = threading.active_count()
    run = train([s.cube for s in scenes], Config(steps=1000, crop=32, device="cpu"))
    for step in run:
        if step.index == 2:
            break
    run.close()
    assert next(run, None) is None
    assert threading.active_count() == threads


def test_cubes_that_do_not_fit_are_refused(scenes: list[Scene]) -> None:
    other = Cube(np.random.default_rng(0).random((10, 40, 40)), name="other")
    with pytest.raises(InputError, match="other: it has 10 bands"):
        next(iter(train([scenes[0].cube, other])))
    with pytest.raises(InputError, match="no cube"):
        next(iter(train([])))
    shifted = replace(scenes[0].cube, wavelengths=scenes[0].cube.wavelengths + 30.0)
    with pytest.raises(InputError, match="differ"):
        next(iter(train([scenes[0].cube, shifted])))


def test_few_pixels_of_many_bands_are_told_of() -> None:
    rng = np.random.default_rng(1)
    data = rng.random((120, 20, 18)).astype(np.float32).cumsum(0)
    steps = list(train([Cube(data)], Config(steps=2, k=3, device="cpu")))
    assert any("noise was estimated from neighbouring" in s.notice for s in steps)
    assert steps[-1].model is not None


def test_masked_pixels_have_no_say(scenes: list[Scene]) -> None:
    """Garbage under the mask changes nothing, in any stage."""
    cube = scenes[1].cube
    mask = np.ones(cube.shape[1:], bool)
    mask[60:80, 10:40] = False
    garbage = np.array(cube.data)
    garbage[:, ~mask] = np.nan
    garbage[5, 65, 20] = 1e9
    prints = []
    for data in (np.array(cube.data), garbage):
        config = Config(steps=3, k=4, crop=48, device="cpu")
        *_, last = train([Cube(data, cube.wavelengths, mask=mask)], config)
        assert last.model is not None
        prints.append(last.model.centroids)
    np.testing.assert_allclose(*prints, atol=1e-6)


def test_a_huge_no_data_value_does_no_harm(scenes: list[Scene]) -> None:
    """-3.4e38, the usual one of GDAL and ENVI, once made every centroid NaN."""
    cube = scenes[1].cube
    data = np.array(cube.data)
    data[:, 30:50, 20:60] = np.finfo(np.float32).min
    nodata = Cube(data, cube.wavelengths, ignore_value=float(data.min()))
    *_, last = train([nodata], Config(steps=3, k=5, crop=48, device="cpu"))
    assert last.model is not None
    assert np.isfinite(last.model.centroids).all()
    result = segment(last.model, nodata)
    assert np.isfinite(result.confidence).all()
    assert ((result.clusters == 0) == ~nodata.valid).all()
    assert len(np.unique(result.clusters)) > 3


def test_valid_pixels_are_found_wherever_they_hide() -> None:
    """A few valid rows of a large masked scene, between the sampled stripes."""
    rng = np.random.default_rng(2)
    data = rng.random((12, 700, 600)).astype(np.float32).cumsum(0)
    mask = np.zeros(data.shape[1:], bool)
    mask[40:46] = True
    steps = list(train([Cube(data, mask=mask)], Config(steps=0, k=3, device="cpu")))
    assert steps[-1].model is not None
    assert steps[-1].model.front_end.noise_method == "regression"
    assert steps[-1].model.counts.sum() == mask.sum()


def test_a_band_bad_in_one_cube_says_nothing_in_any(scenes: list[Scene]) -> None:
    good = np.ones(301, bool)
    good[10:15] = False
    first = replace(scenes[1].cube, good_bands=good)
    data = np.array(scenes[2].cube.data)
    clean = Cube(data.copy(), scenes[2].cube.wavelengths)
    data[10:15] = np.nan
    broken = Cube(data, scenes[2].cube.wavelengths)
    models = []
    for second in (clean, broken):
        *_, last = train([first, second], Config(steps=2, k=4, device="cpu"))
        assert last.model is not None
        assert (last.model.mean_spectra[:, 10:15] == 0).all()
        models.append(last.model)
    np.testing.assert_array_equal(models[0].centroids, models[1].centroids)
    maps = [segment(models[0], cube).clusters for cube in (clean, broken)]
    assert maps[1].min() >= 1
    np.testing.assert_array_equal(*maps)


def test_a_sliver_among_the_cubes_does_not_stop_training(scenes: list[Scene]) -> None:
    sliver = Cube(np.asarray(scenes[0].cube.data)[:, :1], scenes[0].cube.wavelengths)
    steps = train([scenes[1].cube, sliver], Config(steps=6, k=4, crop=48, device="cpu"))
    assert all(
        s.losses["total"] > 0 for s in steps if s.stage == "training" and s.index
    )
