"""Calibration and bands on the screen: forms, real mouse, real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from acting import Mouse, answer, settle, shown_labels, wait_until
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from napari_dgc.cubes.rendering import pseudo_rgb
from napari_dgc.study.storing.study_file import open_study, save_study

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
C, H, W = 12, 24, 20
NM = np.linspace(420, 900, C)


def write_envi(path: Path, values: np.ndarray) -> None:
    """Write (C, H, W) counts as a camera does."""
    bands, rows, columns = values.shape
    path.with_suffix(".raw").write_bytes(
        values.transpose(1, 0, 2).astype("<u2").tobytes()
    )
    path.write_text(
        f"ENVI\nsamples = {columns}\nlines = {rows}\nbands = {bands}\n"
        "header offset = 0\ndata type = 12\ninterleave = bil\nbyte order = 0\n"
        f"wavelength units = nm\nwavelength = {{{', '.join(map(str, NM))}}}\n"
    )


@pytest.fixture
def camera(tmp_path) -> Path:
    """Two raw cubes, one with its references beside it."""
    rng = np.random.default_rng(0)
    light = np.linspace(1500, 3000, C)[:, None, None] * np.linspace(0.8, 1, W)
    for name in ("leaf1", "leaf2"):
        counts = 100 + rng.uniform(0.1, 0.9, (C, H, W)) * light
        counts[:, 2, 3] = 65535
        write_envi(tmp_path / f"{name}.hdr", counts)
    write_envi(tmp_path / "WHITEREF_leaf1.hdr", 100 + light.repeat(8, axis=1))
    write_envi(tmp_path / "DARKREF_leaf1.hdr", np.full((C, 8, W), 100.0))
    write_envi(tmp_path / "narrow.hdr", np.full((C, 8, W - 1), 4000.0))
    return tmp_path


def choose(dock, text: str) -> None:
    """Choose an entry of the menu "More" beside the colours, by the mouse."""
    menu, chosen = dock.picture.menu, []

    def press():
        (action,) = (a for a in menu.actions() if a.text() == text)
        at = menu.actionGeometry(action).center()
        QTest.mouseClick(menu, LEFT, NO_KEY, at)
        chosen.append(text)

    QTimer.singleShot(50, press)
    QTest.mouseClick(dock.picture.more_button, LEFT, NO_KEY, QPoint(5, 5))
    wait_until(lambda: chosen, 5)
    settle()


def click(button) -> None:
    assert button.isEnabled(), button.text()
    QTest.mouseClick(button, LEFT)


def wait_for_work(dock) -> None:
    runner = dock.preparing.preparation.runner
    wait_until(lambda: not runner.running, 30)
    settle()


def read(dock, path: Path) -> None:
    count = len(dock.study.cubes) + 1
    dock.cubes.add_paths([path])
    wait_until(lambda: len(dock.study.cubes) == count and dock.display.entry, 30)
    wait_until(lambda: not dock.cubes._poll.isActive(), 10)


def reflectance(raw) -> np.ndarray:
    """By hand, from what `camera` wrote."""
    light = np.linspace(1500, 3000, C)[:, None, None] * np.linspace(0.8, 1, W)
    return (np.asarray(raw) - 100.0) / np.floor(light)


def test_references_beside_a_cube_are_offered_applied_and_removed(
    dock, camera, tmp_path
):
    read(dock, camera / "leaf1.hdr")
    raw = np.array(dock.study.cubes[0].data)
    choose(dock, "Calibrate…")
    form = dock.preparing.calibration
    wait_until(form.apply_button.isEnabled, 10)
    assert form.fields.white_label.text() == "WHITEREF_leaf1.hdr"
    assert form.fields.dark_label.text() == "DARKREF_leaf1.hdr"
    assert form.scope.isHidden()
    wait_until(lambda: "1 saturated" in form.preview.words.text(), 10)
    assert np.nanmax(form.preview.found.before) > 1000
    after = form.preview.found.after
    assert 0.4 < np.nanmin(after) <= np.nanmax(after) < 0.6
    assert dock.study.cubes[0].calibration is None  # only looked at so far
    click(form.apply_button)
    wait_for_work(dock)
    cube = dock.study.cubes[0]
    expected = reflectance(raw)
    valid = cube.valid
    assert not valid[2, 3]
    assert valid.sum() == H * W - 1
    bands = dock.display.entry.bands
    shown = np.asarray(bands.data)  # the layer holds no copy: it computes
    assert bands.data is cube.data
    np.testing.assert_allclose(shown[:, valid], expected[:, valid], rtol=2e-3)
    assert bands.contrast_limits[1] < 2
    picture = dock.display.entry.picture
    np.testing.assert_array_equal(picture.data, pseudo_rgb(cube))
    assert dock.status.text() == "leaf1: calibrated, 479 of 480 valid (1 saturated)."
    assert len(dock._viewer.layers) == 2
    (again,) = open_study(save_study(dock.study, tmp_path / "s.dgc.json")).cubes
    np.testing.assert_array_equal(again.data, cube.data)
    click(form.remove_button)
    wait_for_work(dock)
    np.testing.assert_array_equal(dock.display.entry.bands.data, raw)
    assert "raw counts again" in dock.status.text()
    assert not form.remove_button.isEnabled()
    form.close()


def test_what_does_not_fit_is_said_and_cubes_are_calibrated_one_by_one(
    dock, camera, monkeypatch
):
    read(dock, camera / "leaf1.hdr")
    read(dock, camera / "leaf2.hdr")
    dock.cubes.step(1)
    assert dock.study.cubes[dock.display.shown].name == "leaf2"
    choose(dock, "Calibrate…")
    form = dock.preparing.calibration
    settle(0.3)
    assert "Choose a white reference" in form.preview.words.text()
    assert not form.apply_button.isEnabled()

    def take(name):
        chosen = (str(camera / name), "")
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a, **k: chosen)

    take("narrow.hdr")
    click(form.fields.white_choose)
    wait_until(lambda: "as wide as the cube" in form.preview.words.text(), 10)
    assert not form.apply_button.isEnabled()
    take("WHITEREF_leaf1.hdr")
    click(form.fields.white_choose)
    wait_until(form.apply_button.isEnabled, 10)
    assert "no dark reference" in form.preview.words.text()
    form.scope.setCurrentIndex(0)
    click(form.apply_button)
    wait_for_work(dock)
    assert [c.calibration is None for c in dock.study.cubes] == [True, False]
    assert "calibrate all or none" in dock.status.text()
    assert dock.training.summary == "not all cubes are calibrated"
    # The other cube has its own: all together take each its own no more, but this one.
    dock.cubes.step(-1)
    take("DARKREF_leaf1.hdr")
    click(form.fields.dark_choose)
    wait_until(form.apply_button.isEnabled, 10)
    form.scope.setCurrentIndex(1)
    click(form.apply_button)
    wait_for_work(dock)
    prints = {c.calibration.fingerprint for c in dock.study.cubes}
    assert len(prints) == 1
    assert dock.training.summary == ""
    assert "saturated and 0 dead" in dock.status.text()
    form.close()


def test_a_tile_on_the_image_calibrates_a_mapped_cube_once_agreed(mapped):
    dock, viewer = mapped, mapped._viewer
    raw, labels = np.array(dock.study.cubes[0].data), shown_labels(mapped).copy()
    groups, before = dock.study.grouping, dock.study.pooled_statistics.mean()
    choose(dock, "Calibrate…")
    form = dock.preparing.calibration
    form.move(2000, 0)  # off the image, whose mouse the test needs
    QTest.mouseClick(form.fields.tile_button, LEFT, pos=QPoint(8, 8))
    settle()
    layer = viewer.layers.selection.active
    assert layer.name == "leaf tile"
    assert "Drag a rectangle" in form.preview.words.text()
    mouse = Mouse(viewer)
    mouse.drag((2, 2), (6, 6))
    mouse.drag((10, 20), (18, 40))
    form.fields.reflectance.setValue(0.5)
    wait_until(form.apply_button.isEnabled, 10)
    assert len(layer.data) == 1  # the later one counts
    # The leaf's values are reflectance: a tile would make it so twice.
    assert "if they are reflectance already" in form.preview.words.text()
    mask = form.fields.tile.mask()
    rows, cols = np.nonzero(mask)
    assert abs(rows.min() - 10) <= 1
    assert abs(cols.max() - 40) <= 1
    assert dock.workspace.selection.ids == frozenset()  # the drag was no click
    asked = []
    answer("Cancel", asked)
    click(form.apply_button)
    settle()
    assert len(asked) == 1
    assert dock.study.cubes[0].calibration is None
    answer("Calibrate", asked)
    click(form.apply_button)
    wait_for_work(dock)
    cube = dock.study.cubes[0]
    white = raw[:, mask].mean(axis=1)
    got = np.asarray(cube.data)[:, 30, 30]
    np.testing.assert_allclose(got, raw[:, 30, 30] * 0.5 / white, rtol=0.05)
    assert layer not in viewer.layers
    np.testing.assert_array_equal(shown_labels(dock), labels)
    assert dock.study.grouping == groups
    assert not np.allclose(dock.study.pooled_statistics.mean()[1], before[1])
    assert dock.training.summary == "the map is of the raw cubes"
    assert "press First map or Train" in dock.status.text()
    answer("Remove calibration", asked)
    click(form.remove_button)
    wait_for_work(dock)
    np.testing.assert_array_equal(dock.display.entry.bands.data, raw)
    np.testing.assert_allclose(
        dock.study.pooled_statistics.mean()[1], before[1], rtol=1e-4
    )
    assert dock.training.summary == ""
    form.close()


def test_bands_are_left_out_by_noise_by_range_and_one_by_one(mapped):
    dock, cube = mapped, mapped.study.cubes[0]
    choose(dock, "Bands…")
    form = dock.preparing.bands
    wait_until(lambda: form.choice is not None, 60)
    settle()
    assert form.choice.kept.all()
    assert form.words.text() == "40 of 40 bands count."
    noisy = int(form.choice.noisy.sum())
    assert form.noisy_box.isVisible() == (noisy > 0)
    form.slider.setValue((500.0, 950.0))
    within = (cube.wavelengths >= 500) & (cube.wavelengths <= 950)
    np.testing.assert_array_equal(form.choice.kept, within)
    band = int(np.flatnonzero(within)[20])
    box = form.plot.getPlotItem().vb
    snr = np.log10(form._noise.snr[band])
    at = box.mapViewToScene(pg_point(cube.wavelengths[band], snr))
    place = form.plot.mapFromScene(at)
    QTest.mouseClick(form.plot.viewport(), LEFT, NO_KEY, place)
    assert form.choice.single == {band}
    within[band] = False
    asked = []
    answer("Use these bands", asked)
    click(form.apply_button)
    wait_for_work(dock)
    np.testing.assert_array_equal(dock.study.cubes[0].good_bands, within)
    assert not form.isVisible()
    assert dock.training.summary == "the map is of other bands"
    assert dock.picture.boxes[2].value() < 500  # the picture stays natural
    choose(dock, "Bands…")
    wait_until(lambda: form.choice is not None, 60)
    np.testing.assert_array_equal(form.choice.kept, within)
    assert form.choice.single == {band}
    assert "The map is of other bands" in form.words.text()
    answer("Use all bands", asked)
    click(form.remove_button)
    wait_for_work(dock)
    assert dock.study.cubes[0].good_bands is None
    assert dock.training.summary == ""


def pg_point(x: float, y: float):
    from qtpy.QtCore import QPointF

    return QPointF(float(x), float(y))
