"""Writes snapshots of a study, and only what is new of each."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from itertools import count
from pathlib import Path

from napari_dgc.cubes.checks import read_regular
from napari_dgc.cubes.errors import InputError
from napari_dgc.study.leaves import LeafRegions
from napari_dgc.study.storing.companions import SUFFIX, Companions, companion_folder
from napari_dgc.study.storing.leaf_file import leaves_path, save_leaves
from napari_dgc.study.storing.record import (
    StepTexts,
    StudyRecord,
    decode_record,
    encode_record,
)
from napari_dgc.study.storing.replacing import remove_stale, replace_file
from napari_dgc.study.storing.snapshot import Snapshot

BACKUP = ".bak"  # after the whole name


class StudyWriter:
    """What is on disk of one study, and the one door through which it gets there.

    May be used by any thread; one writes at a time.
    """

    def __init__(self) -> None:
        self.companions = Companions()
        self.numbers = count(1)  # of snapshots
        self._lock = threading.Lock()
        self._texts = StepTexts()
        self._path: Path | None = None  # what the following are about
        self._digest = ""  # of the content that is there
        self._stamp: tuple[int, int, int] | None = None  # of the file, as it was left
        self._number = 0  # the snapshot that is there
        self._tidied: Path | None = None  # rid of what killed writers left
        # Which leaves are on disk, and beside which study.
        self._leaves: tuple[Path, LeafRegions | None] | None = None

    def found(self, path: Path, content: bytes) -> None:
        """Know of a file that was read and is intact."""
        self._path, self._digest = path, _digest(content)
        self._stamp, self._number = _stamp(path), 0

    def found_leaves(self, path: Path, leaves: LeafRegions | None) -> None:
        """Know of leaves that were read; None: leave alone what is there."""
        self._leaves = path, leaves

    def write_record(self, snapshot: Snapshot, path: Path) -> None:
        """Write the study's file, naming those maps that are on disk.

        The model is written first if it is new. Nothing is done where the file says
        all this already, or says something newer.

        Raises
        ------
        InputError
            If it cannot be written; the file is as it was then.
        """
        with self._lock:
            if path == self._path and snapshot.number < self._number:
                return
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                reason = error.strerror or str(error)
                raise InputError(
                    path, f"cannot be written ({reason})", "save it elsewhere"
                ) from error
            record = StudyRecord(
                cubes=tuple(
                    self.companions.cube(snapshot, i, path)
                    for i in range(len(snapshot.cubes))
                ),
                model=self.companions.model(snapshot, path),
                steps=snapshot.steps,
                index=snapshot.index,
                next_id=snapshot.next_id,
                view=snapshot.view,
                taking=snapshot.taking,
                earlier=tuple(
                    self.companions.former(o, path) for o in snapshot.earlier
                ),
                later=tuple(self.companions.former(o, path) for o in snapshot.later),
            )
            content = encode_record(record, path.parent, self._texts)
            self._replace(path, content)
            self._number = snapshot.number
            self._write_leaves(path, snapshot.leaves)
            self.companions.forget_others(snapshot)

    def unwritten(self, snapshot: Snapshot, path: Path) -> list[int]:
        """Cubes with a map that is not on disk yet."""
        with self._lock:
            return self.companions.unwritten(snapshot, path)

    def write_maps(self, snapshot: Snapshot, index: int, path: Path) -> None:
        """Write the maps of one cube; the next record will name them.

        Raises
        ------
        InputError
            If they cannot be written.
        """
        with self._lock:
            self.companions.write_maps(snapshot, index, path)

    def _write_leaves(self, path: Path, leaves: LeafRegions | None) -> None:
        """Write the leaves where they are new; those of a study replaced here go."""
        known = self._leaves
        if known is not None and known[0] == path and known[1] is leaves:
            return
        file = leaves_path(path)
        if leaves is not None:
            save_leaves(leaves, file, force=True)
        else:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        self._leaves = path, leaves

    def _replace(self, path: Path, content: bytes) -> None:
        ours = path == self._path and _stamp(path) == self._stamp
        digest = _digest(content)
        if ours and digest == self._digest:
            return
        if path != self._tidied:
            remove_stale(path, companion_folder(path))
            self._tidied = path
        # A damaged file is no backup: the one that is there may be intact.
        keep = ours or is_intact(path)
        backup = path.with_name(path.name + BACKUP)
        replace_file(path, content, backup=backup if keep else None)
        self._path, self._digest, self._stamp = path, digest, _stamp(path)


def check_study_path(path: str | Path) -> Path:
    """Give the path of a study's file; InputError if its name cannot be one."""
    path = Path(path)
    if not path.name.endswith(SUFFIX) or path.name == SUFFIX:
        raise InputError(
            path, "is no name for a study", f"give one that ends in {SUFFIX}"
        )
    if path.is_dir():
        raise InputError(path, "is a folder", "give the name of a file")
    return path


def is_intact(path: Path) -> bool:
    """Whether a study's file can be read."""
    try:
        decode_record(read_regular(path), path.parent, path)
    except InputError:
        return True  # a newer version's
    except (OSError, ValueError):
        return False
    return True


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
