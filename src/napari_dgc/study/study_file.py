"""A study as a file: written whole, read back as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.history import History
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.study.mapping import Progress
from napari_dgc.study.reference import CubeReference
from napari_dgc.study.study import Study
from napari_dgc.study.view import View

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model

SUFFIX = ".dgc.json"
Find = Callable[[CubeReference], "Path | Cube | None"]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedStudy:
    """All that a study's file holds, read but in no `Study` yet.

    Made in a worker by `read_study`; `Study.adopt` takes it on the screen's thread.

    Attributes
    ----------
    path : pathlib.Path
        Where the study will be saved.
    cubes : tuple of Cube
        Missing ones too: see `Study.missing`.
    model : Model, optional
    history : History, optional
    maps, confidence : dict of int to ndarray of uint8, shape (H, W)
        By the cube's place.
    statistics : dict of int to ClusterStatistics
    view : View
    moved : dict of int to pathlib.Path
        Cubes found elsewhere than where they had been: their old paths.
    faults : tuple of InputError
        What could not be read but does not keep the study from opening: cubes
        that changed or cannot be read, maps that are gone or damaged.
    """

    path: Path
    cubes: tuple[Cube, ...]
    model: Model | None
    history: History | None
    maps: dict[int, NDArray[np.uint8]]
    statistics: dict[int, ClusterStatistics]
    confidence: dict[int, NDArray[np.uint8]]
    view: View
    moved: dict[int, Path]
    faults: tuple[InputError, ...]


def save_study(study: Study, path: str | Path, *, force: bool = True) -> Path:
    """Write a study, with its model and maps beside it; sets `Study.path`.

    Blocks until all is on disk: the screen uses `Autosave`.

    Raises
    ------
    InputError
        If `path` does not end in `.dgc.json`, exists and `force` is False, or cannot
        be written. An older file is as it was then.
    """
    raise NotImplementedError


def read_study(
    path: str | Path, *, find: Find | None = None
) -> Iterator[Progress | LoadedStudy]:
    """Read a study piece by piece, on any thread.

    Yields
    ------
    Progress
        Before each cube and each map.
    LoadedStudy
        Last.
    """
    raise NotImplementedError


def open_study(path: str | Path, *, find: Find | None = None) -> Study:
    """Read a study at once.

    Parameters
    ----------
    path : str or pathlib.Path
        A `.dgc.json`, or the `.bak` beside it: `Study.path` is the former in both
        cases.
    find : callable, optional
        Asked for each cube that is neither where it was, nor beside the study, nor
        where other cubes were found. Gets its `CubeReference`; gives a path, a
        `Cube` or None.
    """
    raise NotImplementedError


def search_cubes(
    missing: dict[int, CubeReference], folders: list[Path]
) -> Iterator[tuple[int, Cube]]:
    """Look for missing cubes in folders, by fingerprint; reads those found.

    For a worker: ``Study.locate`` takes what this yields. Folders are not
    searched recursively.
    """
    raise NotImplementedError


def read_located(reference: CubeReference, path: str | Path) -> Cube:
    """Read the cube that the user says is the missing one.

    Its name stays the study's; its fingerprint may be another one.

    Raises
    ------
    InputError
        If it cannot be read or has another shape.
    """
    raise NotImplementedError
