"""A cube's distance from what a model has seen, on scenes and on a maize kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_dgc import Config, Cube, Model, read_cube, train
from napari_dgc.clustering.embedding import lift
from napari_dgc.clustering.familiarity import departure
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.study import Study
from napari_dgc.study.familiarity import FAR, familiarity
from napari_dgc.study.mapping import map_cube

CONFIG = SceneConfig(size=96, bands=60)


@pytest.fixture(scope="module")
def trained() -> list[Cube]:
    return [make_scene(CONFIG, seed, f"leaf{seed}").cube for seed in (0, 1, 2)]


@pytest.fixture(scope="module")
def model(trained) -> Model:
    return list(train(trained, Config(k=16, steps=0, device="cpu")))[-1].model


@pytest.fixture(scope="module")
def fresh() -> Cube:
    return make_scene(CONFIG, 7, "fresh").cube


def far(model: Model, cube: Cube) -> float:
    *_, done = map_cube(model, cube, device="cpu")
    found = departure(model, done.statistics.count, done.statistics.mean())
    assert found is not None
    return found


def gained(cube: Cube, gain: np.ndarray) -> Cube:
    data = np.asarray(cube.data) * gain.astype(np.float32)[:, None, None]
    return replace(cube, data=data)


def others() -> Iterator[Cube]:
    for changes in ({"lesion": "brown"}, {"leaves": 1}, {"noise": 2}, {"tilt": 2}):
        yield make_scene(replace(CONFIG, **changes), 5, str(changes)).cube


def test_training_cubes_and_other_leaves_are_near(model, trained, fresh):
    own = [far(model, cube) for cube in trained]
    assert max(own) < 0.4
    assert far(model, fresh) < FAR
    assert far(model, gained(fresh, np.full(60, 0.7))) < FAR, "less light"
    for cube in others():
        assert far(model, cube) < FAR, cube.name


def test_another_sensor_is_far_and_the_farther_the_more(model, fresh):
    slopes = [np.linspace(1 - s, 1 + s, 60) for s in (0.1, 0.3, 0.5)]
    found = [far(model, gained(fresh, gain)) for gain in slopes]
    assert found == sorted(found)
    assert found[1] > FAR
    assert far(model, gained(fresh, 1 + 0.1 * np.sin(np.linspace(0, 12, 60)))) > FAR
    offset = replace(fresh, data=np.asarray(fresh.data) + np.float32(0.05))
    assert far(model, offset) > FAR


def test_a_maize_kernel_is_very_far(model, fresh, shared_data: Path):
    kernel = read_cube(shared_data / "corn_kernel/corn-kernel-hyperspectral.hdr")
    order = np.argsort(kernel.wavelengths)
    nearest = [np.abs(kernel.wavelengths - nm).argmin() for nm in fresh.wavelengths]
    assert len(order) == 580
    data = np.asarray(kernel.data, np.float32)[nearest]
    maize = Cube(data / data.max(), fresh.wavelengths, "maize")
    assert far(model, maize) > 10


def test_the_sphere_is_the_one_pixels_are_assigned_on(model, fresh):
    """A shift of one cluster's mean costs what the definition says, via torch."""
    import torch

    k = int(model.counts.argmax())
    counts = np.zeros(int(model.cluster_ids.max()) + 1, np.int64)
    means = np.full((len(counts), 60), np.nan)
    counts[model.cluster_ids[k]] = 50
    seen = model.mean_spectra[k].astype(np.float64)
    means[model.cluster_ids[k]] = seen * np.linspace(0.9, 1.1, 60)
    front = model.front_end
    both = np.stack([means[model.cluster_ids[k]], seen]).astype(np.float32)
    y = torch.from_numpy(front.project(both.T).T.copy())
    z = lift(y, torch.from_numpy(front.black), model.offset).double().numpy()
    noise = np.square(front.noise_std.astype(float)).sum() / model.offset**2
    expected = np.linalg.norm(z[0] - z[1]) / np.sqrt(2 * noise * z[0, -1] * z[1, -1])
    assert departure(model, counts, means) == pytest.approx(expected, rel=1e-3)
    assert departure(model, np.zeros_like(counts), means) is None
    assert departure(model, counts[:1], means[:1]) is None


def test_a_study_knows_its_training_cubes_and_its_strangers(model, trained, fresh):
    odd = gained(fresh, np.linspace(0.4, 1.6, 60))
    study = Study()
    assert not familiarity(study).departures
    study.add_cubes([*trained, fresh, odd])
    study.accept_model(model)
    for index, cube in enumerate(study.cubes):
        *_, done = map_cube(model, cube, device="cpu")
        study.set_map(index, done.clusters, done.statistics)
    found = familiarity(study)
    assert found.strange == (4,)
    assert list(found.departures) == [0, 1, 2, 3, 4]
    most = max(found.departures[i] for i in range(3))
    assert found.limit == pytest.approx(max(FAR, 3 * most))
