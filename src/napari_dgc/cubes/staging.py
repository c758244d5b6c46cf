"""Files that belong together: all of them appear, or none."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import check_free, sync_folder

_STALE = 86_400.0  # seconds after which what is being written has no writer any more


@contextlib.contextmanager
def staged(folder: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give a folder to write into; what is in it moves to `folder` at the end.

    Parameters
    ----------
    folder : str or pathlib.Path
        Made if missing.
    force : bool
        Replace files that are there.

    Yields
    ------
    pathlib.Path
        An empty folder on the same disk.

    Raises
    ------
    InputError
        If a file is in the way and `force` is False, or `folder` cannot be written
        to. Then, and whatever else is raised meanwhile, `folder` holds what it held.
    """
    folder = Path(folder)
    mark = uuid4().hex[:8]
    stage, old = (folder / f".napari-dgc.{mark}.{kind}.tmp" for kind in ("new", "old"))
    made = [p for p in (folder, *folder.parents) if not p.exists()]  # deepest first
    finished = False
    try:
        stage.mkdir(parents=True)
        _remove_stale(folder)
        yield stage
        _move_all(stage, old, folder, force=force)
        finished = True
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            folder, f"cannot be written to ({reason})", "choose another folder"
        ) from error
    finally:
        for left in (stage, old):
            shutil.rmtree(left, ignore_errors=True)
        for empty in () if finished else made:
            with contextlib.suppress(OSError):
                empty.rmdir()  # refuses where somebody put something meanwhile


def _remove_stale(folder: Path) -> None:
    """Remove what writers that were killed left here long ago."""
    for left in folder.glob(".napari-dgc.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE:
                shutil.rmtree(left, ignore_errors=True)


def _keep(path: Path, old: Path) -> None:
    """Give a file a second name: killed now, somebody still has it under the first."""
    try:
        os.link(path, old)
    except (OSError, NotImplementedError):  # a disk without links
        path.replace(old)


def _move_all(stage: Path, old: Path, folder: Path, *, force: bool) -> None:
    """Move every file; when one cannot be moved, move all back."""
    names = sorted(path.name for path in stage.iterdir())
    for name in names:
        check_free(folder / name, force=force)
    old.mkdir()
    moved: list[str] = []
    try:
        for name in names:
            if (folder / name).exists():
                _keep(folder / name, old / name)
            moved.append(name)
            (stage / name).replace(folder / name)
    except BaseException:
        for name in reversed(moved):
            with contextlib.suppress(OSError):
                (folder / name).unlink(missing_ok=True)
                if (old / name).exists():
                    (old / name).replace(folder / name)
        raise
    sync_folder(folder)
