"""What each command does: loops over what the study yields, and writes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import check_free, write_whole

if TYPE_CHECKING:
    from napari_dgc.study.evaluation import LabelledMap


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
    """`segment`: a cluster map and statistics per cube."""
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.exports import file_stems
    from napari_dgc.study.mapping import MappedCube, map_cube

    model = Model.load(options.model)
    cubes = read_cubes(options)
    stems = file_stems([cube.name for cube in cubes])
    for cube in cubes:
        model.require_bands(cube)
    suffixes = [f"_clusters.{f}" for f in options.format] + ["_stats.npz"]
    out: Path = options.output
    for name in (f"{stem}{suffix}" for stem in stems for suffix in suffixes):
        check_free(out / name, force=options.force)
    with ProgressLine(options.quiet) as progress:
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
                progress.end()
                print_paths([*paths, stats])


def merge_maps(options: argparse.Namespace) -> None:
    """`merge`: the same grouping for every map of a folder."""
    from napari_dgc.clustering.model import Model
    from napari_dgc.reports.masks import read_label_tiff
    from napari_dgc.study.exports import Export
    from napari_dgc.study.study import Study

    study = Study()
    study.accept_model(Model.load(options.model))
    if options.recipe is not None:
        study.apply_recipe(options.recipe)
    else:
        study.cut(options.granularity)
    maps = {
        path.name.removesuffix("_clusters.tif"): read_label_tiff(path)
        for path in _find_maps(options.maps, "_clusters.tif")
    }
    grouping = study.grouping
    if grouping is None:
        raise RuntimeError("a study with a model has a grouping")
    known = max(grouping.clusters)
    if (options.granularity or 0) > len(grouping.groups):
        ProgressLine(options.quiet).say(
            f"The model has {known} clusters: {len(grouping.groups)} groups are made"
        )
    for stem, clusters in maps.items():
        if clusters.max(initial=0) > known:
            raise InputError(
                options.maps / f"{stem}_clusters.tif",
                f"it holds cluster {clusters.max()}, the model has {known}",
                "segment the cube with this model",
            )
    export = Export(
        options.output, grouping, study.recipe(), maps, formats=options.format
    )
    print_paths(list(export.run(force=options.force)))


def evaluate_maps(options: argparse.Namespace) -> None:
    """`evaluate`: scores as JSON on standard output."""
    from napari_dgc.study.evaluation import evaluate

    if options.mapping is not None:
        alignment: Any = _parse_mapping(options.mapping)
    else:
        alignment = options.align
    scores = evaluate(
        _read_labelled(options), alignment, ignore_label=options.ignore_label
    )
    print(json.dumps(scores, indent=2))


def read_cubes(options: argparse.Namespace) -> list[Cube]:
    """The cubes that a command was given; all with the same bands."""
    from napari_dgc.cubes.agreement import check_same_bands
    from napari_dgc.cubes.readers import find_cubes, read_cube

    paths = find_cubes(options.cubes)
    cubes = [read_cube(path, options.key, axes=options.axes) for path in paths]
    check_same_bands(cubes)
    return cubes


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


def _find_maps(folder: Path, *endings: str) -> list[Path]:
    if not folder.is_dir():
        raise InputError(folder, "there is no such folder", "check the path")
    found = sorted(p for p in folder.iterdir() if p.name.endswith(endings))
    if not found:
        raise InputError(
            folder,
            f"it holds no {' or '.join('*' + e for e in endings)}",
            "run napari-dgc segment first",
        )
    return found


def _read_labelled(options: argparse.Namespace) -> list[LabelledMap]:
    """Maps of a folder beside their labels; group maps before cluster maps."""
    from napari_dgc.cubes.annotations import read_labels
    from napari_dgc.reports.masks import read_label_tiff
    from napari_dgc.study.evaluation import LabelledMap

    items: list[LabelledMap] = []
    for path in _find_maps(options.maps, "_clusters.tif", "_groups.tif"):
        stem = path.stem.removesuffix("_clusters").removesuffix("_groups")
        if any(item.stem == stem for item in items):
            raise InputError(
                path,
                f"there is another map of {stem} in this folder",
                "keep cluster maps and group maps in folders of their own",
            )
        ids = read_label_tiff(path)
        labels = read_labels(options.labels, stem, ids.shape)
        items.append(LabelledMap(stem, ids, labels.data, labels.classes))
    return items


def _parse_mapping(text: str) -> dict[int, list[int]]:
    try:
        data = json.loads(text)
        for members in data.values():
            if type(members) is not list or any(type(p) is not int for p in members):
                raise TypeError(f"{members!r} is no list of ids")
        return {int(t): members for t, members in data.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            "--mapping",
            f"{text!r} is not a JSON object of class → ids",
            'write it such as \'{"0":[1,2],"1":[3]}\'',
        ) from error


def print_paths(paths: Sequence[Path]) -> None:
    """Say on standard output what was written."""
    for path in paths:
        print(path)
