"""Kill a process that works on a study, again and again, and look at what is left.

A program of its own, since it forks: `python killing.py FOLDER ROUNDS`. Prints JSON:
how many rounds there were, how many operations were taken in all, how often the
file was behind by none, by one, or ahead (the next one was on disk already, though not
yet told of), and how many splits and earlier models were found on disk, round by round.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
from small_study import act, divide, make_study, map_all, state, take

from napari_dgc.merging.grouping import MergeError
from napari_dgc.merging.refining import fold_lut
from napari_dgc.merging.splits import Split
from napari_dgc.study import Study
from napari_dgc.study.storing.autosave import Autosave
from napari_dgc.study.storing.loading import load_study
from napari_dgc.study.storing.study_file import open_study, save_study
from napari_dgc.study.storing.writer import is_intact

MOST_SPLITS = 12  # on record: cluster ids are few
PATIENCE = 60.0  # seconds: on a busy machine the promise has to hold as well


def act_or_split(study: Study, rng: np.random.Generator) -> None:
    """One action, a split now and then, seldom another model."""
    chance = rng.random()
    if lacks_maps(study):
        map_all(study)
    if chance < 0.04:
        take(study, int(rng.integers(1, 5)))
        return
    if chance < 0.25 and len(study.splits_on_record) < MOST_SPLITS:
        with suppress(MergeError):  # refused, it waited for nothing: no action yet
            divide(study, rng)
            return
    act(study, rng)


def work(path: Path, seed: int, told: int) -> None:
    """Take steps until killed; say after each that it is done."""
    study = open_study(path)
    autosave = Autosave(study, patience=PATIENCE)
    autosave.failed.connect(lambda error: print(error, file=sys.stderr))
    autosave.failed.connect(lambda _: os.write(told, b"E"))
    rng, pause = np.random.default_rng(seed), random.Random(seed)
    if seed % 3 == 0:  # new maps are being written meanwhile
        map_all(study, seed)
    os.write(told, b"!")
    while True:
        act_or_split(study, rng)
        os.write(told, b".")
        if pause.random() < 0.3:
            study.set_view(study.view.without_cube(9))
            time.sleep(pause.random() * 0.01)


def history_of(study: Study) -> object:
    return state(study)[:2]


def lacks_maps(study: Study) -> bool:
    return any(study.cluster_map(i) is None for i in range(len(study.cubes)))


def known_splits(study: Study, before: Study) -> int:
    """How many splits its model had before; an undo leads to earlier models too."""
    histories = [(before.model, before.history)]
    histories += [(one.model, one.history) for one in (*before.earlier, *before.later)]
    return max(
        (
            sum(isinstance(step, Split) for step in history.steps)
            for model, history in histories
            if model.fingerprint == study.model.fingerprint
        ),
        default=0,
    )


def check_splits(path: Path, study: Study, before: Study, seed: int) -> None:
    """See that the maps are refined just as the splits on record say.

    Those that there were before may be of other maps.
    """
    known, mapped_anew = known_splits(study, before), seed % 3 == 0
    faults = load_study(path).faults
    if faults:
        raise SystemExit(f"round {seed}: {faults[0]}")
    places = range(len(study.cubes))
    finest = [study.finest_map(i) for i in places]
    if any(one is None for one in finest):
        if mapped_anew or lacks_maps(before):
            return  # killed while a cube was mapped, then or earlier
        raise SystemExit(f"round {seed}: a map is not there")
    splits = study.splits_on_record
    for number, split in enumerate(splits):
        lut = fold_lut(splits[number + 1 :])
        held = sum(np.bincount(lut[one].ravel(), minlength=256) for one in finest)
        if number >= known and held[list(split.ids)].tolist() != list(split.pixels):
            raise SystemExit(f"round {seed}: split {number} is not that of the maps")
    for i in places:
        count = study.statistics(i).count
        held = np.bincount(study.cluster_map(i).ravel(), minlength=len(count))
        if (held[1:] != count[1:]).any():
            raise SystemExit(f"round {seed}: the sums are not those of the maps")


def check(path: Path, before: Study, seed: int, done: int) -> tuple[int, Study]:
    """Say how far the file is behind what was told (-1: ahead), and open it."""
    found = open_study(path)
    check_splits(path, found, before, seed)
    if seed % 3 == 0:
        map_all(before, seed)
    here = history_of(found)
    between: list[object] = []
    before.grouping_changed.connect(lambda _: between.append(history_of(before)))
    states = [[history_of(before)]]
    rng = np.random.default_rng(seed)
    for _ in range(done + 1):
        between.clear()
        act_or_split(before, rng)
        states.append([*between, history_of(before)])
    for behind in (0, 1, -1):
        number = done - behind
        if number >= 0 and here in states[number]:
            return behind, found
    raise SystemExit(f"round {seed}: after {done} operations another state is on disk")


def main(folder: Path, rounds: int) -> None:
    study = make_study(folder / "data")
    path = save_study(study, folder / "S.dgc.json")
    backup = path.with_name(path.name + ".bak")
    chance = random.Random(0)
    behind: Counter[int] = Counter()
    total = splits = models = 0
    before = open_study(path)
    for seed in range(rounds):
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            work(path, seed, tell)
        os.close(tell)
        if os.read(told, 1) != b"!":
            raise SystemExit("the child did not start")
        time.sleep(chance.random() ** 2 * 0.2)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        said = b""
        while select.select([told], [], [], 0)[0] and (piece := os.read(told, 65536)):
            said += piece
        os.close(told)
        if b"E" in said:
            raise SystemExit("a write failed")
        done = len(said)
        total += done
        lag, before = check(path, before, seed, done)
        behind[lag] += 1
        splits += len(before.splits_on_record)
        models += len(before.earlier)
        if backup.exists() and not is_intact(backup):
            raise SystemExit(f"round {seed}: the backup is damaged")
    told = {"rounds": rounds, "operations": total, "behind": behind}
    print(json.dumps({**told, "splits": splits, "models": models}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
