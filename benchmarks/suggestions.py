"""How many suggestions to accept until one group is the lesion, and how fast they come.

    python benchmarks/suggestions.py --quick   all families, 6 seeds; about 3 minutes
    python benchmarks/suggestions.py --full    with 8, 16, 32 and 64 clusters
    python benchmarks/suggestions.py --smoke   seconds: does it run at all?
    python benchmarks/suggestions.py --latency the times of the kept results anew

From a first map's clusters, the top suggestion is accepted again and again, as a user
would by key (*suggestions*: they begin with a cut of the tree; *pairs*: that one was
rejected), or the tree is cut at one group fewer each time. *Steps*: until one single
group has a lesion IoU within 2 % of the best union of the clusters; *lasts*: for how
many further ones one stays so good; *reach*: the best IoU of a single group, as a
share of that of the best union. *Groups*: what the cut leaves. *Answers*: steps where
the labels answer, yes or no; *asked*: in the whole queue, *wrong*: of them the noes.

Scenes and seeds are those that nothing was tuned on (families.py), the four seen
scenes of each family. Timed are only the numbers of 100 cubes, in milliseconds of one
thread, against the 16 ms of a frame: their statistics are random, for only their sizes
matter.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
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
ORDERS = ("tree", "pairs", "suggestions")
FRAME = 16.0  # ms
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
    tier.add_argument("--latency", action="store_true")
    names = [n for n in families.FAMILIES if n != "healthy-only"]
    parser.add_argument("--families", nargs="+", choices=names, help="only these")
    parser.add_argument("--workers", type=int, default=1, help="units at a time")
    parser.add_argument("--fresh", action="store_true", help="run everything again")
    parser.add_argument("--out", type=Path, help="folder for results")
    options = parser.parse_args()
    out = options.out or records.RESULTS
    kept = out / "suggestions.jsonl" if options.out else OUT
    if options.out:
        families.keep_scenes_in(out / "scenes")
    if options.latency:
        renew_latency(out / "suggestions_quick.json")
        return
    names = options.families or names
    seeds, ks = families.SEEDS, (8, 16, 32, 64) if options.full else (K,)
    size, bands = families.SIZE, 301
    if options.smoke:
        names, seeds, size, bands = names[:1], seeds[:1], 48, 40
    warm_imports()
    code = records.code_hash("clustering", "cubes/likeness.py", "merging")
    units = [
        {"family": n, "seed": s, "k": k, "size": size, "bands": bands, "code": code}
        for k in ks
        for n in names
        for s in seeds
    ]
    found = records.run_units(
        units, run, kept, workers=options.workers, fresh=options.fresh
    )
    for k in ks:
        some = [f for f in found if f["k"] == k]
        rows = [_row(name, [f["result"] for f in some if f["family"] == name])
                for name in names]  # fmt: skip
        rows.append(_row("all", [f["result"] for f in some]))
        print(f"K = {k}\n\n{records.markdown(_HEADER, rows)}")
    timed = {
        k: latency(k, 3 if options.smoke else 100, 3 if options.smoke else 40)
        for k in ((6,) if options.smoke else (16, 64, 128))
    }
    print_latency(timed)
    tier_name = "full" if options.full else "smoke" if options.smoke else "quick"
    records.write_json(
        out / f"suggestions_{tier_name}.json",
        {
            "machine": records.machine(),
            "near": NEAR,
            "frame_ms": FRAME,
            "latency_ms": timed,
            "results": found,
        },
    )
    if len(found) < len(units):
        sys.exit(1)


def print_latency(timed: Mapping[int, Mapping[str, Mapping[str, float]]]) -> None:
    """A table of what `latency` gave, by K."""
    print(f"Milliseconds, median (99th percentile); a frame is {FRAME:.0f} ms\n")
    print(records.markdown(["K", *timed[next(iter(timed))]], [
        [str(k), *(f"{ms['p50']:.2f} ({ms['p99']:.2f})" for ms in row.values())]
        for k, row in timed.items()
    ]))  # fmt: skip


def renew_latency(path: Path) -> None:
    """Measure again what takes seconds, and keep the rest of a results file."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    timed = {k: latency(k, 100, 40) for k in (16, 64, 128)}
    print_latency(timed)
    new = {"latency_machine": records.machine(), "latency_ms": timed}
    records.write_json(path, kept | new)


def run(unit: Mapping[str, Any]) -> dict[str, Any]:
    """All orders of merging on one family's first map."""
    from napari_dgc import Config, train
    from napari_dgc.study.mapping import Finished, map_cubes

    seen, _ = families.load_family(unit["family"], unit["size"], unit["bands"])
    cubes = [scene.cube for scene in seen]
    *_, last = train(cubes, Config(k=unit["k"], seed=unit["seed"], steps=0))
    if last.model is None:
        raise RuntimeError("the first map has no model")
    *_, finished = map_cubes(last.model, cubes)
    if not isinstance(finished, Finished):
        raise RuntimeError("mapping did not finish")
    maps = np.concatenate([m.clusters.ravel() for m in finished.maps])
    labels = np.concatenate([s.labels.ravel() for s in seen])
    wanted = labels == LESION
    best = best_merge(maps, wanted)
    answer: dict[str, Any] = {"best_merge": best}
    made = _Made(last.model, finished)
    orders = {
        "tree": by_tree(made),
        "pairs": by_suggestions(made, cut=False),
        "suggestions": by_suggestions(made, cut=True),
    }
    for name, luts in orders.items():
        reach = [_best_group(lut[maps], wanted) / best for lut in luts]
        good = [at for at, share in enumerate(reach) if share >= NEAR]
        answer[name] = {
            "steps": good[0] if good else None,
            "lasts": good[-1] - good[0] if good else None,
            "reach": max(reach),
        }
    classes = np.zeros((256, 3), int)
    np.add.at(classes, (maps, labels), 1)
    return answer | by_user(
        made, classes, lambda lut: _best_group(lut[maps], wanted) / best >= NEAR
    )


class _Made:
    """Tree, suggester and start of one map."""

    def __init__(self, model: Any, finished: Any) -> None:
        from napari_dgc.clustering.gathering import centers
        from napari_dgc.merging import Grouping
        from napari_dgc.merging.suggestions import Suggester
        from napari_dgc.study.grouped import tree_of

        ids = model.cluster_ids.tolist()
        rows = model.mean_spectra, model.counts, centers(model)
        self.tree = tree_of(model)
        statistics = [mapped.statistics for mapped in finished.maps]
        self.suggester = Suggester(ids, *rows, statistics)
        self.start = Grouping.start(ids)

    def begin(self) -> Any:
        """The grouping after the cut that is suggested; as it was without one."""
        from napari_dgc.merging import History
        from napari_dgc.merging.beginning import suggest_beginning

        history = History(self.start)
        found = suggest_beginning(self.tree, history)
        if found is not None:
            history.do(self.tree.cut(history.current, found.groups))
        return history.current


def by_tree(made: _Made) -> Iterator[NDArray[np.uint8]]:
    """Group maps' tables from K groups to one, the tree cut at each number."""
    from napari_dgc.merging import apply

    for n in range(len(made.start.groups), 0, -1):
        yield apply(made.start, made.tree.cut(made.start, n)).after.lut()


def by_suggestions(made: _Made, *, cut: bool) -> Iterator[NDArray[np.uint8]]:
    """The same, accepting the top suggestion until there is none."""
    from napari_dgc.merging import Merge, apply

    grouping = made.start
    yield grouping.lut()
    if cut and (begun := made.begin()) is not made.start:
        grouping = begun
        yield grouping.lut()
    while found := made.suggester.suggest(grouping):
        top = found[0]
        grouping = apply(grouping, Merge((top.source,), top.target)).after
        yield grouping.lut()


def by_user(
    made: _Made,
    classes: NDArray[np.integer],
    near: Callable[[NDArray[np.uint8]], bool],
) -> dict[str, int | None]:
    """Answer the whole queue: no where two groups are mostly of different classes."""
    from napari_dgc.merging import Merge, apply

    grouping, rejected = made.begin(), []
    groups, asked, cut = len(grouping.groups), 0, grouping is not made.start
    answers = int(cut) if near(grouping.lut()) else None
    while found := made.suggester.suggest(grouping, rejected=rejected):
        top, asked = found[0], asked + 1
        sides = [list(grouping.group(id).clusters) for id in (top.source, top.target)]
        one, other = (int(classes[side].sum(axis=0).argmax()) for side in sides)
        if one == other:
            grouping = apply(grouping, Merge((top.source,), top.target)).after
        else:
            rejected.append((frozenset(sides[0]), frozenset(sides[1])))
        if answers is None and near(grouping.lut()):
            answers = asked + cut
    wrong = len(rejected)
    return {"groups": groups, "answers": answers, "asked": asked, "wrong": wrong}


def latency(k: int, cubes: int, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each thing that the screen waits for."""
    from napari_dgc.merging import ClusterStatistics, Grouping, History, build_tree
    from napari_dgc.merging.beginning import suggest_beginning
    from napari_dgc.merging.preview import preview_merge, role_changes
    from napari_dgc.merging.suggestions import Suggester

    rng = np.random.default_rng(0)
    ids, spectra = list(range(1, k + 1)), rng.random((k, 301))
    centroids = rng.normal(size=(k, 17))
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    statistics = []
    for _ in range(cubes):
        count = np.r_[0, rng.integers(50, 5000, k)]
        sums = count[:, None] * np.r_[np.zeros((1, 301)), spectra]
        shared = np.triu(rng.integers(0, 50, (k + 1, k + 1)), 1)
        statistics.append(
            ClusterStatistics(count, sums, sums * 1.1, count * 0.9, shared + shared.T)
        )
    pooled = statistics[0]
    for one in statistics[1:]:
        pooled = pooled + one
    counts = pooled.count[1:]
    history = History(Grouping.start(ids))
    tree = build_tree(spectra, counts, centroids, cluster_ids=ids)
    grouping = history.current

    def gather() -> Any:
        made = Suggester(ids, spectra, counts, centroids, statistics)
        made.suggest(grouping)
        return made

    suggester, pairs = gather(), itertools.cycle(itertools.permutations(ids[:6], 2))

    def preview() -> None:
        source, target = next(pairs)
        preview_merge(pooled, grouping, [source], target)
        role_changes(statistics[0], grouping, [source], target)
        suggester.angle(grouping, [source], target)

    return {
        "once a map": _timed(gather, max(3, rounds // 10)),
        "cut to begin with": _timed(lambda: suggest_beginning(tree, history), rounds),
        "ranking": _timed(lambda: suggester.suggest(grouping), rounds),
        "numbers of a preview": _timed(preview, rounds),
    }


def _timed(call: Callable[[], object], rounds: int) -> dict[str, float]:
    call()
    ms = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        ms.append(1000 * (time.perf_counter() - began))
    return {"p50": float(np.median(ms)), "p99": float(np.percentile(ms, 99))}


def _best_group(groups: NDArray[np.uint8], wanted: NDArray[np.bool_]) -> float:
    return max(overlap(groups == value, wanted) for value in np.unique(groups))


_HEADER = (
    "family",
    "best merge",
    *(f"{order}: steps" if w == "steps" else w
      for order in ORDERS for w in ("steps", "lasts", "reach")),
    *(_USER := ("groups", "answers", "asked", "wrong")),
)  # fmt: skip


def _row(name: str, results: list[dict[str, Any]]) -> list[str]:
    row = [name, records.cell(records.spread([r["best_merge"] for r in results]))]
    for order in ORDERS:
        for what, form in (("steps", ".1f"), ("lasts", ".1f"), ("reach", ".3f")):
            values = [r[order][what] for r in results]
            low = what == "steps"
            row.append(records.cell(records.spread(values, low_is_good=low), form))
    for what in _USER:
        values = [r[what] for r in results]
        row.append(records.cell(records.spread(values, low_is_good=True), ".1f"))
    return row


if __name__ == "__main__":
    main()
