"""What a user does and sees, for the tests of the screen."""

from __future__ import annotations

import time
from collections.abc import Callable

import napari
import numpy as np
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox
from scipy.ndimage import distance_transform_edt

from napari_dgc.cubes.cube import Cube
from napari_dgc.ui.cube_layers import cube_to_layers
from napari_dgc.ui.dock import ClusteringDock


def add_cube(dock: ClusteringDock, cube: Cube) -> None:
    """Open a cube as napari's reader does."""
    for data, options, kind in cube_to_layers(cube):
        dock._viewer._add_layer_from_data(data, options, kind)
    settle()


def settle(seconds: float = 0.05) -> None:
    """Let Qt work off what is waiting."""
    wait_until(lambda: False, seconds, fail=False)


def wait_until(
    condition: Callable[[], bool], seconds: float = 60, *, fail: bool = True
) -> float:
    """Run the event loop until something is so; returns how long it took."""
    began = time.monotonic()
    while not condition():
        QApplication.processEvents()
        time.sleep(0.002)
        if time.monotonic() - began > seconds:
            assert not fail, f"not so within {seconds} s"
            break
    return time.monotonic() - began


class Mouse:
    """Presses, moves and releases on the canvas, at places of the data."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._canvas = viewer.window._qt_viewer.canvas

    def place(self, pixel: tuple[int, int]) -> QPoint:
        """Give the canvas position of the middle of a pixel (row, column)."""
        view = self._canvas.view
        transform = view.transform * view.scene.transform
        x, y = transform.map([pixel[1], pixel[0]])[:2]
        return QPoint(round(x), round(y))

    def _at(self) -> np.ndarray:
        return np.array(self._viewer.cursor.position[-2:])

    def move(self, pixel: tuple[int, int]) -> None:
        """Move to a pixel with no button held; napari's status follows."""

        def there() -> bool:
            return bool(np.abs(self._at() - pixel).max() <= 0.5)

        # Qt drops a move to where the mouse was, if by a test before this one; and
        # the X server may still be closing that test's window.
        for _ in range(20):
            QTest.mouseMove(self._canvas.native, self.place(pixel) + QPoint(0, 1))
            settle(0.01)
            QTest.mouseMove(self._canvas.native, self.place(pixel))
            wait_until(there, 0.5, fail=False)
            if there():
                break
        assert there(), f"the mouse did not get to {pixel}"
        settle()
        # The fixture stops the thread that does this in the real window.
        self._viewer.update_status_from_cursor()

    def click(self, pixel: tuple[int, int], modifiers=Qt.KeyboardModifier.NoModifier):
        """Press and release at one place."""
        button, place = Qt.MouseButton.LeftButton, self.place(pixel)
        QTest.mouseMove(self._canvas.native, place)
        QTest.mouseClick(self._canvas.native, button, modifiers, place)
        settle()

    def shift_click(self, pixel: tuple[int, int]) -> None:
        """Click with Shift held."""
        self.click(pixel, Qt.KeyboardModifier.ShiftModifier)

    def drag(
        self,
        start: tuple[int, int],
        end: tuple[int, int],
        on_the_way: Callable[[], object] = lambda: None,
    ) -> None:
        """Press, move in steps, look on the way at the end, release."""
        native, button = self._canvas.native, Qt.MouseButton.LeftButton
        none = Qt.KeyboardModifier.NoModifier
        first, last = self.place(start), self.place(end)
        QTest.mousePress(native, button, none, first)
        for share in (0.25, 0.5, 0.75, 1.0):
            QTest.mouseMove(native, first + (last - first) * share)
            settle(0.01)
        on_the_way()
        QTest.mouseRelease(native, button, none, last)
        settle()


def pixel_in(dock: ClusteringDock, group: int, index: int = 0) -> tuple[int, int]:
    """Find a pixel well inside a group."""
    value = dock.study.grouping.group(group).value
    depth = distance_transform_edt(np.pad(dock.study.group_map(index) == value, 1))[
        1:-1, 1:-1
    ]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row), int(column)


def shown_labels(dock: ClusteringDock) -> np.ndarray:
    """What the label layer on the image holds."""
    return np.asarray(dock.display.entry.groups.layer.data)


def brute_force(dock: ClusteringDock, index: int = 0) -> np.ndarray:
    """Group map pixel by pixel, from the groups' clusters alone."""
    clusters = dock.study.cluster_map(index)
    labels = np.zeros_like(clusters)
    for group in dock.study.grouping.groups:
        labels[np.isin(clusters, group.clusters)] = min(group.clusters)
    return labels


def undo_all(dock: ClusteringDock) -> None:
    """Take every step back and select nothing: for the next story in a window.

    A viewer takes ten times as long as most stories, so those that can share one do.
    """
    while dock.study.history.operations:
        dock.workspace.undo()
    dock.workspace.selection.set(())
    settle()


def answer(text: str, seen: list[str]) -> None:
    """Press a button of the next question once it is there; note what it asks."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(20, press)
            return
        seen.append(box.text())
        next(b for b in box.buttons() if b.text() == text).click()

    QTimer.singleShot(20, press)


def seen(viewer, pixel):
    """Colour of a pixel of the data in the real window, RGB 0..255."""
    settle()
    picture = viewer.window._qt_viewer.canvas.screenshot()
    place = Mouse(viewer).place(pixel)
    red, green, blue, _ = picture.pixelColor(place).getRgb()
    return np.array([red, green, blue])
