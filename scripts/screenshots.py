"""Drive the real window and save what it shows: the pictures of README and guide.

Run under a display, or without one::

    xvfb-run -a -s "-screen 0 1600x1000x24" env QT_QPA_PLATFORM=xcb \
        python scripts/screenshots.py [-o docs/pictures]

Everything in the pictures is real: the sample scenes, the training, the mouse. Only
the picture of the report needs Chromium; without it the one that is there stays.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("NAPARI_CONFIG", "")
# Studies of a picture are not the user's.
os.environ.setdefault("NAPARI_DGC_DATA", tempfile.mkdtemp(prefix="napari-dgc-"))

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QWidget
from scipy.ndimage import distance_transform_edt
from spectral.io import envi

from napari_dgc.cubes.scenes import SceneConfig, make_scene, write_scenes
from napari_dgc.merging.grouping import Group
from napari_dgc.ui.dock import ClusteringDock

ROOT = Path(__file__).resolve().parents[1]
LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--steps", type=int, default=120, help="training steps")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    camera = Camera(args.out)
    camera.take("empty")
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        calibrating(camera, work)
        write_scenes(work / "leaves")
        camera.dock.cubes.add_paths([work / "leaves"])
        wait_until(lambda: len(camera.dock.study.cubes) == 6)
        wait(2)
        camera.dock.cubes.list.setCurrentRow(2)  # a leaf five days after infection
        camera.take("cubes")
        first_map_and_training(camera, args.steps)
        merging(camera)
        leaves_labels_and_report(camera, work)
        crowd_and_themes(camera)
        camera.viewer.close()
        wait(0.3)


def calibrating(camera: Camera, work: Path) -> None:
    """The form, for a scan of raw counts with its white and dark beside it."""
    cube = make_scene(SceneConfig(lesion="brown"), 3, "scan").cube
    C, _, W = cube.shape
    dark = np.full((C, 1, W), 300.0)
    light = np.sin(np.linspace(0.2, 2.8, C))[:, None, None] * np.linspace(0.9, 1, W)
    white = dark + 12_000 * light
    for name, counts in (
        ("vine_day5", dark + np.asarray(cube.data) * (white - dark)),
        ("WHITEREF_vine_day5", white.repeat(8, axis=1)),
        ("DARKREF_vine_day5", dark.repeat(8, axis=1)),
    ):
        envi.save_image(
            str(work / f"{name}.hdr"),
            np.clip(counts, 0, 65_535).astype(np.uint16).transpose(1, 2, 0),
            ext="raw",
            interleave="bil",
            metadata={"wavelength": cube.wavelengths.tolist()},
        )
    dock = camera.dock
    dock.cubes.add_paths([work / "vine_day5.hdr"])
    wait_until(lambda: len(dock.study.cubes) == 1)
    wait(1)
    dock.preparing.open_calibration()
    form = dock.preparing.calibration
    wait_until(form.apply_button.isEnabled)
    camera.take("calibration", window=form)
    form.close()
    dock.cubes.list.setCurrentRow(0)
    dock.cubes.remove_button.click()
    wait(0.5)
    # Without Qt's own loop what is to be deleted, such as napari's slider, stays.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def first_map_and_training(camera: Camera, steps: int) -> None:
    """A first map, a training on the way, and its result."""
    dock = camera.dock
    dock.training.first_button.click()
    wait_until(lambda: not dock.workspace.session.runner.running)
    camera.take("first_map")
    dock.training.steps.setValue(steps)
    dock.training.train_button.click()
    wait_until(lambda: len(dock.training.plots.loss.steps) > steps // 2)
    camera.take("training", settle=0.1)
    wait_until(lambda: not dock.workspace.session.runner.running)
    camera.take("trained")
    dock.film.fold.click()
    dock.film.slider.setValue(dock.film.slider.maximum() // 2)
    camera.take("film")
    dock.film.back_button.click()
    dock.film.fold.click()
    camera.viewer.theme = "light"
    camera.take("light_trained")
    camera.viewer.theme = "dark"


def merging(camera: Camera) -> None:
    """Select by click, merge by dragging on the image, cut, undo."""
    dock = camera.dock
    largest = sorted(dock.study.grouping.groups, key=dock.groups.model.pixels)[::-1]
    camera.click(camera.pixel_in(largest[3].id))
    camera.take("selected")
    dock.workspace.selection.set(())
    camera.away()
    dock.groups.suggestions.pass_on()  # to begin with a cut
    camera.take("cut", settle=0.3)
    dock.groups.suggestions.pass_on()  # a pair
    camera.take("suggestion")
    dock.leave()
    dock.workspace.gestures.set_merging(True)
    start, end = camera.pixel_in(largest[1].id), camera.pixel_in(largest[0].id)
    camera.press(start)
    camera.move(start, end)
    camera.take("merge_mode", settle=0.1)
    camera.release(end)
    camera.take("merged")
    dock.workspace.gestures.set_merging(False)
    camera.away()
    slider = dock.groups.granularity.slider
    slider._slider.setSliderDown(True)
    for count in range(slider.value() - 1, 4, -1):
        slider.setValue(count)
        wait(0.02)
    slider._slider.setSliderDown(False)
    pixels = dock.groups.model.pixels
    groups = sorted(filter(pixels, dock.study.grouping.groups), key=pixels)
    dock.workspace.selection.set({groups[0].id})
    dock.study.rename(groups[0].id, "Lesion")
    dock.study.set_role(groups[0].id, "lesion")
    dock.study.set_lock(groups[0].id, True)
    camera.take("granularity")
    name_groups(dock, groups)
    camera.take("study")
    dock.spectra.set_shown(True)
    wait(0.5)
    camera.move(camera.pixel_in(groups[-1].id), camera.pixel_in(groups[0].id))
    camera.take("spectra")
    dock.spectra.set_shown(False)
    camera.away()
    dock.activation.toggle()
    camera.take("activation")
    dock.activation.toggle()
    dock.show_keys()
    wait(0.3)
    box = dock.findChild(QDialog, "dgc_keys")
    camera.take("keys", window=box)
    box.close()


def name_groups(dock: ClusteringDock, groups: list[Group]) -> None:
    """Both kinds of lesion in one group, the rest named: what a user ends with."""
    study, lesion = dock.study, groups[0].id
    study.set_lock(lesion, False)
    study.merge([groups[1].id], lesion)
    study.set_lock(lesion, True)
    for group, name, role in (
        (groups[-1], "Cloth", "background"),
        (groups[-2], "Leaf", "healthy"),
        (groups[2], "Shadow", "background"),
    ):
        study.rename(group.id, name)
        study.set_role(group.id, role)
    dock.workspace.selection.set(())


def leaves_labels_and_report(camera: Camera, work: Path) -> None:
    """The leaves of a cube, the groups beside labels, and the page of the report."""
    dock = camera.dock
    dock.leaves.toggle()
    dock.leaves.dock.find_button.click()
    wait_until(lambda: not dock.leaves.session.runner.running)
    camera.take("leaves", settle=2)
    dock.leaves.toggle()
    session = dock.evaluation.session
    session.open(sorted((work / "leaves").glob("*.json")))
    wait_until(lambda: session.comparison is not None)
    wait(1)
    session.choose("lesion")
    camera.take("evaluation", settle=1.5)
    session.forget()
    dock.evaluation.set_shown(False)
    path = work / "vine.dgc.json"
    dock.workspace.studies.save_as(path)
    wait_until(lambda: path.exists() and not dock.workspace.studies.keeper.pending)
    dock.export.export(work / "report")
    wait_until(lambda: not dock.export.runner.running)
    camera.take("exported")
    if browser := shutil.which("chromium"):
        picture = camera.folder / "report.png"
        subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--disable-gpu",
                "--hide-scrollbars", "--window-size=1100,1750",
                f"--screenshot={picture}", (work / "report/report.html").as_uri(),
            ],
            check=True, capture_output=True,
        )  # fmt: skip


def crowd_and_themes(camera: Camera) -> None:
    """64 clusters, the light theme, and a narrow window."""
    dock, viewer = camera.dock, camera.viewer
    while dock.study.history.can_undo:
        dock.workspace.undo()
    dock.training.k.setValue(64)
    dock.training.first_button.click()
    wait_until(lambda: not dock.workspace.session.runner.running)
    camera.take("64_clusters")
    viewer.theme = "light"
    camera.take("light")
    dock.workspace.gestures.set_merging(True)
    camera.take("light_merge_mode")
    dock.workspace.gestures.set_merging(False)
    viewer.theme = "dark"


class Camera:
    """A window of 1280 x 800 with the dock, a mouse in it, and a shutter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.viewer = napari.Viewer()
        self.viewer.window._qt_window.resize(1280, 800)
        _, self.dock = self.viewer.window.add_plugin_dock_widget("napari-dgc")
        assert isinstance(self.dock, ClusteringDock)
        self._canvas = self.viewer.window._qt_viewer.canvas
        wait(1)

    def take(
        self, name: str, settle: float = 0.6, window: QWidget | None = None
    ) -> None:
        wait(settle)
        picture = self.folder / f"{name}.png"
        (window or self.viewer.window._qt_window).grab().save(str(picture))
        shrink(picture)
        print(f"{name}: {self.dock.status.text()}")

    def pixel_in(self, group: int) -> tuple[int, int]:
        """Find a pixel well inside a group of the cube shown."""
        value = self.dock.study.grouping.group(group).value
        labels = self.dock.study.group_map(self.dock.display.shown)
        depth = distance_transform_edt(np.pad(labels == value, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        return int(row), int(column)

    def away(self) -> None:
        """Move the mouse off the cube."""
        for place in (QPoint(4, 4), QPoint(5, 5)):
            QTest.mouseMove(self._canvas.native, place)
            wait(0.05)

    def click(self, pixel: tuple[int, int]) -> None:
        QTest.mouseMove(self._canvas.native, self._place(pixel))
        QTest.mouseClick(self._canvas.native, LEFT, NO_KEY, self._place(pixel))

    def press(self, pixel: tuple[int, int]) -> None:
        QTest.mousePress(self._canvas.native, LEFT, NO_KEY, self._place(pixel))

    def move(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        first, last = self._place(start), self._place(end)
        for share in (0.3, 0.6, 1.0):
            QTest.mouseMove(self._canvas.native, first + (last - first) * share)
            wait(0.05)

    def release(self, pixel: tuple[int, int]) -> None:
        QTest.mouseRelease(self._canvas.native, LEFT, NO_KEY, self._place(pixel))

    def _place(self, pixel: tuple[int, int]) -> QPoint:
        view = self._canvas.view
        transform = view.transform * view.scene.transform
        x, y = transform.map([pixel[1], pixel[0]])[:2]
        return QPoint(round(x), round(y))


def shrink(path: Path) -> None:
    """Take 256 colours for a picture: a third of its size.

    Pillow's usual way to choose them gives swatches of few pixels another colour.
    """
    way = Image.Quantize.FASTOCTREE
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, way, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def wait(seconds: float) -> None:
    wait_until(lambda: False, seconds)


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.002)


if __name__ == "__main__":
    main()
