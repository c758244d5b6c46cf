"""Training and mapping as one stream: it reads ahead, and leaves nothing behind."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.training import Step, train
from napari_dgc.cubes.cube import Cube
from napari_dgc.study.mapping import Finished, train_and_map

CONFIG = Config(k=3, steps=4, crop=16, snapshot_every=2, device="cpu")


@pytest.fixture(scope="module")
def cubes() -> list[Cube]:
    rng = np.random.default_rng(0)
    means = rng.random((3, 12)).astype(np.float32) + 0.2
    data = means[rng.integers(0, 3, (32, 32))].transpose(2, 0, 1)
    noise = rng.normal(0, 0.01, data.shape).astype(np.float32)
    return [Cube(data + noise, name="three materials")]


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "reader"]


def test_closing_midway_ends_the_reading_thread(cubes: list[Cube]) -> None:
    pieces = train_and_map(cubes, CONFIG)
    for piece in pieces:
        if isinstance(piece, Step) and piece.losses:
            break
    assert len(readers()) == 1  # it does read ahead
    pieces.close()
    assert not readers()


def test_the_finished_model_is_that_of_training_and_no_thread_is_left(
    cubes: list[Cube],
) -> None:
    *_, finished = train_and_map(cubes, CONFIG)
    assert isinstance(finished, Finished)
    assert not readers()
    *_, last = train(cubes, CONFIG)
    assert last.model is not None
    assert last.model.steps_done == finished.model.steps_done
    np.testing.assert_array_equal(finished.model.centroids, last.model.centroids)
