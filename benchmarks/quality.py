"""How good the clusters are, beside k-means, a mixture and a supervised ceiling.

    python benchmarks/quality.py --quick   all families, 6 seeds (the mixture 3), no
                                           training but on one family (40 steps, 3
                                           seeds); ≤ 10 minutes
    python benchmarks/quality.py --full    everything; hours, resumable
    python benchmarks/quality.py --smoke   seconds: does it run at all?

Scenes and seeds are not those that anything was tuned on (see families.py). Scores,
as mean ± sd (worst) over the seeds:

- *best merge*: lesion IoU of the best union of clusters, on seen and unseen scenes;
- *seen merge, unseen*: the union chosen on the seen scenes, on the unseen ones;
- *tissue at 2*: mean IoU of tissue and background with the tree cut at two groups;
  *lesion at 4, 6*: lesion IoU of the best union of 4 or 6 groups. No user action;
- *active*: clusters with more than 0.1 % of the seen scenes' pixels;
- *off, on*: take the clusters of the best merge on the seen scenes. *off* is their
  largest share of any healthy scene, seen or unseen, which must stay below 0.1 %,
  *on* their smallest share of any infected one;
- *seconds, MB*: from opened cubes to the maps of the four seen scenes, and the growth
  of RssAnon meanwhile. With --workers above 1 the seconds are those of a busy machine.

The supervised ceiling is the better of LDA and logistic regression (by lesion IoU on
the seen scenes, whose labels they were trained on), on the first map's features after
mean-shift. It knows no seed; on Indian Pines it is scored on what it learned from. A
family counts as hard only where raw k-means stays at or below 0.6.

Indian Pines: mean IoU of its 16 classes when each cluster stands for the class that
it mostly holds. MUUFL: adjusted Rand index of two seeds' maps.

Results are kept in benchmarks/out/quality.jsonl as they come; what is there, of this
code and number of threads, is not run again. At the end: a table, results/quality.json
and .png (--quick: quality_quick; with --families, --k or --rows: out/quality_part).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import families
import methods
import numpy as np
import records
from methods import CEILING, FIRST, MIXTURE, ROWS, TRAINED, UNSUPERVISED
from quality_tables import COLUMNS, REAL_COLUMNS, draw, summarise, tell
from real_cubes import DATA, real_cubes
from scoring import LESION, active_clusters, adjusted_rand

PINES = "Indian Pines"
MUUFL = tuple(
    f"MUUFL {name}_demo"
    for name in ("img_for_VI", "image_sub_for", "img_for_class", "img_for_tgt_det")
)
K_FAMILIES = ("near-black, noise x4", "brown, strong light")
LARGE = (4, 64)  # K beside 16, for two families
QUICK_STEPS, FULL_STEPS = 40, 300
QUICK_SEEDS = 3  # of the dear rows: the mixture and training


def run_scenes(unit: records.Unit) -> dict[str, Any]:
    """One row, on one scene family, with one seed."""
    bands = unit.get("bands", 301)
    seen, unseen = families.load_family(unit["family"], unit["size"], bands)
    cubes = [scene.cube for scene in seen]
    labels = [scene.labels for scene in seen]

    def map_seen() -> Any:
        if unit["row"] != CEILING:
            make = UNSUPERVISED[unit["row"]]
            found = make(cubes, unit["k"], unit["seed"], unit["steps"])
            return found, [found.predict(cube) for cube in cubes]
        both = [
            (found, [found.predict(cube) for cube in cubes])
            for found in methods.ceilings(cubes, labels).values()
        ]
        truth = np.concatenate(labels, None) == LESION

        def lesion_iou(maps: Sequence[np.ndarray]) -> float:
            is_lesion = np.concatenate(maps, None) == LESION + 1
            return float((is_lesion & truth).sum() / (is_lesion | truth).sum())

        return max(both, key=lambda pair: lesion_iou(pair[1]))

    (found, maps), seconds, megabytes = records.measured(map_seen)
    scores = methods.score_clustering(
        found, seen, unseen, maps, classes=unit["row"] == CEILING
    )
    return {**scores, **found.told, "seconds": seconds, "megabytes": megabytes}


def run_real(unit: records.Unit) -> dict[str, Any]:
    """One row on Indian Pines or a MUUFL cube."""
    from napari_dgc.study.evaluating.evaluation import LabelledMap, evaluate

    cube = real_cubes()[unit["family"]]
    truth = None
    if unit["family"] == PINES:
        truth = np.load(DATA / "indian_pines/Indian_pines_gt.npy")

    def mean_iou(ids: np.ndarray) -> float:
        names = tuple(f"class {i}" for i in range(17))
        item = LabelledMap("pines", ids, truth, names)
        return float(evaluate([item], "majority", ignore_label=0)["mean_iou"])

    def make(seed: int) -> Any:
        if unit["row"] != CEILING:
            found = UNSUPERVISED[unit["row"]]([cube], unit["k"], seed, unit["steps"])
            return found, found.predict(cube)
        both = methods.ceilings([cube], [truth], ignore=0).values()
        return max(
            ((found, found.predict(cube)) for found in both),
            key=lambda pair: mean_iou(pair[1]),
        )

    (found, ids), seconds, megabytes = records.measured(lambda: make(unit["seed"]))
    result = {**found.told, "active": active_clusters(ids)}
    if truth is not None:
        result["mean_iou"] = mean_iou(ids)
    else:
        result["ari"] = adjusted_rand(ids, make(unit["seed"] + 1000)[1])
    return {**result, "seconds": seconds, "megabytes": megabytes}


def run(unit: records.Unit) -> dict[str, Any]:
    """One unit, of either kind; or, for a plan of a scene, make the scene."""
    if isinstance(unit, tuple):
        families.load_scene(*unit)
        return {}
    return (run_scenes if unit["family"] in families.FAMILIES else run_real)(unit)


def plan_units(options: argparse.Namespace) -> list[dict[str, Any]]:
    """All that is to be run."""
    import torch

    code = {row: records.code_hash(*_parts(row)) for row in ROWS}
    steps = QUICK_STEPS if options.quick else FULL_STEPS
    if options.smoke:
        steps = 2
    units = []
    for family in options.families:
        real = family not in families.FAMILIES
        if real and not DATA.is_dir():
            print(f"{DATA} is not here: {family} is left out", file=sys.stderr)
            continue
        for k in options.k:
            if k != 16 and family not in K_FAMILIES and not options.named:
                continue
            for row in options.rows:
                if row == CEILING and (k != options.k[0] or family in MUUFL):
                    continue
                if row == TRAINED and options.quick and family != families.HARDEST:
                    continue
                seeds = options.seeds[: 1 if row == CEILING else None]
                if row in (MIXTURE, TRAINED) and options.quick:
                    seeds = seeds[:QUICK_SEEDS]
                for seed in seeds:
                    unit = {
                        "family": family,
                        "k": 0 if row == CEILING else k,
                        "row": row,
                        "seed": 0 if row == CEILING else seed,
                        "steps": steps if row == TRAINED else 0,
                        "threads": torch.get_num_threads(),
                        "code": code[row],
                    }
                    if not real:
                        unit["size"] = options.size
                        if options.smoke:
                            unit["bands"] = 40
                    units.append(unit)
    return units


def _parts(row: str) -> tuple[str, ...]:
    """The code that a row's results depend on."""
    cubes = ("cubes/cube.py", "cubes/scenes", "cubes/likeness.py")
    common = (".scoring.py", ".methods.py", *cubes, "merging")
    if row in (FIRST, TRAINED, CEILING):
        return (*common, "clustering")
    return common


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, gaps filled by tier."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tier = parser.add_mutually_exclusive_group()
    tier.add_argument("--quick", action="store_true", help="the default")
    tier.add_argument("--full", action="store_true")
    tier.add_argument("--smoke", action="store_true")
    everything = (*families.FAMILIES, PINES, *MUUFL)
    parser.add_argument("--families", nargs="+", choices=everything, metavar="NAME")
    parser.add_argument("--rows", nargs="+", choices=ROWS, metavar="ROW")
    parser.add_argument("--k", type=lambda text: [int(k) for k in text.split(",")])
    parser.add_argument("--seeds", type=lambda text: [int(s) for s in text.split(",")])
    parser.add_argument("--size", type=int)
    parser.add_argument("--workers", type=int, default=1, help="units at a time")
    parser.add_argument("--fresh", action="store_true", help="run everything again")
    parser.add_argument("--out", type=Path, default=records.OUT)
    options = parser.parse_args(arguments)
    options.quick = not (options.full or options.smoke)
    options.named = bool(options.families)
    options.part = any((options.families, options.k, options.rows, options.smoke))
    options.part |= any((options.seeds, options.size))
    smoke = options.smoke
    options.families = options.families or ([families.HARDEST] if smoke else everything)
    options.k = options.k or ([4] if smoke else [16, *(LARGE if options.full else ())])
    if smoke:
        options.named = True
    options.rows = options.rows or ROWS
    options.seeds = options.seeds or list(families.SEEDS)[: 1 if smoke else None]
    options.size = options.size or (40 if smoke else families.SIZE)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = read_options(arguments)
    methods.warm_imports()
    families.keep_scenes_in(options.out / "scenes")
    units = plan_units(options)
    scenes = [f for f in options.families if f in families.FAMILIES]
    missing = families.missing_scenes(
        scenes, options.size, *([40] if options.smoke else [])
    )
    records.make_scenes(run, missing, options.workers)
    results = records.run_units(
        units,
        run,
        options.out / "quality.jsonl",
        workers=options.workers,
        fresh=options.fresh,
    )
    of_scenes = [r for r in results if r["family"] in families.FAMILIES]
    of_real = [r for r in results if r["family"] not in families.FAMILIES]
    lines = summarise(of_scenes, COLUMNS)
    real_lines = summarise(of_real, REAL_COLUMNS)
    folder = options.out if options.part else records.RESULTS
    stem = "quality_part" if options.part else "quality"
    if not options.part and options.quick:
        stem = "quality_quick"
    if lines:
        print(tell(lines, COLUMNS))
        draw(lines, folder / f"{stem}.png")
    if real_lines:
        print(tell(real_lines, REAL_COLUMNS))
    content = {
        **records.machine(),
        "workers": options.workers,
        "size": options.size,
        "seeds": options.seeds,
        "scenes": lines,
        "real cubes": real_lines,
        "runs": results,
    }
    records.write_json(folder / f"{stem}.json", content)
    if len(results) < len(units):
        sys.exit(f"{len(units) - len(results)} units failed; run again to try them")


if __name__ == "__main__":
    main()
