"""`study new` and `study info`: a study without a screen."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dgc.cli.commands import find_maps, print_paths
from napari_dgc.cli.merge import check_clusters
from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cli.reading import read_cubes
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import check_free

if TYPE_CHECKING:
    from napari_dgc.study.storing.loading import LoadedStudy
    from napari_dgc.study.study import Study


def make_study(options: argparse.Namespace) -> None:
    """`study new`: cubes, and the model and maps if there are."""
    from napari_dgc.study.storing.study_file import save_study
    from napari_dgc.study.storing.writer import check_study_path
    from napari_dgc.study.study import Study

    for name in ("maps", "recipe"):
        if getattr(options, name) is not None and options.model is None:
            raise InputError(
                f"--{name}", "means nothing without the model", "add --model"
            )
    check_free(check_study_path(options.output), force=options.force)
    study = Study()
    notices: list[str] = []
    study.add_cubes(read_cubes(options, notices))
    if options.model is not None:
        from napari_dgc.clustering.model import Model

        model = Model.load(options.model)
        for cube in study.cubes:
            model.require_bands(cube)
        study.accept_model(model)
    if options.maps is not None:
        unmapped = _take_maps(study, options.maps)
        notices += [f"{name} has no map in {options.maps}" for name in unmapped]
    if options.recipe is not None:
        study.apply_recipe(options.recipe)
    for notice in notices:
        ProgressLine(options.quiet).say(notice)
    print_paths([save_study(study, options.output, force=options.force)])


def _take_maps(study: Study, folder: Path) -> list[str]:
    """Give cubes what `segment` wrote of them; names those without a map."""
    from napari_dgc.merging.statistics import ClusterStatistics
    from napari_dgc.reports.masks import read_label_tiff
    from napari_dgc.study.exports import file_stems

    there = set(find_maps(folder, "_clusters.tif"))
    unmapped = []
    for index, stem in enumerate(file_stems([cube.name for cube in study.cubes])):
        path = folder / f"{stem}_clusters.tif"
        cube = study.cubes[index]
        if path not in there:
            unmapped.append(cube.name)
            continue
        clusters = read_label_tiff(path)
        if clusters.shape != cube.shape[1:]:
            raise InputError(
                path,
                f"it is {clusters.shape}, the cube {cube.shape[1:]} (rows, columns)",
                "segment that cube again",
            )
        if study.grouping is not None:
            check_clusters(path, clusters, study.grouping)
        stats = folder / f"{stem}_stats.npz"
        statistics = ClusterStatistics.load(stats) if stats.is_file() else None
        sure = folder / f"{stem}_confidence.tif"
        confidence = read_label_tiff(sure) if sure.is_file() else None
        if confidence is not None and confidence.shape != clusters.shape:
            raise InputError(
                sure,
                f"it is {confidence.shape}, its map {clusters.shape} (rows, columns)",
                "segment that cube again",
            )
        study.set_map(index, clusters, statistics, confidence)
    if len(unmapped) == len(study.cubes):
        raise InputError(
            folder,
            "it holds no map of these cubes",
            "segment them with this model first",
        )
    return unmapped


def show_study(options: argparse.Namespace) -> None:
    """`study info`: what a study holds, in words or as JSON."""
    from napari_dgc.study.storing.loading import load_study
    from napari_dgc.study.storing.locating import locate_cubes
    from napari_dgc.study.study import Study

    loaded = load_study(options.study, pixels=False)
    study = Study()
    study.adopt(loaded)
    references = study.missing  # all of them: no cube was read
    located = locate_cubes(references, Path(options.study).parent)
    cubes = [
        {
            "name": reference.name,
            "state": located[i].state,
            "path": _text(located[i].path or reference.path),
            "shape": list(reference.shape),
            "calibration": reference.calibration and reference.calibration.fingerprint,
            "bad_bands": reference.bad_bands,
            "mapped": i in loaded.maps,
            "statistics": i in loaded.statistics,
        }
        for i, reference in references.items()
    ]
    facts = _describe(study, loaded, cubes)
    print(
        json.dumps(facts, indent=2, ensure_ascii=False)
        if options.json
        else _in_words(facts)
    )


def _describe(
    study: Study, loaded: LoadedStudy, cubes: list[dict[str, Any]]
) -> dict[str, Any]:
    from napari_dgc.merging.statistics import group_statistics
    from napari_dgc.study.storing.leftovers import leftovers

    model, history = study.model, study.history
    pooled = study.pooled_statistics
    groups: list[dict[str, Any]] = []
    if history is not None:
        grouping = history.current
        counts = None
        if pooled is not None:
            counts = group_statistics(pooled, grouping).count
        for row, group in enumerate(grouping.groups):
            share = None
            if counts is not None and counts.sum():
                share = float(100 * counts[row] / counts.sum())
            groups.append(
                {
                    "value": group.value,
                    "id": group.id,
                    "name": group.name,
                    "role": group.role,
                    "locked": group.locked,
                    "clusters": list(group.clusters),
                    "pixels": None if counts is None else int(counts[row]),
                    "percent": share,
                }
            )
    return {
        "study": str(loaded.path),
        "cubes": cubes,
        "model": None
        if model is None
        else {
            "fingerprint": model.fingerprint,
            "clusters": model.k,
            "steps": model.steps_done,
        },
        "steps": 0 if history is None else history.index,
        "undone": 0 if history is None else len(history.steps) - history.index,
        "groups": groups,
        "unused": [
            {"folder": str(folder), "bytes": size}
            for folder, size in leftovers(loaded.path or Path()).items()
        ],
        "faults": [str(fault) for fault in loaded.faults],
    }


def _in_words(facts: Mapping[str, Any]) -> str:
    lines = [f"Study   {facts['study']}"]
    model = facts["model"]
    if model is None:
        lines.append("Model   none yet")
    else:
        trained = f"{model['clusters']} clusters, trained for {model['steps']} steps"
        lines.append(f"Model   {trained} ({model['fingerprint']})")
    lines.append(f"Steps   {facts['steps']} taken, {facts['undone']} undone")
    lines += ["", *_table(_CUBES, [_cube_row(cube) for cube in facts["cubes"]])]
    if facts["groups"]:
        lines += [
            "",
            *_table(_GROUPS, [_group_row(group) for group in facts["groups"]]),
        ]
    if facts["unused"]:
        lines += ["", _word_unused(facts["unused"])]
    lines += [f"! {fault}" for fault in facts["faults"]]
    return "\n".join(lines)


def _word_unused(unused: Sequence[Mapping[str, Any]]) -> str:
    size = sum(one["bytes"] for one in unused) / 1e6
    names = ", ".join(Path(one["folder"]).name for one in unused)
    return (
        f"Not needed by this study or its .bak: {size:.1f} MB of earlier models in "
        f"{Path(unused[0]['folder']).parent}: {names}. They are kept, for a copy of "
        "the study may need them; delete them by hand."
    )


_CUBES = (
    "Cube",
    "State",
    "Bands x rows x columns",
    "Calibration",
    "Bands left out",
    "Map",
    "Path",
)
_GROUPS = ("Value", "Group", "Role", "Lock", "%", "Clusters")


def _cube_row(cube: Mapping[str, Any]) -> tuple[str, ...]:
    has = (
        "no" if not cube["mapped"] else "yes" if cube["statistics"] else "no statistics"
    )
    shape = " x ".join(map(str, cube["shape"]))
    made = cube["calibration"] or "none"
    left = cube["bad_bands"] or "none"
    path = cube["path"] or "(no file)"
    return cube["name"], cube["state"], shape, made, left, has, path


def _group_row(group: Mapping[str, Any]) -> tuple[str, ...]:
    percent = "-" if group["percent"] is None else f"{group['percent']:.1f}"
    lock = "locked" if group["locked"] else ""
    clusters = ",".join(map(str, group["clusters"]))
    value = str(group["value"])
    return value, group["name"], group["role"] or "", lock, percent, clusters


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(text.ljust(n) for text, n in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
