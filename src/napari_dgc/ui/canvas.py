"""What we need of napari's canvas and napari does not offer: its back doors.

Everything here is private to napari. Where a version has it no more, the tint
and the name at the mouse are missing and colours change more slowly, nothing else.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

_TABLE = "texture2D_values"  # the shader's table: label value -> colour
_WHITENED, _BLACKENED = 0.35, 0.25
_GLARING = 0.75  # brightness from which on a colour is darkened instead
_RAISED = 0.45  # added opacity
_THINNED = 0.35  # of the opacity, while the mouse rests: the tissue shows through


def canvas_widget(viewer: Viewer) -> QWidget | None:
    """Give the widget that the image is drawn on."""
    canvas = getattr(_qt_viewer(viewer), "canvas", None)
    return getattr(canvas, "native", None)


def camera_of(viewer: Viewer) -> Any:
    """Give what says which part of the world is seen: napari 0.9 moved it."""
    scene = getattr(viewer, "scene", None)
    return viewer.camera if scene is None else scene.camera


class SafeRemoval:
    """Has layers removed in the canvas's own OpenGL context.

    napari 0.9 frees a removed layer's buffers in whatever context is current, mostly
    the window's. In the canvas's they stay bound, and the next layer that is added
    crashes the program (seen with Mesa after Shapes, text and colour bars; napari's
    issues 6472 and 8471 tell of the like on Windows).

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        viewer.layers.events.removing.connect(self._on_layer_removing)

    def detach(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.events.removing.disconnect(self._on_layer_removing)

    def _on_layer_removing(self, event: object) -> None:
        # A window that is closing has no canvas any more.
        with contextlib.suppress(AttributeError, RuntimeError):
            canvas: Any = canvas_widget(self._viewer)
            canvas.makeCurrent()


def light_up(
    viewer: Viewer, layer: Labels, value: int | None, *, clear: bool = False
) -> bool:
    """Draw one label value of a uint8 layer brighter and less clear; None: none.

    With `clear` it is brighter and so clear that what is below it can be seen.

    Only the table of 256 colours on the graphics card is changed. So it costs no
    more than the bare draw, where a new colormap costs half as much again at
    1000 x 1000, and the layer's own colormap stays what it is. A new colormap
    puts the light out.

    Returns
    -------
    bool
        Whether it is lit; a value drawn wholly clear is not.
    """
    visual, texture = _color_table(viewer, layer)
    if texture is None:
        return False
    plain = table = visual.texture_data
    lit = value is not None and bool(plain[value, 0, 3] > 0)
    if lit:
        table = plain.copy()
        table[value, 0] = _lit(plain[value, 0], layer.opacity, clear=clear)
    texture.set_data(table)
    visual.node.update()
    return lit


def set_colors(viewer: Viewer, layer: Labels, colormap: DirectLabelColormap) -> None:
    """Give a uint8 layer another colormap, and draw its values anew.

    Everything that napari does at a new colormap, but for the shader: it is one and
    the same for all of ours, and building it anew costs 10 ms at 1000 x 1000, half
    of a bare draw. Only its table of 256 colours is written.
    """
    visual, texture = _color_table(viewer, layer)
    if texture is None:
        layer.colormap = colormap
        return
    colors = colormap.color_dict
    table = np.empty((256, 1, 4), np.float32)
    table[:] = colors[None]
    for value, color in colors.items():
        if value is not None:
            table[value, 0] = color
    # Before the others are told: the light at the mouse is put on top of it.
    texture.set_data(table)
    visual.texture_data = table
    with layer.events.colormap.blocker(visual._on_colormap_change):
        layer.colormap = colormap
    visual.node.update()


def visual_of(viewer: Viewer, layer: Layer) -> Any:
    """Give what draws a layer, or None."""
    return getattr(_qt_viewer(viewer), "layer_to_visual", {}).get(layer)


def _color_table(viewer: Viewer, layer: Labels) -> tuple[Any, Any]:
    """Give what draws the layer and its table of colours; None where there is none."""
    visual = visual_of(viewer, layer)
    table = getattr(visual, "texture_data", None)
    if getattr(table, "shape", None) != (256, 1, 4):
        return visual, None
    if not hasattr(visual, "_on_colormap_change"):
        return visual, None
    try:
        return visual, visual.node.shared_program[_TABLE]
    except (AttributeError, KeyError):
        return visual, None


def _lit(rgba: np.ndarray, opacity: float, *, clear: bool) -> np.ndarray:
    """Brighten a colour, RGBA float32 0..1, and make it less clear, or more.

    The layer's opacity is taken off again: its alpha may pass 1.
    """
    color, alpha = rgba[:3], rgba[3]
    glaring = color @ np.array([0.3, 0.59, 0.11], np.float32) > _GLARING
    color = color * (1 - _BLACKENED) if glaring else color + (1 - color) * _WHITENED
    most = 1 / max(float(opacity), 0.01)
    alpha = alpha * _THINNED if clear else min(alpha + _RAISED, most)
    return np.array([*color, alpha], np.float32)


def _qt_viewer(viewer: Viewer) -> Any:
    return getattr(unwrapped(viewer).window, "_qt_viewer", None)


def unwrapped(handed: Any) -> Any:
    """Give what napari hands a plugin as a stand-in that gives nothing private away."""
    return getattr(handed, "__wrapped__", handed)
