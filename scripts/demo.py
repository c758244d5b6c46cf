"""The main job once, on sample scenes: what `make demo` runs.

Writes scenes, trains, segments, merges to 2 and 4 groups, scores against the
truth, paints everything side by side, and opens napari with the result where
there is a display. Each step is the command line's, so that a reader can
repeat it by hand.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from napari_dgc.cli import main as napari_dgc
from napari_dgc.cubes.readers import find_cubes, read_cube
from napari_dgc.cubes.rendering import pseudo_rgb
from napari_dgc.merging.palette import cluster_color
from napari_dgc.reports.masks import paint, read_label_tiff
from napari_dgc.reports.pictures import side_by_side

GRANULARITIES = (2, 4)


def run(*arguments: object) -> str:
    """Run one command and show it; returns what it prints."""
    words = [str(word) for word in arguments]
    print("$ napari-dgc", *words, flush=True)
    started = time.monotonic()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = napari_dgc(words)
    if status:
        sys.exit(status)
    print(f"  {time.monotonic() - started:.1f} s", flush=True)
    return out.getvalue()


def paint_study(folder: Path) -> list[Path]:
    """One picture per scene: the leaf, its clusters, its groups, the truth."""
    pictures = []
    for path in find_cubes([folder / "scenes"]):
        stem = path.stem
        maps = {"clusters": folder / "clusters" / f"{stem}_clusters.tif"}
        for n in GRANULARITIES:
            maps[f"{n} groups"] = folder / f"groups_{n}" / f"{stem}_groups.tif"
        panels = [("pseudo-RGB", pseudo_rgb(read_cube(path)))]
        for title, file in maps.items():
            labels = read_label_tiff(file)
            colors = {int(v): cluster_color(int(v)) for v in np.unique(labels) if v}
            panels.append((title, paint(labels, colors)))
        picture = folder / "pictures" / f"{stem}.png"
        side_by_side(picture, panels, force=True)
        pictures.append(picture)
    return pictures


def show(folder: Path) -> None:
    """Open napari with the cubes, the model and four groups."""
    import napari

    from napari_dgc import Model, Study
    from napari_dgc.merging.statistics import ClusterStatistics

    viewer = napari.Viewer(title="napari-dgc demo")
    _, dock = viewer.window.add_plugin_dock_widget("napari-dgc")
    study: Study = dock.study
    # Opened as a user would: the cubes' layers join the dock's study.
    paths = [str(path) for path in find_cubes([folder / "scenes"])]
    viewer.open(paths, plugin="napari-dgc")
    study.accept_model(Model.load(folder / "model.safetensors"))
    maps = folder / "clusters"
    for index, cube in enumerate(study.cubes):
        study.set_map(
            index,
            read_label_tiff(maps / f"{cube.name}_clusters.tif"),
            ClusterStatistics.load(maps / f"{cube.name}_stats.npz"),
        )
    study.cut(4)
    napari.run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--no-window", action="store_true")
    options = parser.parse_args()
    folder: Path = options.folder
    # Only what an earlier demo wrote is removed, never anything else in there.
    for name in ("scenes", "clusters", "pictures", "groups_2", "groups_4"):
        shutil.rmtree(folder / name, ignore_errors=True)
    scenes, clusters = folder / "scenes", folder / "clusters"
    model = folder / "model.safetensors"
    run("sample", scenes, "--scenes", options.scenes, "--size", options.size)
    run("train", scenes, "-o", model, "--steps", options.steps, "--force")
    run("segment", model, scenes, "-o", clusters)
    for n in GRANULARITIES:
        run("merge", model, clusters, "--granularity", n, "-o", folder / f"groups_{n}")
    for maps in (clusters, *(folder / f"groups_{n}" for n in GRANULARITIES)):
        scores = json.loads(
            run("evaluate", maps, "--labels", scenes, "--align", "majority")
        )
        parts = [f"{n} {c['iou']:.3f}" for n, c in scores["classes"].items()]
        print(f"  IoU against the truth: {', '.join(parts)}", flush=True)
    pictures = paint_study(folder)
    print("Masks: ", ", ".join(str(folder / f"groups_{n}") for n in GRANULARITIES))
    print("Pictures:", *pictures, sep="\n  ")
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if options.no_window or (sys.platform.startswith("linux") and not display):
        print("No display: `napari` opens the same cubes, maps and masks by hand.")
    else:
        show(folder)


if __name__ == "__main__":
    main()
