"""`napari-dgc train` that is killed, gone on with, logged."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from napari_dgc.cli import main

SETTINGS = """
k = 4
seed = 1
crop = 16
sample_pixels = 1000
snapshot_every = 6
reuse_iterations = 3
patience = 0
device = "cpu"
"""
STEPS = 24


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cubes of 12 bands, and settings that make a step take milliseconds."""
    folder = tmp_path_factory.mktemp("scenes")
    rng = np.random.default_rng(0)
    materials = rng.random((5, 12)).cumsum(1)
    for name in ("a", "b"):
        where = rng.integers(0, 5, (8, 10)).repeat(6, 0).repeat(6, 1)
        data = np.moveaxis(materials[where], 2, 0)
        data = data * (1 + 0.1 * rng.standard_normal(data.shape[1:]))
        data = data + 0.02 * rng.standard_normal(data.shape)
        with h5py.File(folder / f"{name}.mat", "w") as file:
            file.create_dataset("cube", data=data, chunks=(12, 16, 16))
    (folder / "settings.toml").write_text(SETTINGS)
    return folder


def arguments(scenes: Path, model: Path, *more: object) -> list[str]:
    settings = scenes / "settings.toml"
    line = ["train", scenes, "-o", model, "--config", settings, "--steps", STEPS]
    return [str(a) for a in (*line, "-q", *more)]


@pytest.fixture(scope="module")
def whole(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained without a break."""
    model = tmp_path_factory.mktemp("whole") / "m.safetensors"
    assert main(arguments(scenes, model)) == 0
    return model


def killed(scenes: Path, model: Path, *more: object) -> None:
    """Train in another process, and kill it at a random moment."""
    kept = model.with_name("m.resume.safetensors")
    threads = str(torch.get_num_threads())  # they act like seeds
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_dgc.cli", *arguments(scenes, model, *more)],
        env=os.environ | {"OMP_NUM_THREADS": threads},
    )
    deadline = time.monotonic() + 60
    while not kept.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.2))  # any moment will do: no seed wanted
    process.kill()
    process.wait()
    assert kept.exists()
    assert not model.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_killed_and_resumed_is_as_if_never_killed(
    scenes: Path, whole: Path, tmp_path: Path
) -> None:
    model = tmp_path / "m.safetensors"
    killed(scenes, model)
    again = [
        "train",
        str(scenes),
        "-o",
        str(model),
        "--resume",
        "-q",
        "--prefetch",
        "0",
    ]
    assert main(again) == 0  # the settings are those it was started with
    assert model.read_bytes() == whole.read_bytes()
    names = sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("."))
    assert names == ["m.log.csv", "m.safetensors"]
    log = (tmp_path / "m.log.csv").read_bytes()
    assert log == whole.with_name("m.log.csv").read_bytes()


def test_the_table_has_one_row_a_step(whole: Path) -> None:
    with whole.with_name("m.log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(STEPS + 1))
    assert all(float(row["loss/total"]) > 0 for row in rows[1:])
    assert rows[0]["loss/total"] == rows[0]["balance/anchor"] == ""  # the first map
    scored = [int(row["step"]) for row in rows if row["guard/score"]]
    assert scored == list(range(0, STEPS + 1, 6))
    assert all(float(rows[i]["guard/score"]) > 0 for i in scored)


def stopped(
    scenes: Path, model: Path, monkeypatch: pytest.MonkeyPatch, *more: object
) -> None:
    """Ctrl-C during the 14th step."""
    from napari_dgc.clustering.learner import Learner

    step = Learner.step

    def interrupted(self: Learner) -> object:
        if self.taken == 13:
            raise KeyboardInterrupt
        return step(self)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", interrupted)
        assert main(arguments(scenes, model, *more)) == 1


def says(capsys: pytest.CaptureFixture[str], *line: str) -> str:
    """The one line of a command that must exit with 2."""
    capsys.readouterr()
    assert main(list(line)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_an_unfinished_training_is_neither_lost_nor_mixed_up(
    scenes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, kept = tmp_path / "m.safetensors", tmp_path / "m.resume.safetensors"
    again = ["train", str(scenes), "-o", str(model), "-q", "--resume"]
    assert "no training to go on with" in says(capsys, *again)
    stopped(scenes, model, monkeypatch)
    line = says(capsys, *arguments(scenes, model))
    assert "m.resume.safetensors" in line
    assert "--resume" in line
    assert "k = 4, not 5" in says(capsys, *again, "-k", "5")
    assert "12 steps, 3 are wanted" in says(capsys, *again, "--steps", "3")
    one = [*again[:1], str(scenes / "a.mat"), *again[2:]]
    assert "other cubes" in says(capsys, *one)
    data = kept.read_bytes()
    kept.write_bytes(data[:-7])
    assert "m.resume.safetensors" in says(capsys, *again)
    kept.write_bytes(data)
    assert main([*again, "--steps", "16"]) == 0
    assert "finished already" in says(capsys, *again)
    assert not kept.exists()


def test_more_steps_can_be_asked_for_meanwhile(
    scenes: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training begun with fewer becomes, to the bit, the longer one."""
    model = tmp_path / "m.safetensors"
    stopped(scenes, model, monkeypatch, "--steps", "18")
    again = ["train", str(scenes), "-o", str(model), "-q", "--resume"]
    assert main([*again, "--steps", str(STEPS)]) == 0
    assert model.read_bytes() == whole.read_bytes()


def test_force_starts_anew_over_everything(
    scenes: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "m.safetensors"
    stopped(scenes, model, monkeypatch, "--seed", "5")
    assert main(arguments(scenes, model, "--force")) == 0
    assert model.read_bytes() == whole.read_bytes()
    log = (tmp_path / "m.log.csv").read_bytes()
    assert log == whole.with_name("m.log.csv").read_bytes()


def test_tensorboard_gets_every_step_once_and_pictures(
    scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model, board = tmp_path / "m.safetensors", tmp_path / "board"
    stopped(scenes, model, monkeypatch, "--tensorboard", board)
    again = ["train", str(scenes), "-o", str(model), "-q", "--resume", "--steps", "18"]
    assert main([*again, "--tensorboard", str(board)]) == 0
    events = EventAccumulator(str(board), {"images": 0, "scalars": 0})
    events.Reload()
    for name in ("loss/total", "loss/balance", "balance/anchor"):
        assert [e.step for e in events.Scalars(name)] == list(range(1, 19))
    assert [e.step for e in events.Scalars("guard/score")] == list(range(0, 19, 6))
    pictures = events.Images("clusters/a")
    assert [p.step for p in pictures] == [0, 6, 12, 18]
    assert (pictures[0].height, pictures[0].width) == (48, 60)


def test_it_says_why_training_has_ended(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "still.toml"
    still = "learning_rate = 1e-7\ncentroid_rate = 0.0\n"
    settings.write_text(SETTINGS.replace("patience = 0", "patience = 1") + still)
    model = tmp_path / "m.safetensors"
    line = [str(scenes), "-o", str(model), "--config", str(settings), "--steps", "40"]
    assert main(["train", *line]) == 0
    words = "Step 6: the score rises no more; training has stopped, the first map is"
    assert words in capsys.readouterr().err
