"""Quality over seeds: first map and trained, on seen and on unseen scenes.

    python benchmarks/seeds.py --quick    first map alone, 6 seeds, about a minute
    python benchmarks/seeds.py --full     first map and 300 steps, 6 seeds, ~30 minutes

Per family four scenes of 192 x 192 x 301, the first of them healthy, and four
others, unseen. Scores (mean, sd, worst over seeds): lesion IoU after the best
merge of the 16 clusters; mean IoU of background and tissue with the tree cut at
two groups, no user action; lesion IoU with the tree cut at 4 and 6 groups.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scoring import best_merge

from napari_dgc import Config, Model, segment, train
from napari_dgc.cubes.scenes import Scene, SceneConfig, make_scene
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.operations import apply
from napari_dgc.merging.tree import build_tree

RESULTS = Path(__file__).resolve().parent / "results"
SIZE, SCENES = 192, 4
FAMILIES: dict[str, dict[str, object]] = {
    "brown": {"lesion": "brown"},
    "near-black": {"lesion": "near-black"},
    "near-black, noise x4": {"lesion": "near-black", "noise": 4.0},
    "near-black, strong light": {"lesion": "near-black", "tilt": 2.0, "glint": 3.0},
}
SCORES = ("best merge", "tissue at 2", "lesion at 4", "lesion at 6")


def family_scenes(wish: dict[str, object], seed: int) -> list[Scene]:
    """Four scenes, the first healthy."""
    healthy = SceneConfig(**{"size": SIZE, **wish, "lesion": None})
    infected = SceneConfig(**{"size": SIZE, **wish})
    configs = [healthy] + [infected] * (SCENES - 1)
    return [make_scene(c, 100 * seed + i) for i, c in enumerate(configs)]


def tissue_iou(groups: np.ndarray, tissue: np.ndarray) -> float:
    """Mean IoU of tissue and background, each group to its majority."""
    total = np.bincount(groups, minlength=256)
    mostly = np.bincount(groups[tissue], minlength=256) * 2 > total
    found = mostly[groups]

    def iou(a: np.ndarray, b: np.ndarray) -> float:
        return float((a & b).sum() / (a | b).sum())

    return (iou(found, tissue) + iou(~found, ~tissue)) / 2


def score(model: Model, scenes: list[Scene]) -> list[float]:
    maps = [segment(model, scene.cube).clusters.ravel() for scene in scenes]
    ids, truth = np.concatenate(maps), np.concatenate([s.labels for s in scenes], None)
    cluster_ids = model.cluster_ids.tolist()
    tree = build_tree(
        model.mean_spectra, model.counts, model.centroids, cluster_ids=cluster_ids
    )
    start = Grouping.start(cluster_ids)

    def cut(n: int) -> np.ndarray:
        return apply(start, tree.cut(start, n)).after.lut()[ids]

    return [
        best_merge(ids, truth == 2),
        tissue_iou(cut(2), truth > 0),
        best_merge(cut(4), truth == 2),
        best_merge(cut(6), truth == 2),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="first map alone")
    parser.add_argument("--full", action="store_true", help="300 steps too")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    steps = options.steps if options.steps is not None else 300 * options.full
    record: dict[str, dict[str, list[list[float]]]] = {}
    print(f"{'family and model':<44}" + "".join(f"{s:>24}" for s in SCORES))
    for family, wish in FAMILIES.items():
        seen, unseen = family_scenes(wish, 1), family_scenes(wish, 2)
        rows: dict[str, list[list[float]]] = {}
        for seed in range(options.seeds):
            first = model = None
            for step in train([s.cube for s in seen], Config(steps=steps, seed=seed)):
                first, model = first or step.snapshot, step.model
            assert first is not None
            assert model is not None
            for name, which in (("first map", first), ("trained", model)):
                if name == "trained" and not steps:
                    continue
                rows.setdefault(f"{name}, seen", []).append(score(which, seen))
                rows.setdefault(f"{name}, unseen", []).append(score(which, unseen))
        for name, values in rows.items():
            v = np.array(values)  # (seeds, scores)
            cells = [
                f"{mean:.3f} ± {sd:.3f} ({worst:.3f})"
                for mean, sd, worst in zip(v.mean(0), v.std(0), v.min(0), strict=True)
            ]
            line = f"{family + ': ' + name:<44}" + "".join(f"{c:>24}" for c in cells)
            print(line, flush=True)
        record[family] = rows
    RESULTS.mkdir(exist_ok=True)
    out = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {platform.system()}",
        "steps": steps,
        "seeds": options.seeds,
        "scores": SCORES,
        "rows": record,
    }
    name = f"seeds_{steps}_steps.json"
    (RESULTS / name).write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
