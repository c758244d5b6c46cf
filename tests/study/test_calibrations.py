"""A study keeps its cubes' references and bands, and reads them again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_dgc.cubes.bands import select_bands
from napari_dgc.cubes.calibrating import calibrate, calibration_from, tile_calibration
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.readers import read_cube
from napari_dgc.study import Study
from napari_dgc.study.storing.study_file import load_study, open_study, save_study

C, H, W = 6, 9, 7


def write(folder: Path, name: str, low: int, high: int, seed: int) -> Cube:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    path = folder / f"{name}.npy"
    np.save(path, rng.integers(low, high, (C, H, W)).astype(np.uint16))
    return read_cube(path, axes="byx")


def references(folder: Path) -> tuple[Cube, Cube, Cube]:
    return (
        write(folder, "leaf", 200, 2000, 1),
        write(folder, "white", 3000, 3010, 2),
        write(folder, "dark", 90, 100, 3),
    )


def saved(folder: Path, cube: Cube) -> Path:
    study = Study()
    study.add_cubes([cube])
    return save_study(study, folder / "S.dgc.json")


def whole(cube: Cube) -> np.ndarray:
    return np.concatenate(
        [part.ravel() for part in cube.block(slice(0, H), slice(0, W))]
    )


@pytest.mark.parametrize("how", ["column", "band", "pixel", "tile"])
def test_the_same_reflectance_comes_back(tmp_path: Path, how: str) -> None:
    raw, white, dark = references(tmp_path / "data")
    if how == "tile":
        tile = (slice(1, 3), slice(2, 5))
        calibration = tile_calibration(raw, tile, dark, reflectance=0.4)
    else:
        calibration = calibration_from(white, dark, per=how, reflectance=0.9)
    cube = select_bands(calibrate(raw, calibration), drop=[0, 4, 5])
    path = saved(tmp_path, cube)
    (again,) = open_study(path).cubes
    assert again.calibration is not None
    assert again.calibration.fingerprint == calibration.fingerprint
    np.testing.assert_array_equal(again.good_bands, cube.good_bands)
    np.testing.assert_array_equal(whole(again), whole(cube))
    # And once more from what was read.
    second = saved(tmp_path / "second", again)
    np.testing.assert_array_equal(whole(open_study(second).cubes[0]), whole(cube))


def test_nothing_is_said_of_a_cube_as_its_file_has_it(tmp_path: Path) -> None:
    raw, *_ = references(tmp_path)
    (cube,) = json.loads(saved(tmp_path, raw).read_text("utf-8"))["cubes"]
    assert not {"calibration", "bad_bands"} & set(cube)


def test_a_moved_study_finds_the_references_beside_its_cube(tmp_path: Path) -> None:
    raw, white, dark = references(tmp_path / "a" / "data")
    cube = calibrate(raw, calibration_from(white, dark))
    expected = whole(cube)
    path = saved(tmp_path / "a", cube)
    shutil.move(tmp_path / "a", tmp_path / "b")
    (moved,) = open_study(tmp_path / "b" / path.name).cubes
    np.testing.assert_array_equal(whole(moved), expected)
    # The cube and its references alone, to the study's own folder.
    for file in (tmp_path / "b" / "data").iterdir():
        shutil.move(file, tmp_path / "b" / file.name)
    (again,) = open_study(tmp_path / "b" / path.name).cubes
    np.testing.assert_array_equal(whole(again), expected)


def test_references_that_changed_or_went_are_told(tmp_path: Path) -> None:
    raw, white, dark = references(tmp_path)
    path = saved(tmp_path, calibrate(raw, calibration_from(white, dark)))
    write(tmp_path, "white", 2500, 2510, 9)
    loaded = load_study(path)
    assert "not what the study was made with" in str(loaded.faults[0])
    assert loaded.cubes[0].shape == (C, H, W)  # its place is kept
    (tmp_path / "dark.npy").unlink()
    assert "dark.npy: no such file" in str(load_study(path).faults[0])
    study = Study()
    study.adopt(loaded)
    reference = study.missing[0]
    assert reference.calibration is not None
    assert reference.calibration.per == "column"
    # Saved while the references are gone, the study still knows them.
    before = json.loads(path.read_text("utf-8"))["cubes"]
    save_study(study, path)
    assert json.loads(path.read_text("utf-8"))["cubes"] == before
