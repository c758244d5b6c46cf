"""What a merge costs before a pixel is drawn, over 100 cubes at K = 128.

    python benchmarks/merging.py --quick     3 rounds, a minute
    python benchmarks/merging.py --full      30 rounds

Real statistics of 301 bands: windows of a scene, mapped by one model. Each round
merges all groups into one, pair by pair in random order, takes it all back and cuts
the tree at every number of groups. Timed are the step alone, and the step with what
the screen needs after it: mean and sd of every group, pooled over all cubes. The
target is a median below 1 ms for a merge, statistics included.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import records

from napari_dgc import Config, Cube, Study, train
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.merging import group_statistics
from napari_dgc.study.mapping import Finished, map_cubes

SIDE = 32  # pixels, of a cube
Timings = dict[str, list[float]]


def make_study(k: int, cubes: int, bands: int) -> Study:
    """Map windows of one scene with its first map's model."""
    scene = make_scene(SceneConfig(size=4 * SIDE, bands=bands), 0, "scene").cube
    *_, last = train([scene], Config(k=k, steps=0))
    assert last.model is not None
    rng = np.random.default_rng(0)
    study = Study()
    study.add_cubes(window(scene, rng, f"window {at}") for at in range(cubes))
    study.accept_model(last.model)
    for piece in map_cubes(last.model, study.cubes):
        if isinstance(piece, Finished):
            for mapped in piece.maps:
                study.set_map(mapped.index, mapped.clusters, mapped.statistics)
    return study


def window(scene: Cube, rng: np.random.Generator, name: str) -> Cube:
    """Take a part of a scene, without a copy."""
    top, left = rng.integers(3 * SIDE, size=2)
    data = np.asarray(scene.data)[:, top : top + SIDE, left : left + SIDE]
    return Cube(data, scene.wavelengths, name)


def run_round(study: Study, rng: np.random.Generator, timings: Timings) -> None:
    """Merge down to one group, undo it all, and cut at every number of groups."""
    merges = 0
    while len(study.grouping.ids) > 1:
        source, target = rng.choice(study.grouping.ids, 2, replace=False).tolist()
        timed(study, "merge", lambda s=source, t=target: study.merge([s], t), timings)
        merges += 1
    for _ in range(merges):
        timed(study, "undo", study.undo, timings)
    count = len(study.grouping.ids)
    for at, n in enumerate(range(count - 1, 0, -1)):
        timed(study, "cut", lambda n=n, at=at: study.cut(n, amend=at > 0), timings)
    study.undo()


def timed(
    study: Study, name: str, step: Callable[[], object], timings: Timings
) -> None:
    """Time a step, and what the screen needs after it."""
    began = time.perf_counter()
    step()
    done = time.perf_counter()
    pooled = group_statistics(study.pooled_statistics, study.grouping)
    ended = time.perf_counter()
    assert pooled.ids == study.grouping.ids
    timings.setdefault(name, []).append(done - began)
    timings.setdefault(f"{name}, statistics of all groups", []).append(ended - began)


def summarise(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum in milliseconds."""
    ms = np.array(seconds) * 1000
    p50, p99 = np.percentile(ms, [50, 99])
    return {"p50": p50, "p99": p99, "max": ms.max(), "n": len(ms)}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tier = parser.add_mutually_exclusive_group()
    tier.add_argument("--quick", action="store_true", help="the default")
    tier.add_argument("--full", action="store_true")
    tier.add_argument("--smoke", action="store_true")
    parser.add_argument("--out", type=Path, default=records.OUT)
    options = parser.parse_args(arguments)
    k, cubes, bands = (6, 3, 40) if options.smoke else (128, 100, 301)
    rounds = 1 if options.smoke else 30 if options.full else 3

    study = make_study(k, cubes, bands)
    began = time.perf_counter()
    statistics = study.pooled_statistics
    first = time.perf_counter() - began
    timings: Timings = {}
    rng = np.random.default_rng(0)
    run_round(study, rng, {})  # warm
    for _ in range(rounds):
        gc.collect()  # of the round before; collections within one do count
        run_round(study, rng, timings)
    rows = {name: summarise(seconds) for name, seconds in timings.items()}

    header = ["ms", "p50", "p99", "max", "n"]
    table = [
        [name, *(f"{row[c]:.3f}" for c in header[1:4]), str(row["n"])]
        for name, row in rows.items()
    ]
    print(f"K = {k}, {cubes} cubes, {bands} bands\n")
    print(records.markdown(header, table))
    print(f"pooling all cubes, once: {first * 1000:.1f} ms")
    content: dict[str, Any] = {
        **records.machine(),
        "k": k,
        "cubes": cubes,
        "bands": bands,
        "active": int((statistics.count[1:] > 0).sum()),
        "pooling_all_cubes_ms": first * 1000,
        "ms": rows,
    }
    tier = "merging_part" if options.smoke else "merging"
    if not (options.smoke or options.full):
        tier = "merging_quick"
    folder = options.out if options.smoke else records.RESULTS
    records.write_json(folder / f"{tier}.json", content)


if __name__ == "__main__":
    main()
