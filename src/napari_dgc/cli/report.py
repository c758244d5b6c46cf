"""`report`: severity, spectra and pictures."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dgc.cli.commands import find_maps, print_paths
from napari_dgc.cli.merge import open_study
from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cubes.errors import InputError

if TYPE_CHECKING:
    from napari_dgc.reports.time_series import Days
    from napari_dgc.study.reporting.measured_cube import MeasuredCube
    from napari_dgc.study.reporting.reporting import Report

_ENDING = "_groups.tif"
_STUDY = "study"  # what a study that has no name is called in errors
_NO_PAGE = (
    "Folders do not tell what was done, so there is no report.html: make a study of "
    "them (napari-dgc study new) and report that"
)


def write_report(options: argparse.Namespace) -> None:
    """`report`: of a study, or of what merge and segment wrote."""
    with _naming(options.sources[0]):
        _write_report(options)


def _write_report(options: argparse.Namespace) -> None:
    from napari_dgc.reports.regions import RegionSettings

    area = None if options.pixel_mm is None else options.pixel_mm**2
    sources: list[Path] = options.sources
    if len(sources) == 1 and not sources[0].is_dir():
        report = _of_study(sources[0], area, options)
    else:
        report = _of_folders(sources, area)
    if options.min_leaf is not None or options.split_leaves:
        settings = RegionSettings(options.min_leaf, options.split_leaves)
        report = replace(report, settings=settings)
    if options.min_lesion is not None:
        report = replace(report, min_lesion=options.min_lesion)
    if options.days is not None or not report.days:
        report = replace(report, days=_days(options.days, report))
    with ProgressLine(options.quiet) as progress:
        paths, total = [], len(report.paths(options.output))
        for piece in report.write(options.output, force=options.force):
            text = piece
            if isinstance(piece, Path):
                paths.append(piece)
                text = piece.name
            progress.show(f"{len(paths)}/{total} {text}")
        if report.account is None:
            progress.say(_NO_PAGE)
    print_paths(paths)


@contextlib.contextmanager
def _naming(source: Path) -> Iterator[None]:
    """Tell what is wrong with a study by the name of its file."""
    try:
        yield
    except InputError as error:
        if error.source != _STUDY:
            raise
        raise InputError(source, error.fault, error.remedy) from error


def freeze_leaves(options: argparse.Namespace) -> None:
    """`study leaves`: find the leaves of all cubes and keep them with the study."""
    from napari_dgc.cubes.files import check_free
    from napari_dgc.reports.regions import RegionSettings
    from napari_dgc.study.leaves import LeafRegions, find_leaves
    from napari_dgc.study.storing.leaf_file import leaves_path, load_leaves, save_leaves

    path = leaves_path(options.study)
    check_free(path, force=options.force)
    study = open_study(options.study)
    with contextlib.suppress(InputError):  # damaged: it is replaced
        study.set_leaves(load_leaves(path))
    settings = RegionSettings(options.min_leaf, options.split_leaves)
    with _naming(options.study), ProgressLine(options.quiet) as progress:
        for piece in find_leaves(study, settings):
            if isinstance(piece, LeafRegions):
                save_leaves(piece, path, force=options.force)
            else:
                progress.show(f"Finding the leaves of {piece}")
    print_paths([path])


def _of_study(path: Path, area: float | None, options: argparse.Namespace) -> Report:
    from napari_dgc.cli.merge import study_cubes
    from napari_dgc.cubes.georeference import pixel_area
    from napari_dgc.study.reporting.reporting import Report
    from napari_dgc.study.storing.leaf_file import leaves_path, load_leaves

    study = open_study(path)
    leaves = load_leaves(leaves_path(path))
    study.set_leaves(leaves)
    report = Report.of(study, pixel_mm2=area)
    if leaves is not None and leaves.is_stale(study):
        ProgressLine(options.quiet).say(
            "Roles have changed since the leaves were found: napari-dgc study "
            "leaves finds them again"
        )
    if area is not None or study.view.measures.pixel_mm is not None:
        return report
    headers = study_cubes(study, set(report.cubes))
    cubes = {
        stem: replace(cube, pixel_area=pixel_area(headers[stem].metadata))
        if stem in headers
        else cube
        for stem, cube in report.cubes.items()
    }
    return replace(report, cubes=cubes)


def _of_folders(folders: list[Path], area: float | None) -> Report:
    """Maps and recipe of one folder; statistics of whichever has them."""
    from napari_dgc.clustering.model import Model
    from napari_dgc.merging.grouping import Grouping
    from napari_dgc.merging.recipe import Recipe
    from napari_dgc.merging.statistics import ClusterStatistics
    from napari_dgc.reports.masks import read_label_tiff
    from napari_dgc.study.reporting.measured_cube import MeasuredCube
    from napari_dgc.study.reporting.reporting import Report

    for folder in folders:
        if not folder.is_dir():
            raise InputError(
                folder, "is no folder", "give a study alone, or folders of maps"
            )
    home = next((f for f in folders if (f / "recipe.json").is_file()), None)
    if home is None:
        raise InputError(
            folders[0], "holds no recipe.json", "give the folder that merge wrote"
        )
    recipe = Recipe.read(home / "recipe.json")
    grouping = Grouping(recipe.groups, recipe.next_id)
    values = {group.value for group in grouping.groups}
    cubes: dict[str, MeasuredCube] = {}
    for path in find_maps(home, _ENDING):
        stem = path.name.removesuffix(_ENDING)
        labels = read_label_tiff(path)
        strange = set(labels.ravel().tolist()) - values - {0}
        if strange:
            fault = f"it holds the value {max(strange)}, which the recipe has not"
            raise InputError(path, fault, "merge the maps again")
        found = _first(folders, f"{stem}_stats.npz")
        statistics = None if found is None else ClusterStatistics.load(found)
        cubes[stem] = MeasuredCube(labels, statistics=statistics, pixel_area=area)
    found = _first(folders, "model.safetensors")
    model = None if found is None else Model.load(found)
    if model is None or model.fingerprint != recipe.model:
        return Report(grouping, cubes)
    return Report(grouping, cubes, model.wavelengths, model.good_bands)


def _first(folders: list[Path], name: str) -> Path | None:
    return next((f / name for f in folders if (f / name).is_file()), None)


def _days(table: Path | None, report: Report) -> Days:
    from napari_dgc.reports.time_series import days_from_names, read_days

    stems = list(report.cubes)
    return days_from_names(stems) if table is None else read_days(table, stems)
