"""First map of a 1000 x 1000 x 301 cube against k-means, in one run.

    python benchmarks/first_map.py --quick     3 rounds, about 4 minutes
    python benchmarks/first_map.py --full      7 rounds

Each method runs in a process of its own, in turn, round after round, so that
the machine's drift hits all alike. Seconds are wall clock from the opened
file to the whole map, imports not counted. Memory is the largest growth of
anonymous memory (RssAnon) after imports: pages of the mapped file, which the
system can drop at will, are not counted. IoU is that of the lesion after the
best merge of the clusters.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import tifffile
from records import measured
from scoring import best_merge

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SCRATCH = ROOT / "benchmarks" / "out"
K, SIDE, SEED = 16, 1000, 0


def first_map(path: Path) -> np.ndarray:
    """Ours, without a training step, statistics for merging included."""
    from napari_dgc import Config, read_cube, train
    from napari_dgc.study.mapping import MappedCube, map_cube

    cube = read_cube(path)
    *_, last = train([cube], Config(k=K, steps=0))
    assert last.model is not None
    *_, mapped = map_cube(last.model, cube)
    assert isinstance(mapped, MappedCube)
    return mapped.clusters


def trained_map(path: Path) -> np.ndarray:
    """Ours: segmenting alone, with a model that has an encoder."""
    from napari_dgc import Model, read_cube, segment

    return segment(
        Model.load(SCRATCH / "trained.safetensors"), read_cube(path)
    ).clusters


def minibatch_kmeans(path: Path) -> np.ndarray:
    """scikit-learn on the raw spectra, its defaults, the whole cube."""
    from sklearn.cluster import MiniBatchKMeans

    from napari_dgc import read_cube

    data = np.asarray(read_cube(path).data)
    pixels = data.reshape(len(data), -1).T  # a view: no copy is charged to it
    own = MiniBatchKMeans(n_clusters=K, random_state=SEED).fit_predict(pixels)
    return (own + 1).reshape(data.shape[1:])


def spy_kmeans(path: Path) -> np.ndarray:
    """SPy's kmeans, five iterations."""
    import spectral

    image = spectral.open_image(str(path)).open_memmap(interleave="bip")
    own, _ = spectral.kmeans(image, nclusters=K, max_iterations=5)
    return own + 1


METHODS: dict[str, Callable[[Path], np.ndarray]] = {
    "first map": first_map,
    "trained map": trained_map,
    "MiniBatchKMeans": minibatch_kmeans,
    "SPy kmeans": spy_kmeans,
}


def warm_imports(name: str) -> None:
    """Import what a method needs before its clock starts."""
    if name in ("first map", "trained map"):
        import napari_dgc.clustering.training
        import napari_dgc.study.mapping
    elif name == "MiniBatchKMeans":
        import sklearn.cluster  # noqa: F401
    else:
        import spectral  # noqa: F401
    import napari_dgc.cubes.envi  # noqa: F401


def run_one(name: str, path: Path) -> None:
    """Child process: run one method and print what was measured."""
    warm_imports(name)
    ids, seconds, megabytes = measured(lambda: METHODS[name](path))
    truth = tifffile.imread(path.with_name(f"{path.stem}_labels.tif"))
    print(
        json.dumps(
            {
                "seconds": seconds,
                "megabytes": megabytes,
                "lesion_iou": best_merge(np.asarray(ids).astype(int), truth == 2),
            }
        )
    )


def prepare() -> Path:
    """Write the scene and a briefly trained model, once."""
    from napari_dgc import Config, read_cube, train
    from napari_dgc.cubes.scenes import SceneConfig, write_scene_envi

    SCRATCH.mkdir(parents=True, exist_ok=True)
    path = SCRATCH / f"scene_{SIDE}.hdr"
    if not path.exists():
        print("writing the scene ...", file=sys.stderr)
        write_scene_envi(path, SceneConfig(size=SIDE), SEED)
    if not (SCRATCH / "trained.safetensors").exists():
        print("training a model for the trained map ...", file=sys.stderr)
        # The last snapshot, not the last model: that may be the first map.
        config = Config(k=K, steps=100)
        snapshots = [s.snapshot for s in train([read_cube(path)], config) if s.snapshot]
        snapshots[-1].save(SCRATCH / "trained.safetensors")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds (default)")
    parser.add_argument("--full", action="store_true", help="7 rounds")
    parser.add_argument("--one", choices=METHODS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    path = SCRATCH / f"scene_{SIDE}.hdr"
    if options.one:
        run_one(options.one, path)
        return
    path = prepare()
    rounds = 7 if options.full else 3
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    for at in range(rounds):
        for name in METHODS:
            if name == "SPy kmeans" and at > 0 and not options.full:
                continue  # a minute each; one is enough to see the factor
            command = [sys.executable, __file__, "--one", name]
            out = subprocess.run(command, capture_output=True, text=True, check=True)
            runs[name].append(json.loads(out.stdout.splitlines()[-1]))
            print(f"round {at + 1} {name}: {runs[name][-1]}", file=sys.stderr)
    peer = np.median([r["seconds"] for r in runs["MiniBatchKMeans"]])
    rows = {}
    print(f"{'method':<18}{'seconds':>9}{'ratio':>8}{'own MB':>9}{'lesion IoU':>12}")
    for name, some in runs.items():
        row = {key: float(np.median([r[key] for r in some])) for key in some[0]}
        row["ratio"] = float(row["seconds"] / peer)
        rows[name] = row
        print(
            f"{name:<18}{row['seconds']:>9.2f}{row['ratio']:>8.2f}"
            f"{row['megabytes']:>9.0f}{row['lesion_iou']:>12.3f}"
        )
    RESULTS.mkdir(exist_ok=True)
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}",
        "rounds": rounds,
        "shape": [301, SIDE, SIDE],
        "rows": rows,
    }
    text = json.dumps(record, indent=2) + "\n"
    (RESULTS / "first_map.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
