"""Opening through our menu: any format, beside the screen, asking what it must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari._app_model import get_app_model
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
)
from scipy.io import savemat

from napari_dgc.ui.layout_form import LayoutForm, describe_axes
from napari_dgc.ui.menus import FILE_FILTER, open_paths

STORED = np.random.default_rng(0).integers(1, 900, (20, 30, 7)).astype(np.uint16)


class Answers:
    """Answers the form, once for each answer, as soon as it opens."""

    def __init__(self, *answers: dict) -> None:
        self.answers = list(answers)
        self.seen: list[LayoutForm] = []
        self.offered: list[tuple[list[str], list[str]]] = []
        self.timer = QTimer()
        self.timer.timeout.connect(self._on_timer_ticked)
        self.timer.start(20)

    def _on_timer_ticked(self) -> None:
        form = QApplication.activeModalWidget()
        if not isinstance(form, LayoutForm) or form in self.seen:
            return
        self.seen.append(form)
        self.offered.append((texts(form.key_box), texts(form.axes_box)))
        answer = self.answers.pop(0)
        if answer.get("cancel"):
            form.buttons.button(QDialogButtonBox.StandardButton.Cancel).click()
            return
        for box, key in ((form.key_box, "key"), (form.axes_box, "axes")):
            if key in answer:
                box.setCurrentIndex(box.findData(answer[key]))
        form.buttons.button(QDialogButtonBox.StandardButton.Open).click()


def texts(box: QComboBox) -> list[str]:
    return [box.itemText(i) for i in range(box.count())]


@pytest.fixture
def answer():
    made: list[Answers] = []

    def make(*answers: dict) -> Answers:
        made.append(Answers(*answers))
        return made[-1]

    yield make
    for each in made:
        each.timer.stop()


def wait_for(qtbot, openings) -> None:
    qtbot.waitUntil(lambda: all(each.finished for each in openings), timeout=10_000)


def test_ambiguous_npy_is_asked_about_once(
    tmp_path: Path, make_napari_viewer, qtbot, answer
) -> None:
    viewer = make_napari_viewer()
    path = tmp_path / "scene.npy"
    np.save(path, STORED)
    asked = answer({"axes": "yxb"})
    wait_for(qtbot, open_paths(viewer, [path]))
    assert len(asked.seen) == 1
    bands, picture = viewer.layers
    np.testing.assert_array_equal(bands.data, STORED.transpose(2, 0, 1))
    assert picture.data.shape == (20, 30, 3)


def test_the_form_says_what_each_order_means(
    tmp_path: Path, make_napari_viewer, qtbot, answer
) -> None:
    viewer = make_napari_viewer()
    path = tmp_path / "scene.tif"
    tifffile.imwrite(path, STORED, photometric="minisblack")
    asked = answer({"cancel": True})
    wait_for(qtbot, open_paths(viewer, [path]))
    ((_, offered),) = asked.offered
    assert offered[0] == "20 rows × 30 columns × 7 bands"
    assert "20 bands × 30 rows × 7 columns" in offered
    assert len(set(offered)) == 6
    assert not viewer.layers  # cancelled


def test_known_axes_are_not_asked_for(
    tmp_path: Path, make_napari_viewer, qtbot, answer
) -> None:
    viewer = make_napari_viewer()
    path = tmp_path / "leaf.mat"
    savemat(path, {"hsi": STORED, "wavelength": np.linspace(400, 1000, 7)})
    asked = answer()
    wait_for(qtbot, open_paths(viewer, [path]))
    assert not asked.seen
    assert viewer.layers["leaf"].data.shape == (7, 20, 30)


def test_variable_then_axes_are_asked_for(
    tmp_path: Path, make_napari_viewer, qtbot, answer
) -> None:
    viewer = make_napari_viewer()
    path = tmp_path / "two.mat"
    savemat(path, {"dark": STORED[:1], "scene": STORED})
    asked = answer({"key": "scene"}, {"axes": "yxb"})
    wait_for(qtbot, open_paths(viewer, [path]))
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=5000)
    (keys, _), (keys_again, _) = asked.offered
    assert keys == ["dark  (1 × 30 × 7)", "scene  (20 × 30 × 7)"]
    assert keys_again == ["scene  (20 × 30 × 7)"]
    np.testing.assert_array_equal(viewer.layers["two"].data, STORED.transpose(2, 0, 1))


def test_a_fault_is_told_and_the_others_still_open(
    tmp_path: Path, make_napari_viewer, qtbot
) -> None:
    viewer = make_napari_viewer()
    bad, good = tmp_path / "bad.npy", tmp_path / "good.mat"
    bad.write_bytes(b"nothing")
    savemat(good, {"cube": STORED.transpose(2, 0, 1)})
    before = len(notification_manager.records)
    wait_for(qtbot, open_paths(viewer, [bad, good]))
    (notice,) = notification_manager.records[before:]
    assert notice.message.startswith("bad.npy: ")
    assert "\n" not in notice.message
    assert [layer.name for layer in viewer.layers] == ["good", "good RGB"]
    # In the order asked for: the one read last is shown first.
    slow = tmp_path / "slow.mat"
    savemat(slow, {"cube": np.tile(STORED.transpose(2, 0, 1), (20, 10, 10))})
    viewer.layers.clear()
    wait_for(qtbot, open_paths(viewer, [slow, bad, good]))
    names = ["slow", "slow RGB", "good", "good RGB"]
    assert [layer.name for layer in viewer.layers] == names


def test_a_header_and_its_data_file_are_one_cube(
    shared_data: Path, make_napari_viewer, qtbot
) -> None:
    viewer = make_napari_viewer()
    folder = shared_data / "hippo_rock"
    openings = open_paths(viewer, [folder / "image.dat", folder / "image.hdr"])
    wait_for(qtbot, openings)
    assert [layer.name for layer in viewer.layers] == ["image", "image RGB"]
    assert viewer.layers["image"].data.shape == (450, 38, 23)


def test_a_closed_viewer_gets_nothing(
    tmp_path: Path, make_napari_viewer, qtbot
) -> None:
    viewer = make_napari_viewer()
    path = tmp_path / "leaf.mat"
    savemat(path, {"cube": STORED.transpose(2, 0, 1)})
    openings = open_paths(viewer, [path])
    viewer.close()
    wait_for(qtbot, openings)
    assert len(viewer.layers) == 0


def test_the_menu_entry_opens_what_is_chosen(
    tmp_path: Path, make_napari_viewer, qtbot
) -> None:
    viewer = make_napari_viewer(show=True)
    path = tmp_path / "leaf.mat"
    savemat(path, {"cube": STORED.transpose(2, 0, 1)})

    def choose() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QFileDialog):
            timer.stop()
            dialog.findChild(QLineEdit, "fileNameEdit").setText(str(path))
            buttons = dialog.findChild(QDialogButtonBox)
            buttons.button(QDialogButtonBox.StandardButton.Open).click()

    timer = QTimer()
    timer.timeout.connect(choose)
    timer.start(50)
    get_app_model().commands.execute_command("napari-dgc.open_cube").result()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=10_000)
    assert viewer.layers["leaf"].data.shape == (7, 20, 30)


def test_the_dialog_offers_every_format() -> None:
    for suffix in (".mat", ".hdr", ".raw", ".tif", ".tiff", ".npy"):
        assert f"*{suffix}" in FILE_FILTER


@pytest.mark.parametrize(
    ("axes", "text"),
    [("yxb", "5 rows × 6 columns × 7 bands"), ("bxy", "5 bands × 6 columns × 7 rows")],
)
def test_axes_in_words(axes: str, text: str) -> None:
    assert describe_axes(axes, (5, 6, 7)) == text
    assert describe_axes("yxb") == "rows, columns, bands"
