"""How many suggestions to accept until one group is the lesion.

    python benchmarks/suggestions.py --quick   all families, 2 seeds; about 2 minutes
    python benchmarks/suggestions.py --full    6 seeds
    python benchmarks/suggestions.py --smoke   seconds: does it run at all?

From a first map's clusters, the top suggestion is accepted again and again, as a user
would by key, or the tree is cut at one group fewer each time. *Steps*: merges until
one single group has a lesion IoU within 2 % of the best union of the clusters;
*lasts*: for how many further merges one stays so good; *reach*: the best IoU of a
single group, as a share of that of the best union. Scenes and seeds are those that
nothing was tuned on (families.py), the four seen scenes of each family. The machine's
speed does not matter here: nothing is timed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import families
import numpy as np
import records
from methods import warm_imports
from numpy.typing import NDArray
from scoring import LESION, best_merge, overlap

NEAR = 0.98
K = 16
OUT = records.OUT / "suggestions.jsonl"


def main() -> None:
    """Run, print a table, write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tier = parser.add_mutually_exclusive_group()
    tier.add_argument("--quick", action="store_true", help="the default")
    tier.add_argument("--full", action="store_true")
    tier.add_argument("--smoke", action="store_true")
    parser.add_argument("--workers", type=int, default=1, help="units at a time")
    parser.add_argument("--fresh", action="store_true", help="run everything again")
    parser.add_argument("--out", type=Path, help="folder for results")
    options = parser.parse_args()
    out = options.out or records.RESULTS
    kept = out / "suggestions.jsonl" if options.out else OUT
    if options.out:
        families.keep_scenes_in(out / "scenes")
    names = [n for n in families.FAMILIES if n != "healthy-only"]
    seeds = families.SEEDS if options.full else families.SEEDS[:2]
    size, bands = families.SIZE, 301
    if options.smoke:
        names, seeds, size, bands = names[:1], seeds[:1], 48, 40
    warm_imports()
    code = records.code_hash("clustering", "merging")
    units = [
        {"family": n, "seed": s, "size": size, "bands": bands, "code": code}
        for n in names
        for s in seeds
    ]
    found = records.run_units(
        units, run, kept, workers=options.workers, fresh=options.fresh
    )
    rows = [_row(name, [f["result"] for f in found if f["family"] == name])
            for name in names]  # fmt: skip
    print(records.markdown(_HEADER, rows))
    tier_name = "full" if options.full else "smoke" if options.smoke else "quick"
    records.write_json(
        out / f"suggestions_{tier_name}.json",
        {"machine": records.machine(), "near": NEAR, "results": found},
    )
    if len(found) < len(units):
        sys.exit(1)


def run(unit: Mapping[str, Any]) -> dict[str, Any]:
    """Both orders of merging on one family's first map."""
    from napari_dgc import Config, train
    from napari_dgc.study.mapping import Finished, map_cubes

    seen, _ = families.load_family(unit["family"], unit["size"], unit["bands"])
    cubes = [scene.cube for scene in seen]
    *_, last = train(cubes, Config(k=K, seed=unit["seed"], steps=0))
    if last.model is None:
        raise RuntimeError("the first map has no model")
    *_, finished = map_cubes(last.model, cubes)
    if not isinstance(finished, Finished):
        raise RuntimeError("mapping did not finish")
    maps = np.concatenate([m.clusters.ravel() for m in finished.maps])
    wanted = np.concatenate([s.labels.ravel() for s in seen]) == LESION
    best = best_merge(maps, wanted)
    answer: dict[str, Any] = {"best_merge": best}
    orders = {
        "tree": by_tree(last.model),
        "suggestions": by_suggestions(last.model, finished),
    }
    for name, luts in orders.items():
        reach = [_best_group(lut[maps], wanted) / best for lut in luts]
        good = [at for at, share in enumerate(reach) if share >= NEAR]
        answer[name] = {
            "steps": good[0] if good else None,
            "lasts": good[-1] - good[0] if good else None,
            "reach": max(reach),
        }
    return answer


def by_tree(model: Any) -> Iterator[NDArray[np.uint8]]:
    """Group maps' tables from K groups to one, the tree cut at each number."""
    from napari_dgc.merging import Grouping, apply, build_tree

    ids = model.cluster_ids.tolist()
    tree = build_tree(
        model.mean_spectra, model.counts, model.centroids, cluster_ids=ids
    )
    start = Grouping.start(ids)
    for n in range(len(ids), 0, -1):
        yield apply(start, tree.cut(start, n)).after.lut()


def by_suggestions(model: Any, finished: Any) -> Iterator[NDArray[np.uint8]]:
    """The same, accepting the top suggestion until there is none."""
    from napari_dgc.merging import Grouping, Merge, apply
    from napari_dgc.merging.suggestions import Suggester

    ids = model.cluster_ids.tolist()
    suggester = Suggester(
        ids,
        model.mean_spectra,
        model.counts,
        model.centroids,
        [mapped.statistics for mapped in finished.maps],
    )
    grouping = Grouping.start(ids)
    yield grouping.lut()
    while found := suggester.suggest(grouping):
        top = found[0]
        grouping = apply(grouping, Merge((top.source,), top.target)).after
        yield grouping.lut()


def _best_group(groups: NDArray[np.uint8], wanted: NDArray[np.bool_]) -> float:
    return max(overlap(groups == value, wanted) for value in np.unique(groups))


_HEADER = ("family", "best merge", "tree: steps", "lasts", "reach",
           "suggestions: steps", "lasts", "reach")  # fmt: skip


def _row(name: str, results: list[dict[str, Any]]) -> list[str]:
    row = [name, records.cell(records.spread([r["best_merge"] for r in results]))]
    for order in ("tree", "suggestions"):
        for what, form in (("steps", ".1f"), ("lasts", ".1f"), ("reach", ".3f")):
            values = [r[order][what] for r in results]
            low = what == "steps"
            row.append(records.cell(records.spread(values, low_is_good=low), form))
    return row


if __name__ == "__main__":
    main()
