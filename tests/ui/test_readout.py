"""napari's status bar tells of the pixel under the mouse, whichever layer is active."""

from __future__ import annotations

import numpy as np
import pytest
from acting import pixel_in, settle


def expected(dock, pixel, band):
    """What shall be said of a pixel, from the study's arrays alone."""
    row, col = pixel
    cube, cluster = dock.study.cubes[0], dock.study.cluster_map(0)[pixel]
    name = dock.study.grouping.group_of(int(cluster)).name
    confidence = dock.study.confidence(0)[pixel] / 255
    return (
        f"x {col}, y {row} · {cube.wavelengths[band]:.1f} nm: "
        f"{cube.data[band, row, col]:.4g} · cluster {cluster} ({name}) · "
        f"confidence {confidence:.2f}"
    )


@pytest.mark.parametrize("which", ["bands", "picture", "groups"])
def test_one_line_says_all_whichever_of_our_layers_is_active(mapped, mouse, which):
    entry, viewer = mapped.display.entry, mapped._viewer
    layers = {"bands": entry.bands, "picture": entry.picture}
    viewer.layers.selection.active = layers.get(which, entry.groups.layer)
    mapped.study.rename(2, "Vein")
    viewer.dims.set_current_step(0, 3)
    pixel = pixel_in(mapped, 2)
    mouse.move(pixel)
    assert viewer.status == expected(mapped, pixel, 3)
    assert "(Vein)" in viewer.status
    bar = viewer.window._qt_window.statusBar()
    assert bar._status.text() == viewer.status
    assert not bar._coordinates.isVisible()  # napari's own words
    viewer.dims.set_current_step(0, 39)  # under the resting mouse
    assert viewer.status == expected(mapped, pixel, 39)
    mapped.study.merge((1,), 2)
    other = pixel_in(mapped, 3)
    mouse.move(other)
    assert viewer.status == expected(mapped, other, 39)


def test_another_layers_status_is_naparis(mapped, mouse):
    mapped._viewer.add_image(np.ones((64, 64)), name="mine")
    mouse.move(pixel_in(mapped, 2))
    assert isinstance(mapped._viewer.status, dict)
    assert mapped._viewer.status["layer_base"] == "mine"


def test_nothing_is_left_when_the_mouse_goes(mapped, mouse):
    mouse.move(pixel_in(mapped, 2))
    assert mapped._viewer.status
    mapped._viewer.window._qt_viewer._leave_canvas()
    assert mapped._viewer.status == ""
    mouse.move(pixel_in(mapped, 1))
    mouse.move((-4, 32))
    assert "cluster" not in str(mapped._viewer.status)


def test_without_a_map_pixel_and_value(leaf_dock):
    from acting import Mouse

    mouse = Mouse(leaf_dock._viewer)
    leaf_dock._viewer.dims.set_current_step(0, 0)
    mouse.move((10, 20))
    cube = leaf_dock.study.cubes[0]
    nm, value = cube.wavelengths[0], cube.data[0, 10, 20]
    assert leaf_dock._viewer.status == f"x 20, y 10 · {nm:.1f} nm: {value:.4g}"
    leaf_dock.display.entry.bands.visible = False  # no band is at hand then
    mouse.move((11, 20))
    assert leaf_dock._viewer.status == "x 20, y 11"


def test_a_preview_names_no_cluster(mapped, mouse, leaf, first_map):
    mouse.move(pixel_in(mapped, 2))
    ids = first_map.model.cluster_ids.tolist()
    mapped.display.preview(leaf, first_map.maps[0].clusters, ids)
    settle()
    assert mapped._viewer.status.endswith("preview")
