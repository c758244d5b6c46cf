"""Sample scenes: made as files are, one at a time on the screen."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.cubes.cube import Cube


@pytest.mark.screen
def test_leaf_study_shows_one_scene_of_six(make_napari_viewer) -> None:
    viewer = make_napari_viewer()
    layers = viewer.open_sample("napari-dgc", "leaf_study")
    cubes = [each for each in layers if "napari_dgc_cube" in each.metadata]
    assert len(cubes) == 6
    assert len(layers) == 12
    assert len({each.name for each in layers}) == 12
    visible = [each.name for each in layers if each.visible]
    assert visible == [cubes[0].name, f"{cubes[0].name} RGB"]
    healthy = ["healthy" in each.name for each in cubes]
    assert any(healthy)
    assert not all(healthy)
    for layer in cubes:
        cube = layer.metadata["napari_dgc_cube"]
        assert isinstance(cube, Cube)
        assert layer.data.shape == cube.shape
        assert len(layer.metadata["wavelengths_nm"]) == cube.bands


@pytest.mark.screen
@pytest.mark.parametrize("key", ["infected_leaf", "healthy_leaf"])
def test_single_scene_has_a_colour_picture_on_top(make_napari_viewer, key: str) -> None:
    viewer = make_napari_viewer()
    bands, picture = viewer.open_sample("napari-dgc", key)
    assert list(viewer.layers) == [bands, picture]
    assert bands.visible
    assert picture.visible
    assert picture.rgb
    red, green, blue = np.percentile(picture.data, 90, axis=(0, 1))
    assert green > red
    assert green > blue


def test_healthy_and_infected_differ() -> None:
    from napari_dgc.ui.sample_data import healthy_leaf, infected_leaf

    healthy, infected = healthy_leaf()[1][0], infected_leaf()[1][0]
    changed = (healthy != infected).any(axis=-1)
    assert changed.mean() > 0.005
