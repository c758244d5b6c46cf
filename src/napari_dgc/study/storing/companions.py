"""The model and the maps in files beside a study's file.

They lie in ``<stem>.dgc/<model's fingerprint>/``: ``model.safetensors`` and, per
cube, ``<stem>_clusters.tif``, ``<stem>_stats.npz``, ``<stem>_confidence.tif`` and,
where it was measured, ``<stem>_stability.npz``. None is ever replaced by other content,
since the study's file (or its ``.bak``) may name it: another model has another folder,
another map of the same model another name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from napari_dgc.cubes.checks import read_regular
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import sync_folder, write_whole
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.reports.masks import encode_label_tiff
from napari_dgc.study.calibrations import bad_bands, calibration_reference
from napari_dgc.study.exports import file_stems
from napari_dgc.study.moved import Moved
from napari_dgc.study.storing.file_reference import FileReference
from napari_dgc.study.storing.fingerprints import cube_fingerprint
from napari_dgc.study.storing.former_record import FormerRecord
from napari_dgc.study.storing.record import CubeRecord
from napari_dgc.study.storing.reference import CubeReference, missing_reference
from napari_dgc.study.storing.snapshot import Snapshot

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model

SUFFIX = ".dgc.json"
_KINDS = ("clusters", "statistics", "confidence")
_ENDINGS = {
    "clusters": "_clusters.tif",
    "statistics": "_stats.npz",
    "confidence": "_confidence.tif",
}
_STABILITY = "_stability.npz"


def companion_folder(path: Path) -> Path:
    """The folder beside a study's file."""
    return path.with_name(path.name.removesuffix(SUFFIX) + ".dgc")


def content_fingerprint(content: bytes) -> str:
    """A digest of a file's bytes."""
    return hashlib.sha256(content).hexdigest()[:32]


class Companions:
    """Which file holds what: remembered, so that only what is new is written.

    Objects are told by identity: cubes, models and maps are never changed in place.
    One thread at a time.
    """

    def __init__(self) -> None:
        # By id; the object is kept too, or its id could become another's.
        self._files: dict[int, tuple[object, FileReference]] = {}
        self._prints: dict[int, tuple[Cube, str | None]] = {}

    def remember(self, content: object, file: FileReference) -> None:
        """Know of a file that was read."""
        self._files[id(content)] = content, file

    def remember_cube(self, cube: Cube, fingerprint: str | None) -> None:
        """Know of a cube that was read."""
        self._prints[id(cube)] = cube, fingerprint

    def forget_others(self, snapshot: Snapshot) -> None:
        """Keep nothing but what is in the snapshot."""
        kept = {id(content) for content in snapshot.contents}
        for known in (self._files, self._prints):
            for key in [key for key in known if key not in kept]:
                del known[key]

    # -- what is known --------------------------------------------------------

    def model(self, snapshot: Snapshot, path: Path) -> FileReference | None:
        """The file of the model; written if need be."""
        model = snapshot.model
        if model is None:
            return None
        known = self._known(model, snapshot, path)
        return known or self._write_model(model, _folder(snapshot, path))

    def cube(self, snapshot: Snapshot, index: int, path: Path) -> CubeRecord:
        """All that is on disk of a cube; its maps only if they are, too."""
        files = {
            kind: self._known(content, snapshot, path)
            for kind, content in self._contents(snapshot, index).items()
        }
        reference = self._reference(snapshot.cubes[index])
        if None in files.values():
            return CubeRecord(reference)
        return CubeRecord(
            reference, **files, stability=self._moved_file(snapshot, index, path)
        )

    def former(self, former: Snapshot, path: Path) -> FormerRecord:
        """All of an earlier or later model; what is not on disk yet is written.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        for index in self.unwritten(former, path):
            self.write_maps(former, index, path)
        cubes = [self.cube(former, i, path) for i in range(len(former.cubes))]
        return FormerRecord(
            self.model(former, path),
            tuple(None if one.clusters is None else one.files for one in cubes),
            former.steps,
            former.index,
            former.next_id,
            former.view.hidden,
            former.view.rejected,
            former.taking,
        )

    def unwritten(self, snapshot: Snapshot, path: Path) -> list[int]:
        """Cubes with a map that is not on disk yet."""
        return [
            index
            for index in sorted(snapshot.clusters)
            if self.cube(snapshot, index, path).clusters is None
            or (
                index in snapshot.moved
                and self._moved_file(snapshot, index, path) is None
            )
        ]

    def _moved_file(
        self, snapshot: Snapshot, index: int, path: Path
    ) -> FileReference | None:
        moved = snapshot.moved.get(index)
        return None if moved is None else self._known(moved, snapshot, path)

    def _known(
        self, content: object, snapshot: Snapshot, path: Path
    ) -> FileReference | None:
        _, file = self._files.get(id(content), (None, None))
        # Saved under another name, a study gets files of its own; and somebody may have
        # deleted them.
        if file is None or file.path.parent != _folder(snapshot, path):
            return None
        return file if file.path.is_file() else None

    def _reference(self, cube: Cube) -> CubeReference:
        missing = missing_reference(cube)
        if missing is not None:
            return missing
        if id(cube) not in self._prints:
            try:
                fingerprint = cube_fingerprint(cube)
            except InputError:  # its file is gone, while its pixels are in memory
                fingerprint = None
            self.remember_cube(cube, fingerprint)
        _, fingerprint = self._prints[id(cube)]
        return CubeReference(
            cube.name,
            cube.path,
            cube.key,
            cube.axes,
            cube.shape,
            fingerprint,
            calibration_reference(cube),
            bad_bands(cube),
        )

    # -- writing ----------------------------------------------------------------

    def write_maps(self, snapshot: Snapshot, index: int, path: Path) -> None:
        """Write what segmenting left of one cube.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        stem = file_stems([cube.name for cube in snapshot.cubes])[index]
        folder = _folder(snapshot, path)
        contents = {
            _ENDINGS[kind]: content
            for kind, content in self._contents(snapshot, index).items()
        }
        if index in snapshot.moved:
            contents[_STABILITY] = snapshot.moved[index]
        for ending, content in contents.items():
            if self._known(content, snapshot, path) is None:
                buffer = BytesIO()
                _encode(buffer, content)
                file = _write_new(folder, stem, ending, buffer.getvalue())
                self.remember(content, file)

    def _write_model(self, model: Model, folder: Path) -> FileReference:
        from napari_dgc.clustering.model import Model

        path = folder / "model.safetensors"
        try:
            there = path.is_file() and Model.load(path).fingerprint == model.fingerprint
        except InputError:
            there = False
        if not there:
            model.save(path)
            sync_folder(folder.parent)
            sync_folder(folder.parent.parent)
        file = FileReference(path, model.fingerprint)
        self.remember(model, file)
        return file

    @staticmethod
    def _contents(snapshot: Snapshot, index: int) -> Mapping[str, object]:
        by_kind = (snapshot.clusters, snapshot.statistics, snapshot.confidence)
        pairs = zip(_KINDS, by_kind, strict=True)
        return {kind: values[index] for kind, values in pairs if index in values}


def _folder(snapshot: Snapshot, path: Path) -> Path:
    if snapshot.model is None:
        raise RuntimeError("a study without a model has no maps")
    return companion_folder(path) / snapshot.model.fingerprint


def _encode(file: BinaryIO, content: object) -> None:
    if isinstance(content, ClusterStatistics | Moved):
        content.write(file)
    else:
        encode_label_tiff(file, content)  # type: ignore[arg-type]


def _write_new(folder: Path, stem: str, ending: str, content: bytes) -> FileReference:
    """Write a file unless it is there; never in place of another one."""
    fingerprint = content_fingerprint(content)
    number, path = 1, folder / f"{stem}{ending}"
    while path.exists():
        try:
            if content_fingerprint(read_regular(path)) == fingerprint:
                return FileReference(path, fingerprint)
        except OSError:
            pass
        number += 1
        path = folder / f"{stem}-{number}{ending}"
    write_whole(path, lambda file: file.write(content))
    return FileReference(path, fingerprint)
