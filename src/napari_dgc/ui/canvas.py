"""What we need of napari's canvas and napari does not offer: its two back doors.

Everything here is private to napari. Where a version has it no more, the tint
and the name at the mouse are missing, and nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
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
    visuals = getattr(_qt_viewer(viewer), "layer_to_visual", {})
    visual: Any = visuals.get(layer)
    plain = getattr(visual, "texture_data", None)
    try:
        texture = visual.node.shared_program[_TABLE]
    except (AttributeError, KeyError):
        return False
    if plain is None or plain.shape != (256, 1, 4):
        return False
    table, lit = plain, value is not None and bool(plain[value, 0, 3] > 0)
    if lit:
        table = plain.copy()
        table[value, 0] = _lit(plain[value, 0], layer.opacity, clear=clear)
    texture.set_data(table)
    visual.node.update()
    return lit


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
