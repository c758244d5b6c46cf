"""Read a study's file and those beside it; each is checked to be the one meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.checks import read_regular
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.history import History
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.reports.masks import read_label_tiff
from napari_dgc.study.moved import Moved
from napari_dgc.study.storing.companions import content_fingerprint
from napari_dgc.study.storing.file_reference import FileReference
from napari_dgc.study.storing.former_record import FormerRecord
from napari_dgc.study.storing.record import StudyRecord, decode_record
from napari_dgc.study.storing.reference import CubeReference
from napari_dgc.study.storing.writer import BACKUP, is_intact

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model


class MappedFiles(NamedTuple):
    """What segmenting left of a cube, read again; the map and confidence are (H, W)."""

    clusters: NDArray[np.uint8]
    statistics: ClusterStatistics | None
    confidence: NDArray[np.uint8] | None


def read_record(path: Path) -> tuple[StudyRecord, bytes]:
    """Read a study's file alone: what it names is not looked at.

    Returns
    -------
    record : StudyRecord
    content : bytes
        As they were read.

    Raises
    ------
    InputError
        See `read_study`.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(path, f"cannot be read ({reason})", _remedy(path)) from error
    try:
        return decode_record(content, path.parent, path), content
    except InputError:
        raise
    except ValueError as error:
        raise InputError(
            path, f"is no study of napari-dgc, or is damaged: {error}", _remedy(path)
        ) from error


def _remedy(path: Path) -> str:
    backup = path.with_name(path.name + BACKUP)
    if is_intact(backup):
        return f"open {backup.name} beside it, the state before the last change"
    return "choose a file that ends in .dgc.json, or an intact copy of this one"


def read_model(file: FileReference) -> Model:
    """Read the study's model; InputError if it is another one or damaged."""
    from napari_dgc.clustering.model import Model

    model = Model.load(file.path)
    if model.fingerprint != file.fingerprint:
        raise InputError(
            file.path,
            f"is the model {model.fingerprint}, the study was made with "
            f"{file.fingerprint}",
            "put the study's own model back there",
        )
    return model


def restore_history(
    record: StudyRecord | FormerRecord, model: Model | None, path: Path
) -> History | None:
    """Take the steps again; InputError if one cannot be taken."""
    try:
        if model is not None:
            start = Grouping.start(model.cluster_ids.tolist())
            return History.restore(start, record.steps, record.index, record.next_id)
        if record.steps or (
            isinstance(record, StudyRecord)
            and any(cube.clusters for cube in record.cubes)
        ):
            raise ValueError("there are steps or maps, and no model")
    except ValueError as error:
        raise InputError(path, f"contradicts itself: {error}", _remedy(path)) from error
    return None


def read_map(file: FileReference, cube: CubeReference) -> NDArray[np.uint8]:
    """Read a map of a cube, (H, W); InputError if it is not the one meant."""
    _check_content(file)
    values = read_label_tiff(file.path)
    if values.shape != cube.shape[1:]:
        raise InputError(file.path, f"does not fit {cube.name}", "map that cube again")
    return values


def read_statistics(file: FileReference) -> ClusterStatistics:
    """Read statistics; InputError if they are not the ones meant."""
    _check_content(file)
    return ClusterStatistics.load(file.path)


def read_segmented(
    files: Sequence[FileReference | None],
    cube: CubeReference,
    remember: Callable[[object, FileReference], None],
) -> MappedFiles | None:
    """Read what segmenting left of a cube: all of it, or InputError; None: no map.

    Parameters
    ----------
    files : sequence of FileReference or None
        As `CubeRecord.files`.
    cube : CubeReference
    remember : callable
        Told of each content and its file, once all are read.
    """
    clusters, sums, sure, _ = files
    if clusters is None:
        return None
    shown = read_map(clusters, cube)
    confidence = None if sure is None else read_map(sure, cube)
    statistics = None if sums is None else read_statistics(sums)
    read = MappedFiles(shown, statistics, confidence)
    for content, file in zip(read, files, strict=False):
        if content is not None and file is not None:
            remember(content, file)
    return read


def read_moved(file: FileReference, cube: CubeReference) -> Moved:
    """Read what noise moves; InputError if it is not the one meant."""
    _check_content(file)
    moved = Moved.load(file.path)
    if not moved.fits(cube.shape[1:]):
        raise InputError(file.path, f"does not fit {cube.name}", "measure it again")
    return moved


def _check_content(file: FileReference) -> None:
    try:
        found = content_fingerprint(read_regular(file.path))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            file.path, f"cannot be read ({reason})", "map that cube again"
        ) from error
    if found != file.fingerprint:
        raise InputError(
            file.path, "is not what the study wrote there", "map that cube again"
        )
