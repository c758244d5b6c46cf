"""A study as a file: written whole, read back as it was."""

from __future__ import annotations

from pathlib import Path

from napari_dgc.cubes.errors import InputError
from napari_dgc.study.storing.loading import Find, LoadedStudy, load_study, read_study
from napari_dgc.study.storing.locating import read_located, search_cubes
from napari_dgc.study.storing.reference import CubeReference
from napari_dgc.study.storing.snapshot import Snapshot
from napari_dgc.study.storing.writer import check_study_path
from napari_dgc.study.study import Study

__all__ = [
    "CubeReference",
    "Find",
    "LoadedStudy",
    "open_study",
    "read_located",
    "read_study",
    "save_study",
    "search_cubes",
]


def save_study(study: Study, path: str | Path, *, force: bool = True) -> Path:
    """Write a study, with its model and maps beside it; sets `Study.path`.

    Blocks until all is on disk: the screen uses `Autosave`.

    Raises
    ------
    InputError
        If `path` does not end in `.dgc.json`, exists and `force` is False, or cannot
        be written. An older file is as it was then.
    """
    path = check_study_path(path)
    if path.exists() and not force:
        raise InputError(
            path, "it exists already", "use --force to replace it, or another name"
        )
    writer, home = study.writer, path.absolute()
    snapshot = Snapshot.of(study, next(writer.numbers))
    for index in writer.unwritten(snapshot, home):
        writer.write_maps(snapshot, index, home)
    writer.write_record(snapshot, home)
    study.path = home
    return path


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
        `Cube` or None. Without an answer the cube is kept as missing.

    Raises
    ------
    InputError
        See `read_study`.
    """
    study = Study()
    study.adopt(load_study(path, find=find))
    return study
