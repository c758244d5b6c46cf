"""A line of text over the image, while clicks there mean something else."""

from __future__ import annotations

from typing import Any

from napari.viewer import Viewer

_SIZE = 14  # points
_ORANGE = "#e69f00"


class Banner:
    """Shows a text at the top of the canvas; what was there comes back after it."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._before: dict[str, Any] = {}

    def show(self, text: str) -> None:
        """Show a text, in place of one of ours that may be there."""
        overlay = _text_overlay(self._viewer)
        look = {
            "text": text,
            "position": "top_center",
            "font_size": _SIZE,
            "color": _ORANGE,
            "visible": True,
        }
        if not self._before:
            self._before = {name: getattr(overlay, name) for name in look}
        for name, value in look.items():
            setattr(overlay, name, value)

    def hide(self) -> None:
        """Show what was there before."""
        overlay = _text_overlay(self._viewer)
        before, self._before = self._before, {}
        for name, value in before.items():
            setattr(overlay, name, value)


def _text_overlay(viewer: Viewer) -> Any:
    """Give the text on the canvas: napari 0.9 moved it."""
    canvas = getattr(viewer, "canvas", None)
    return viewer.text_overlay if canvas is None else canvas.overlays.text
