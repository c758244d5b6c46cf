"""What each part buys: the scores without it.

    python benchmarks/ablation.py --quick   first map, 6 seeds, two families; training
                                            30 steps, 2 seeds, one family; ~8 minutes
    python benchmarks/ablation.py --full    training 300 steps, 6 seeds, two families
    python benchmarks/ablation.py --smoke   seconds: does it run at all?

Scenes, seeds and scores are those of quality.py. Beside each mean ± sd (worst) stands
the mean difference to the complete engine, seed by seed. Parts that `Config` can turn
off are turned off there. **The others have no switch: they are replaced in the running
program, by the functions of variants.py, in the process of that unit alone.** Where a
name that is replaced is not there any more, the unit fails instead of measuring
nothing.
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
from variants import COMPLETE, FIRST_MAP, TRAINING

from napari_dgc import Config

FAMILIES = ("near-black, strong light, noise x4", "brown, strong light")
COLUMNS = {
    "merge_seen": "best merge, seen",
    "merge_unseen": "best merge, unseen",
    "tissue_seen": "tissue at 2, seen",
    "lesion4_seen": "lesion at 4, seen",
    "lesion6_seen": "lesion at 6, seen",
}


def run(unit: records.Unit) -> dict[str, Any]:
    """One variant, on one family, with one seed."""
    if isinstance(unit, tuple):
        families.load_scene(*unit)
        return {}
    seen, unseen = families.load_family(unit["family"], unit["size"], unit["bands"])
    variant = (TRAINING if unit["steps"] else FIRST_MAP)[unit["variant"]]
    variant.patch()  # this process does nothing else
    config = Config(seed=unit["seed"], steps=unit["steps"], **variant.config)
    cubes = [scene.cube for scene in seen]

    def cluster() -> Any:
        found = methods.ours(cubes, config)
        return found, [found.predict(cube) for cube in cubes]

    (found, maps), seconds, megabytes = records.measured(cluster)
    scores = methods.score_clustering(found, seen, unseen, maps)
    return {**scores, **found.told, "seconds": seconds, "megabytes": megabytes}


def summarise(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One line per family, number of steps and variant."""
    groups: dict[tuple[Any, ...], dict[int, Mapping[str, Any]]] = {}
    for record in results:
        key = (record["family"], record["steps"], record["variant"])
        groups.setdefault(key, {})[record["seed"]] = record["result"]
    lines = []
    for (family, steps, variant), some in groups.items():
        complete = groups.get((family, steps, COMPLETE), {})
        line: dict[str, Any] = {"family": family, "steps": steps, "variant": variant}
        for key in COLUMNS:
            line[key] = records.spread([result[key] for result in some.values()])
            apart = [
                result[key] - complete[seed][key]
                for seed, result in some.items()
                if seed in complete
            ]
            line[key]["difference"] = float(np.mean(apart)) if apart else None
        lines.append(line)
    return lines


def tell(lines: Sequence[Mapping[str, Any]]) -> str:
    """The table."""
    rows = []
    for line in lines:
        what = f"trained, {line['steps']} steps" if line["steps"] else "first map"
        row = [line["family"], what, line["variant"]]
        for key in COLUMNS:
            text, apart = records.cell(line[key]), line[key]["difference"]
            if line["variant"] != COMPLETE and apart is not None:
                text += f" {apart:+.3f}"
            row.append(text)
        rows.append(row)
    return records.markdown(["family", "engine", "variant", *COLUMNS.values()], rows)


def plan_units(options: argparse.Namespace) -> list[dict[str, Any]]:
    """All that is to be run."""
    import torch

    seeds = families.SEEDS[: options.seeds or (1 if options.smoke else None)]
    names, trained_names = options.families, options.families
    steps, trained_seeds = 300, seeds
    if options.quick:
        steps, trained_seeds, trained_names = 30, seeds[:2], options.families[:1]
    if options.smoke:
        steps, names, trained_names = 2, names[:1], names[:1]
    if options.first_map:
        trained_names = []
    plan = [
        (FIRST_MAP, 0, names, seeds),
        (TRAINING, steps, trained_names, trained_seeds),
    ]
    return [
        {
            "family": family,
            "variant": variant,
            "steps": count,
            "seed": seed,
            "size": 40 if options.smoke else families.SIZE,
            "bands": 40 if options.smoke else 301,
            "config": dict(variants[variant].config),
            "threads": torch.get_num_threads(),
            "code": records.code_hash(
                ".scoring.py",
                ".methods.py",
                "cubes/cube.py",
                "cubes/scenes",
                "cubes/likeness.py",
                "merging",
                "clustering",
            ),
        }
        for variants, count, some, those in plan
        for family in some
        for variant in variants
        if not options.variants or variant in (COMPLETE, *options.variants)
        for seed in those
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tier = parser.add_mutually_exclusive_group()
    tier.add_argument("--quick", action="store_true", help="the default")
    tier.add_argument("--full", action="store_true")
    tier.add_argument("--smoke", action="store_true")
    parser.add_argument("--families", nargs="+", choices=families.FAMILIES)
    parser.add_argument("--variants", nargs="+", choices={**FIRST_MAP, **TRAINING})
    parser.add_argument("--first-map", action="store_true", help="no training")
    parser.add_argument("--seeds", type=int, help="how many")
    parser.add_argument("--workers", type=int, default=1, help="units at a time")
    parser.add_argument("--fresh", action="store_true", help="run everything again")
    parser.add_argument("--out", type=Path, default=records.OUT)
    options = parser.parse_args(arguments)
    options.quick = not (options.full or options.smoke)
    part = bool(options.smoke or options.families or options.variants)
    part |= bool(options.first_map or options.seeds)
    options.families = options.families or list(FAMILIES)
    methods.warm_imports()
    families.keep_scenes_in(options.out / "scenes")
    units = plan_units(options)
    missing = families.missing_scenes(
        list({unit["family"]: 0 for unit in units}), units[0]["size"], units[0]["bands"]
    )
    records.make_scenes(run, missing, options.workers)
    results = records.run_units(
        units,
        run,
        options.out / "ablation.jsonl",
        workers=options.workers,
        fresh=options.fresh,
    )
    lines = summarise(results)
    print(tell(lines))
    stem = "ablation" if options.full else "ablation_quick"
    folder = options.out if part else records.RESULTS
    content = {**records.machine(), "lines": lines, "runs": results}
    records.write_json(folder / f"{'ablation_part' if part else stem}.json", content)
    if len(results) < len(units):
        sys.exit(f"{len(units) - len(results)} units failed; run again to try them")


if __name__ == "__main__":
    main()
