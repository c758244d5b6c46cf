"""Colours given to the graphics card past napari's shader."""

import numpy as np
import pytest
from acting import pixel_in, seen, settle
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtGui import QOpenGLContext

from napari_dgc.ui.canvas import set_colors

_BLUE = DirectLabelColormap(
    color_dict={None: (0, 0, 0, 0), 0: (0, 0, 0, 0), 1: (0, 0, 1, 1), 255: (0, 0, 0, 0)}
)


@pytest.mark.parametrize("known", [True, False])
def test_a_new_colormap_is_seen_and_told(mapped, known):
    viewer, layer = mapped._viewer, mapped.display.entry.groups.layer
    visual = viewer.window._qt_viewer.layer_to_visual[layer]
    if not known:  # as in a napari that keeps its table elsewhere
        visual.texture_data = None
    told, layer.opacity = [], 1
    layer.events.colormap.connect(told.append)
    shader = visual.node.cmap
    set_colors(viewer, layer, _BLUE)
    assert layer.colormap is _BLUE
    assert len(told) == 1
    assert (visual.node.cmap is shader) == known
    np.testing.assert_array_equal(seen(viewer, pixel_in(mapped, 1)), (0, 0, 255))
    visual._on_colormap_change()  # napari builds the shader anew: the same is seen
    np.testing.assert_array_equal(seen(viewer, pixel_in(mapped, 1)), (0, 0, 255))


def test_layers_are_removed_in_the_canvas_s_own_context(mapped):
    """In another one their buffers stay bound: the next layer crashed the program."""
    viewer = mapped._viewer
    canvas = viewer.window._qt_viewer.canvas.native
    corners = np.array([[5, 5], [5, 40], [40, 40], [40, 5]])
    shapes = viewer.add_shapes([corners], shape_type="rectangle", ndim=2)
    settle(0.3)
    own, current = canvas.context(), []
    viewer.layers.events.removed.connect(
        lambda event: current.append(QOpenGLContext.currentContext() == own),
        position="first",
    )
    canvas.doneCurrent()
    viewer.layers.remove(shapes)
    assert current == [True]
    viewer.add_image(np.full((64, 64, 3), (0, 0, 255), np.uint8))
    settle(0.3)
    np.testing.assert_array_equal(seen(viewer, (20, 20)), (0, 0, 255))
