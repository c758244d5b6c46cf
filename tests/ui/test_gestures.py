"""The mouse on the image: selecting and merging, with real events."""

from __future__ import annotations

import numpy as np
import pytest
from acting import add_cube, brute_force, pixel_in, settle, shown_labels
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_dgc.cubes.scenes import SceneConfig, make_scene


def test_click_selects_and_click_again_unselects(mapped, mouse):
    mouse.click(pixel_in(mapped, 1))
    assert mapped.workspace.selection.ids == {1}
    mouse.click(pixel_in(mapped, 2))
    assert mapped.workspace.selection.ids == {2}
    mouse.click(pixel_in(mapped, 2))
    assert mapped.workspace.selection.ids == frozenset()


def test_ctrl_click_adds_and_takes_away(mapped, mouse):
    control = Qt.KeyboardModifier.ControlModifier
    mouse.click(pixel_in(mapped, 1))
    mouse.click(pixel_in(mapped, 3), control)
    assert mapped.workspace.selection.ids == {1, 3}
    mouse.click(pixel_in(mapped, 1), control)
    assert mapped.workspace.selection.ids == {3}


def test_a_click_on_the_image_selects_the_row_and_a_row_dims_the_others(mapped, mouse):
    mouse.click(pixel_in(mapped, 2))
    rows = mapped.groups.table.selectionModel().selectedRows()
    assert [mapped.groups.model.group_at(r).id for r in rows] == [2]
    layer = mapped.display.entry.groups.layer
    assert layer.colormap.color_dict[2][3] == 1
    assert layer.colormap.color_dict[1][3] < 0.5


def test_outside_merge_mode_a_drag_pans_and_shift_clicks_merge_nothing(mapped, mouse):
    before = mapped.study.grouping
    center = mapped._viewer.camera.center
    mouse.drag(pixel_in(mapped, 1), pixel_in(mapped, 2))
    mouse.shift_click(pixel_in(mapped, 1))
    mouse.shift_click(pixel_in(mapped, 2))
    assert mapped.study.grouping is before
    assert not np.allclose(center, mapped._viewer.camera.center)


def test_drag_in_merge_mode_merges_a_into_b(mapped, mouse):
    center = mapped._viewer.camera.center
    target = mapped.study.grouping.group(2)
    mapped.workspace.gestures.set_merging(True)
    mouse.drag(pixel_in(mapped, 1), pixel_in(mapped, 2))
    grouping = mapped.study.grouping
    assert 1 not in grouping
    kept = grouping.group(2)
    assert kept.clusters == (1, 2)
    assert (kept.name, kept.color) == (target.name, target.color)
    assert np.allclose(center, mapped._viewer.camera.center)
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def test_shift_click_a_then_b_merges_b_into_a(mapped, mouse):
    mapped.workspace.gestures.set_merging(True)
    mouse.shift_click(pixel_in(mapped, 1))
    assert mapped.workspace.gestures.target == 1
    assert "Group 1" in mapped.status.text()
    mouse.shift_click(pixel_in(mapped, 2))
    assert mapped.study.grouping.group(1).clusters == (1, 2)
    assert mapped.workspace.gestures.target is None  # the next pair begins anew
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def test_misclicks_in_merge_mode_merge_nothing(mapped, mouse):
    before = mapped.study.grouping
    mapped.workspace.gestures.set_merging(True)
    here = pixel_in(mapped, 1)
    mouse.drag(here, here)
    mouse.shift_click(here)
    mouse.shift_click(here)  # the same one again: never mind
    assert mapped.workspace.gestures.target is None
    mouse.shift_click(here)
    mouse.click(pixel_in(mapped, 2))  # a plain click selects and drops the target
    mouse.shift_click(pixel_in(mapped, 3))
    assert mapped.workspace.gestures.target == 3
    mouse.drag(here, (-4, -4))  # off the image
    assert mapped.study.grouping is before


def test_a_locked_target_refuses_and_says_why(mapped, mouse):
    mapped.study.set_lock(2, True)
    before = mapped.study.grouping
    mapped.workspace.gestures.set_merging(True)
    mouse.drag(pixel_in(mapped, 1), pixel_in(mapped, 2))
    assert mapped.study.grouping is before
    assert "lock" in mapped.status.text()
    assert mapped.status.level == "warning"


def test_merge_mode_is_plain_to_see_and_pans_again_afterwards(mapped, mouse):
    viewer = mapped._viewer
    assert viewer.camera.mouse_pan
    overlay = viewer.canvas.overlays.text
    overlay.text = "mine"
    mapped.groups.merge_button.click()
    assert mapped.workspace.gestures.merging
    assert not viewer.camera.mouse_pan
    assert overlay.visible
    assert "MERGE MODE" in overlay.text
    mapped.groups.merge_button.click()
    assert viewer.camera.mouse_pan
    assert (overlay.text, overlay.visible) == ("mine", False)


def make_active(dock, which: str, band: int = 0):
    """Make one of our layers active and move the slider to a band."""
    entry = dock.display.entry
    layers = {"bands": entry.bands, "picture": entry.picture}
    layer = layers.get(which, entry.groups.layer)
    dock._viewer.layers.selection.active = layer
    dock._viewer.dims.set_current_step(0, band)
    settle()


@pytest.mark.parametrize(
    ("which", "band"), [("bands", 0), ("bands", -1), ("picture", 0), ("groups", -1)]
)
def test_gestures_work_whichever_of_our_layers_is_active(mapped, mouse, which, band):
    make_active(mapped, which, band % mapped.display.entry.cube.bands)
    mouse.move(pixel_in(mapped, 2))
    assert mapped.workspace.hover.group.id == 2
    mouse.click(pixel_in(mapped, 1))
    mouse.click(pixel_in(mapped, 3), Qt.KeyboardModifier.ControlModifier)
    assert mapped.workspace.selection.ids == {1, 3}
    center = mapped._viewer.camera.center
    QTest.keyClick(mouse._canvas.native, Qt.Key.Key_M)
    assert mapped.workspace.gestures.merging
    mouse.drag(pixel_in(mapped, 1), pixel_in(mapped, 2))
    assert mapped.study.grouping.group(2).clusters == (1, 2)
    mouse.shift_click(pixel_in(mapped, 3))
    mouse.shift_click(pixel_in(mapped, 4))
    assert mapped.study.grouping.group(3).clusters == (3, 4)
    assert np.allclose(center, mapped._viewer.camera.center)
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def test_going_from_one_of_our_layers_to_another_stays_in_merge_mode(mapped, mouse):
    mapped.workspace.gestures.set_merging(True)
    center = mapped._viewer.camera.center
    for which in ("picture", "bands", "groups"):
        make_active(mapped, which)
        assert mapped.workspace.gestures.merging
        assert not mapped._viewer.camera.mouse_pan
    entry = mapped.display.entry
    mapped._viewer.layers.selection.update([entry.bands, entry.picture])
    settle()  # none is the active one: napari pans then
    assert not mapped.workspace.gestures.merging
    assert all(layer.mouse_pan for layer in entry.layers)
    assert np.allclose(center, mapped._viewer.camera.center)


def test_another_layer_made_active_leaves_merge_mode(mapped):
    other = mapped._viewer.add_points(np.zeros((1, 2)), name="mine")
    mapped.workspace.gestures.set_merging(True)
    mapped._viewer.layers.selection.active = other
    assert not mapped.workspace.gestures.merging
    assert mapped._viewer.camera.mouse_pan
    assert not mapped.groups.merge_button.isChecked()


def test_merge_mode_ends_with_the_label_layer(mapped):
    mapped.workspace.gestures.set_merging(True)
    mapped._viewer.layers.remove(mapped.display.entry.groups.layer)
    settle()
    assert not mapped.workspace.gestures.merging
    assert all(layer.mouse_pan for layer in mapped.display.entry.layers)


def test_another_layers_tool_has_the_mouse_for_itself(mapped, mouse):
    points = mapped._viewer.add_points(np.zeros((0, 2)), name="mine")
    points.mode = "add"
    place = pixel_in(mapped, 1)
    mouse.move(place)
    assert mapped.workspace.hover.group is None
    mouse.click(place)
    assert len(points.data) == 1
    assert mapped.workspace.selection.ids == frozenset()
    painted = mapped._viewer.add_labels(np.zeros((64, 64), np.uint8), name="mask")
    painted.mode = "paint"
    mouse.click(place)
    assert painted.data.any()
    assert mapped.workspace.selection.ids == frozenset()


def test_a_tool_of_our_own_layer_has_the_mouse_for_itself(mapped, mouse):
    make_active(mapped, "picture")
    mapped.display.entry.picture.mode = "transform"
    mouse.click(pixel_in(mapped, 2))
    assert mapped.workspace.selection.ids == frozenset()
    mapped.workspace.gestures.set_merging(True)  # puts the tool down
    mouse.drag(pixel_in(mapped, 1), pixel_in(mapped, 2))
    assert mapped.study.grouping.group(2).clusters == (1, 2)
    mapped.workspace.gestures.set_merging(False)
    mouse.click(pixel_in(mapped, 3))
    assert mapped.workspace.selection.ids == {3}


def test_another_cube_shown_leaves_merge_mode(mapped):
    first = mapped.display.entry
    add_cube(mapped, make_scene(SceneConfig(size=40, bands=40), 5, "other").cube)
    mapped.display.show(0)
    mapped.workspace.gestures.set_merging(True)
    mapped.cubes.list.setCurrentRow(1)
    settle()
    assert not mapped.workspace.gestures.merging
    assert first.groups.layer.mouse_pan
    assert mapped._viewer.camera.mouse_pan


def test_merge_mode_needs_a_map(leaf_dock):
    leaf_dock.workspace.gestures.set_merging(True)
    assert not leaf_dock.workspace.gestures.merging
    assert "First map" in leaf_dock.status.text()


def test_a_preview_refuses_clicks_and_says_why(mapped, mouse, leaf, first_map):
    place = pixel_in(mapped, 1)
    ids = first_map.model.cluster_ids.tolist()
    mapped.display.preview(leaf, first_map.maps[0].clusters, ids)
    mouse.click(place)
    assert mapped.workspace.selection.ids == frozenset()
    assert "snapshot" in mapped.status.text()
    assert not mapped.groups.isEnabled()
    mapped.workspace.gestures.set_merging(True)
    assert not mapped.workspace.gestures.merging
    mapped.workspace.undo()
    assert "snapshot" in mapped.status.text()
    mapped.training.follow.click()
    settle()
    assert mapped.groups.isEnabled()
    mouse.click(place)
    assert mapped.workspace.selection.ids == {1}
