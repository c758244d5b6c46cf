from __future__ import annotations

import pytest

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.training import Step, train
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
