"""What each command does: loops over what the study yields, and writes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cli.reading import read_cubes
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import check_free, write_whole


def write_sample(options: argparse.Namespace) -> None:
    """`sample`: scenes as .mat, their truth as LabelMe .json and label .tif."""
    from napari_dgc.cubes.scenes import write_scenes

    with ProgressLine(options.quiet) as progress:
        paths = write_scenes(
            options.out,
            scenes=options.scenes,
            size=options.size,
            seed=options.seed,
            force=options.force,
            progress=lambda done, total, name: progress.show(f"{done}/{total} {name}"),
        )
    print_paths(paths)


def segment_cubes(options: argparse.Namespace) -> None:
    """`segment`: a cluster map, statistics and confidence per cube."""
    from napari_dgc.clustering.model import Model
    from napari_dgc.reports.masks import write_label_tiff
    from napari_dgc.study.exports import file_stems
    from napari_dgc.study.mapping import MappedCube, map_cube
    from napari_dgc.study.maps import as_bytes

    model = Model.load(options.model)
    notices: list[str] = []
    cubes = read_cubes(options, notices)
    stems = file_stems([cube.name for cube in cubes])
    for cube in cubes:
        model.require_bands(cube)
    suffixes = [f"_clusters.{f}" for f in options.format]
    suffixes += ["_stats.npz", "_confidence.tif"]
    out: Path = options.output
    for name in (f"{stem}{suffix}" for stem in stems for suffix in suffixes):
        check_free(out / name, force=options.force)
    with ProgressLine(options.quiet) as progress:
        for notice in notices:
            progress.say(notice)
        for stem, cube in zip(stems, cubes, strict=True):
            for piece in map_cube(model, cube, device=options.device):
                if not isinstance(piece, MappedCube):
                    if piece.notice:
                        progress.say(piece.notice)
                    progress.show(f"{piece.text} {piece.done:.0%}")
                    continue
                paths = _write_map(out, stem, piece.clusters, options)
                stats = out / f"{stem}_stats.npz"
                piece.statistics.save(stats, force=options.force)
                # In 255ths, as a study keeps it: severity has its bounds from it.
                sure = write_label_tiff(
                    out / f"{stem}_confidence.tif",
                    as_bytes(piece.confidence),
                    force=options.force,
                )
                progress.end()
                print_paths([*paths, stats, sure])


def _write_map(
    out: Path, stem: str, clusters: NDArray[np.uint8], options: argparse.Namespace
) -> list[Path]:
    """One cluster map in every format asked for."""
    from napari_dgc.merging.palette import cluster_color
    from napari_dgc.reports.masks import write_label_tiff, write_png

    paths = []
    for suffix in options.format:
        path = out / f"{stem}_clusters.{suffix}"
        if suffix == "tif":
            write_label_tiff(path, clusters, force=options.force)
        elif suffix == "png":
            ids = range(1, int(clusters.max(initial=1)) + 1)
            colors = {i: cluster_color(i) for i in ids}
            write_png(path, clusters, colors, force=options.force)
        elif suffix == "npy":
            write_whole(path, lambda file: np.save(file, clusters), force=options.force)
        else:
            from napari_dgc.clustering.tensors import write_tensor

            write_tensor(path, clusters, force=options.force)
        paths.append(path)
    return paths


def find_maps(folder: Path, *endings: str) -> list[Path]:
    """The maps in a folder, by name; InputError if there are none."""
    if not folder.is_dir():
        fault = "is no folder" if folder.exists() else "there is no such folder"
        raise InputError(folder, fault, "give the folder that holds the maps")
    found = sorted(p for p in folder.iterdir() if p.name.endswith(endings))
    if not found:
        raise InputError(
            folder,
            f"it holds no {' or '.join('*' + e for e in endings)}",
            "run napari-dgc segment first",
        )
    return found


def print_paths(paths: Sequence[Path]) -> None:
    """Say on standard output what was written."""
    for path in paths:
        print(path)
