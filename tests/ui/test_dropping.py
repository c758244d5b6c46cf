"""Dropping a file on napari: what the user then sees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from acting import wait_until
from napari.utils.notifications import ErrorNotification, notification_manager
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication
from scipy.io import savemat
from spectral.io import envi

from napari_dgc.cubes.errors import InputError
from napari_dgc.ui.cube_drop import is_ours, is_surely_ours

C, H, W = 12, 20, 30
WAVELENGTHS = np.linspace(400, 950, C)  # step 50: bands 5, 3, 1 are 650, 550, 450


def striped_cube() -> np.ndarray:
    """(C, H, W) uint16: left third red, middle green, right blue."""
    data = np.full((C, H, W), 100, np.uint16)
    data[5, :, :10] = data[3, :, 10:20] = data[1, :, 20:] = 3000
    return data


def write_envi(folder: Path, data: np.ndarray, name: str = "leaf", **fields) -> Path:
    path = folder / f"{name}.hdr"
    fields |= {"wavelength": WAVELENGTHS.tolist(), "wavelength units": "nm"}
    envi.save_image(
        str(path), data.transpose(1, 2, 0), interleave="bil", ext="raw", metadata=fields
    )
    return path


@pytest.fixture
def notices() -> Iterator[list]:
    before = len(notification_manager.records)
    yield (seen := _Since(before))
    del seen


class _Since:
    """What napari has told the user since the test began."""

    def __init__(self, start: int) -> None:
        self._start = start

    def __iter__(self) -> Iterator:
        return iter(notification_manager.records[self._start :])


def drop(viewer, *paths: Path) -> None:
    """Do what a drop on the canvas does."""
    viewer.window._qt_viewer._qt_open([str(p) for p in paths], stack=False)


@pytest.mark.screen
def test_dropped_layers_lie_on_each_other(tmp_path: Path, make_napari_viewer) -> None:
    viewer = make_napari_viewer()
    path = tmp_path / "leaf.mat"
    savemat(path, {"cube": striped_cube(), "wavelengths": WAVELENGTHS})
    drop(viewer, path)
    bands, picture = viewer.layers
    labels = viewer.add_labels(np.ones((H, W), np.uint8))
    assert bands.extent.world[:, 1:].tolist() == picture.extent.world.tolist()
    assert picture.extent.world.tolist() == labels.extent.world.tolist()
    assert viewer.dims.nsteps == (C, H, W)
    for row, column in ((0, 0), (7, 15), (H - 1, W - 1)):
        world = (viewer.dims.point[0], row, column)
        in_bands = bands.world_to_data(world)[1:]
        np.testing.assert_allclose(in_bands, picture.world_to_data(world[1:]))
        np.testing.assert_allclose(in_bands, (row, column))
    assert picture.visible


@pytest.mark.screen
def test_scaled_layers_lie_on_each_other(tmp_path: Path, make_napari_viewer) -> None:
    viewer = make_napari_viewer()
    path = write_envi(
        tmp_path, striped_cube(), **{"pixel size": ["0.5", "0.25", "units=Millimeters"]}
    )
    viewer.open(path, plugin="napari-dgc")
    bands, picture = viewer.layers
    np.testing.assert_allclose(
        bands.extent.world[:, 1:], picture.extent.world, rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(picture.extent.world[1], [19 * 0.25, 29 * 0.5])


@pytest.mark.screen
def test_hiding_the_picture_shows_the_band_under_the_slider(
    tmp_path: Path, make_napari_viewer
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.open(write_envi(tmp_path, striped_cube()), plugin="napari-dgc")
    _, picture = viewer.layers
    shown = viewer.screenshot(canvas_only=True, flash=False).reshape(-1, 4)
    for channel in range(3):  # a red, a green and a blue third
        assert (shown[:, :3].argmax(axis=1)[shown[:, channel] > 200] == channel).any()
    picture.visible = False
    seen = {}
    for band in (5, 1):
        viewer.dims.set_current_step(0, band)
        seen[band] = viewer.screenshot(canvas_only=True, flash=False)[..., 0]
    height, width = seen[5].shape
    left = (height // 2, width // 2 - height // 3)
    right = (height // 2, width // 2 + height // 3)
    assert seen[5][left] > 200 > seen[5][right]
    assert seen[1][right] > 200 > seen[1][left]


@pytest.mark.screen
def test_tif_and_npy_stay_napari_s(tmp_path: Path, make_napari_viewer) -> None:
    viewer = make_napari_viewer()
    np.save(tmp_path / "stack.npy", striped_cube())
    drop(viewer, tmp_path / "stack.npy")
    (layer,) = viewer.layers
    assert "napari_dgc_cube" not in layer.metadata
    assert layer.source.reader_plugin == "napari"


@pytest.mark.screen
def test_a_bad_file_is_one_line_and_no_layer(
    tmp_path: Path, make_napari_viewer, notices
) -> None:
    viewer = make_napari_viewer()
    empty = tmp_path / "empty.mat"
    empty.write_bytes(b"")
    text = tmp_path / "text.mat"
    text.write_text("not a matlab file")
    header = write_envi(tmp_path, striped_cube(), name="cut")
    header.with_suffix(".raw").write_bytes(b"too short")
    lone = write_envi(tmp_path, striped_cube(), name="lone")
    lone.with_suffix(".raw").unlink()
    for path in (empty, text):
        drop(viewer, path)
    for path in (header, lone):
        assert viewer.open(path, plugin="napari-dgc") == []
    assert len(viewer.layers) == 0
    told = list(notices)
    assert len(told) == 4
    for notice, path in zip(told, (empty, text, header, lone), strict=True):
        assert not isinstance(notice, ErrorNotification)  # no traceback button
        assert str(notice.severity) == "error"
        assert path.stem in notice.message
        assert "; " in notice.message
        assert "\n" not in notice.message
        assert "Traceback" not in notice.message


@pytest.mark.screen
def test_an_ambiguous_drop_names_the_menu(
    tmp_path: Path, make_napari_viewer, notices
) -> None:
    viewer = make_napari_viewer()
    path = tmp_path / "which.mat"
    savemat(path, {"scene": striped_cube()})
    drop(viewer, path)
    (notice,) = notices
    assert "which.mat" in notice.message
    assert "Open hyperspectral cube" in notice.message
    assert "--" not in notice.message
    assert not viewer.layers


@pytest.mark.screen
def test_a_fault_stays_in_full_until_closed(make_napari_viewer, qtbot) -> None:
    from qtpy.QtWidgets import QApplication

    from napari_dgc.ui.faults import show_fault

    viewer = make_napari_viewer(show=True)
    fault = "says 300 bands, but its data file has room for 299 of them"
    show_fault(InputError("/a/leaf.hdr", fault, "copy the data file again"))

    def unfolded() -> None:
        (toast,) = (
            widget
            for widget in QApplication.allWidgets()
            if type(widget).__name__ == "NapariQtNotification"
        )
        assert toast.property("expanded")
        assert not toast.timer.isActive()
        assert toast.message.height() >= toast.message.sizeHint().height() - 1

    qtbot.waitUntil(unfolded, timeout=3000)
    for widget in QApplication.allWidgets():
        if type(widget).__name__ == "NapariQtNotification":
            widget.close()
    assert viewer.layers == []


@pytest.mark.screen
def test_real_corn_kernel(shared_data: Path, make_napari_viewer) -> None:
    viewer = make_napari_viewer()
    path = shared_data / "corn_kernel" / "corn-kernel-hyperspectral.hdr"
    bands, picture = viewer.open(path, plugin="napari-dgc")
    assert bands.data.shape == (580, 31, 43)
    assert picture.data.shape == (31, 43, 3)
    assert bands.name == "corn-kernel-hyperspectral"
    red, _, blue = picture.data.reshape(-1, 3).mean(axis=0)
    assert red > blue  # maize is yellow


def dropped(widget, *paths: Path) -> bool:
    """Drag files over a widget and drop them; whether they were taken."""
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, mime, left, none)
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, mime, left, none)
        QApplication.sendEvent(widget, event)
    return enter.isAccepted()


def test_folders_and_zarr_stores_are_cubes_while_our_dock_is_open(
    tmp_path: Path, dock
) -> None:
    """A Specim folder on the image; a zarr store and a header on the dock."""
    capture = tmp_path / "leaf1" / "capture"
    capture.mkdir(parents=True)
    write_envi(capture, striped_cube(), "leaf1")
    write_envi(capture, striped_cube()[:, :3], "WHITEREF_leaf1")
    plain = write_envi(tmp_path, striped_cube(), "plain")
    image, study = dock._viewer.window._qt_viewer, dock.study

    def names(count: int) -> list[str]:
        wait_until(lambda: len(study.cubes) == count, 20)
        wait_until(lambda: not dock.cubes._poll.isActive(), 20)
        return [cube.name for cube in study.cubes]

    assert dropped(image, tmp_path / "leaf1")
    assert names(1) == ["leaf1"]
    assert dropped(dock, plain)
    assert names(2) == ["leaf1", "plain"]
    zarr = pytest.importorskip("zarr")
    store = tmp_path / "stored.zarr"
    zarr.save_group(str(store), cube=striped_cube())
    assert is_surely_ours(store)
    assert dropped(image, store)
    assert names(3) == ["leaf1", "plain", "stored"]
    # An array of anyone's is napari's, unless it is dropped on our dock.
    anyones = tmp_path / "anyones.zarr"
    zarr.save_array(str(anyones), striped_cube())
    assert not is_surely_ours(anyones)
    assert dropped(dock, anyones)
    assert names(4)[-1] == "anyones"
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "a.png").touch()
    assert not dropped(dock, empty / "a.png")
    assert not is_ours(empty)
