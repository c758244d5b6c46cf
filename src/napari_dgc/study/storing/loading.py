"""Read all of a study, on any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.agreement import check_same_bands, common_wavelengths
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.history import History
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.study.leaves import LeafRegions
from napari_dgc.study.mapping import Progress
from napari_dgc.study.modelled import Former, Taking
from napari_dgc.study.moved import Moved
from napari_dgc.study.storing.former_reading import read_formers
from napari_dgc.study.storing.leaf_file import leaves_path, load_leaves
from napari_dgc.study.storing.locating import (
    check_fits,
    locate_cubes,
    read_located,
    search_cubes,
)
from napari_dgc.study.storing.record import CubeRecord
from napari_dgc.study.storing.reference import CubeReference, missing_cube
from napari_dgc.study.storing.stored import (
    read_model,
    read_moved,
    read_record,
    read_segmented,
    restore_history,
)
from napari_dgc.study.storing.writer import BACKUP, StudyWriter
from napari_dgc.study.view import View

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model

Find = Callable[[CubeReference], "str | Path | Cube | None"]


@dataclass(slots=True, eq=False)
class LoadedStudy:
    """All that a study's file holds, read but in no `Study` yet.

    Made in a worker by `read_study`; `Study.adopt` takes it on the screen's thread.

    Attributes
    ----------
    path : pathlib.Path, optional
        Where the study will be saved; None for a new one.
    cubes : tuple of Cube
        Missing ones too: see `Study.missing`.
    model : Model, optional
    history : History, optional
        None where there is no model.
    maps, confidence : dict of int to ndarray of uint8, shape (H, W)
        By the cube's place.
    statistics : dict of int to ClusterStatistics
    stability : dict of int to Moved
    taking : Taking, optional
    earlier, later : list of Former
        As in `Modelled`.
    view : View
    leaves : LeafRegions, optional
    moved : dict of int to pathlib.Path
        Cubes found elsewhere than where they had been: their old paths.
    faults : list of InputError
        What does not keep the study from opening, but should be told: cubes that
        changed or cannot be read, maps or leaves that are gone or damaged.
    """

    path: Path | None = None
    cubes: tuple[Cube, ...] = ()
    model: Model | None = None
    history: History | None = None
    maps: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    statistics: dict[int, ClusterStatistics] = field(default_factory=dict)
    confidence: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    stability: dict[int, Moved] = field(default_factory=dict)
    taking: Taking | None = None
    earlier: list[Former] = field(default_factory=list)
    later: list[Former] = field(default_factory=list)
    view: View = field(default_factory=View)
    leaves: LeafRegions | None = None
    moved: dict[int, Path] = field(default_factory=dict)
    faults: list[InputError] = field(default_factory=list)
    writer: StudyWriter = field(default_factory=StudyWriter, repr=False)


def read_study(
    path: str | Path, *, find: Find | None = None, pixels: bool = True
) -> Iterator[Progress | LoadedStudy]:
    """Read a study piece by piece, on any thread.

    Parameters
    ----------
    path, find
        As for `open_study`.
    pixels : bool
        False leaves all cubes unread, as if they were missing, and the leaves:
        enough for merging.

    Yields
    ------
    Progress
        Before each cube and each map.
    LoadedStudy
        Last.

    Raises
    ------
    InputError
        If the file, or the model's, cannot be read, is damaged, was written by a newer
        version or contradicts itself. A `.bak` that is intact is named.
    """
    path = Path(path)
    record, content = read_record(path)
    home = path.absolute().with_name(path.name.removesuffix(BACKUP))
    loaded = LoadedStudy(home)
    if home == path.absolute():
        loaded.writer.found(home, content)
    yield Progress("Reading the study", 0.0)
    if record.model is not None:
        loaded.model = read_model(record.model)
        loaded.writer.companions.remember(loaded.model, record.model)
    loaded.history = restore_history(record, loaded.model, path)
    loaded.view = record.view
    references = {i: one.cube for i, one in enumerate(record.cubes)}
    if pixels:
        yield from _read_cubes(loaded, references, find)
        _read_leaves(loaded, home)
    else:
        loaded.cubes = tuple(missing_cube(one) for one in references.values())
    for index, cube in enumerate(record.cubes):
        done = 0.5 + 0.5 * index / len(record.cubes)
        yield Progress(f"Reading the map of {cube.cube.name}", done)
        _read_maps(loaded, index, cube)
    if record.earlier or record.later:
        yield Progress("Reading the models before", 1.0)
    loaded.taking = record.taking
    read_formers(loaded, record)
    yield loaded


def load_study(
    path: str | Path, *, find: Find | None = None, pixels: bool = True
) -> LoadedStudy:
    """Read a study in one go; everything as for `read_study`."""
    *_, loaded = read_study(path, find=find, pixels=pixels)
    if not isinstance(loaded, LoadedStudy):
        raise RuntimeError("reading a study ended without one")
    return loaded


def _read_cubes(
    loaded: LoadedStudy, references: dict[int, CubeReference], find: Find | None
) -> Iterator[Progress]:
    """Read every cube that is found; keep the place of the others."""
    located = locate_cubes(references, (loaded.path or Path()).parent)
    cubes: dict[int, Cube] = {}
    asked: list[Path] = []  # folders that answers were in
    for index, reference in references.items():
        yield Progress(f"Reading {reference.name}", 0.5 * index / len(references))
        where = located[index]
        if where.state == "changed":
            loaded.faults.append(
                InputError(
                    reference.source,
                    "its content is not what the study was made of",
                    "put the file back, or say that it is this one",
                )
            )
        if where.path is not None:
            try:
                cubes[index] = read_located(reference, where.path)
            except InputError as error:
                loaded.faults.append(error)
    for index, reference in references.items():
        if index in cubes:
            continue
        cube = _ask(reference, asked, find)
        if cube is not None:
            cubes[index] = cube
            if cube.path is not None:
                asked.append(cube.path.parent)
    if cubes:
        check_same_bands(list(cubes.values()))
    for index, cube in cubes.items():
        reference = references[index]
        if reference.path is not None and cube.path not in (None, reference.path):
            loaded.moved[index] = reference.path
        if located[index].path == cube.path:
            loaded.writer.companions.remember_cube(cube, reference.fingerprint)
    loaded.cubes = _with_missing(loaded, references, cubes)


def _with_missing(
    loaded: LoadedStudy, references: dict[int, CubeReference], cubes: dict[int, Cube]
) -> tuple[Cube, ...]:
    known = list(cubes.values())
    wavelengths = common_wavelengths(known)
    if wavelengths is None and loaded.model is not None:
        wavelengths = loaded.model.wavelengths
    return tuple(
        cubes[i] if i in cubes else missing_cube(reference, wavelengths)
        for i, reference in references.items()
    )


def _ask(
    reference: CubeReference, folders: list[Path], find: Find | None
) -> Cube | None:
    """Look where earlier answers were, then ask."""
    for _, cube in search_cubes({0: reference}, folders):
        return cube
    answer = None if find is None else find(reference)
    if answer is None:
        return None
    if isinstance(answer, Cube):
        check_fits(reference, answer)
        return replace(answer, name=reference.name)
    return read_located(reference, answer)


def _read_leaves(loaded: LoadedStudy, home: Path) -> None:
    try:
        loaded.leaves = load_leaves(leaves_path(home))
    except InputError as error:
        loaded.faults.append(error)
    loaded.writer.found_leaves(home, loaded.leaves)


def _read_maps(loaded: LoadedStudy, index: int, record: CubeRecord) -> None:
    """Read what segmenting left of a cube; all of it or nothing."""
    remember = loaded.writer.companions.remember
    try:
        read = read_segmented(record.files, record.cube, remember)
    except InputError as error:
        loaded.faults.append(error)
        return
    if read is None:
        return
    loaded.maps[index] = read.clusters
    if read.confidence is not None:
        loaded.confidence[index] = read.confidence
    if read.statistics is not None:
        loaded.statistics[index] = read.statistics
    if record.stability is not None:
        try:
            loaded.stability[index] = moved = read_moved(record.stability, record.cube)
        except InputError:
            return  # not measured, then
        remember(moved, record.stability)
