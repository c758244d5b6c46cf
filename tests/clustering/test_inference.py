from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_dgc.clustering.inference import segment, windows
from napari_dgc.clustering.model import Model
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes import Scene


def assembled(model: Model, cube: Cube, tile: tuple[int, int]) -> np.ndarray:
    ids = np.zeros(cube.shape[1:], np.uint8)
    seen = np.zeros(cube.shape[1:], int)
    for window in windows(model, cube, tile=tile):
        ids[window.rows, window.cols] = window.ids
        seen[window.rows, window.cols] += 1
    assert (seen == 1).all()
    return ids


@pytest.mark.parametrize("which", ["first", "trained"])
def test_the_map_does_not_depend_on_the_tile(
    which: str, scenes: list[Scene], first_model: Model, trained_model: Model
) -> None:
    model = first_model if which == "first" else trained_model
    cube = scenes[1].cube
    whole = segment(model, cube).clusters
    for tile in ((96, 96), (7, 96), (33, 17), (16, 50)):
        equal = (assembled(model, cube, tile) == whole).mean()
        assert equal >= 0.99999, tile


def test_windows_carry_what_the_cube_holds(
    scenes: list[Scene], first_model: Model
) -> None:
    cube = scenes[0].cube
    for window in windows(first_model, cube, tile=(40, 50)):
        expected, _ = cube.block(window.rows, window.cols)
        np.testing.assert_array_equal(window.spectra, expected)
        assert window.ids.shape == window.confidence.shape == expected.shape[1:]


def test_ids_are_1_to_k_and_confidence_a_probability(
    scenes: list[Scene], first_model: Model
) -> None:
    result = segment(first_model, scenes[1].cube)
    assert result.clusters.dtype == np.uint8
    assert result.clusters.min() >= 1
    assert result.clusters.max() <= first_model.k
    assert result.confidence.min() >= 1 / first_model.k - 1e-6
    assert result.confidence.max() <= 1 + 1e-6


def test_pixels_without_data_are_cluster_0_and_change_little_around_them(
    scenes: list[Scene], first_model: Model
) -> None:
    cube = scenes[1].cube
    data = np.array(cube.data)
    data[:, 20:24, 30:33] = np.nan
    data[:, 50, :] = 0.25  # dead line
    mask = np.ones(data.shape[1:], bool)
    mask[:, 90:] = False
    broken = Cube(data, cube.wavelengths, mask=mask)
    bad = ~broken.valid
    result = segment(first_model, broken)
    assert ((result.clusters == 0) == bad).all()
    assert (result.confidence[bad] == 0).all()
    whole = segment(first_model, cube).clusters
    far = np.ones_like(bad)
    for row, col in np.argwhere(bad):  # 4 iterations of 2 pixels' reach
        far[max(0, row - 8) : row + 9, max(0, col - 8) : col + 9] = False
    assert far.mean() > 0.5
    assert (result.clusters[far] == whole[far]).mean() > 0.9999


def test_a_cube_of_other_bands_is_refused(first_model: Model) -> None:
    with pytest.raises(InputError, match="5 bands, the model was trained on 301"):
        segment(first_model, Cube(np.ones((5, 8, 8))))


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (3, 3)])
def test_slivers_are_mapped(
    shape: tuple[int, int], scenes: list[Scene], first_model: Model
) -> None:
    H, W = shape
    sliver = Cube(np.asarray(scenes[0].cube.data)[:, :H, :W])
    assert segment(first_model, sliver).clusters.min() >= 1


def test_a_cube_of_other_wavelengths_is_refused(
    scenes: list[Scene], first_model: Model
) -> None:
    cube = scenes[0].cube
    infrared = Cube(cube.data, np.linspace(1000, 2500, 301))
    with pytest.raises(InputError, match="wavelengths differ"):
        segment(first_model, infrared)


def test_the_map_holds_the_models_own_ids(
    scenes: list[Scene], first_model: Model
) -> None:
    K = first_model.k
    ids = np.array([*range(2, K + 1), 255], np.uint8)[::-1].copy()
    other = replace(first_model, cluster_ids=ids, retired_ids=(1,))
    plain, named = (segment(m, scenes[1].cube) for m in (first_model, other))
    np.testing.assert_array_equal(named.clusters, ids[plain.clusters - 1])
    np.testing.assert_array_equal(named.confidence, plain.confidence)
    assert named.clusters.dtype == np.uint8
