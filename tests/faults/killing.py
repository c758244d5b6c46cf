"""Kill a training, or an export, again and again, and look at what is left.

A program of its own, since it forks: `python killing.py train|export FOLDER KILLS`.
Prints JSON: how many kills there were, and how often the work was done before one.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))

SETTINGS = """
k = 4
crop = 16
batch = 1
sample_pixels = 1000
snapshot_every = 3
reuse_iterations = 2
mean_shift_iterations = 1
components = 4
patience = 0
device = "cpu"
steps = 12
"""


def forked(work: Callable[[], int]) -> int:
    """Start work in a process of its own; its number."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os._exit(work())
    return child


def finished(child: int) -> None:
    """Wait for the end of work; it must be a good one."""
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise SystemExit(f"it ended with {status}")


def killed(child: int, after: float) -> bool:
    """Kill work after some seconds; False where it was done already."""
    time.sleep(after)
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        if status != 0:
            raise SystemExit(f"it ended with {status}")
        return False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def check_training(folder: Path, kills: int) -> int:
    """The model is the one that no break would have given, whatever the moment."""
    import torch

    import napari_dgc.clustering.training  # noqa: F401
    from napari_dgc.cli import main

    torch.set_num_threads(1)
    # Loaded here, once, what each child would load else: an optimizer takes a second.
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
    rng = np.random.default_rng(0)
    spectra = rng.random((5, 10)).cumsum(1)
    data = spectra[rng.integers(0, 5, (4, 4)).repeat(6, 0).repeat(6, 1)]
    np.save(folder / "leaf.npy", data + 0.02 * rng.standard_normal(data.shape))
    (folder / "settings.toml").write_text(SETTINGS)

    def train(name: str, *more: str) -> int:
        line = ["train", "leaf.npy", "--axes", "yxb", "-o", name, "-q"]
        return forked(lambda: main([*line, "--config", "settings.toml", *more]))

    os.chdir(folder)
    began = time.monotonic()
    finished(train("whole.safetensors"))
    usual = time.monotonic() - began
    model, kept = Path("m.safetensors"), Path("m.resume.safetensors")
    chance = random.Random(1)
    count = done = 0

    def go_on() -> int:
        return train("m.safetensors", "--resume" if kept.exists() else "--force")

    def check() -> None:
        if model.read_bytes() != Path("whole.safetensors").read_bytes():
            raise SystemExit("another model came out")
        if Path("m.log.csv").read_bytes() != Path("whole.log.csv").read_bytes():
            raise SystemExit("another log came out")

    while count < kills:
        if killed(go_on(), chance.random() * 0.8 * usual):
            count += 1
            continue
        check()
        done += 1
        for file in (model, Path("m.log.csv")):
            file.unlink()
    finished(go_on())
    check()
    return done


def check_export(folder: Path, kills: int) -> int:
    """Each file of an export is there, whole, at each moment after the first one."""
    from small_study import make_study

    from napari_dgc.clustering.model import Model
    from napari_dgc.merging.recipe import Recipe
    from napari_dgc.reports.masks import read_label_tiff

    study = make_study(folder / "data")
    out = folder / "out"

    def export() -> int:
        for number in range(1000):
            study.cut(3 + number % 5)
            list(study.export(out, formats=("tif", "png", "npy")).run(force=True))
        return 0

    study.cut(2)
    first = study.export(out, formats=("tif", "png", "npy"))
    list(first.run())
    chance = random.Random(2)
    wanted = sorted(path.name for path in first.paths())
    for _ in range(kills):
        if not killed(forked(export), 0.02 + 0.1 * chance.random()):
            raise SystemExit("it ended by itself")
        found = sorted(p.name for p in out.iterdir() if not p.name.startswith("."))
        if found != wanted:
            raise SystemExit(f"{found} are left of {wanted}")
        for path in out.glob("*.tif"):
            read_label_tiff(path)
        for path in out.glob("*.npy"):
            np.load(path)
        Recipe.read(out / "recipe.json")
        Model.load(out / "model.safetensors")
        for left in out.glob(".napari-dgc.*"):
            shutil.rmtree(left)
    return 0


if __name__ == "__main__":
    check = {"train": check_training, "export": check_export}[sys.argv[1]]
    kills = int(sys.argv[3])
    print(json.dumps({"kills": kills, "done": check(Path(sys.argv[2]), kills)}))
