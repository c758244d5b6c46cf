"""Labels on the screen: dropped, scored as the command does, drawn, mapped by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from acting import add_cube, pixel_in, seen, settle, shown_labels, wait_until
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit
from scipy.io import savemat

from napari_dgc.cli import main
from napari_dgc.cubes.annotations import SCENE_CLASSES, write_labelme
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.reports.masks import write_label_tiff
from napari_dgc.study.evaluating.comparison import (
    ELSEWHERE,
    FALSE,
    MISSED,
    RIGHT,
    WRONG,
)
from napari_dgc.ui.evaluation_layer import COLORS
from napari_dgc.ui.evaluation_wording import BY_HAND, HUNGARIAN, MAJORITY, NO_CLASS

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
COPY = Qt.DropAction.CopyAction


@pytest.fixture(scope="module")
def truth():
    """Labels of the leaf of the fixtures, (64, 64) uint8."""
    return make_scene(SceneConfig(size=64, bands=40, leaves=1), 0, "leaf").labels


def drop(widget, *paths):
    """Drag files over a widget and drop them; whether they were welcome."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    enter = QDragEnterEvent(QPoint(50, 50), COPY, mime, LEFT, NO_KEY)
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        event = QDropEvent(QPointF(50, 50), COPY, mime, LEFT, NO_KEY)
        QApplication.sendEvent(widget, event)
    return enter.isAccepted()


def compared(dock):
    """Wait until nothing is read, compared or to be shown."""
    session = dock.evaluation.session
    settle()
    wait_until(lambda: not (session.reading.running or session.scoring.running))
    settle()
    wait_until(lambda: not (session.reading.running or session.scoring.running))
    settle()
    return session.comparison


def table(dock):
    """What the table of classes says, by class."""
    classes = dock.evaluation.dock.classes
    cells = [
        [classes.item(row, column).text() for column in range(5)]
        for row in range(classes.rowCount())
    ]
    return {name: rest for name, *rest in cells}


def click(table, row, column):
    place = table.visualItemRect(table.item(row, column)).center()
    QTest.mouseClick(table.viewport(), LEFT, NO_KEY, place)
    settle()


def layers(dock):
    return [x for x in dock._viewer.layers if x.name.endswith("differences")]


def by_command(dock, folder, labels, capsys, *how):
    """What `napari-dgc evaluate` says of the map on the screen."""
    write_label_tiff(folder / "leaf_groups.tif", shown_labels(dock))
    capsys.readouterr()
    command = ["evaluate", str(folder), "--labels", str(labels), *how]
    assert main(command) == 0
    return json.loads(capsys.readouterr().out)


def test_labels_dropped_on_the_image_are_scored_and_drawn(
    mapped, truth, tmp_path, capsys
):
    labels = tmp_path / "leaf.json"
    write_labelme(labels, truth, SCENE_CLASSES, "leaf.mat")
    assert drop(mapped._viewer.window._qt_viewer, labels)
    found = compared(mapped)
    assert mapped.evaluation.shown
    expected = by_command(mapped, tmp_path / "m", labels, capsys, "--align", MAJORITY)
    assert found.scores == expected
    said = table(mapped)
    for name, one in expected["classes"].items():
        assert said[name][1:3] == [f"{one['iou']:.3f}", f"{one['dice']:.3f}"]
    assert f"mean IoU {expected['mean_iou']:.3f}" in mapped.status.text()
    (layer,) = layers(mapped)
    assert set(np.unique(layer.data)) <= {RIGHT, WRONG}
    # One class: its colours are those the legend tells.
    lesion = list(said).index("lesion")
    click(mapped.evaluation.dock.classes, lesion, 0)
    (layer,) = layers(mapped)
    is_it = truth == 2
    values = [int(v) for v in expected["mapping"]["2"]]
    there = np.isin(shown_labels(mapped), values)
    codes = np.where(is_it, np.where(there, RIGHT, MISSED), FALSE)
    codes[~is_it & ~there] = ELSEWHERE
    np.testing.assert_array_equal(layer.data, codes)
    pixel = pixel_in(mapped, mapped.study.grouping.by_value(values[0]).id)
    color = np.array(COLORS[int(codes[pixel])])
    assert np.abs(seen(mapped._viewer, pixel) - color).max() < 40
    legend = mapped.evaluation.dock.legend.text()
    # Without the dock nothing would say what the colours mean.
    mapped.evaluation.set_shown(False)
    assert not layers(mapped)
    mapped.evaluation.set_shown(True)
    (layer,) = layers(mapped)
    np.testing.assert_array_equal(layer.data, codes)
    assert "right" in legend
    assert f"missed {(codes == MISSED).sum():,}" in legend
    # Another mapping from the list, and a merge, are followed.
    dock = mapped.evaluation.dock
    dock.alignment.setCurrentIndex(dock.alignment.findData(HUNGARIAN))
    dock.alignment.activated.emit(dock.alignment.currentIndex())
    ids = mapped.study.grouping.ids
    mapped.workspace.merge((ids[1],), ids[0])
    found = compared(mapped)
    expected = by_command(mapped, tmp_path / "h", labels, capsys, "--align", HUNGARIAN)
    assert found.scores == expected
    assert NO_CLASS in table(mapped)
    # What is saved is what the command prints, to the byte.
    saved, saving = tmp_path / "scores.json", dock.saving
    choose_file(saved)
    QTest.mouseClick(saving.button, LEFT)
    wait_until(lambda: saved.exists() and not saving.runner.running)
    assert saved.read_text() == json.dumps(expected, indent=2) + "\n"
    assert f"Wrote {saved}" in mapped.status.text()
    saving.save(tmp_path / "scores.csv")
    wait_until(lambda: (tmp_path / "scores.csv").exists())
    head, *lines = (tmp_path / "scores.csv").read_text().splitlines()
    assert head == "class,iou,dice,area_rmse"
    assert [line.split(",")[0] for line in lines] == list(expected["classes"])
    QTest.mouseClick(dock.drawn_button, LEFT)
    settle()
    assert layers(mapped) == []


def test_several_files_on_the_dock_and_what_is_wrong_with_some(mapped, truth, tmp_path):
    other = make_scene(SceneConfig(size=64, bands=40, leaves=1), 1, "second")
    add_cube(mapped, other.cube)
    clusters = mapped.study.cluster_map(0)
    statistics = mapped.study.statistics(0)
    mapped.study.set_map(1, clusters[::-1].copy(), statistics)
    folder = tmp_path / "labels"
    folder.mkdir()
    tifffile.imwrite(folder / "leaf_labels.tif", truth)
    tifffile.imwrite(folder / "second_labels.tif", truth[::-1])
    assert not drop(mapped, tmp_path / "letter.docx")
    assert drop(mapped, folder)
    found = compared(mapped)
    assert list(found.scores["cubes"]) == ["leaf", "second"]
    assert found.scores["cubes"]["leaf"] == found.scores["cubes"]["second"]
    cubes = mapped.evaluation.dock.cubes
    shown = mapped.display.shown
    click(cubes, 1 - shown, 0)
    assert mapped.display.shown == 1 - shown
    assert sum(layer.visible for layer in layers(mapped)) == 1
    # Of another size, and of no cube: told in words; what was read before stays.
    tifffile.imwrite(tmp_path / "second_labels.tif", truth[:9])
    (tmp_path / "nobody.json").write_text('{"shapes": []}')
    drop(mapped, tmp_path / "second_labels.tif", tmp_path / "nobody.json")
    again = compared(mapped)
    said = mapped.status.text()
    assert "nobody.json: no cube here has this name" in said
    assert "1 more file not taken" in said
    assert again.scores == found.scores
    # A cube that leaves takes its labels along.
    mapped.display.remove(1)
    assert list(compared(mapped).scores["cubes"]) == ["leaf"]
    QTest.mouseClick(mapped.evaluation.dock.forget_button, LEFT)
    assert compared(mapped) is None
    assert layers(mapped) == []
    assert "Drop label files" in mapped.evaluation.dock.empty.text()


def test_groups_are_put_to_classes_by_hand(mapped, truth, tmp_path, capsys, first_map):
    labels = tmp_path / "leaf_labels.tif"
    tifffile.imwrite(labels, truth)
    # The whole way by the menu "More", its file dialog answered by the keyboard.
    choose_file(labels)
    actions = {a.text(): a for a in mapped.groups.tools.menu.actions()}
    actions["Compare with labels…"].trigger()
    found = compared(mapped)
    assert list(found.scores["classes"]) == ["class 0", "class 1", "class 2"]
    classes = mapped.evaluation.dock.classes
    row = list(table(mapped)).index("class 2")
    click(classes, row, 1)
    before = set(mapped.evaluation.session.comparison.members["class 2"])
    wanted = next(
        a
        for a in classes.menu.actions()
        if mapped.study.grouping.group(a.data()).value not in before
    )
    group = mapped.study.grouping.group(wanted.data())
    assert "(class " in wanted.text()
    place = classes.menu.actionGeometry(wanted).center()
    QTest.mouseClick(classes.menu, LEFT, NO_KEY, place)
    found = compared(mapped)
    assert mapped.evaluation.session.alignment == BY_HAND
    assert set(found.members["class 2"]) == before | {group.value}
    assert wanted.isChecked()
    mapping = json.dumps(found.scores["mapping"])
    expected = by_command(mapped, tmp_path / "m", labels, capsys, "--mapping", mapping)
    assert found.scores == expected
    QTest.mouseClick(classes.menu, LEFT, NO_KEY, place)  # and out of every class
    assert group.name in table_after(mapped)[NO_CLASS][0]
    classes.menu.close()
    # Unlabelled pixels are left out of all scores.
    left_out = mapped.evaluation.dock.left_out
    left_out.setCurrentIndex(left_out.findText("class 0"))
    left_out.activated.emit(left_out.currentIndex())
    found = compared(mapped)
    assert list(found.scores["classes"]) == ["class 1", "class 2"]
    (layer,) = layers(mapped)
    assert (np.asarray(layer.data)[truth == 0] == 0).all()
    # A new model's groups have the old ones' ids, and nothing to do with them.
    clusters = mapped.study.cluster_map(0)
    mapped.study.accept_model(first_map.model)
    mapped.study.set_map(0, clusters)
    assert compared(mapped) is not None
    assert mapped.evaluation.session.alignment == MAJORITY


def table_after(dock):
    compared(dock)
    return table(dock)


def choose_file(path):
    """Answer the next file dialog as the keyboard would."""

    def choose():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(50, choose)
            return
        dialog.findChild(QLineEdit, "fileNameEdit").setText(str(path))
        buttons = dialog.findChild(QDialogButtonBox)
        kinds = QDialogButtonBox.StandardButton
        (buttons.button(kinds.Open) or buttons.button(kinds.Save)).click()

    QTimer.singleShot(50, choose)


def test_labels_wait_for_a_map_and_other_files_are_napari_s(
    leaf_dock, truth, tmp_path, first_map
):
    labels, picture = tmp_path / "leaf_labels.tif", tmp_path / "picture.tif"
    tifffile.imwrite(labels, truth)
    tifffile.imwrite(picture, truth)
    assert drop(leaf_dock._viewer.window._qt_viewer, labels, picture)
    assert compared(leaf_dock) is None
    assert "picture" in [layer.name for layer in leaf_dock._viewer.layers]
    assert "wait for a map" in leaf_dock.evaluation.dock.empty.text()
    leaf_dock.workspace.session._cubes = leaf_dock.study.cubes
    leaf_dock.workspace.session._on_run_yielded(first_map)
    assert compared(leaf_dock) is not None
    assert "class 1" in table(leaf_dock)
    # A folder stands for its cubes too, but for those that are open already.
    folder = tmp_path / "folder"
    folder.mkdir()
    cube = make_scene(SceneConfig(size=64, bands=40, leaves=1), 1, "second").cube
    savemat(folder / "second.mat", {"cube": np.asarray(cube.data)})
    tifffile.imwrite(folder / "second_labels.tif", truth)
    for _ in range(2):
        assert drop(leaf_dock._viewer.window._qt_viewer, folder)
        compared(leaf_dock)
        assert [cube.name for cube in leaf_dock.study.cubes] == ["leaf", "second"]
        assert len(leaf_dock.evaluation.session) == 2
