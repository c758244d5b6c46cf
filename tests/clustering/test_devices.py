"""A device without room: the work is halved, goes on and says so.

There is no GPU here: a hook on the network stands in for one. It raises what
CUDA raises, from where CUDA would, whenever more pixels come in than "fit".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from napari_dgc import Config, train
from napari_dgc.clustering import inference
from napari_dgc.clustering.devices import (
    StepSize,
    half_precision,
    in_room,
    out_of_memory,
)
from napari_dgc.clustering.embedding import Embedder
from napari_dgc.clustering.encoder import Encoder
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import load_network
from napari_dgc.clustering.warmstart import Sample, draw_sample
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import Scene

CONFIG = Config(k=4, steps=6, crop=32, batch=3, device="cpu", sample_pixels=1000)


@contextmanager
def room_for(
    pixels: int, kind: type = Embedder, spared: int = 0
) -> Iterator[list[int]]:
    """Networks of this kind run out of memory above so many pixels.

    The first `spared` of them do not.
    """
    asked: list[int] = []

    def hook(module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        if isinstance(module, kind):
            asked.append(args[1].numel())
            if asked[-1] > pixels and len(asked) > spared:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried ...")

    handle = register_module_forward_pre_hook(hook)
    try:
        yield asked
    finally:
        handle.remove()


@pytest.mark.parametrize("tile", [(40, 96), (16, 96), (96, 24)])
def test_halved_tiles_give_the_same_map(
    trained_model: Model, scenes: list[Scene], tile: tuple[int, int]
) -> None:
    model, cube = trained_model, scenes[1].cube
    whole = list(inference.windows(model, cube, device="cpu", tile=tile))
    assert not any(window.notice for window in whole)
    with room_for(3000) as asked:
        halved = list(inference.windows(model, cube, device="cpu", tile=tile))
    assert max(asked) > 3000  # it did run out
    said = [window.notice for window in halved if window.notice]
    assert said
    assert len(set(said)) == len(said) <= 2  # and kept to what fits
    assert all("ran out of memory" in notice for notice in said)
    assert sum(a > 3000 for a in asked) <= 4
    for a, b in zip(whole, halved, strict=True):
        assert (a.rows, a.cols) == (b.rows, b.cols)
        assert (a.ids == b.ids).mean() >= 0.9999  # ties in floating point
        np.testing.assert_allclose(a.confidence, b.confidence, atol=1e-4)
        np.testing.assert_array_equal(a.spectra, b.spectra)


def test_no_room_for_a_single_pixel_is_an_error(
    first_model: Model, scenes: list[Scene]
) -> None:
    with room_for(0), pytest.raises(torch.cuda.OutOfMemoryError):
        inference.segment(first_model, scenes[1].cube, device="cpu")
    hook = register_module_forward_pre_hook(cross)
    try:
        with pytest.raises(RuntimeError, match="shapes"):
            inference.segment(first_model, scenes[1].cube, device="cpu")
    finally:
        hook.remove()


def cross(module: torch.nn.Module, args: object) -> None:
    raise RuntimeError("shapes cannot be multiplied")


def test_the_screen_and_the_command_line_are_told(
    first_model: Model, scenes: list[Scene]
) -> None:
    from napari_dgc.study.mapping import Finished, map_cubes

    cubes = [scenes[0].cube, scenes[1].cube]
    with room_for(5000):
        pieces = list(map_cubes(first_model, cubes, device="cpu"))
    assert isinstance(pieces[-1], Finished)
    assert [bool(p.notice) for p in pieces[:-1]] == [True, True]


def test_training_goes_on_with_less(small_cubes: list[Cube], few_regions: None) -> None:
    with room_for(2 * 32 * 32) as asked:  # one pair of crops
        steps = list(train(small_cubes, CONFIG))
    assert max(asked) == 3 * 2 * 32 * 32
    trained = [s for s in steps if s.norms]
    assert len(trained) == CONFIG.steps
    assert "1 crop pair(s) of 32 pixels" in trained[0].notice
    assert not any(s.notice for s in trained[1:])
    assert steps[-1].model is not None
    with room_for(2 * 20 * 20):
        steps = list(train(small_cubes, CONFIG))
    assert "1 crop pair(s) of 16 pixels" in next(s.notice for s in steps if s.norms)
    with room_for(100), pytest.raises(torch.cuda.OutOfMemoryError):
        list(train(small_cubes, CONFIG))


@pytest.mark.parametrize("spared", [0, 1])
def test_a_step_that_failed_leaves_no_trace(
    small_cubes: list[Cube], few_regions: None, spared: int
) -> None:
    """Wherever it failed, in the teacher (0) or in the student after it (1)."""
    config = replace(CONFIG, snapshot_every=2)
    steps = train(small_cubes, config, keep_state=True)
    state = next(s.state for s in steps if s.state is not None and s.index == 2)
    steps.close()
    learner = {**state.parts["learner"], "size": {"pairs": 1, "crop": 32}}
    smaller = replace(state, parts={**state.parts, "learner": learner})
    run = train(small_cubes, config, resume=smaller)
    wanted = [s.losses for s in run if s.norms]
    with room_for(2 * 32 * 32, Encoder, spared) as asked:
        run = train(small_cubes, config, resume=state)
        got = [s.losses for s in run if s.norms]
    assert max(asked) > 2 * 32 * 32
    assert len(wanted) == 4
    assert all(wanted)
    assert got == wanted


def test_less_room_is_remembered(small_cubes: list[Cube], few_regions: None) -> None:
    config = replace(CONFIG, snapshot_every=2)
    with room_for(2 * 32 * 32):
        steps = list(train(small_cubes, config, keep_state=True))
    state = next(s.state for s in steps if s.state is not None and s.index == 2)
    with room_for(2 * 32 * 32) as asked:
        *_, last = train(small_cubes, config, resume=state)
    assert max(asked) == 48 * 48  # the guard's: no step asked for three pairs
    assert last.model is not None
    assert steps[-1].model is not None
    assert last.model.fingerprint == steps[-1].model.fingerprint


def test_images_without_room_are_embedded_in_halves(
    trained_model: Model, scenes: list[Scene]
) -> None:
    network, _, _ = load_network(trained_model, torch.device("cpu"))
    spectra, valid = scenes[1].cube.block(slice(0, 70), slice(3, 64))
    valid[20:40, 10:30] = False
    x, keep = torch.from_numpy(spectra)[None], torch.from_numpy(valid)[None]
    whole = network(x, keep)
    for room in (70 * 60, 30 * 30, 500):  # the last: hardly more than the halo
        with room_for(room) as asked:
            halved = in_room(network, x, keep, network.halo)
        assert len(asked) >= 3
        torch.testing.assert_close(halved, whole, rtol=0, atol=1e-5)
    with room_for(100), pytest.raises(torch.cuda.OutOfMemoryError):
        in_room(network, x, keep, network.halo)
    with pytest.raises(RuntimeError, match="Expected size"):  # any other error
        in_room(lambda x, _: x @ x[..., :-1], x, keep, network.halo)


def test_a_sample_is_drawn_with_less_room(
    trained_model: Model, scenes: list[Scene]
) -> None:
    """Of every cube some, for the clusters' description and for new centroids."""
    network, _, _ = load_network(trained_model, torch.device("cpu"))
    cubes, config = [scene.cube for scene in scenes], trained_model.config
    *_, whole = draw_sample(network, cubes, config, 1.0)
    with room_for(3000, Encoder) as asked:
        *_, halved = draw_sample(network, cubes, config, 1.0)
    assert max(asked) > 3000
    assert isinstance(whole, Sample)
    assert isinstance(halved, Sample)
    np.testing.assert_array_equal(halved.spectra, whole.spectra)
    torch.testing.assert_close(halved.y, whole.y, rtol=0, atol=1e-4)


def test_sizes_halve_down_to_the_smallest_crop() -> None:
    size: StepSize | None = StepSize(5, 70)
    seen = []
    while size is not None:
        seen.append((size.pairs, size.crop))
        size = size.halved()
    assert seen == [(5, 70), (2, 70), (1, 70), (1, 35), (1, 17)]


def test_running_out_of_memory_is_told_from_other_errors() -> None:
    assert out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory"))
    assert out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated ...)"))
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes"))


def test_the_cpu_computes_in_full() -> None:
    x = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    with half_precision(torch.device("cpu")):
        assert (x @ x).dtype == torch.float32


def test_half_precision_leaves_the_front_end_alone(
    trained_model: Model, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the encoder adds is rounded (bfloat16 on the CPU stands in)."""
    from napari_dgc.clustering import encoder

    network, _, _ = load_network(trained_model, torch.device("cpu"))
    spectra, valid = scenes[1].cube.block(slice(0, 40), slice(0, 40))
    x, keep = torch.from_numpy(spectra)[None], torch.from_numpy(valid)[None]
    y, linear = network.encoder(x, keep)
    monkeypatch.setattr(
        encoder, "half_precision", lambda _: torch.autocast("cpu", torch.bfloat16)
    )
    y_half, linear_half = network.encoder(x, keep)
    assert y_half.dtype == torch.float32
    assert torch.equal(linear, linear_half)
    noise = network.encoder.noise_std[:, None, None]
    added, rounded = (y - linear) / noise, (y_half - linear) / noise
    assert 0 < (added - rounded).abs().max() < 0.05 * added.abs().max()
