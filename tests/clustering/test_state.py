"""Going on with a training gives, to the bit, what no break would have given."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_dgc import Config, train
from napari_dgc.clustering import dictionary
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.state import TrainingState
from napari_dgc.clustering.step import Step
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

# The guard finds a better model at every look until step 6, and none after it.
CONFIG = Config(
    seed=4,
    steps=11,
    crop=16,
    device="cpu",
    sample_pixels=1000,
    snapshot_every=2,
    reuse_iterations=3,
)


pytestmark = pytest.mark.usefixtures("few_regions")


def model_bytes(model: Model | None, folder: Path) -> bytes:
    assert model is not None
    model.save(folder / "m.safetensors")
    return (folder / "m.safetensors").read_bytes()


def state_bytes(state: TrainingState, folder: Path) -> bytes:
    state.save(folder / "s.safetensors")
    return (folder / "s.safetensors").read_bytes()


def states(steps: list[Step]) -> dict[int, TrainingState]:
    return {s.state.index: s.state for s in steps if s.state is not None}


def test_a_resumed_run_ends_with_equal_bytes(
    small_cubes: list[Cube], tmp_path: Path
) -> None:
    """From every state there is, read back from its file, and more than once."""
    whole = list(train(small_cubes, CONFIG, prefetch=0, keep_state=True))
    wanted = model_bytes(whole[-1].model, tmp_path)
    kept = states(whole)
    assert list(kept) == [0, 2, 4, 6, 8, 10, 11]
    assert whole[-1].model is not None
    assert whole[-1].model.steps_done == 6
    # Reading ahead makes no other states: what holds of these holds of those.
    ahead = list(train(small_cubes, CONFIG, prefetch=3, keep_state=True))
    assert model_bytes(ahead[-1].model, tmp_path) == wanted
    assert list(states(ahead)) == list(kept)
    for at, state in states(ahead).items():
        assert state_bytes(state, tmp_path) == state_bytes(kept[at], tmp_path)
    losses = {s.index: s.losses for s in whole if s.losses}
    scores = {s.index: s.score for s in whole if s.score is not None and s.losses}
    best = {s.index: s.best.fingerprint for s in whole if s.best is not None}
    assert len({*best.values()}) == 3
    for index, state in kept.items():
        state.save(tmp_path / "s")
        again = TrainingState.load(tmp_path / "s")
        steps = list(train(small_cubes, CONFIG, resume=again, keep_state=True))
        assert model_bytes(steps[-1].model, tmp_path) == wanted
        assert steps[0].index == index
        assert steps[0].snapshot is not None
        assert {s.index: s.losses for s in steps if s.losses} == {
            i: v for i, v in losses.items() if i > index
        }
        assert {
            s.index: s.score for s in steps if s.score is not None and s.losses
        } == {i: v for i, v in scores.items() if i > index}
        assert {s.index: s.best.fingerprint for s in steps[2:] if s.best} == {
            i: v for i, v in best.items() if i > index
        }
        # What was loaded is as it was: it could be gone on with again.
        again.save(tmp_path / "s2")
        assert (tmp_path / "s").read_bytes() == (tmp_path / "s2").read_bytes()
        # So are the states of the resumed run, those of the whole one.
        later = states(steps)
        assert list(later) == [i for i in kept if i >= index]
        for at, state in later.items():
            assert state_bytes(state, tmp_path) == state_bytes(kept[at], tmp_path)


def test_few_clusters_stay_the_same_ones(
    small_cubes: list[Cube], tmp_path: Path
) -> None:
    """While it is trained, the first map says which centroids hold which cluster."""
    config = replace(CONFIG, k=3)
    whole = list(train(small_cubes, config, keep_state=True))
    owners = {
        tuple(m.owners.tolist())
        for s in whole
        for m in (s.snapshot, s.best)
        if m is not None
    }
    assert len(owners) == 1
    assert len(owners.pop()) == 16
    for index, state in states(whole).items():
        state.save(tmp_path / "s")
        *_, last = train(small_cubes, config, resume=TrainingState.load(tmp_path / "s"))
        assert model_bytes(last.model, tmp_path) == model_bytes(
            whole[-1].model, tmp_path
        ), f"from step {index}"


def snapshot_of_step(steps: list[Step], index: int) -> Model:
    return next(s.snapshot for s in steps if s.snapshot and s.index == index)


def test_pruned_and_new_clusters_are_remembered(
    small_cubes: list[Cube], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reviews at every snapshot, the last step's among them, whatever the total."""
    monkeypatch.setattr(dictionary, "_VISITS", 0.0)  # never patient,
    monkeypatch.setattr(dictionary, "_CLUMP", 10**9)  # never pleased,
    monkeypatch.setattr(dictionary, "_NOTHING", 0.15)  # and severe
    monkeypatch.setattr(dictionary, "_POOR", 0.1)
    config = replace(CONFIG, seed=0)
    whole = list(train(small_cubes, config))
    left = snapshot_of_step(whole, 11)
    assert left.retired_ids
    assert left.cluster_ids.max() > 16
    short = train(small_cubes, replace(config, steps=6), keep_state=True)
    for index, state in states(list(short)).items():
        state.save(tmp_path / "s")
        again = TrainingState.load(tmp_path / "s")
        resumed = list(train(small_cubes, config, resume=again))
        for got, wanted in (
            (snapshot_of_step(resumed, 11), left),  # whatever the guard made of it
            (resumed[-1].model, whole[-1].model),
        ):
            assert model_bytes(got, tmp_path) == model_bytes(wanted, tmp_path), (
                f"from step {index}"
            )


def test_nobody_pays_for_states_unasked(small_cubes: list[Cube]) -> None:
    assert states(list(train(small_cubes, replace(CONFIG, steps=4)))) == {}


def test_more_steps_are_as_if_asked_for_at_once(
    small_cubes: list[Cube], tmp_path: Path
) -> None:
    short = states(list(train(small_cubes, replace(CONFIG, steps=6), keep_state=True)))
    whole = list(train(small_cubes, CONFIG, keep_state=True))
    wanted = model_bytes(whole[-1].model, tmp_path)
    for index in (0, 6):
        extended = list(
            train(small_cubes, CONFIG, resume=short[index], keep_state=True)
        )
        assert model_bytes(extended[-1].model, tmp_path) == wanted
        kept = states(whole)
        for at, state in states(extended).items():
            assert state_bytes(state, tmp_path) == state_bytes(kept[at], tmp_path)
    *_, same = train(small_cubes, resume=short[4])  # without a config: its own
    assert same.model is not None
    assert same.model.steps_done == 6


ENDED = {
    "guard": {"patience": 2},
    "collapse": {
        "teacher_temperature": 10.0,
        "centroid_rate": 0.3,
        "learning_rate": 3e-2,
    },
}


@pytest.mark.parametrize("how", ENDED)
def test_a_training_that_ended_by_itself_does_not_go_on(
    small_cubes: list[Cube], tmp_path: Path, how: str
) -> None:
    """Not even when it was killed after its last step, and more are asked for."""
    config = replace(CONFIG, steps=20, **ENDED[how])
    whole = list(train(small_cubes, config, keep_state=True))
    end = whole[-1].index
    assert end < 20
    assert whole[-1].ended == how
    assert whole[-1].model is not None
    best = whole[-1].model.steps_done
    assert best == {"guard": 6, "collapse": 0}[how]
    assert best < end
    longer = replace(config, steps=30)
    for asked in (config, longer):
        wanted = model_bytes(replace(whole[-1].model, config=asked), tmp_path)
        for index in (best, end - 2, end):
            state_bytes(states(whole)[index], tmp_path)
            again = TrainingState.load(tmp_path / "s.safetensors")
            *_, last = train(small_cubes, asked, resume=again)
            assert (last.index, last.ended) == (end, how)
            assert model_bytes(last.model, tmp_path) == wanted


def test_the_last_look_is_taken_again(small_cubes: list[Cube], tmp_path: Path) -> None:
    """The last step is looked at whatever its number, unless others follow it."""
    config = replace(CONFIG, seed=5, steps=9)
    short = list(train(small_cubes, config, keep_state=True))
    assert short[-1].model is not None
    assert short[-1].model.steps_done == 9  # it found the best model there
    kept = states(short)[9]
    *_, same = train(small_cubes, config, resume=kept)
    assert model_bytes(same.model, tmp_path) == model_bytes(short[-1].model, tmp_path)
    config = replace(config, steps=11)
    whole = list(train(small_cubes, config, keep_state=True))
    extended = list(train(small_cubes, config, resume=kept, keep_state=True))
    assert model_bytes(extended[-1].model, tmp_path) == model_bytes(
        whole[-1].model, tmp_path
    )
    assert state_bytes(states(extended)[10], tmp_path) == state_bytes(
        states(whole)[10], tmp_path
    )


@pytest.fixture
def state(small_cubes: list[Cube]) -> TrainingState:
    steps = train(small_cubes, CONFIG, keep_state=True)
    return next(s.state for s in steps if s.state is not None and s.index == 4)


def test_another_training_is_refused(
    state: TrainingState, small_cubes: list[Cube]
) -> None:
    def refused(cubes: list[Cube], config: Config, words: str) -> None:
        with pytest.raises(InputError, match=words):
            next(train(cubes, config, resume=state))

    refused(small_cubes[:2], CONFIG, "other cubes")
    refused(small_cubes[::-1], CONFIG, "another order")
    refused(small_cubes, replace(CONFIG, seed=1), "seed = 4, not 1")
    refused(small_cubes, replace(CONFIG, learning_rate=0.1), "learning_rate = 0.001")
    refused(small_cubes, replace(CONFIG, steps=3), "has done 4 steps, 3 are wanted")


def test_a_damaged_file_is_refused(state: TrainingState, tmp_path: Path) -> None:
    path = tmp_path / "s"
    state.save(path)
    data = path.read_bytes()

    def refused(damaged: bytes, words: str = "or it is damaged") -> None:
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=words) as caught:
            TrainingState.load(path)
        assert str(path) in str(caught.value)

    refused(data[:-1])
    refused(data[: len(data) // 2])
    refused(b"")
    for place in (len(data) // 3, len(data) // 2, len(data) - 3):  # one bit is off
        refused(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert list(header["__metadata__"]) == ["napari-dgc"]
    content = json.loads(header["__metadata__"]["napari-dgc"])
    assert list(content) == sorted(content)
    content["version"] += 1
    header["__metadata__"]["napari-dgc"] = json.dumps(content, sort_keys=True)
    text = json.dumps(header).encode()
    refused(struct.pack("<Q", len(text)) + text + data[8 + length :], "another version")
    state.model.save(path)
    refused(path.read_bytes())
    path.unlink()
    with pytest.raises(InputError, match="no such training"):
        TrainingState.load(path)


def test_a_state_does_not_change_while_training_goes_on(
    small_cubes: list[Cube], tmp_path: Path
) -> None:
    run = train(small_cubes, CONFIG, keep_state=True)
    early = next(s.state for s in run if s.state is not None and s.index == 2)
    early.save(tmp_path / "then")
    assert sum(1 for _ in run) > 5
    early.save(tmp_path / "now")
    assert (tmp_path / "then").read_bytes() == (tmp_path / "now").read_bytes()


def test_nothing_global_is_drawn_from(small_cubes: list[Cube]) -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    list(train(small_cubes, replace(CONFIG, steps=3), prefetch=2, keep_state=True))
    assert torch.equal(before, torch.random.get_rng_state())
