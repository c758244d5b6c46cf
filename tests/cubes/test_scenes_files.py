from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.io import loadmat

from napari_dgc.cubes.annotations import read_labels
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes, read_cube
from napari_dgc.cubes.scenes import (
    SceneConfig,
    make_scene,
    make_scenes,
    write_scene_envi,
    write_scenes,
)

TINY = SceneConfig(size=64, bands=24)


def test_written_scenes_read_back(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    paths = write_scenes(
        tmp_path / "new" / "folder",
        2,
        64,
        7,
        config=TINY,
        progress=lambda *news: told.append(news),
    )
    folder = tmp_path / "new" / "folder"
    scenes = list(make_scenes(2, 64, 7, config=TINY))
    assert [path.stem for path in paths] == [scene.name for scene in scenes]
    assert told == [(1, 2, "leaf_01_healthy"), (2, 2, "leaf_02_day3")]
    assert len(list(folder.iterdir())) == 6  # no temporary file is left
    for path, scene in zip(paths, scenes, strict=True):
        content = loadmat(path)
        assert content["cube"].dtype == np.float32
        np.testing.assert_array_equal(content["cube"], scene.cube.data)
        np.testing.assert_array_equal(
            content["wavelengths"].ravel(), scene.cube.wavelengths
        )
        truth = tifffile.imread(folder / f"{scene.name}_labels.tif")
        assert truth.dtype == np.uint8
        np.testing.assert_array_equal(truth, scene.labels)


def test_our_own_readers_take_them(tmp_path: Path) -> None:
    write_scenes(tmp_path, 2, 64, 7, config=TINY)
    for path, scene in zip(
        find_cubes([tmp_path]), make_scenes(2, 64, 7, config=TINY), strict=True
    ):
        cube = read_cube(path)
        assert cube.name == scene.name
        np.testing.assert_array_equal(np.asarray(cube.data[:]), scene.cube.data)
        np.testing.assert_allclose(cube.wavelengths, scene.cube.wavelengths)
        labels = read_labels(tmp_path, scene.name, (64, 64))
        assert labels.classes == ("background", "healthy", "lesion")
        np.testing.assert_array_equal(labels.data, scene.labels)


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    (tmp_path / "leaf_02_day3.json").write_text("mine")
    with pytest.raises(InputError, match=r"leaf_02_day3\.json: exists already"):
        write_scenes(tmp_path, 2, 64, 7, config=TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["leaf_02_day3.json"]
    assert (tmp_path / "leaf_02_day3.json").read_text() == "mine"
    write_scenes(tmp_path, 2, 64, 7, config=TINY, force=True)
    assert (tmp_path / "leaf_02_day3.json").read_text() != "mine"


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken"):
        write_scenes(tmp_path / "taken", 1, 64, 7, config=TINY)


@pytest.mark.parametrize("interleave", ["bsq", "bil"])
def test_envi_holds_the_same_numbers(tmp_path: Path, interleave: str) -> None:
    config = SceneConfig(size=(50, 70), bands=12)
    header = write_scene_envi(tmp_path / "large", config, 5, interleave=interleave)
    scene = make_scene(config, 5)
    raw = np.fromfile(tmp_path / "large.img", "<f4")
    stored = (
        raw.reshape(12, 50, 70)
        if interleave == "bsq"
        else raw.reshape(50, 12, 70).transpose(1, 0, 2)
    )
    np.testing.assert_array_equal(stored, scene.cube.data)
    cube = read_cube(header)
    np.testing.assert_array_equal(np.asarray(cube.data[:]), scene.cube.data)
    np.testing.assert_allclose(cube.wavelengths, scene.cube.wavelengths, atol=1e-3)
    truth = tifffile.imread(tmp_path / "large_labels.tif")
    np.testing.assert_array_equal(truth, scene.labels)
    with pytest.raises(InputError, match="exists already"):
        write_scene_envi(tmp_path / "large", config, 5)
