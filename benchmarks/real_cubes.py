"""The real cubes of ../shared/data, from file to groups, with a picture of each.

    python benchmarks/real_cubes.py [--steps 100] [--out benchmarks/out/real]

Prints a row per cube: shape, valid pixels, noise method, seconds, active
clusters; for Indian Pines, whose classes are known, the majority-mapped mean
IoU too. The pictures are there to be looked at.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_dgc import Config, Cube, Study, read_cube, train
from napari_dgc.cubes.rendering import pseudo_rgb
from napari_dgc.merging.palette import cluster_color
from napari_dgc.reports.masks import paint
from napari_dgc.reports.pictures import side_by_side
from napari_dgc.study.evaluating.evaluation import LabelledMap, evaluate
from napari_dgc.study.mapping import MappedCube, map_cube

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"


def real_cubes(data: Path = DATA) -> dict[str, Cube]:
    """Every real cube, by a short name."""
    cubes = {
        "maize kernel": read_cube(data / "corn_kernel/corn-kernel-hyperspectral.hdr"),
        "rock core": read_cube(data / "hippo_rock/image.hdr"),
    }
    for path in sorted((data / "muufl").glob("*.mat")):
        name = path.stem.removeprefix("an_hsi_").removeprefix("a_hsi_")
        cubes[f"MUUFL {name}"] = read_cube(path)
    pines = read_cube(data / "indian_pines/Indian_pines_corrected.npy", axes="yxb")
    listed = json.loads((data / "indian_pines/wavelengths_nm.json").read_text())
    cubes["Indian Pines"] = replace(pines, wavelengths=np.array(listed, float))
    return cubes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/out/real")
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"{DATA}: the real cubes are not here")
    for name, cube in real_cubes().items():
        started = time.perf_counter()
        *_, last = train([cube], Config(steps=options.steps))
        assert last.model is not None
        *_, mapped = map_cube(last.model, cube)
        assert isinstance(mapped, MappedCube)
        seconds = time.perf_counter() - started
        study = Study()
        study.add_cubes([cube])
        study.accept_model(last.model)
        study.set_map(0, mapped.clusters, mapped.statistics)
        panels = [("pseudo-RGB", pseudo_rgb(cube))]
        for title, n in (("16 clusters", 16), ("6 groups", 6), ("3 groups", 3)):
            study.cut(n)
            groups = study.group_map(0)
            assert groups is not None
            colors = {int(v): cluster_color(int(v)) for v in np.unique(groups) if v}
            panels.append((title, paint(groups, colors)))
        side_by_side(options.out / f"{name.replace(' ', '_')}.png", panels, force=True)
        line = (
            f"{name:<26}{cube.shape!s:<18}{cube.valid.mean():>7.1%} valid  "
            f"{last.model.front_end.noise_method:<12}{seconds:>6.1f} s  "
            f"{last.active:>3} active"
        )
        if name == "Indian Pines":
            truth = np.load(DATA / "indian_pines/Indian_pines_gt.npy")
            names = tuple(f"class {i}" for i in range(17))
            item = LabelledMap("pines", mapped.clusters, truth, names)
            scores = evaluate([item], "majority", ignore_label=0)
            line += f"  mean IoU {scores['mean_iou']:.3f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
