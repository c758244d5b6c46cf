"""Export: what is written is what is on the screen, pixel by pixel."""

from __future__ import annotations

import numpy as np
import tifffile
from acting import answer, brute_force, settle, wait_until
from PIL import Image

from napari_dgc.merging.recipe import Recipe


def export(dock, folder):
    dock.export.export(folder)
    wait_until(lambda: not dock.export.runner.running, 20)
    settle()


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
    assert str(tmp_path) in mapped.status.text()
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
    roles = {p.stem.removeprefix("leaf_") for p in tmp_path.glob("leaf_*.tif")}
    assert roles == {"groups", "lesion_mask", "healthy_mask"}
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
