"""Read the models that were in use before that of a study, and after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_dgc.cubes.errors import InputError
from napari_dgc.study.grouped import tree_of
from napari_dgc.study.maps import CubeMaps
from napari_dgc.study.modelled import Former
from napari_dgc.study.storing.former_record import FormerRecord
from napari_dgc.study.storing.record import StudyRecord
from napari_dgc.study.storing.stored import (
    read_model,
    read_moved,
    read_segmented,
    restore_history,
)

if TYPE_CHECKING:
    from napari_dgc.study.storing.loading import LoadedStudy


def read_formers(loaded: LoadedStudy, record: StudyRecord) -> None:
    """Read them into `loaded`; a model or map that is gone ends the way there.

    That is told among its faults.
    """
    for found, records in (
        (loaded.earlier, record.earlier),
        (loaded.later, record.later),
    ):
        for former in records:
            try:
                found.append(_read(loaded, record, former))
            except InputError as error:
                loaded.faults.append(error)
                break


def _read(loaded: LoadedStudy, record: StudyRecord, former: FormerRecord) -> Former:
    path = loaded.path or Path()
    if former.model is None:
        raise InputError(path, "names no file of an earlier model", "go on without it")
    remember = loaded.writer.companions.remember
    model = read_model(former.model)
    remember(model, former.model)
    history = restore_history(former, model, path)
    if history is None:
        raise RuntimeError("a model has a history")
    maps = CubeMaps()
    for index, (cube, files) in enumerate(zip(record.cubes, former.maps, strict=False)):
        read = None if files is None else read_segmented(files, cube.cube, remember)
        if files is None or read is None:
            continue
        maps.put(index, *read)
        moved = files[-1]
        if moved is not None:
            maps.moved[index] = read_moved(moved, cube.cube)
            remember(maps.moved[index], moved)
    return Former(
        model,
        tree_of(model),
        history,
        maps,
        former.hidden,
        former.rejected,
        former.taking,
    )
