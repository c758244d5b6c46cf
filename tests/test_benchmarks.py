"""The benchmarks' own arithmetic, and that they run at all."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"

forks = pytest.mark.skipif(sys.platform != "linux", reason="units are forked")


@pytest.fixture(scope="module")
def scoring() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scoring", FOLDER / "scoring.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_benchmarks(*arguments: str) -> str:
    """Run Python where the benchmarks lie; what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=FOLDER,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("seed", range(20))
def test_best_merge_is_the_best_of_all_unions(scoring: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, 7, 80)
    wanted = rng.random(80) < rng.random(7)[ids]
    unions = itertools.chain.from_iterable(
        itertools.combinations(range(1, 7), n) for n in range(1, 7)
    )
    best = max(scoring.overlap(np.isin(ids, union), wanted) for union in unions)
    assert scoring.best_merge(ids, wanted) == pytest.approx(best, abs=1e-12)
    chosen = scoring.lesion_clusters(ids, wanted)
    assert scoring.overlap(np.isin(ids, chosen), wanted) == pytest.approx(best)


def test_tissue_iou_gives_each_group_to_its_majority(scoring: ModuleType) -> None:
    tissue = np.array([0, 0, 0, 1, 1, 1, 1, 1], bool)
    groups = np.array([300, 300, 300, 300, 5, 5, 5, 5])
    # 300 is background: 3 of 4 there, and 4 of the 5 tissue pixels are found.
    assert scoring.tissue_iou(groups, tissue) == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert scoring.tissue_iou(np.ones(8, int), tissue) == pytest.approx(5 / 16)


def test_scores_of_a_small_scene(scoring: ModuleType) -> None:
    healthy, infected = np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 2]])
    seen = [np.array([[1, 1, 2, 2]]), np.array([[1, 2, 2, 3]])]
    unseen = [np.array([[1, 1, 2, 3]]), np.array([[1, 2, 3, 3]])]
    apart = np.arange(256)
    cuts = {2: (apart > 1).astype(int), 4: apart, 6: apart}
    scores = scoring.score_maps(
        seen, [healthy, infected], unseen, [healthy, infected], cuts
    )
    assert scores["merge_seen"] == scores["tissue_seen"] == 1
    assert scores["lesion4_seen"] == scores["lesion6_seen"] == 1
    assert scores["carried"] == scores["merge_unseen"] == pytest.approx(1 / 3)
    assert scores["tissue_unseen"] == 1
    assert scores["active"] == 3
    assert (scores["off"], scores["on"]) == (0.25, 0.25)
    one = scoring.score_maps(seen, [healthy, infected], seen[:1], [healthy], {})
    assert one["merge_unseen"] is one["carried"] is one["tissue_seen"] is None
    assert (one["off"], one["on"]) == (0, 0.25)


def test_active_clusters_hold_a_thousandth_of_the_pixels_with_data(
    scoring: ModuleType,
) -> None:
    ids = np.repeat([0, 1, 2, 3], [5000, 9980, 11, 9])
    assert scoring.active_clusters(ids) == 2


def test_rank_correlation_within_runs(scoring: ModuleType) -> None:
    rising = [(1.0, 0.1), (2.0, 0.2), (9.0, 0.3)]
    lower = [(11.0, 0.01), (12.0, 0.02), (13.0, 0.03)]  # together: not monotonic
    assert scoring.rank_correlation(rising) == pytest.approx(1)
    assert scoring.rank_correlation([(s, -i) for s, i in rising]) == pytest.approx(-1)
    assert scoring.pooled_rank_correlation([rising, lower]) == pytest.approx(1)
    assert scoring.rank_correlation(rising + lower) < 0
    assert scoring.rank_correlation([(1.0, 0.5)] * 4) is None
    assert scoring.pooled_rank_correlation([[], [(1.0, 1.0)]]) is None


UNITS = """
import os, sys
from pathlib import Path
import records

def work(unit):
    if unit["n"] == 1 and not Path(sys.argv[2]).exists():
        raise ValueError("not yet")
    if unit["n"] == 2 and not Path(sys.argv[2]).exists():
        os._exit(3)
    return {"square": unit["n"] ** 2, "process": os.getpid()}

units = [{"n": n} for n in range(4)]
done = records.run_units(units, work, Path(sys.argv[1]), workers=2)
print([[r["n"], r["result"]["square"], r["result"]["process"]] for r in done])
"""


@forks
def test_units_that_are_there_are_not_run_again(tmp_path: Path) -> None:
    kept, mended = tmp_path / "kept.jsonl", tmp_path / "mended"
    first = json.loads(in_benchmarks("-c", UNITS, str(kept), str(mended)))
    assert [row[:2] for row in first] == [[0, 0], [3, 9]]
    mended.touch()
    with kept.open("a") as file:
        file.write('{"n": 1, "resu')  # torn, as by a cut in the power
    second = json.loads(in_benchmarks("-c", UNITS, str(kept), str(mended)))
    assert [row[:2] for row in second] == [[0, 0], [1, 1], [2, 4], [3, 9]]
    assert [second[0], second[3]] == first  # the same processes' results
    assert len({row[2] for row in second}) == 4


@forks
def test_quality_runs_from_scenes_to_table(tmp_path: Path) -> None:
    rows = ["MiniBatchKMeans, raw", "first map", "trained", "supervised ceiling"]
    table = in_benchmarks(
        "quality.py", "--smoke", "--out", str(tmp_path), "--rows", *rows
    )
    lines = [line.split(" | ") for line in table.splitlines() if "noise x4" in line]
    assert [line[2].split(",")[0] for line in lines] == [r.split(",")[0] for r in rows]
    record = json.loads((tmp_path / "quality_part.json").read_text())
    assert {run["row"] for run in record["runs"]} == set(rows)
    for run in record["runs"]:
        assert 0 <= run["result"]["merge_seen"] <= 1
        assert 0.3 < run["result"]["tissue_seen"] <= 1
    assert record["versions"]["torch"]
    assert (tmp_path / "quality_part.png").stat().st_size > 10_000


def test_merging_is_timed_with_its_statistics(tmp_path: Path) -> None:
    table = in_benchmarks("merging.py", "--smoke", "--out", str(tmp_path))
    record = json.loads((tmp_path / "merging_part.json").read_text())
    assert (record["k"], record["cubes"], record["bands"]) == (6, 3, 40)
    assert record["ms"]["merge"]["n"] == 5  # six groups become one
    for name, row in record["ms"].items():
        assert f"| {name} | " in table
        assert 0 < row["p50"] <= row["p99"] <= row["max"]
    assert record["versions"]["numpy"]


@forks
def test_suggestions_run_from_scenes_to_table(tmp_path: Path) -> None:
    table = in_benchmarks("suggestions.py", "--smoke", "--out", str(tmp_path))
    assert "| brown |" in table
    record = json.loads((tmp_path / "suggestions_smoke.json").read_text())
    result = record["results"][0]["result"]
    for order in ("tree", "pairs"):
        assert result[order]["reach"] > 0.9
        assert 0 <= result[order]["steps"] < 16
    assert result["suggestions"]["reach"] > 0.8  # of a scene of 48 pixels
    assert 3 <= result["groups"] <= 8
    assert result["wrong"] <= result["asked"]
    for row in record["latency_ms"]["6"].values():
        assert 0 < row["p50"] <= row["p99"]
