"""The group under the mouse lights up on the image and is named beside it."""

from __future__ import annotations

import numpy as np
import pytest
from acting import Mouse, add_cube, pixel_in, seen, settle, wait_until

from napari_dgc.ui.cube_layers import cube_to_layers
from napari_dgc.ui.hover import Hover
from napari_dgc.ui.label_layer import OPACITY


@pytest.fixture
def hover(mapped) -> Hover:
    """What lights up, on a map whose group 2 has a name."""
    mapped.study.rename(2, "Healthy tissue")
    mapped.study.merge((3,), 2)
    return mapped.workspace.hover


def the_group_under_the_mouse_is_lit_and_no_other(mapped, mouse, hover):
    here, there = pixel_in(mapped, 2), pixel_in(mapped, 1)
    before = seen(mapped._viewer, here), seen(mapped._viewer, there)
    mouse.move(here)
    assert hover.group.id == 2
    assert np.abs(seen(mapped._viewer, here) - before[0]).max() > 30
    np.testing.assert_array_equal(seen(mapped._viewer, there), before[1])
    mouse.move(there)
    np.testing.assert_array_equal(seen(mapped._viewer, here), before[0])
    assert np.abs(seen(mapped._viewer, there) - before[1]).max() > 30


def soon_the_tissue_below_shows_through(mapped, mouse, hover):
    """A flash where the mouse comes to a group, then clearer than before."""
    here, layer = pixel_in(mapped, 2), mapped.display.entry.groups.layer
    plain = seen(mapped._viewer, here).astype(float)
    layer.opacity = 0
    tissue = seen(mapped._viewer, here).astype(float)
    layer.opacity = OPACITY
    mouse.move(here)
    flash = seen(mapped._viewer, here).astype(float)
    wait_until(lambda: not hover._flash.isActive(), 2)
    rest = seen(mapped._viewer, here).astype(float)

    def off(color):
        return np.linalg.norm(color - tissue)

    assert off(rest) < 0.7 * off(plain) < off(flash)
    assert off(rest) > 10  # and still it is lit
    mapped.study.rename(2, "Leaf")  # under the resting mouse: no flash again
    np.testing.assert_array_equal(seen(mapped._viewer, here), rest)
    other = np.argwhere(mapped.study.cluster_map(0) == 3)[0]
    mouse.move(tuple(other))  # in the same group
    np.testing.assert_array_equal(seen(mapped._viewer, here), rest)
    mouse.move(pixel_in(mapped, 1))
    np.testing.assert_array_equal(seen(mapped._viewer, here), plain)


def the_layer_itself_stays_as_it_is(mapped, mouse, hover):
    layer = mapped.display.entry.groups.layer
    colormap, values = layer.colormap, layer.data.copy()
    mouse.move(pixel_in(mapped, 2))
    assert layer.colormap is colormap
    np.testing.assert_array_equal(layer.data, values)


def light_is_not_selection(mapped, mouse, hover):
    here, there = pixel_in(mapped, 2), pixel_in(mapped, 1)
    plain = seen(mapped._viewer, there)
    mouse.move(here)
    lit = seen(mapped._viewer, here)
    mapped.workspace.selection.set({2})  # the light stays on over new colours
    np.testing.assert_array_equal(seen(mapped._viewer, here), lit)
    assert np.abs(seen(mapped._viewer, there) - plain).max() > 30  # dimmed
    mouse.move(there)
    assert not np.array_equal(seen(mapped._viewer, here), lit)


def test_the_label_names_the_group_its_share_and_its_clusters(mapped, mouse, hover):
    here = pixel_in(mapped, 2)
    mouse.move(here)
    clusters = mapped.study.cluster_map(0)
    share = 100 * np.isin(clusters, (2, 3)).mean()
    said = f"Healthy tissue · {share:.1f} % · cluster "
    assert hover.text == said + str(clusters[here])
    other = np.argwhere(clusters == (2 if clusters[here] == 3 else 3))[0]
    mouse.move(tuple(other))  # in the same group
    assert hover.text == said + str(clusters[tuple(other)])
    mapped.study.rename(2, "Leaf")  # under the resting mouse
    assert hover.text.startswith("Leaf · ")
    mapped.study.set_lock(2, True)
    assert hover.text.endswith("locked")
    mouse.move((-4, 32))
    assert hover.text == ""


def test_the_label_stays_on_the_canvas(mapped, mouse, hover):
    mapped.study.rename(
        2, "A name of sixty characters, which is more than it needs to be"
    )
    canvas = mapped._viewer.window._qt_viewer.canvas.native
    mapped._viewer.camera.zoom /= 1.2  # the corners of the cube on the canvas
    for pixel in ((0, 0), (0, 63), (63, 63), (63, 0), pixel_in(mapped, 2)):
        mouse.move(pixel)
        label = hover._label
        place = label.mapTo(canvas.window(), label.rect().topLeft())
        left = canvas.mapTo(canvas.window(), canvas.rect().topLeft())
        inside = canvas.rect().translated(left)
        assert inside.contains(label.rect().translated(place))
        assert not label.geometry().contains(
            canvas.mapTo(canvas.window(), mouse.place(pixel))
        )


def test_nothing_is_lit_while_a_drag_pans(mapped, mouse, hover):
    states = []
    mouse.move(pixel_in(mapped, 2))
    mouse.drag(
        pixel_in(mapped, 2),
        pixel_in(mapped, 1),
        lambda: states.append((hover.group, hover.text)),
    )
    assert states == [(None, "")]
    assert hover.group is not None  # where the mouse was let go


def test_in_merge_mode_source_and_target_are_bright_and_the_rest_is_dim(
    mapped, mouse, hover
):
    colors = []
    layer = mapped.display.entry.groups.layer
    mapped.workspace.gestures.set_merging(True)
    mouse.move(pixel_in(mapped, 1))
    assert hover.group.id == 1
    mouse.drag(
        pixel_in(mapped, 1),
        pixel_in(mapped, 2),
        lambda: colors.append(dict(layer.colormap.color_dict)),
    )
    bright = {value for value, color in colors[0].items() if value and color[3] == 1}
    assert bright == {1, 2}
    assert 1 not in mapped.study.grouping
    assert hover.group.id == 2


def nothing_is_lit_while_the_label_layer_is_hidden(mapped, mouse, hover):
    mouse.move(pixel_in(mapped, 2))
    layer = mapped.display.entry.groups.layer
    layer.visible = False
    assert hover.group is None
    assert hover.text == ""
    layer.visible = True
    assert hover.group.id == 2


def a_hidden_group_is_named_but_not_drawn(mapped, mouse, hover):
    here = pixel_in(mapped, 2)
    mapped.workspace.visibility.hide({2})
    before = seen(mapped._viewer, here)
    mouse.move(here)
    assert hover.text
    np.testing.assert_array_equal(seen(mapped._viewer, here), before)


def nothing_is_lit_while_a_preview_shows(mapped, mouse, hover, leaf, first_map):
    mouse.move(pixel_in(mapped, 2))
    ids = first_map.model.cluster_ids.tolist()
    mapped.display.preview(leaf, first_map.maps[0].clusters, ids)
    assert hover.group is None
    mapped.display.end_previews()
    assert hover.group.id == 2


def test_the_light_goes_out_with_the_mouse_and_with_the_cube(
    mapped, mouse, hover, leaf
):
    mouse.move(pixel_in(mapped, 2))
    mapped._viewer.mouse_over_canvas = False
    assert hover.group is None
    mapped._viewer.mouse_over_canvas = True
    mouse.move(pixel_in(mapped, 1))
    mouse.move(pixel_in(mapped, 2))
    mapped.display.remove(0)
    assert hover.group is None
    add_cube(mapped, leaf)  # without a map
    mouse.move((10, 10))
    assert hover.group is None


def test_a_plugins_widget_lights_up_too(make_napari_viewer, leaf, first_map):
    """Opened from the menu the dock is handed napari's proxy of the viewer."""
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1280, 800)
    _, dock = viewer.window.add_plugin_dock_widget("napari-dgc")
    for data, options, kind in cube_to_layers(leaf):
        viewer._add_layer_from_data(data, options, kind)
    dock.workspace.session._cubes = dock.study.cubes
    dock.workspace.session._on_run_yielded(first_map)
    settle()
    here = pixel_in(dock, 2)
    before = seen(viewer, here)
    Mouse(viewer).move(here)
    assert np.abs(seen(viewer, here) - before).max() > 30
    assert dock.workspace.hover.text


def test_light(mapped, mouse, hover, leaf, first_map):
    for story in (
        the_group_under_the_mouse_is_lit_and_no_other,
        the_layer_itself_stays_as_it_is,
        nothing_is_lit_while_the_label_layer_is_hidden,
        soon_the_tissue_below_shows_through,
        light_is_not_selection,
    ):
        story(mapped, mouse, hover)
        mapped.workspace.selection.set(())
        mouse.move((-4, 32))  # off the cube
    nothing_is_lit_while_a_preview_shows(mapped, mouse, hover, leaf, first_map)
    mouse.move((-4, 32))
    a_hidden_group_is_named_but_not_drawn(mapped, mouse, hover)
