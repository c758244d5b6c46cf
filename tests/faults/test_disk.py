"""A disk that is full or for reading only: told in one line, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from small_study import act, make_study, map_all, small_model, state

from napari_dgc.cubes.errors import InputError
from napari_dgc.study import Study
from napari_dgc.study.leaves import LeafRegions, find_leaves
from napari_dgc.study.storing.autosave import Autosave
from napari_dgc.study.storing.leaf_file import leaves_path, save_leaves
from napari_dgc.study.storing.study_file import open_study, save_study

resource = pytest.importorskip("resource")
NOBODY = 65_534


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No file can grow beyond 200 bytes: where a disk is full, writing ends so too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Folders that nobody may write to: not even root, who is somebody else here."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)
        for path in folders:
            path.chmod(0o755)


FAULTS = {"full": (full_disk, "File too large"), "read-only": (read_only, "denied")}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may look into, as pytest's own are not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _save(study: Study, folder: Path) -> None:
    save_study(study, folder / "S.dgc.json")


def _export(study: Study, folder: Path) -> None:
    for _ in study.export(folder / "out", formats=("tif", "png")).run(force=True):
        pass


def _export_anew(study: Study, folder: Path) -> None:
    for _ in study.export(folder / "new" / "out").run():
        pass


def _leaves(study: Study, folder: Path) -> None:
    *_, leaves = find_leaves(study)
    assert isinstance(leaves, LeafRegions)
    save_leaves(leaves, leaves_path(folder / "S.dgc.json"), force=True)


def _model(study: Study, folder: Path) -> None:
    small_model(7).save(folder / "out" / "model.safetensors")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", [_save, _export, _export_anew, _leaves, _model])
def test_what_is_there_stays_and_the_fault_is_told(
    folder: Path, fault: str, write: Callable[[Study, Path], None]
) -> None:
    study = make_study(folder / "data")
    study.set_role(3, "healthy")
    _save(study, folder)
    _export(study, folder)
    before, (broken, reason) = files(folder), FAULTS[fault]
    map_all(study, 9)
    study.merge([1, 2], 3)
    with broken(folder), pytest.raises(InputError, match=reason) as told:
        write(study, folder)
    assert len(str(told.value).splitlines()) == 1
    assert files(folder) == before
    write(study, folder)  # once there is room, all goes on


@pytest.mark.parametrize("fault", FAULTS)
def test_a_window_goes_on_and_saves_later(folder: Path, fault: str) -> None:
    study = make_study(folder / "data")
    _save(study, folder)
    saved = state(study)
    broken, reason = FAULTS[fault]
    told: list[InputError] = []
    autosave = Autosave(study)
    autosave.failed.connect(told.append)
    rng = np.random.default_rng(0)
    with broken(folder):
        for _ in range(5):
            act(study, rng)
        assert not autosave.flush(60)
    assert told
    assert reason in str(told[0])
    assert state(open_study(folder / "S.dgc.json")) == saved
    assert autosave.flush(60)  # there is room again
    assert autosave.close(60)
    assert state(open_study(folder / "S.dgc.json")) == state(study)
