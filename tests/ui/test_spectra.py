"""The spectra dock: what it draws, what the mouse does in it, and how it goes."""

from __future__ import annotations

import csv
import gc
import weakref

import h5py
import numpy as np
import pytest
from acting import Mouse, add_cube, answer, pixel_in, settle, undo_all, wait_until
from napari.layers import Layer, Points
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.lazy import HDF5Array
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.merging.statistics import group_statistics
from napari_dgc.study.view import Pin
from napari_dgc.ui.cube_layers import cube_to_layers
from napari_dgc.ui.spectra_curves import contrast
from napari_dgc.ui.spectrum_reader import Pixel, SpectrumReader

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def spectra(mapped):
    """The spectra dock of a dock with a map."""
    mapped.groups.spectra_button.click()
    settle()
    return mapped.spectra.dock


@pytest.fixture
def reader(qapp):
    """A reader that goes before Qt does, as with a dock."""
    reader = SpectrumReader()
    yield reader
    reader.deleteLater()
    settle()


def drawn(spectra, id):
    """Give what a group's curve shows: x, mean."""
    return spectra.plot.curves[id].line.getData()


def hover(mouse, mapped, pixel):
    mouse.move(pixel)
    assert mapped.workspace.pointer.place is not None


def press(mouse, key, modifiers=Qt.KeyboardModifier.NoModifier):
    mouse._canvas.native.setFocus()
    settle()
    QTest.keyClick(mouse._canvas.native, key, modifiers)
    settle()


def on_plot(spectra, x, y):
    """Give the place on the plot's viewport of a point of its axes."""
    plot = spectra.plot
    return plot.mapFromScene(plot.box.mapViewToScene(QPointF(x, y)))


def on_curve(spectra, id, band=30):
    x, y = drawn(spectra, id)
    return on_plot(spectra, x[band], y[band])


def shade_at(spectra, id, band):
    """Ends of the shade at a band's wavelength, from the drawn outline."""
    outline = spectra.plot.curves[id].shade.path().toSubpathPolygons()[0]
    x = spectra.plot.curves[id].line.getData()[0][band]
    ys = [p.y() for p in outline if np.isclose(p.x(), x)]
    return min(ys), max(ys)


def curves_are_the_groups_statistics(mapped, spectra, leaf):
    study = mapped.study
    pooled = group_statistics(study.statistics(0), study.grouping)
    assert set(spectra.plot.curves) == set(study.grouping.ids)
    for row, id in enumerate(pooled.ids):
        x, mean = drawn(spectra, id)
        np.testing.assert_allclose(x, leaf.wavelengths)
        np.testing.assert_allclose(mean, pooled.mean[row])
        low, high = shade_at(spectra, id, 7)
        assert low == pytest.approx(pooled.mean[row, 7] - pooled.std[row, 7])
        assert high == pytest.approx(pooled.mean[row, 7] + pooled.std[row, 7])
        color = spectra.plot.curves[id].line.opts["pen"].color().getRgb()[:3]
        assert color == study.grouping.group(id).color


def after_a_merge_the_curve_is_that_of_the_pooled_pixels(mapped, spectra, leaf):
    other = drawn(spectra, 3)[1]
    mapped.study.merge((1,), 2)
    settle()
    assert 1 not in spectra.plot.curves
    held = np.isin(mapped.study.cluster_map(0), (1, 2))
    pixels = np.asarray(leaf.data, np.float64)[:, held]
    np.testing.assert_allclose(drawn(spectra, 2)[1], pixels.mean(axis=1), rtol=1e-5)
    assert drawn(spectra, 3)[1] is other  # not drawn anew
    mapped.workspace.undo()
    settle()
    assert 1 in spectra.plot.curves


def a_hidden_group_is_gone_and_solo_leaves_one(mapped, spectra):
    mapped.workspace.visibility.hide([2])
    settle()
    ids = set(mapped.study.grouping.ids)
    assert set(spectra.plot.curves) == ids - {2}
    assert spectra.legend.count() == len(ids) - 1
    mapped.workspace.visibility.set_solo([3])
    settle()
    assert set(spectra.plot.curves) == {3}
    mapped.workspace.visibility.set_solo([])
    mapped.workspace.visibility.set_hidden(ids)
    settle()
    assert "hidden" in spectra.plot.hint.toPlainText()


def selected_groups_are_thick_and_the_others_dim(mapped, spectra):
    mapped.workspace.selection.set({2})
    pen = {id: c.line.opts["pen"] for id, c in spectra.plot.curves.items()}
    assert pen[2].widthF() > pen[1].widthF()
    assert pen[2].color().alpha() == 255
    assert pen[1].color().alpha() < 128
    chosen = [item.text() for item in spectra.legend.selectedItems()]
    assert chosen == [mapped.study.grouping.group(2).name]


def a_rename_reaches_the_legend(mapped, spectra):
    mapped.study.rename(1, "Cloth")
    settle()
    assert spectra.legend.item(0).text() == "Cloth"


def test_all_cubes_pools_them(mapped, spectra, first_map):
    small = make_scene(SceneConfig(size=40, bands=40, leaves=1), 5, "small").cube
    add_cube(mapped, small)
    assert "First map" in spectra.plot.hint.toPlainText()  # it has none
    assert not spectra.plot.curves
    clusters = mapped.study.cluster_map(0)[:40, :40].copy()
    mapped.study.set_map(1, clusters)
    settle()
    assert "No statistics" in spectra.plot.hint.toPlainText()
    mapped.study.set_map(1, clusters, mapped.study.statistics(0))
    QTest.mouseClick(spectra.all_button, Qt.MouseButton.LeftButton)
    settle()
    both = mapped.study.statistics(0) + mapped.study.statistics(1)
    expected = group_statistics(both, mapped.study.grouping)
    np.testing.assert_allclose(drawn(spectra, 1)[1], expected.mean[0])
    assert spectra.saving._spectra[0].n == expected.count[0]
    assert spectra.saving._title == "2 cubes"


def test_the_pixel_under_the_mouse_and_a_y_range_that_stays(mapped, mouse, spectra):
    leaf = mapped.study.cubes[0]
    before = spectra.plot.box.viewRange()
    for pixel in (pixel_in(mapped, 1), pixel_in(mapped, 3), (5, 9)):
        hover(mouse, mapped, pixel)
        wait_until(lambda p=pixel: spectra.hover.place.row == p[0], 5)
        settle(0.1)
        line = spectra.plot.cursor_line.getData()[1]
        np.testing.assert_allclose(line, leaf.spectrum(*pixel))
        assert spectra.plot.box.viewRange() == before
    mapped.workspace.pointer._go_to(None)
    assert spectra.plot.cursor_line.getData()[1] is None
    assert spectra.where.text() == ""


def test_a_pixel_far_outside_widens_the_range_until_the_mouse_leaves(spectra):
    plot = spectra.plot
    low, high = plot.box.viewRange()[1]
    plot.show_cursor(np.full(40, high + 3 * (high - low)))
    wide = plot.box.viewRange()[1]
    assert wide[0] <= low
    assert wide[1] > high + 3 * (high - low)
    plot.show_cursor(np.full(40, (low + high) / 2))
    assert plot.box.viewRange()[1] == wide  # it grows, it does not jump
    plot.show_cursor(None)
    assert plot.box.viewRange()[1] == [low, high]


def test_pins_are_kept_in_the_view_drawn_and_marked(mapped, mouse, spectra):
    hover(mouse, mapped, (20, 30))
    press(mouse, Qt.Key.Key_P)
    hover(mouse, mapped, (40, 12))
    press(mouse, Qt.Key.Key_P)
    pins = (Pin(0, 20, 30), Pin(0, 40, 12))
    assert mapped.study.view.pins == pins
    lines = [pin.line.getData()[1] for pin in spectra.plot._pins]
    np.testing.assert_allclose(lines[1], mapped.study.cubes[0].spectrum(40, 12))
    layer = mapped.spectra.pins.layer
    np.testing.assert_array_equal(layer.data, [(20, 30), (40, 12)])
    assert layer.text.values.tolist() == ["1", "2"]
    groups = mapped.display.entry.groups.layer
    assert mapped._viewer.layers.selection.active is groups  # keys stay ours
    mapped.study.merge((1,), 2)
    settle()
    assert mapped.study.view.pins == pins
    assert len(spectra.plot._pins) == 2
    press(mouse, Qt.Key.Key_P)  # there again: unpins
    assert mapped.study.view.pins == pins[:1]
    press(mouse, Qt.Key.Key_P, SHIFT)
    assert mapped.study.view.pins == ()
    assert not spectra.plot._pins
    assert not [x for x in mapped._viewer.layers if isinstance(x, Points)]


def test_p_opens_the_spectra_and_needs_a_pixel(mapped, mouse):
    mapped.spectra.pin_here()
    assert "Put the mouse over the cube" in mapped.status.text()
    assert not mapped.spectra.shown
    hover(mouse, mapped, (20, 30))
    press(mouse, Qt.Key.Key_P)
    assert mapped.spectra.shown
    assert mapped.groups.spectra_button.isChecked()


def test_delete_in_the_list_or_of_the_layer_unpins(mapped, spectra):
    pins = mapped.spectra.pins
    pins._set((Pin(0, 1, 2), Pin(0, 3, 4), Pin(0, 5, 6)))
    settle()
    spectra.legend.setCurrentRow(1)
    QTest.keyClick(spectra.legend, Qt.Key.Key_Delete)
    settle()
    assert mapped.study.view.pins == (Pin(0, 1, 2), Pin(0, 5, 6))
    mapped._viewer.layers.remove(pins.layer)
    settle()
    assert mapped.study.view.pins == ()
    assert pins.layer is None


def test_marks_follow_the_cube_shown_and_its_removal(mapped, spectra):
    add_cube(mapped, make_scene(SceneConfig(size=40, bands=40), 5, "small").cube)
    mapped.spectra.pins._set((Pin(0, 1, 2), Pin(1, 3, 4)))
    settle()
    assert mapped.spectra.pins.layer.data.tolist() == [[3, 4]]
    assert spectra.legend.item(0).text() == "1  leaf, row 1, col 2"
    mapped.display.show(0)
    settle()
    assert mapped.spectra.pins.layer.data.tolist() == [[1, 2]]
    mapped.display.remove(0)
    settle()
    assert mapped.study.view.pins == (Pin(0, 3, 4),)
    assert mapped.spectra.pins.layer.data.tolist() == [[3, 4]]


def test_pointing_names_a_curve_and_a_click_selects_its_group(mapped, spectra):
    place = on_curve(spectra, 1)
    QTest.mouseMove(spectra.plot.viewport(), place)
    wait_until(spectra.plot.name.isVisible, 5)
    id = spectra.plot._pointed
    name = mapped.study.grouping.group(id).name
    assert spectra.plot.name.toPlainText() == name
    QTest.mouseClick(
        spectra.plot.viewport(),
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        place,
    )
    settle()
    assert mapped.workspace.selection.ids == {id}


def a_click_in_the_legend_selects_and_ctrl_adds(mapped, spectra):
    legend, left = spectra.legend, Qt.MouseButton.LeftButton
    places = [legend.visualItemRect(legend.item(row)).center() for row in (0, 1)]
    view = legend.viewport()
    QTest.mouseClick(view, left, Qt.KeyboardModifier.NoModifier, places[0])
    assert mapped.workspace.selection.ids == {1}
    QTest.mouseClick(view, left, Qt.KeyboardModifier.ControlModifier, places[1])
    assert mapped.workspace.selection.ids == {1, 2}
    assert len(legend.selectedItems()) == 2


def test_the_band_line_is_naparis_slider(mapped, spectra, leaf):
    viewer, plot = mapped._viewer, spectra.plot
    viewer.dims.set_current_step(0, 12)
    assert plot.band.value() == pytest.approx(leaf.wavelengths[12])
    high = plot.box.viewRange()[1][1]
    view, left = plot.viewport(), Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    start, end = (on_plot(spectra, leaf.wavelengths[b], high * 0.97) for b in (8, 25))
    QTest.mousePress(view, left, none, start)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(view, start + (end - start) * share)
        settle()
    QTest.mouseRelease(view, left, none, end)
    settle()
    assert abs(viewer.dims.current_step[0] - 25) <= 1
    assert plot.band.value() == leaf.wavelengths[viewer.dims.current_step[0]]


def test_bands_out_of_order_and_bad_ones(spectra):
    waves = np.array([700.0, 500.0, 600.0, 800.0])
    spectra.plot.set_axis(waves, 4)
    spectra.plot.show_cursor(np.array([7, 5, np.nan, 8], np.float32))
    x, y = spectra.plot.cursor_line.getData()
    np.testing.assert_array_equal(x, [500, 600, 700, 800])
    np.testing.assert_array_equal(y, [5, np.nan, 7, 8])
    spectra.plot.show_band(0)
    assert spectra.plot.band.value() == 700


def test_the_table_and_the_picture(mapped, spectra, tmp_path):
    mapped.study.set_role(3, "lesion")
    mapped.workspace.visibility.hide([1])
    mapped.spectra.pins._set((Pin(0, 20, 30),))
    settle()
    path = tmp_path / "spectra.csv"
    spectra.saving.save_table(path)
    wait_until(lambda: not spectra.saving.runner.running, 20)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40 * 6  # five groups and a pixel
    assert not [row for row in rows if row["name"] == "Group 1"]
    pooled = group_statistics(mapped.study.statistics(0), mapped.study.grouping)
    third = [row for row in rows if row["name"] == "Group 3"]
    np.testing.assert_allclose([float(r["mean"]) for r in third], pooled.mean[2], 1e-6)
    np.testing.assert_allclose([float(r["sd"]) for r in third], pooled.std[2], 1e-6)
    assert {(r["role"], r["n"]) for r in third} == {("lesion", str(pooled.count[2]))}
    assert (rows[-1]["kind"], rows[-1]["row"], rows[-1]["column"]) == (
        "pixel",
        "20",
        "30",
    )
    assert str(path) in mapped.status.text()
    seen = []
    answer("Cancel", seen)
    spectra.saving.save_table(path)
    assert "spectra.csv" in seen[0]
    assert mapped.status.text() == "Nothing was written."
    picture = tmp_path / "spectra.png"
    spectra.saving.save_picture(picture)
    wait_until(lambda: not spectra.saving.runner.running, 30)
    assert picture.stat().st_size > 10_000


def test_empty_states_say_what_to_do(dock, leaf):
    dock.spectra.toggle()
    settle()
    hint = dock.spectra.dock.plot.hint
    assert "Add files" in hint.toPlainText()
    assert not dock.spectra.dock.saving.table_button.isEnabled()
    add_cube(dock, leaf)
    assert "First map" in hint.toPlainText()


def test_a_hidden_dock_computes_nothing_and_catches_up(mapped, mouse, spectra):
    press(mouse, Qt.Key.Key_G)
    assert not spectra.isVisible()
    assert not mapped.groups.spectra_button.isChecked()
    mapped.study.merge((1,), 2)
    hover(mouse, mapped, (20, 30))
    settle(0.1)
    assert 1 in spectra.plot.curves
    assert spectra.plot.cursor_line.getData()[1] is None
    press(mouse, Qt.Key.Key_G)
    assert spectra.isVisible()
    assert 1 not in spectra.plot.curves


def test_themes(mapped, spectra):
    mapped._viewer.theme = "light"
    assert spectra.plot._text.lightnessF() < 0.4
    assert spectra.plot.backgroundBrush().color().lightnessF() > 0.6
    # Yellow on light has an edge, to be seen.
    mapped.study.recolor(1, (255, 255, 120))
    settle()
    assert contrast((255, 255, 120), spectra.plot._background) < 1.7
    assert spectra.plot.curves[1].line.opts["shadowPen"] is not None


def test_it_leaves_the_image_room_and_the_dock_its_height(mapped, spectra):
    canvas = mapped._viewer.window._qt_viewer.canvas.native
    assert canvas.height() > 400
    assert spectra.height() < 260
    assert mapped.height() > 650


def test_closing_it_leaves_nothing_behind(mapped, mouse):
    before = len(mapped.study.view_changed)
    mapped.spectra.toggle()
    settle()
    gone = weakref.ref(mapped.spectra.dock)
    (frame,) = (
        d
        for d in mapped._viewer.window._qt_window.findChildren(QDockWidget)
        if d.widget() is mapped.spectra.dock
    )
    frame.destroyOnClose()  # the cross in its title
    del frame
    settle()
    assert mapped.spectra.dock is None
    assert not mapped.groups.spectra_button.isChecked()
    assert len(mapped.study.view_changed) == before
    mapped.study.merge((1,), 2)
    hover(mouse, mapped, (20, 30))
    gc.collect()
    assert gone() is None
    mapped.spectra.toggle()  # a new one
    settle()
    assert set(mapped.spectra.dock.plot.curves) == set(mapped.study.grouping.ids)


def test_it_closes_with_the_main_dock(mapped, spectra):
    mapped.spectra.pins._set((Pin(0, 1, 2),))
    viewer = mapped._viewer
    viewer.window.remove_dock_widget(mapped)
    settle()
    names = [
        d.windowTitle() for d in viewer.window._qt_window.findChildren(QDockWidget)
    ]
    assert "Spectra" not in names
    assert not [x for x in viewer.layers if isinstance(x, Points)]
    viewer.dims.set_current_step(0, 3)  # nobody of ours listens any more


def test_slow_cubes_are_read_beside_the_screen_and_the_latest_wins(tmp_path, reader):
    rng = np.random.default_rng(0)
    data = rng.random((6, 20, 20), np.float32)
    with h5py.File(tmp_path / "cube.h5", "w") as file:
        file.create_dataset("cube", data=data, chunks=(1, 20, 20), compression="gzip")
    with h5py.File(tmp_path / "cube.h5") as file:
        cube = Cube(HDF5Array(file["cube"], (0, 1, 2)))
        seen, kept = [], []
        reader.hovered.connect(lambda pixel, spectrum: seen.append((pixel, spectrum)))
        reader.kept.connect(lambda: kept.append(1))
        assert reader.keep([Pixel(cube, 1, 1)]) == {}
        for col in range(10):
            reader.hover(Pixel(cube, 2, col))
        assert not seen
        wait_until(lambda: seen and kept, 10)
        settle(0.1)
        assert [pixel.col for pixel, _ in seen] == [9]
        np.testing.assert_array_equal(seen[0][1], data[:, 2, 9])
        (spectrum,) = reader.keep([Pixel(cube, 1, 1)]).values()
        np.testing.assert_array_equal(spectrum, data[:, 1, 1])
        reader.hover(Pixel(cube, 3, 3))
        reader.hover(None)
        settle(0.2)
        assert len(seen) == 1


def test_a_cube_that_cannot_be_read_is_told_once(tmp_path, reader):
    rng = np.random.default_rng(0)
    path = tmp_path / "cube.npy"
    np.save(path, rng.random((6, 20, 20), np.float32))
    cube = Cube(np.load(path, mmap_mode="r"))
    with path.open("r+b") as file:
        file.truncate(500)
    told, seen = [], []
    reader.failed.connect(told.append)
    reader.hovered.connect(lambda *what: seen.append(what))
    for col in range(4):
        reader.hover(Pixel(cube, 0, col))
    assert len(told) == 1
    assert "became shorter" in str(told[0])
    assert not seen


def test_in_a_dock_that_napari_opens_as_a_plugin(make_napari_viewer, first_map, leaf):
    viewer = make_napari_viewer(show=True)
    _, stand_in = viewer.window.add_plugin_dock_widget("napari-dgc")
    dock = viewer.window._qt_window.findChild(type(stand_in))
    for data in cube_to_layers(leaf):
        viewer.add_layer(Layer.create(*data))
    settle()
    dock.workspace.session._cubes = dock.study.cubes
    dock.workspace.session._on_run_yielded(first_map)
    settle()
    mouse = Mouse(viewer)
    mouse.move((20, 30))
    press(mouse, Qt.Key.Key_P)  # pins, and opens the spectra
    assert dock.study.view.pins == (Pin(0, 20, 30),)
    assert dock.spectra.shown
    assert set(dock.spectra.dock.plot.curves) == {
        g.id for g in dock.study.grouping.groups
    }
    press(mouse, Qt.Key.Key_G)
    assert not dock.spectra.shown
    mouse.click((20, 30))
    assert dock.workspace.selection.ids


def test_curves_follow_the_groups(mapped, spectra, leaf):
    curves_are_the_groups_statistics(mapped, spectra, leaf)
    after_a_merge_the_curve_is_that_of_the_pooled_pixels(mapped, spectra, leaf)
    undo_all(mapped)
    selected_groups_are_thick_and_the_others_dim(mapped, spectra)
    undo_all(mapped)
    a_click_in_the_legend_selects_and_ctrl_adds(mapped, spectra)
    undo_all(mapped)
    a_rename_reaches_the_legend(mapped, spectra)
    a_hidden_group_is_gone_and_solo_leaves_one(mapped, spectra)
