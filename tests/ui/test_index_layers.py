"""Index maps as layers: the menu, the values, the status bar, the next cube."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acting import Mouse, add_cube, settle, wait_until

from napari_dgc.cubes.bands import select_bands
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.indices import INDICES
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.ui.index_layers import limits_of
from napari_dgc.ui.index_wording import holds_counts, word_missing, word_tip


@pytest.fixture(scope="module")
def fine():
    """Two leaves with a band every 6 nm."""
    config = SceneConfig(size=48, bands=101, leaves=1)
    return [make_scene(config, seed, f"leaf{seed}").cube for seed in (1, 2)]


def actions(dock):
    dock.preparing.index_menu.aboutToShow.emit()
    return {a.text(): a for a in dock.preparing.index_menu.actions()}


def by_hand(cube: Cube, low: float, high: float) -> np.ndarray:
    """A normalised difference of the nearest bands."""
    a, b = (np.abs(cube.wavelengths - nm).argmin() for nm in (high, low))
    data = np.asarray(cube.data)
    return (data[a] - data[b]) / (data[a] + data[b])


def test_an_index_is_a_layer_that_follows_the_cube_on_show(dock, fine):
    for cube in fine:
        add_cube(dock, cube)
    dock.cubes.step(-1)
    settle()
    first, second = dock.study.cubes
    viewer, indices = dock._viewer, dock.preparing.indices
    active = viewer.layers.selection.active
    assert list(actions(dock)) == list(INDICES)
    actions(dock)["NDVI"].trigger()
    wait_until(lambda: indices.layers.get("NDVI") is not None, 20)
    layer = viewer.layers["leaf1 NDVI"]
    np.testing.assert_allclose(layer.data, by_hand(first, 670, 800), rtol=1e-5)
    assert viewer.layers.index(layer) == len(viewer.layers) - 1
    assert viewer.layers.selection.active is active
    assert layer.contrast_limits == list(limits_of(layer.data))
    assert layer.metadata["formula"] == "(R800 - R670) / (R800 + R670)"
    assert layer.metadata["source"] == "Rouse et al. 1974"
    assert "nm" in layer.metadata["bands_used"]
    assert "Rouse et al. 1974" in dock.status.text()
    assert actions(dock)["NDVI"].isChecked()
    Mouse(viewer).move((24, 20))
    assert viewer.status.endswith(f"NDVI {layer.data[24, 20]:.4g}")

    actions(dock)["PRI"].trigger()
    wait_until(lambda: indices.layers.get("PRI") is not None, 20)
    dock.cubes.step(1)
    wait_until(lambda: viewer.layers[-1].name.startswith("leaf2"), 20)
    wait_until(lambda: not indices.runner.running, 20)
    settle()
    np.testing.assert_allclose(
        indices.layers["NDVI"].data, by_hand(second, 670, 800), rtol=1e-5
    )
    np.testing.assert_allclose(
        indices.layers["PRI"].data, by_hand(second, 570, 531), rtol=1e-4, atol=1e-6
    )
    shown = [one.name for one in viewer.layers if one.visible]
    assert shown[-2:] == ["leaf2 NDVI", "leaf2 PRI"]

    viewer.layers.remove(indices.layers["PRI"])
    assert not actions(dock)["PRI"].isChecked()
    actions(dock)["NDVI"].trigger()
    assert not [one for one in viewer.layers if "NDVI" in one.name]
    assert indices.layers == {}


def test_an_index_that_the_bands_do_not_allow_is_greyed_with_the_reason(dock, fine):
    cube = select_bands(fine[0], wavelengths=(400, 700))
    add_cube(dock, cube)
    found = actions(dock)
    assert found["PRI"].isEnabled()
    assert not found["NDVI"].isEnabled()
    assert "no band that counts within 10 nm of 800 nm" in found["NDVI"].toolTip()
    assert "Peñuelas" in found["WBI"].toolTip()
    dock.preparing.indices.toggle("WBI")
    assert "Not for this cube" in dock.status.text()
    assert dock.preparing.indices.layers == {}


def test_words_of_indices(fine):
    cube = fine[0]
    assert word_missing(INDICES["NDVI"], cube) == ""
    blind = replace(cube, wavelengths=None)
    assert "wavelengths are not known" in word_missing(INDICES["NDVI"], blind)
    assert "Green leaf area" in word_tip(INDICES["NDVI"], None)
    coarse = Cube(np.ones((3, 2, 2)), np.array([536.0, 565.0, 900.0]))
    assert word_missing(INDICES["PRI"], coarse) == ""
    one = Cube(np.ones((2, 2, 2)), np.array([900.0, 534.0]))
    assert "570" in word_missing(INDICES["PRI"], one)
    assert not holds_counts(cube)
    assert holds_counts(Cube(np.ones((2, 2, 2), np.uint16)))
    assert limits_of(np.full((2, 2), np.nan, np.float32)) == (0, 1)
    assert limits_of(np.full((2, 2), 3, np.float32)) == (2.5, 3.5)
