"""The mouse on the image: selecting and merging, with real events."""

from __future__ import annotations

import numpy as np
from acting import add_cube, brute_force, pixel_in, settle, shown_labels
from qtpy.QtCore import Qt

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
    assert "Cluster 1" in mapped.status.text()
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
    assert mapped.groups.banner.isVisible()
    assert overlay.visible
    assert "MERGE MODE" in overlay.text
    mapped.groups.merge_button.click()
    assert viewer.camera.mouse_pan
    assert not mapped.groups.banner.isVisible()
    assert (overlay.text, overlay.visible) == ("mine", False)


def test_another_layer_made_active_leaves_merge_mode(mapped):
    mapped.workspace.gestures.set_merging(True)
    mapped._viewer.layers.selection.active = mapped.display.entry.bands
    assert not mapped.workspace.gestures.merging
    assert mapped._viewer.camera.mouse_pan
    assert not mapped.groups.merge_button.isChecked()


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
