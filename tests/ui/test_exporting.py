"""Export: what is written is what is on the screen, pixel by pixel."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tifffile
from acting import add_cube, answer, brute_force, settle, wait_until
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from napari_dgc import read_cube
from napari_dgc.cli import main
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.merging.recipe import Recipe
from napari_dgc.study.leaves import LeafRegions, find_leaves
from napari_dgc.study.reporting.reporting import PAGE

TABLES = {"severity.csv", "leaves.csv", "lesions.csv", "spectra.csv"}
LEFT = Qt.MouseButton.LeftButton


def export(dock, folder):
    dock.export.export(folder)
    wait_until(lambda: not dock.export.runner.running, 20)
    settle()


def tick(box):
    """Click on a box with the mouse."""
    QTest.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
    settle()


def names(folder):
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def judged(mapped):
    """Two cubes with a map, one named by its day; a lesion and a healthy group."""
    study = mapped.study
    add_cube(mapped, make_scene(SceneConfig(size=64, bands=40), 1, "leaf_day3").cube)
    study.set_map(
        1, study.cluster_map(0)[::-1], study.statistics(0), study.confidence(0)[::-1]
    )
    study.set_role(1, "lesion")
    study.set_role(2, "healthy")
    settle()
    return mapped


def test_group_map_mask_and_recipe_equal_brute_force(mapped, tmp_path):
    mapped.study.merge((1, 4), 2)
    mapped.study.recolor(3, (10, 20, 30))
    mapped.workspace.selection.set({2, 3})
    mapped.export.mask.setChecked(True)
    export(mapped, tmp_path)
    labels = brute_force(mapped)
    clusters = mapped.study.cluster_map(0)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "leaf_groups.tif"), labels)
    mask = np.isin(clusters, (1, 2, 3, 4))
    written = tifffile.imread(tmp_path / "leaf_mask.tif")
    np.testing.assert_array_equal(written > 0, mask)
    assert written.dtype == np.uint8
    picture = np.asarray(Image.open(tmp_path / "leaf_groups.png").convert("RGB"))
    for group in mapped.study.grouping.groups:
        inside = np.isin(clusters, group.clusters)
        assert (picture[inside] == group.color).all()
    assert (tmp_path / "leaf_mask.png").exists()
    model = mapped.study.model
    recipe = Recipe.read(tmp_path / "recipe.json")
    again = recipe.grouping(model.fingerprint, model.centroid_fingerprints)
    np.testing.assert_array_equal(np.take(again.lut(), clusters), labels)
    assert str(tmp_path) in mapped.export.open_button.toolTip()
    assert "7 files" in mapped.status.text()


def test_each_role_has_a_mask_and_the_legend_names_the_groups(mapped, tmp_path):
    study = mapped.study
    study.set_role(1, "lesion")
    study.set_role(2, "lesion")
    study.set_role(3, "healthy")
    study.set_role(4, "ignore")
    export(mapped, tmp_path)
    clusters = study.cluster_map(0)
    for role, held in (("lesion", (1, 2)), ("healthy", (3,))):
        with tifffile.TiffFile(tmp_path / f"leaf_{role}_mask.tif") as file:
            np.testing.assert_array_equal(file.asarray(), np.isin(clusters, held))
            names = " + ".join(f"Group {c}" for c in held)
            assert file.pages[0].description == f"1 = {names}"
        mask = np.asarray(Image.open(tmp_path / f"leaf_{role}_mask.png"))
        np.testing.assert_array_equal(mask[..., 3] > 0, np.isin(clusters, held))
        assert set(map(tuple, mask[mask[..., 3] > 0][:, :3])) == {
            study.grouping.group(held[0]).color
        }
    written = {p.stem.removeprefix("leaf_") for p in tmp_path.glob("leaf_*.tif")}
    assert written == {"groups", "lesion_mask", "healthy_mask", "leaves"}
    drawn = np.asarray(Image.open(tmp_path / "leaf_groups_legend.png").convert("RGB"))
    H = drawn.shape[0]
    for group in study.grouping.groups:
        there = np.argwhere((drawn == group.color).all(-1))[:, 0]
        assert there.min() < 0.72 * H < there.max()  # in the map, and below it


def test_only_what_is_ticked_is_written(mapped, tmp_path):
    mapped.export.png.setChecked(False)
    export(mapped, tmp_path)
    always = {"recipe.json", "model.safetensors"}
    assert {p.name for p in tmp_path.iterdir()} == {"leaf_groups.tif", *always}


def test_overwriting_asks_first(mapped, tmp_path):
    export(mapped, tmp_path)
    first = (tmp_path / "leaf_groups.tif").read_bytes()
    mapped.study.merge((1,), 2)
    seen: list[str] = []
    answer("Cancel", seen)
    export(mapped, tmp_path)
    assert "leaf_groups.tif" in seen[0]
    assert (tmp_path / "leaf_groups.tif").read_bytes() == first
    assert "Nothing was written" in mapped.status.text()
    answer("Overwrite", seen)
    export(mapped, tmp_path)
    labels = tifffile.imread(tmp_path / "leaf_groups.tif")
    np.testing.assert_array_equal(labels, brute_force(mapped))


def test_a_mask_without_a_selection_is_refused(mapped, tmp_path):
    mapped.export.mask.setChecked(True)
    export(mapped, tmp_path)
    assert not list(tmp_path.iterdir())
    assert "Select" in mapped.status.text()


def test_a_folder_that_cannot_be_written_is_told(mapped, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    export(mapped, blocker / "sub")
    assert mapped.status.level == "error"
    assert not mapped.export.runner.running


def test_without_a_map_there_is_nothing_to_press(leaf_dock):
    assert not leaf_dock.export.export_button.isEnabled()


def test_tables_are_those_of_the_command_line_byte_by_byte(judged, tmp_path):
    export(judged, tmp_path / "screen")
    path = tmp_path / "s.dgc.json"
    judged.workspace.studies.save_as(path)
    wait_until(lambda: path.exists() and not judged.workspace.studies.keeper.pending)
    assert main(["report", str(path), "-o", str(tmp_path / "line"), "-q"]) == 0
    line = names(tmp_path / "line")
    assert line >= TABLES | {"severity_by_day.csv", "spectra.sli", "leaf_leaves.png"}
    assert line <= names(tmp_path / "screen")
    for name in line - {PAGE}:  # it was not saved yet, and its cubes are in no file
        mine = (tmp_path / "screen" / name).read_bytes()
        assert mine == (tmp_path / "line" / name).read_bytes(), name


def test_the_report_is_that_of_the_command_line_and_opens(
    mapped, leaf, tmp_path, monkeypatch
):
    study, panel = mapped.study, mapped.export
    for number, name in enumerate(("leaf_day3", "leaf_day5"), 1):
        content = {"cube": np.asarray(leaf.data), "wavelengths": leaf.wavelengths}
        scipy.io.savemat(tmp_path / f"{name}.mat", content)
        add_cube(mapped, read_cube(tmp_path / f"{name}.mat"))
        study.set_map(
            number, study.cluster_map(0), study.statistics(0), study.confidence(0)
        )
    mapped._viewer.layers.pop(0)  # the one that is in no file
    settle()
    assert len(study.cubes) == 2
    study.set_role(1, "lesion")
    study.set_role(2, "healthy")
    study.merge((3,), 2)
    study.rename(2, "<script>alert(1)</script>")
    path = tmp_path / "rust.dgc.json"
    mapped.workspace.studies.save_as(path)
    wait_until(lambda: path.exists() and not mapped.workspace.studies.keeper.pending)
    opened = []
    export(mapped, tmp_path / "screen")
    assert main(["report", str(path), "-o", str(tmp_path / "line"), "-q"]) == 0
    for name in names(tmp_path / "line"):
        mine = (tmp_path / "screen" / name).read_bytes()
        assert mine == (tmp_path / "line" / name).read_bytes(), name
    page = (tmp_path / "line" / PAGE).read_text("utf-8")
    assert "<script" not in page
    assert page.count("data:image/jpeg") == 2
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url))
    for choice in (0, 1):
        QTest.mouseClick(panel.open_button, LEFT)
        settle()
        menu = panel.open_button.choices
        place = menu.actionGeometry(menu.actions()[choice]).center()
        QTest.mouseClick(menu, LEFT, pos=place)
        settle()
    places = [Path(url.toLocalFile()) for url in opened]
    assert places == [tmp_path / "screen" / PAGE, tmp_path / "screen"]


def test_settled_leaves_and_the_pixel_size_are_those_of_the_command_line(
    judged, tmp_path
):
    path = tmp_path / "s.dgc.json"
    judged.workspace.studies.save_as(path)
    wait_until(lambda: path.exists() and not judged.workspace.studies.keeper.pending)
    *_, leaves = find_leaves(judged.study)
    assert isinstance(leaves, LeafRegions)
    judged.study.set_leaves(leaves.rename("leaf", 1, "Flag leaf"))
    QTest.mouseClick(judged.export.more_button, LEFT)
    settle()
    field = judged.export.more.pixel
    assert field.isVisible()
    field.selectAll()
    QTest.keyClicks(field, "0.5")
    QTest.keyClick(judged.export.more, Qt.Key.Key_Escape)
    assert not judged.export.more.isVisible()
    export(judged, tmp_path / "screen")
    wait_until(lambda: not judged.workspace.studies.keeper.pending)
    order = ["report", str(path), "-q", "-o"]
    assert main([*order, str(tmp_path / "line")]) == 0
    for name in TABLES | {"leaf_leaves.tif"}:
        mine = (tmp_path / "screen" / name).read_bytes()
        assert mine == (tmp_path / "line" / name).read_bytes(), name
    assert b"Flag leaf" in (tmp_path / "screen" / "leaves.csv").read_bytes()
    assert "find them again" not in judged.status.text()
    judged.study.set_role(3, "healthy")
    export(judged, tmp_path / "later")
    assert "find them again" in judged.status.text()
    assert judged.status.level == "warning"


def test_the_status_says_the_lesion_share_of_the_table(judged, tmp_path):
    export(judged, tmp_path)
    clusters = judged.study.cluster_map(0)
    lesion, healthy = (clusters == 1).sum(), (clusters == 2).sum()
    share = 100 * lesion / (lesion + healthy)  # the other cube's map is its mirror
    assert judged.status.text().startswith(
        f"2 cubes: {share:.1f} % of tissue is lesion."
    )
    assert f"Wrote {len(names(tmp_path))} files" in judged.status.text()
    judged.study.set_role(2, None)
    export(judged, tmp_path / "lesion alone")
    said = judged.status.text()
    assert said.startswith("2 cubes: 100.0 % of tissue is lesion (no group is healthy)")


def test_tables_follow_the_roles_until_unticked_by_hand(mapped, tmp_path):
    tables, study = mapped.export.tables, mapped.study
    assert not tables.isChecked()
    tick(tables)
    assert not tables.isChecked()
    assert "Give groups a role" in mapped.status.text()
    study.set_role(1, "background")
    export(mapped, tmp_path / "without")
    assert not TABLES & names(tmp_path / "without")
    assert "Give groups a role" in mapped.status.text()
    study.set_role(1, "healthy")
    assert tables.isChecked()
    mapped.workspace.undo()
    assert not tables.isChecked()
    mapped.workspace.redo()
    assert tables.isChecked()
    tick(tables)
    study.set_role(2, "lesion")
    assert not tables.isChecked()
    export(mapped, tmp_path / "unticked")
    assert not TABLES & names(tmp_path / "unticked")
    tick(tables)
    for box in (mapped.export.tiff, mapped.export.png):
        tick(box)
    export(mapped, tmp_path / "alone")
    assert names(tmp_path / "alone") >= TABLES
    assert "recipe.json" not in names(tmp_path / "alone")
    tick(tables)
    export(mapped, tmp_path / "nothing")
    assert "Nothing to write" in mapped.status.text()
    assert not (tmp_path / "nothing").exists()


def test_more_formats_are_ticked_in_a_box_that_stays_open(mapped, tmp_path):
    panel = mapped.export
    QTest.mouseClick(panel.more_button, LEFT)
    settle()
    for box in panel.more.boxes.values():
        assert panel.more.isVisible()
        tick(box)
    assert not panel.more.pixel.isVisible()  # no tables, no size
    panel.more.hide()
    export(mapped, tmp_path)
    endings = {".tif", ".png", "_overlay.png", ".hdr", ".dat", ".json", ".npy", ".pth"}
    always = {"recipe.json", "model.safetensors", "leaf_groups_legend.png"}
    assert names(tmp_path) == {f"leaf_groups{e}" for e in endings} | always
    labels = np.load(tmp_path / "leaf_groups.npy")
    np.testing.assert_array_equal(labels, brute_force(mapped))
    assert panel.more_button.font().bold()


def test_a_known_pixel_size_is_not_asked_and_one_given_goes_with_its_cubes(judged):
    panel, study = judged.export, judged.study
    panel.more.pixel.setValue(0.25)
    while judged._viewer.layers:
        judged._viewer.layers.pop()
    settle()
    assert not study.cubes
    assert panel.more.pixel_mm is None
    scene = make_scene(SceneConfig(size=64, bands=40, leaves=1), 0, "field").cube
    size = {"pixel size": ["0.5", "0.5", "units=Millimeters"]}
    add_cube(judged, replace(scene, metadata=size))
    study.set_map(0, np.ones((64, 64), np.uint8))
    assert panel.tables.isChecked()
    QTest.mouseClick(panel.more_button, LEFT)
    settle()
    assert panel.more.isVisible()
    assert not panel.more.pixel.isVisible()
    panel.more.hide()


def test_tables_are_asked_for_before_they_are_overwritten(judged, tmp_path):
    (tmp_path / "severity.csv").write_text("mine")
    seen: list[str] = []
    answer("Cancel", seen)
    export(judged, tmp_path)
    assert "severity.csv" in seen[0]
    assert names(tmp_path) == {"severity.csv"}
    answer("Overwrite", seen)
    export(judged, tmp_path)
    assert "lesion_%" in (tmp_path / "severity.csv").read_text()


def test_what_fails_on_the_way_leaves_nothing(judged, tmp_path):
    *_, leaves = find_leaves(judged.study)
    strange = dict.fromkeys(leaves.names, ("one", "two", "three", "four"))
    judged.study.set_leaves(replace(leaves, names=strange))
    export(judged, tmp_path / "new")
    assert judged.status.level == "error"
    assert "4 names for" in judged.status.text()
    assert not (tmp_path / "new").exists()


def test_stop_leaves_nothing_and_the_button_exports_again(
    judged, tmp_path, monkeypatch
):
    cubes = tmp_path / "cubes"
    cubes.mkdir()
    scene = make_scene(SceneConfig(size=64, bands=40), 2, "later").cube
    add_cube(judged, replace(scene, path=cubes / "later.mat"))
    begun, chosen = [], [str(tmp_path / "new")] * 2 + [""]

    def choose(_parent, _title, folder):
        begun.append(folder)
        return chosen.pop(0)

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", choose)
    button = judged.export.export_button
    QTest.mouseClick(button, LEFT)
    assert button.text() == "Stop"
    QTest.mouseClick(button, LEFT)
    wait_until(lambda: not judged.export.runner.running, 20)
    settle()
    assert "nothing was written" in judged.status.text()
    assert not (tmp_path / "new").exists()
    QTest.mouseClick(button, LEFT)
    wait_until(lambda: not judged.export.runner.running, 20)
    settle()
    assert names(tmp_path / "new") >= TABLES
    assert button.text() == "Export…"
    QTest.mouseClick(button, LEFT)
    assert begun == [str(cubes), str(cubes), str(tmp_path / "new")]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_row_is_slim_and_whole(judged, tmp_path, theme):
    judged._viewer.theme = theme
    panel = judged.export
    panel.more.boxes["envi"].setChecked(True)
    export(judged, tmp_path)
    assert panel.open_button.isVisible()
    assert judged.width() == 376
    row = (panel.tables, panel.tiff, panel.png, panel.mask)
    for widget in (*row, panel.more_button, panel.open_button, panel.export_button):
        assert widget.width() >= widget.sizeHint().width(), widget.text()
    assert panel.height() < 2 * panel.tables.height()


def test_long_names_are_not_cut_off(mapped, tmp_path):
    mapped.study.set_role(1, "lesion")
    mapped.study.set_role(2, "healthy")
    folder = tmp_path / ("results_of_the_year_" * 5)
    said = []
    mapped.export.runner.yielded.connect(lambda piece: said.append(piece.text))
    study = mapped.study
    study._cubes[0] = replace(study.cubes[0], name="wheat_flag_leaf_" * 4)
    export(mapped, folder)
    assert said
    for text in (*said, mapped.status.text()):
        for word in text.split():
            width = mapped.status.fontMetrics().horizontalAdvance(word)
            assert width < mapped.status.width() - 20, word


def test_a_full_disk_is_told_by_the_names_the_user_knows(judged, tmp_path):
    resource = pytest.importorskip("resource")  # Windows has none
    wait_until(lambda: not judged.workspace.studies.keeper.pending)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # bytes per file
    try:
        export(judged, tmp_path / "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert judged.status.level == "error"
    assert "cannot be written" in judged.status.text()
    assert ".tmp" not in judged.status.text()
    assert not (tmp_path / "new").exists()


def test_the_header_tells_the_pixel_size_here_as_there(mapped, leaf, tmp_path):
    pixels = np.asarray(leaf.data, np.float32)
    pixels.tofile(tmp_path / "near.dat")
    C, H, W = pixels.shape
    wavelengths = ", ".join(f"{nm:.3f}" for nm in leaf.wavelengths)
    (tmp_path / "near.hdr").write_text(
        f"ENVI\nsamples = {W}\nlines = {H}\nbands = {C}\nheader offset = 0\n"
        f"data type = 4\ninterleave = bsq\nbyte order = 0\n"
        f"wavelength units = Nanometers\nwavelength = {{{wavelengths}}}\n"
        "pixel size = {0.5, 0.25, units=Millimeters}\n"
    )
    study = mapped.study
    add_cube(mapped, read_cube(tmp_path / "near.hdr"))
    study.set_map(1, study.cluster_map(0), study.statistics(0), study.confidence(0))
    study.set_role(1, "lesion")
    study.set_role(2, "healthy")
    path = tmp_path / "s.dgc.json"
    mapped.workspace.studies.save_as(path)
    wait_until(lambda: path.exists() and not mapped.workspace.studies.keeper.pending)
    export(mapped, tmp_path / "screen")
    assert main(["report", str(path), "-o", str(tmp_path / "line"), "-q"]) == 0
    for name in TABLES:
        mine = (tmp_path / "screen" / name).read_bytes()
        assert mine == (tmp_path / "line" / name).read_bytes(), name
    with (tmp_path / "screen" / "severity.csv").open() as file:
        unknown, near = csv.DictReader(file)
    assert unknown["lesion_mm2"] == ""
    lesion = (study.cluster_map(1) == 1).sum()
    assert float(near["lesion_mm2"]) == pytest.approx(0.125 * lesion, rel=1e-5)
