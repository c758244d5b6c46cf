from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_dgc.clustering import guard
from napari_dgc.clustering.config import Config
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.training import Step, train
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.readers import read_cube
from napari_dgc.cubes.scenes import Scene, SceneConfig, make_scene


@pytest.fixture(scope="session")
def scenes() -> list[Scene]:
    """One healthy and two infected scenes of 96 x 96 x 301."""
    healthy = SceneConfig(size=96, leaves=2, lesion=None)
    infected = SceneConfig(size=96, leaves=2, lesion="near-black", lesion_size=0.3)
    configs = (healthy, infected, infected)
    return [make_scene(c, seed, f"s{seed}") for seed, c in enumerate(configs)]


@pytest.fixture(scope="session")
def first_model(scenes: list[Scene]) -> Model:
    *_, last = train([s.cube for s in scenes], Config(steps=0, device="cpu"))
    assert last.model is not None
    return last.model


@pytest.fixture(scope="session")
def training(scenes: list[Scene]) -> list[Step]:
    """Every step of a short training."""
    config = Config(steps=12, crop=48, snapshot_every=5, device="cpu")
    return list(train([s.cube for s in scenes], config))


@pytest.fixture(scope="session")
def trained_model(training: list[Step]) -> Model:
    """As it stood after the last step, whether the guard kept it or not."""
    *_, last = (s.snapshot for s in training if s.snapshot is not None)
    assert last.steps_done == 12
    assert last.encoder
    return last


@pytest.fixture
def few_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard looks at 2 regions instead of 12, for tests of what it does with it."""
    monkeypatch.setattr(guard, "_CANDIDATES", 4)
    monkeypatch.setattr(guard, "_KEPT", 2)


@pytest.fixture
def cube_files(tmp_path: Path) -> list[Path]:
    """Three small scenes of 24 bands: a memory map, and HDF5 in compressed chunks."""
    paths = []
    for seed, name in enumerate(("mapped.npy", "chunked.mat", "chunked2.mat")):
        rng = np.random.default_rng(seed)
        materials = rng.random((5, 24)).cumsum(1).astype(np.float32)
        where = rng.integers(0, 5, (8, 10)).repeat(8, 0).repeat(7, 1)
        data = np.moveaxis(materials[where], 2, 0)
        data = data * (1 + 0.05 * rng.standard_normal(data.shape[1:])) + 0.02 * (
            rng.standard_normal(data.shape)
        )
        paths.append(tmp_path / name)
        if name.endswith(".npy"):
            np.save(paths[-1], data.astype(np.float32))
        else:
            with h5py.File(paths[-1], "w") as file:
                file.create_dataset(
                    "cube", data=data, chunks=(24, 16, 16), compression="gzip"
                )
    return paths


@pytest.fixture
def small_cubes(cube_files: list[Path]) -> list[Cube]:
    return [read_cube(path, axes="byx") for path in cube_files]
