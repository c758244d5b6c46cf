"""Does training hold, and does the guard's score say so? On the hardest family.

    python benchmarks/stability.py --quick   6 seeds x 600 steps, about 7 minutes
    python benchmarks/stability.py --full    20 seeds x 2,000 steps, hours, resumable
    python benchmarks/stability.py --smoke   seconds: does it run at all?

Near-black lesions under strong light at noise x4; four seen and four unseen scenes
of 96 x 96 x 301 with crops of 32. At every snapshot: the guard's score
(`Step.score`), lesion IoU after the best merge, seen and unseen, active clusters.

Beside the runs with the defaults stand *provoked* ones, whose Config makes the
clusters collapse (soft targets that drag the centroids far every step): the guard's
score must fall where the IoU falls, and the model that training ends with must still
be a good one. Verdicts:

1. no run ends with fewer active clusters than there are classes (3);
2. the last model's IoU is within 1 % of the best along its run (seen; unseen is
   told, and so is how far the last snapshot lies below, whichever the guard kept);
3. score and IoU go together: Spearman's correlation run by run, and of the ranks
   pooled within runs; the same for the provoked runs alone;
4. at the provoked runs' worst IoU the score lies below that of the first map.

Training may stop by itself before the steps that were asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import families
import methods
import numpy as np
import records
from scoring import (
    LESION,
    active_clusters,
    best_merge,
    pooled_rank_correlation,
    rank_correlation,
)

from napari_dgc import Config, Model, segment, train

CLASSES = 3
SIZE, CROP = 96, 32
ERODED = 0.01  # the last may lie below the best by this share of it
# Soft targets and a fifth of the way every step: from 0.86 to 0.06 in 50 steps.
PROVOKED = {"teacher_temperature": 10.0, "centroid_rate": 0.2, "learning_rate": 3e-3}
HELD, COLLAPSE = "defaults", "provoked"


def run(unit: records.Unit) -> dict[str, Any]:
    """Train once; what was measured at every snapshot, and at the end."""
    if isinstance(unit, tuple):
        families.load_scene(*unit)
        return {}
    seen, unseen = families.load_family(families.HARDEST, unit["size"], unit["bands"])
    config = Config(
        seed=unit["seed"],
        steps=unit["steps"],
        snapshot_every=unit["every"],
        **unit["config"],
    )

    def look(model: Model) -> dict[str, Any]:
        point: dict[str, Any] = {}
        for name, scenes in (("seen", seen), ("unseen", unseen)):
            maps = [segment(model, scene.cube).clusters for scene in scenes]
            ids = np.concatenate(maps, None)
            truth = np.concatenate([scene.labels for scene in scenes], None)
            point[name] = best_merge(ids, truth == LESION)
            if name == "seen":
                point["active"] = active_clusters(ids)
        return point

    def follow() -> dict[str, Any]:
        curve, notices = [], []
        for step in train([scene.cube for scene in seen], config):
            if step.notice:
                notices.append(step.notice)
            if step.snapshot is not None:
                point = {"step": step.index, "score": step.score}
                curve.append(point | look(step.snapshot))
        if step.model is None:
            raise RuntimeError("training ended without a model")
        last = {"step": step.index, "score": step.score} | look(step.model)
        last["steps_of_model"] = step.model.steps_done
        return {"curve": curve, "last": last, "notices": notices}

    told, seconds, megabytes = records.measured(follow)
    return told | {"seconds": seconds, "megabytes": megabytes}


def judge(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The verdicts over all runs (the results of units, with their unit)."""
    held = [r["result"] for r in runs if r["run"] == HELD]
    collapsed = [r["result"] for r in runs if r["run"] == COLLAPSE]
    shortfalls = {
        name: [1 - r["last"][name] / max(_values(r, name)) for r in held]
        for name in ("seen", "unseen")
    }
    # Of the run itself, whichever of its snapshots the guard kept.
    eroded = {
        name: [1 - r["curve"][-1][name] / max(_values(r, name)) for r in held]
        for name in ("seen", "unseen")
    }
    fewest = min((r["last"]["active"] for r in held), default=0)
    verdicts: dict[str, Any] = {
        "runs": len(held),
        "fewest active at the end": fewest,
        "no collapse": bool(held) and fewest >= CLASSES,
        "largest shortfall, seen": max(shortfalls["seen"], default=None),
        "largest shortfall, unseen": max(shortfalls["unseen"], default=None),
        "the same of the last snapshot, seen": max(eroded["seen"], default=None),
        "the same of the last snapshot, unseen": max(eroded["unseen"], default=None),
        "no erosion (seen)": bool(held) and max(shortfalls["seen"]) <= ERODED,
    }
    for name, some in (("defaults", held), ("provoked", collapsed)):
        for which in ("seen", "unseen"):
            pairs = [_pairs(r, which) for r in some]
            verdicts[f"score and IoU, {name}, {which}"] = {
                "per run": [rank_correlation(p) for p in pairs],
                "pooled": pooled_rank_correlation(pairs),
            }
    falls = [fall for r in collapsed if (fall := _fall(r)) is not None]
    verdicts["provoked: IoU and score, from the first map to the worst IoU"] = falls
    verdicts["score falls with the IoU"] = (
        all(f["score"][1] < f["score"][0] for f in falls) if falls else None
    )
    verdicts["provoked: IoU of the model that was kept, over the first map's"] = [
        r["last"]["seen"] / r["curve"][0]["seen"] for r in collapsed
    ]
    return verdicts


def _values(result: Mapping[str, Any], name: str) -> list[float]:
    """One measure along a run, the end included."""
    return [point[name] for point in (*result["curve"], result["last"])]


def _pairs(result: Mapping[str, Any], name: str) -> list[tuple[float, float]]:
    """Score and IoU of the snapshots whose score was taken."""
    points = [p for p in result["curve"] if p["score"] is not None]
    return [(point["score"], point[name]) for point in points]


def _fall(result: Mapping[str, Any]) -> dict[str, list[float]] | None:
    """IoU (seen) and score at the first scored snapshot and at the worst one."""
    points = [p for p in result["curve"] if p["score"] is not None]
    if len(points) < 2:
        return None
    worst = min(points, key=lambda point: point["seen"])
    return {name: [points[0][name], worst[name]] for name in ("seen", "score")}


def tell(runs: Sequence[Mapping[str, Any]]) -> str:
    """One line per run."""
    rows = []
    for unit in runs:
        result = unit["result"]
        first, last = result["curve"][0], result["last"]
        row = [unit["run"], str(unit["seed"]), f"{last['step']} of {unit['steps']}"]
        row.append(str(last["steps_of_model"]))
        for name in ("seen", "unseen"):
            values = _values(result, name)
            row.append(
                f"{first[name]:.3f} / {max(values):.3f} / {min(values):.3f} / "
                f"{last[name]:.3f}"
            )
        correlation = rank_correlation(_pairs(result, "seen"))
        row.append("–" if correlation is None else f"{correlation:.2f}")
        row.append(str(last["active"]))
        rows.append([*row, f"{result['seconds']:.0f}"])
    header = ["run", "seed", "steps", "model of step"]
    header += [f"IoU {n}: first / best / worst / last" for n in ("seen", "unseen")]
    header += ["score ~ IoU", "active", "seconds"]
    return records.markdown(header, rows)


def draw(runs: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Curves: IoU, active clusters and score along every run."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    panels = {
        "seen": "lesion IoU, seen",
        "unseen": "lesion IoU, unseen",
        "active": "active clusters",
        "score": "guard's score",
    }
    kinds = [kind for kind in (HELD, COLLAPSE) if any(r["run"] == kind for r in runs)]
    figure, axes = plt.subplots(
        len(panels), len(kinds), figsize=(6 * len(kinds), 9), squeeze=False
    )
    for column, kind in enumerate(kinds):
        some = [r for r in runs if r["run"] == kind]
        axes[0, column].set_title(f"{kind}, {len(some)} runs")
        for at, unit in enumerate(some):
            curve, last = unit["result"]["curve"], unit["result"]["last"]
            for axis, name in zip(axes[:, column], panels, strict=True):
                points = [p for p in curve if p[name] is not None]
                x, y = [p["step"] for p in points], [p[name] for p in points]
                color = plt.get_cmap("viridis")(at / max(1, len(some) - 1))
                axis.plot(x, y, color=color, lw=1)
                if last[name] is not None:  # what training ended with
                    axis.plot(last["step"], last[name], "o", ms=4, color=color)
        for axis, title in zip(axes[:, column], panels.values(), strict=True):
            axis.set_ylabel(title)
            axis.grid(alpha=0.3)
        axes[-1, column].set_xlabel("step")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tier = parser.add_mutually_exclusive_group()
    tier.add_argument("--quick", action="store_true", help="the default")
    tier.add_argument("--full", action="store_true")
    tier.add_argument("--smoke", action="store_true")
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--workers", type=int, default=1, help="runs at a time")
    parser.add_argument("--fresh", action="store_true", help="run everything again")
    parser.add_argument("--out", type=Path, default=records.OUT)
    options = parser.parse_args(arguments)
    methods.warm_imports()
    families.keep_scenes_in(options.out / "scenes")
    import torch

    seeds = options.seeds or (20 if options.full else 1 if options.smoke else 6)
    steps = options.steps or (2000 if options.full else 4 if options.smoke else 600)
    size, bands = (40, 40) if options.smoke else (SIZE, 301)
    code = records.code_hash(
        ".scoring.py",
        "cubes/cube.py",
        "cubes/scenes",
        "cubes/likeness.py",
        "clustering",
    )
    # The provoked runs fall early: few, short and looked at often.
    kinds = [(HELD, seeds, steps, max(2, min(25, steps // 4)))]
    kinds.append((COLLAPSE, max(1, seeds // 3), min(steps, 100), min(5, steps // 2)))
    units = [
        {
            "run": kind,
            "seed": families.SEEDS[0] + at,
            "steps": most,
            "every": every,
            "size": size,
            "bands": bands,
            "config": {"crop": CROP, **(PROVOKED if kind == COLLAPSE else {})},
            "threads": torch.get_num_threads(),
            "code": code,
        }
        for kind, count, most, every in kinds
        for at in range(count)
    ]
    missing = families.missing_scenes([families.HARDEST], size, bands)
    records.make_scenes(run, missing, options.workers)
    runs = records.run_units(
        units,
        run,
        options.out / "stability.jsonl",
        workers=options.workers,
        fresh=options.fresh,
    )
    if not runs:
        sys.exit("no run succeeded")
    verdicts = judge(runs)
    print(tell(runs))
    for name, verdict in verdicts.items():
        print(f"- {name}: {verdict}")
    part = options.smoke or options.seeds or options.steps
    folder = options.out if part else records.RESULTS
    stem = "stability_part" if part else "stability"
    if not part and not options.full:
        stem = "stability_quick"
    draw(runs, folder / f"{stem}.png")
    told = {**records.machine(), "workers": options.workers, "verdicts": verdicts}
    records.write_json(folder / f"{stem}.json", {**told, "runs": runs})
    if len(runs) < len(units):
        sys.exit(f"{len(units) - len(runs)} runs failed; run again to try them")


if __name__ == "__main__":
    main()
