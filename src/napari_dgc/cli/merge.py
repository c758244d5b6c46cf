"""`merge`: one grouping for every map."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cli.commands import find_maps, print_paths
from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cli.reading import read_raw_cubes
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping, Role

if TYPE_CHECKING:
    from napari_dgc.study.exports import Export
    from napari_dgc.study.study import Study

_PLAIN = (".mat", ".npy")  # formats that never say where a pixel lies
_ENDING = "_clusters.tif"


def merge_maps(options: argparse.Namespace) -> None:
    """`merge`: by granularity, by recipe, or as a study does."""
    from napari_dgc.study.exports import Export

    both = options.model is not None and options.maps is not None
    neither = options.model is None and options.maps is None
    if not both and not (neither and options.study is not None):
        raise InputError(
            "merge",
            "MODEL and CLUSTERS_DIR belong together",
            "give both, or neither with --study",
        )
    if options.study is not None and options.role:
        raise InputError(
            "--role", "a study has its own roles", "change them there, or leave it out"
        )
    if neither:
        study = open_study(options.study)
        export = study.export(options.output, formats=options.format)
        cubes = _cubes(options) or _of_study(study, export)
        export = replace(export, model=None, cubes=cubes)
    else:
        study = _grouped(options)
        grouping = _grouping(study)
        cubes = _cubes(options)
        maps = _read_maps(options.maps, grouping)
        maps = _refined(study, maps, cubes, options)
        export = Export(
            options.output, grouping, study.recipe(), maps, formats=options.format
        )
        if options.study is not None and not cubes:
            cubes = _of_study(study, export)
        export = replace(export, cubes=cubes)
    _check_sizes(export)
    with ProgressLine(options.quiet) as progress:
        paths = []
        for path in export.run(force=options.force):
            paths.append(path)
            progress.show(f"{len(paths)}/{len(export.paths())} {path.name}")
    print_paths(paths)


def study_cubes(
    study: Study, stems: Collection[str], *, pictures: bool = False
) -> dict[str, Cube]:
    """Read the study's cubes whose files are found, by file stem.

    All of them for pictures, else those alone that may say where they lie and how
    large a pixel is: their headers are read in no time.
    """
    from napari_dgc.study.exports import file_stems
    from napari_dgc.study.storing.locating import locate_cubes, read_located

    known = file_stems([cube.name for cube in study.cubes])
    wanted = {
        index: reference
        for index, reference in study.missing.items()
        if known[index] in stems and (pictures or _says_place(reference.path))
    }
    located = locate_cubes(wanted, (study.path or Path()).parent)
    return {
        known[index]: read_located(wanted[index], where.path)
        for index, where in located.items()
        if where.path is not None
    }


def _says_place(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() not in _PLAIN


def _of_study(study: Study, export: Export) -> dict[str, Cube]:
    return study_cubes(study, set(export.maps), pictures="overlay" in export.formats)


def _cubes(options: argparse.Namespace) -> dict[str, Cube]:
    """The cubes of `--cubes` by file stem."""
    from napari_dgc.study.exports import file_stems

    if not options.cubes:
        return {}
    cubes = read_raw_cubes(options)
    return dict(zip(file_stems([cube.name for cube in cubes]), cubes, strict=True))


def _check_sizes(export: Export) -> None:
    for stem, cube in export.cubes.items():
        clusters = export.maps.get(stem)
        if clusters is not None and clusters.shape != cube.shape[1:]:
            raise InputError(
                cube.path or cube.name,
                f"has {cube.shape[1:]} pixels, its map {clusters.shape}",
                "give the cube that the map was made of",
            )


def _grouped(options: argparse.Namespace) -> Study:
    """A study with the model given and the groups asked for."""
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study

    model = Model.load(options.model)
    if options.study is not None:
        study = open_study(options.study)
        if study.model is None or study.model.fingerprint != model.fingerprint:
            raise InputError(
                options.study,
                f"was not made with the model {options.model}",
                "give the study's own model and maps made with it",
            )
        return study
    study = Study()
    study.accept_model(model)
    if options.recipe is not None:
        study.apply_recipe(options.recipe)
    else:
        study.cut(options.granularity)
        made, known = len(_grouping(study).groups), model.k
        if options.granularity > made:
            ProgressLine(options.quiet).say(
                f"The model has {known} clusters: {made} groups are made"
            )
    _give_roles(study, options.role)
    return study


def _give_roles(study: Study, roles: Iterable[tuple[Role, tuple[int, ...]]]) -> None:
    """Give groups, named by their label values, the roles of `--role`."""
    by_value = {group.value: group.id for group in _grouping(study).groups}
    for role, values in roles:
        for value in values:
            if value not in by_value:
                known = ", ".join(map(str, sorted(by_value)))
                raise InputError(
                    "--role", f"no group has the value {value}", f"they have {known}"
                )
            study.set_role(by_value[value], role)


def open_study(path: Path) -> Study:
    """Open a study without its pixels; each map it names must be there."""
    from napari_dgc.study.storing.loading import load_study
    from napari_dgc.study.study import Study

    loaded = load_study(path, pixels=False)
    if loaded.faults:
        raise loaded.faults[0]
    study = Study()
    study.adopt(loaded)
    if study.grouping is None:
        raise InputError(path, "has no model yet", "train first, or give it a model")
    return study


def _grouping(study: Study) -> Grouping:
    if study.grouping is None:
        raise RuntimeError("a study with a model has a grouping")
    return study.grouping


def _read_maps(folder: Path, grouping: Grouping) -> Mapping[str, NDArray[np.uint8]]:
    """Maps by stem; each holds only clusters that there are."""
    from napari_dgc.reports.masks import read_label_tiff

    maps = {}
    for path in find_maps(folder, _ENDING):
        clusters = maps[path.name.removesuffix(_ENDING)] = read_label_tiff(path)
        check_clusters(path, clusters, grouping)
    return maps


def _refined(
    study: Study,
    maps: Mapping[str, NDArray[np.uint8]],
    cubes: Mapping[str, Cube],
    options: argparse.Namespace,
) -> Mapping[str, NDArray[np.uint8]]:
    """The maps, split as the grouping's clusters are."""
    if not study.splits:
        return maps
    from napari_dgc.study.dividing import CubeMap, refine

    model = study.model
    if model is None:
        raise RuntimeError("a study with splits has a model")
    refined = {}
    with ProgressLine(options.quiet) as progress:
        for stem, clusters in maps.items():
            one = CubeMap(cubes.get(stem), clusters)
            try:
                for piece in refine(model, one, study.splits):
                    if isinstance(piece, CubeMap):
                        refined[stem] = piece.clusters
                    else:
                        progress.show(f"{piece.text} {piece.done:.0%}")
            except InputError as error:
                if one.cube is None:
                    path = options.maps / f"{stem}{_ENDING}"
                    raise InputError(path, error.fault, error.remedy) from error
                raise
    return refined


def check_clusters(path: Path, clusters: NDArray[np.uint8], grouping: Grouping) -> None:
    """Raise InputError where a map holds a cluster that the model has not."""
    strange = set(np.unique(clusters).tolist()) - {0, *grouping.clusters}
    if strange:
        raise InputError(
            path,
            f"it holds cluster {max(strange)}, which the model has not",
            "segment the cube with this model",
        )
