"""The picture in natural and in false colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from acting import add_cube, settle, wait_until
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.rendering import false_color
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.ui.picture_colors import PRESETS, usual_colors

CIR, EDGE = PRESETS.values()


def shown(dock):
    """The picture, once it is made."""
    wait_until(lambda: not dock.workspace.colors.running, 20)
    settle()
    return np.asarray(dock.display.entry.picture.data)


def test_f_goes_to_and_fro_on_the_same_layer(leaf_dock, leaf):
    layer = leaf_dock.display.entry.picture
    natural = np.asarray(layer.data)
    canvas = leaf_dock._viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_F)
    np.testing.assert_array_equal(shown(leaf_dock), false_color(leaf, CIR))
    assert leaf_dock.study.view.false_color == CIR
    assert leaf_dock.picture.preset.currentText() == "Infrared"
    assert [box.value() for box in leaf_dock.picture.boxes] == list(CIR)
    QTest.keyClick(canvas, Qt.Key.Key_F)
    np.testing.assert_array_equal(shown(leaf_dock), natural)
    assert leaf_dock.study.view.false_color is None
    assert leaf_dock.picture.preset.currentIndex() == 0
    assert leaf_dock.display.entry.picture is layer
    assert layer in leaf_dock._viewer.layers


def test_presets_and_numbers_of_ones_own(leaf_dock, leaf):
    row = leaf_dock.picture
    row.preset.setCurrentIndex(2)
    row.preset.activated.emit(2)
    np.testing.assert_array_equal(shown(leaf_dock), false_color(leaf, EDGE))
    row.boxes[1].setValue(600)
    own = (EDGE[0], 600.0, EDGE[2])
    np.testing.assert_array_equal(shown(leaf_dock), false_color(leaf, own))
    assert leaf_dock.study.view.false_color == own
    assert row.preset.currentText() == "Own choice"
    leaf_dock.workspace.colors.toggle()
    leaf_dock.workspace.colors.toggle()  # the last ones come back
    assert leaf_dock.study.view.false_color == own


def test_every_cube_is_shown_so(leaf_dock):
    other = make_scene(SceneConfig(size=40, bands=40), 5, "other").cube
    add_cube(leaf_dock, other)
    leaf_dock.display.show(0)
    leaf_dock.workspace.colors.set(CIR)
    shown(leaf_dock)
    leaf_dock.display.show(1)
    np.testing.assert_array_equal(shown(leaf_dock), false_color(other, CIR))
    leaf_dock.workspace.colors.set(None)
    leaf_dock.display.show(0)
    assert not np.array_equal(
        shown(leaf_dock), false_color(leaf_dock.study.cubes[0], CIR)
    )


def test_the_last_choice_wins_however_quick(leaf_dock, leaf):
    colors = leaf_dock.workspace.colors
    for choice in (CIR, EDGE, None, CIR, None, EDGE):
        colors.set(choice)
    np.testing.assert_array_equal(shown(leaf_dock), false_color(leaf, EDGE))


def test_a_studys_view_brings_its_colours(leaf_dock, leaf):
    leaf_dock.study.set_view(replace(leaf_dock.study.view, false_color=EDGE))
    np.testing.assert_array_equal(shown(leaf_dock), false_color(leaf, EDGE))
    assert leaf_dock.picture.preset.currentText() == "Red edge"


def test_wavelengths_the_cube_has_not_are_refused_in_words(leaf_dock):
    before = shown(leaf_dock)
    leaf_dock.workspace.colors.set((1650.0, 800.0, 670.0))
    assert leaf_dock.study.view.false_color is None
    assert "no band at 1650 nm" in leaf_dock.status.text()
    assert leaf_dock.status.level == "warning"
    np.testing.assert_array_equal(shown(leaf_dock), before)


def test_without_wavelengths_bands_go_by_number_and_a_picture_is_made(dock):
    data = np.random.default_rng(0).random((11, 20, 30), dtype=np.float32)
    dock._viewer.add_image(data, name="plain")
    dock.cubes.use_open_layers()
    settle()
    assert dock.display.entry.picture is None
    assert not dock.picture.preset.model().item(1).isEnabled()
    dock.workspace.colors.toggle()
    expected = false_color(Cube(data), (9, 5, 1))
    wait_until(lambda: dock.display.entry.picture is not None, 20)
    np.testing.assert_array_equal(shown(dock), expected)
    assert "red band 9" in dock.status.text()
    assert [layer.name for layer in dock._viewer.layers] == ["plain", "plain RGB"]
    dock.workspace.colors.toggle()
    assert not np.array_equal(shown(dock), expected)


def test_usual_colours_are_some_that_a_cube_has():
    data = np.zeros((61, 2, 2), np.float32)
    assert usual_colors(Cube(data, wavelengths=np.linspace(400, 1000, 61))) == CIR
    assert usual_colors(Cube(data, wavelengths=np.linspace(400, 760, 61))) == EDGE
    swir = usual_colors(Cube(data, wavelengths=np.linspace(1000, 2500, 61)))
    assert swir == (2350, 1750, 1150)


def test_the_row_is_there_with_a_cube_only(dock, leaf):
    assert dock.picture.isHidden()
    dock.workspace.colors.toggle()
    assert "Begin with a cube" in dock.status.text()
    add_cube(dock, leaf)
    assert not dock.picture.isHidden()
    dock.display.remove(0)
    assert dock.picture.isHidden()
