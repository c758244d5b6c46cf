"""A pathologist's afternoon: from six raw scans to the report, by mouse and key.

With NAPARI_DGC_PICTURES naming a folder, each station leaves a picture there.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from acting import Mouse, pixel_in, settle, wait_until
from qtpy.QtCore import QModelIndex, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit, QWidget
from spectral.io import envi

from napari_dgc.cli import main
from napari_dgc.cubes.scenes import Scene, SceneConfig, make_scenes
from napari_dgc.study import Study
from napari_dgc.ui.dock import ClusteringDock
from napari_dgc.ui.group_model import Column
from napari_dgc.ui.leaves_table import Column as LeafColumn

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SIZE, BANDS, STEPS = 96, 100, 4
SHOWN = 4  # leaf_05_day7, where lesions are plain to see
BACKGROUND, HEALTHY, LESION = 0, 1, 2
NAMES = {BACKGROUND: "Cloth", HEALTHY: "Leaf", LESION: "Spot"}
ROLES = {BACKGROUND: "background", HEALTHY: "healthy", LESION: "lesion"}


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Six scenes with their truth: two healthy, four infected."""
    return list(make_scenes(6, SIZE, 0, config=SceneConfig(bands=BANDS)))


@pytest.fixture(scope="module")
def scans(scenes: list[Scene], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a camera fills it: `raw` counts, and the targets beside it.

    The light differs from band to band and column to column, as a push-broom's.
    """
    folder = tmp_path_factory.mktemp("afternoon")
    rng = np.random.default_rng(0)
    dark = 400 + np.round(20 * rng.random((BANDS, 1, SIZE)))
    bands, columns = np.linspace(0, np.pi, BANDS), np.linspace(0.8, 1, SIZE)
    white = dark + np.round(9000 + 9000 * np.sin(bands)[:, None, None] * columns)
    nm = scenes[0].cube.wavelengths
    for scene in scenes:
        counts = dark + np.asarray(scene.cube.data) * (white - dark)
        write_counts(folder / "raw" / f"{scene.name}.hdr", counts, nm)
    for name, level in (("white", white), ("dark", dark)):
        lines = level + rng.normal(0, 2, (BANDS, 12, SIZE))
        write_counts(folder / f"{name}.hdr", lines, nm)
    return folder


def write_counts(path: Path, counts: np.ndarray, nm: np.ndarray) -> None:
    """Write an ENVI cube of 16-bit counts, (C, H, W)."""
    path.parent.mkdir(exist_ok=True)
    whole = np.clip(np.rint(counts), 0, 65535).astype(np.uint16)
    fields = {"wavelength": nm.tolist(), "wavelength units": "nm"}
    envi.save_image(
        str(path),
        whole.transpose(1, 2, 0),
        interleave="bil",
        ext="raw",
        metadata=fields,
    )


class User:
    """Somebody at the window, with a camera where one is wanted."""

    def __init__(self, viewer, dock: ClusteringDock) -> None:
        self.window = viewer.window._qt_window
        self.canvas = viewer.window._qt_viewer.canvas.native
        self.dock, self.study = dock, dock.study
        self.mouse = Mouse(viewer)
        self._folder = os.environ.get("NAPARI_DGC_PICTURES")
        self._count = 0

    def look(self, station: str, window: QWidget | None = None) -> None:
        """Take a picture of a station, where pictures are wanted."""
        if self._folder:
            settle(0.6)
            self._count += 1
            name = f"{self._count:02}_{station}.png"
            Path(self._folder).mkdir(parents=True, exist_ok=True)
            assert (window or self.window).grab().save(str(Path(self._folder, name)))

    def press(self, button: QWidget) -> None:
        """Click a button that can be clicked."""
        assert button.isEnabled()
        QTest.mouseClick(button, LEFT, NO_KEY, QPoint(8, button.height() // 2))
        settle()

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_KEY) -> None:
        """Press a key with the focus on the image."""
        self.canvas.setFocus()
        QTest.keyClick(self.canvas, key, modifiers)
        settle(0.1)

    def choose_more(self, text: str) -> None:
        """Choose an entry of the menu beside the picture's colours."""
        menu, chosen = self.dock.picture.menu, []

        def choose() -> None:
            (action,) = (a for a in menu.actions() if a.text() == text)
            place = menu.actionGeometry(action).center()
            QTest.mouseClick(menu, LEFT, NO_KEY, place)
            chosen.append(text)

        QTimer.singleShot(50, choose)
        self.press(self.dock.picture.more_button)
        wait_until(lambda: chosen, 5)

    def show_cube(self, index: int) -> None:
        """Click a cube in the list."""
        shown = self.dock.cubes.list
        shown.scrollToItem(shown.item(index))
        place = shown.visualItemRect(shown.item(index)).center()
        QTest.mouseClick(shown.viewport(), LEFT, NO_KEY, place)
        wait_until(lambda: self.dock.display.shown == index, 5)
        settle(0.1)

    def wait(self, running: Callable[[], bool]) -> None:
        """Wait until something runs no more and all has followed."""
        settle()
        wait_until(lambda: not running(), 120)
        settle(0.1)

    def cell(self, group: int, column: Column) -> QModelIndex:
        """Find a cell of the table of groups, and have it in sight."""
        index = self.dock.groups.model.index_of(group).siblingAtColumn(column)
        self.dock.area.ensureWidgetVisible(self.dock.groups.table)
        self.dock.groups.table.scrollTo(index)
        settle()
        return index

    def name(self, group: int, name: str) -> None:
        """Double-click a name in the table and type another."""
        table, index = self.dock.groups.table, self.cell(group, Column.NAME)
        rect = table.visualRect(index)
        place = QPoint(rect.left() + 60, rect.center().y())  # beside the swatch
        QTest.mouseClick(table.viewport(), LEFT, NO_KEY, place)
        QTest.mouseDClick(table.viewport(), LEFT, NO_KEY, place)
        editor = table.viewport().findChild(QLineEdit)
        editor.selectAll()
        QTest.keyClicks(editor, name)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        settle()

    def give_role(self, group: int, role: str) -> None:
        """Click a role in the table, and one of the list that opens."""
        table, index = self.dock.groups.table, self.cell(group, Column.ROLE)
        place = table.visualRect(index).center()
        QTest.mouseClick(table.viewport(), LEFT, NO_KEY, place)
        settle(0.1)
        boxes = table.findChildren(QComboBox)  # those of before may linger
        (box,) = (box for box in boxes if box.view().isVisible())
        view = box.view()
        QTest.qWait(QApplication.doubleClickInterval())  # a double click chooses none
        row = view.visualRect(view.model().index(box.findText(role), 0)).center()
        QTest.mouseMove(view.viewport(), row)
        QTest.mouseClick(view.viewport(), LEFT, NO_KEY, row)
        settle(0.1)


def meaning(study: Study, scenes: list[Scene]) -> dict[int, int]:
    """What each group is for who knows leaves: the class of most of its pixels."""
    votes = {group.id: np.zeros(3, int) for group in study.grouping.groups}
    for index, scene in enumerate(scenes):
        values = study.group_map(index)
        for group in study.grouping.groups:
            labels = scene.labels[values == group.value]
            votes[group.id] += np.bincount(labels, minlength=3)
    return {id: int(count.argmax()) for id, count in votes.items()}


def ask_for(monkeypatch: pytest.MonkeyPatch, **answers: object) -> None:
    """Say what the next file dialogs are answered with, by their function."""
    for function, answer in answers.items():
        monkeypatch.setattr(QFileDialog, function, lambda *a, _=answer, **k: _)


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    return float((mask & truth).sum() / (mask | truth).sum())


def test_an_afternoon_from_raw_counts_to_the_report(
    make_napari_viewer, scans, scenes, tmp_path, monkeypatch
):
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    _, dock = viewer.window.add_plugin_dock_widget("napari-dgc")
    user = User(viewer, dock)
    screen = tmp_path / "screen"
    path = tmp_path / "vine.dgc.json"

    open_cubes(user, scans, monkeypatch)
    calibrate(user, scans, scenes, monkeypatch)
    train(user)
    merge(user, scenes)
    name_and_give_roles(user, scenes)
    shares = find_leaves(user, scenes)
    ask_for(monkeypatch, getSaveFileName=(str(path), ""))
    user.key(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    user.wait(lambda: not path.exists() or dock.workspace.studies.keeper.pending)
    ask_for(monkeypatch, getExistingDirectory=str(screen))
    assert dock.export.tables.isChecked(), "on since groups have roles"
    user.press(dock.export.export_button)
    user.wait(lambda: dock.export.runner.running)
    user.look("exported")

    check_against_the_truth(screen, scenes, shares)
    check_against_the_command_line(scans, path, screen, tmp_path / "line")


def open_cubes(user: User, scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user.look("empty")
    files = [str(path) for path in sorted((scans / "raw").glob("*.hdr"))]
    ask_for(monkeypatch, getOpenFileNames=(files, ""))
    user.press(user.dock.cubes.files_button)
    user.wait(lambda: len(user.study.cubes) < 6 or user.dock.cubes._poll.isActive())
    assert [cube.path.name for cube in user.study.cubes] == [
        Path(file).name for file in files
    ]
    assert "Raw counts? Calibrate" in user.dock.status.text()
    user.look("opened")
    user.show_cube(SHOWN)


def calibrate(
    user: User, scans: Path, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    user.choose_more("Calibrate…")
    form = user.dock.preparing.calibration
    for name, button in (
        ("white", form.fields.white_choose),
        ("dark", form.fields.dark_choose),
    ):
        ask_for(monkeypatch, getOpenFileName=(str(scans / f"{name}.hdr"), ""))
        user.press(button)
    wait_until(form.apply_button.isEnabled, 10)
    user.look("calibration", form)
    user.press(form.apply_button)
    user.wait(lambda: user.dock.preparing.preparation.runner.running)
    form.close()
    assert "6 cubes" in user.dock.status.text()
    for cube, scene in zip(user.study.cubes, scenes, strict=True):
        np.testing.assert_allclose(
            cube.data[:, 5:9], scene.cube.data[:, 5:9], atol=2e-3
        )
    user.look("calibrated")


def train(user: User) -> None:
    training = user.dock.training
    training.device.setCurrentText("cpu")
    training.steps.setValue(STEPS)
    user.press(training.train_button)
    wait_until(lambda: len(training.plots.loss.steps) > 1, 60)
    user.look("training")
    user.wait(lambda: user.dock.workspace.session.runner.running)
    assert len(user.study.grouping.groups) > 8
    user.look("trained")


def merge(user: User, scenes: list[Scene]) -> None:
    """Accept the cut, then put together by hand what means the same."""
    panel, study = user.dock.groups.suggestions, user.study
    assert panel.question.text().startswith("Begin with")
    wait_until(lambda: panel.isEnabled() and not panel._stale, 10)
    wait_until(lambda: not panel.question.visibleRegion().isEmpty(), 10)
    user.look("suggestion")
    user.key(Qt.Key.Key_A)
    if not study.history.operations:  # not in sight just then: it was only shown
        assert "A yes" in user.dock.status.text(), user.dock.status.text()
        user.key(Qt.Key.Key_A)
    begun = len(study.grouping.groups)
    assert begun < 8, "the cut was accepted"
    user.look("cut")
    user.key(Qt.Key.Key_M)
    for kind in (LESION, BACKGROUND, HEALTHY):
        alike = [g for g, what in meaning(study, scenes).items() if what == kind]
        pixels = user.dock.groups.model.pixels
        alike.sort(key=lambda id: pixels(study.grouping.group(id)), reverse=True)
        for id in alike[1:]:
            start, end = (pixel_in(user.dock, g, SHOWN) for g in (id, alike[0]))
            user.mouse.drag(start, end, lambda: user.look("merge_mode"))
            assert id not in study.grouping.ids
    user.key(Qt.Key.Key_M)
    user.look("merged")
    assert len(study.grouping.groups) == 3 < begun


def name_and_give_roles(user: User, scenes: list[Scene]) -> None:
    for group, kind in meaning(user.study, scenes).items():
        user.name(group, NAMES[kind])
        user.give_role(group, ROLES[kind])
    said = {group.name: group.role for group in user.study.grouping.groups}
    assert said == {NAMES[kind]: ROLES[kind] for kind in NAMES}
    user.look("named")


def find_leaves(user: User, scenes: list[Scene]) -> list[str]:
    """Give the % of lesion of each cube, as the table of leaves says."""
    user.key(Qt.Key.Key_L)
    shown = user.dock.leaves.dock
    user.press(shown.find_button)
    user.wait(lambda: user.dock.leaves.session.runner.running)
    shares = []
    for index, scene in enumerate(scenes):
        user.show_cube(index)
        user.wait(lambda: any(row.lesions is None for row in shown.model.rows))
        assert len(shown.model.rows) == 1 + scene.leaves.max(), scene.name
        shares.append(shown.model.index(0, LeafColumn.PERCENT).data())
        if index == SHOWN:
            user.look("leaves")
    user.key(Qt.Key.Key_L)
    return shares


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def check_against_the_truth(
    screen: Path, scenes: list[Scene], shares: list[str]
) -> None:
    masks = [tifffile.imread(screen / f"{s.name}_lesion_mask.tif") > 0 for s in scenes]
    truth = [scene.labels == LESION for scene in scenes]
    assert iou(np.array(masks), np.array(truth)) > 0.9
    by_cube = {
        row["cube"]: float(row["lesion_%_of_tissue"])
        for row in rows_of(screen / "severity.csv")
    }
    assert [f"{by_cube[scene.name]:.1f}" for scene in scenes] == shares
    for scene, lesion in zip(scenes, truth, strict=True):
        share = 100 * lesion.sum() / (scene.labels > BACKGROUND).sum()
        assert abs(by_cube[scene.name] - share) < 2, scene.name


def check_against_the_command_line(
    scans: Path, study: Path, screen: Path, line: Path
) -> None:
    """Train, segment, merge and report without a screen: the same numbers."""
    targets = ["--white", str(scans / "white.hdr"), "--dark", str(scans / "dark.hdr")]
    raw, model = str(scans / "raw"), str(line / "model.safetensors")
    recipe = str(screen / "recipe.json")
    clusters, groups = str(line / "clusters"), str(line / "groups")
    steps = ["--steps", str(STEPS), "--device", "cpu", "-q"]
    assert main(["train", raw, "-o", model, *targets, *steps]) == 0
    assert main(["segment", model, raw, "-o", clusters, *targets, "-q"]) == 0
    assert main(["merge", model, clusters, "--recipe", recipe, "-o", groups, "-q"]) == 0
    assert main(["report", str(study), "-o", str(line / "study"), "-q"]) == 0
    assert main(["report", groups, clusters, "-o", str(line / "maps"), "-q"]) == 0
    same = [(line / "model.safetensors", screen / "model.safetensors")]
    for folder in ("groups", "study"):
        written = sorted(Path(line, folder).iterdir())
        same += [(file, screen / file.name) for file in written]
    assert len(same) > 20
    for mine, theirs in same:
        assert mine.read_bytes() == theirs.read_bytes(), mine
    for name in ("severity.csv", "leaves.csv", "lesions.csv"):
        mine, theirs = rows_of(line / "maps" / name), rows_of(screen / name)
        for row in (*mine, *theirs):  # how sure, which a study alone knows
            row.pop("lesion_%_low", None)
            row.pop("lesion_%_high", None)
        assert mine == theirs, name
