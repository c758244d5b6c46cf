"""Bands under their picture are not drawn; they are there once one could see them."""

import numpy as np
import pytest
from acting import pixel_in, seen, settle


def drawn(dock) -> bool:
    visuals = dock._viewer.window._qt_viewer.layer_to_visual
    return visuals[dock.display.entry.bands].node.visible


def test_covered_bands_are_not_drawn_and_nothing_else_changes(mapped):
    viewer, entry = mapped._viewer, mapped.display.entry
    entry.groups.layer.visible = False
    place = pixel_in(mapped, 1)
    assert entry.bands.visible
    assert not drawn(mapped)
    covered = seen(viewer, place)
    viewer.window._qt_viewer.layer_to_visual[entry.bands].node.visible = True
    np.testing.assert_array_equal(seen(viewer, place), covered)
    entry.picture.visible = False
    assert drawn(mapped)
    bands = seen(viewer, place)
    assert bands.max() > 0
    assert not np.array_equal(bands, covered)
    entry.bands.visible = False
    assert not drawn(mapped)
    np.testing.assert_array_equal(seen(viewer, place), (0, 0, 0))


@pytest.mark.parametrize(
    "uncover",
    [
        lambda viewer, entry: setattr(entry.picture, "opacity", 0.5),
        lambda viewer, entry: setattr(entry.picture, "blending", "additive"),
        lambda viewer, entry: setattr(entry.picture, "translate", (3, 0)),
        lambda viewer, entry: viewer.layers.move(viewer.layers.index(entry.bands), 3),
        lambda viewer, entry: viewer.layers.remove(entry.picture),
        lambda viewer, entry: setattr(viewer.dims, "ndisplay", 3),
    ],
)
def test_what_can_be_seen_is_drawn(mapped, uncover):
    assert not drawn(mapped)
    uncover(mapped._viewer, mapped.display.entry)
    settle()
    assert drawn(mapped)


def test_the_closed_dock_leaves_all_that_is_visible_drawn(mapped):
    viewer, bands = mapped._viewer, mapped.display.entry.bands
    viewer.window.remove_dock_widget("all")
    settle()
    assert viewer.window._qt_viewer.layer_to_visual[bands].node.visible
