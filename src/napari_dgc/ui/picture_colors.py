"""The picture layer in natural colours or in three wavelengths of one's choice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.rendering import false_color, false_color_bands, pseudo_rgb
from napari_dgc.study import Study
from napari_dgc.study.view import View
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.cube_entry import Entry
from napari_dgc.ui.cube_layers import plane_of
from napari_dgc.ui.notices import one_line
from napari_dgc.ui.worker import Job, Runner

Colors = tuple[float, float, float]

PRESETS: dict[str, Colors] = {
    "Infrared": (800.0, 670.0, 550.0),
    "Red edge": (750.0, 705.0, 550.0),
}
"""Wavelengths in nm shown as red, green and blue."""

_SLOW_MS = 300  # until a word is said about the wait
_STALE: Colors = (math.nan, math.nan, math.nan)  # like no others, nor the natural


class PictureColors:
    """Keeps the picture of the cube on show in the colours of the study's view.

    Pictures are made in a worker, one at a time; the natural one and the last
    false one of each cube are kept, so that going to and fro costs nothing.

    Attributes
    ----------
    said : Signal
        Emitted with a line for the user and its level.
    """

    said = Signal(str, str)

    def __init__(
        self, viewer: Viewer, study: Study, display: CubeDisplay, parent: QObject
    ) -> None:
        self._viewer = viewer
        self._study = study
        self._display = display
        self._last: Colors | None = None
        self._colors = study.view.false_color
        # By cube: what its picture shows or cannot show, and the pictures made.
        self._showing: WeakKeyDictionary[Entry, Colors | None] = WeakKeyDictionary()
        self._made: WeakKeyDictionary[Entry, dict[bool, tuple]] = WeakKeyDictionary()
        self._runner = Runner(parent)
        self._slow = QTimer(parent)
        self._slow.setSingleShot(True)
        self._slow.setInterval(_SLOW_MS)
        self._slow.timeout.connect(self._on_slow)
        self._runner.yielded.connect(self._on_made)
        self._runner.failed.connect(self._on_failed)
        self._runner.running_changed.connect(self._on_running_changed)
        study.view_changed.connect(self._on_view_changed)
        display.shown_changed.connect(self._update)
        display.layer_joined.connect(self._on_layer_joined)

    @property
    def colors(self) -> Colors | None:
        """Wavelengths in nm, or band numbers, on show; None: natural colours."""
        return self._study.view.false_color

    @property
    def running(self) -> bool:
        """Whether a picture is being made."""
        return self._runner.running

    def set(self, colors: Colors | None) -> None:
        """Show these wavelengths, or the natural colours, for every cube."""
        entry = self._display.entry
        if entry is None:
            self.said.emit("Begin with a cube.", "warning")
            return
        if colors is not None:
            try:
                false_color_bands(entry.cube, colors)
            except InputError as error:
                self.said.emit(one_line(error), "warning")
                return
        if entry.picture is not None:
            entry.picture.visible = True
        self._study.set_view(replace(self._study.view, false_color=colors))
        self.said.emit(self._word(entry.cube), "info")

    def toggle(self) -> None:
        """Show the natural colours, or the last false ones again."""
        entry = self._display.entry
        if self.colors is not None:
            self.set(None)
        else:
            self.set(
                self._last or (None if entry is None else usual_colors(entry.cube))
            )

    def renew(self, entry: Entry, natural: NDArray[np.uint8]) -> None:
        """Take the natural picture of a cube whose values are others by now."""
        self._made[entry] = {True: (None, natural)}
        self._showing[entry] = _STALE
        self._update()

    def stop(self) -> None:
        """Make no more pictures."""
        self.said.disconnect()
        self._slow.stop()
        self._runner.stop()

    def _word(self, cube: Cube) -> str:
        if self.colors is None:
            return "Natural colours."
        unit = "band" if cube.wavelengths is None else "nm"
        parts = zip(("red", "green", "blue"), self.colors, strict=True)
        text = ", ".join(
            f"{name} {unit} {x:g}" if unit == "band" else f"{name} {x:g} nm"
            for name, x in parts
        )
        return f"False colours: {text}. F shows the natural ones."

    # -- making -------------------------------------------------------------------

    def _update(self, *_: object) -> None:
        """Bring the picture of the cube on show up to date."""
        entry, wanted = self._display.entry, self.colors
        if entry is None or self._showing.get(entry) == wanted:
            return
        kept, picture = self._made.get(entry, {}).get(wanted is None, ((), None))
        if picture is not None and kept == wanted:
            self._put(entry, wanted, picture)
        elif not self._runner.running:
            self._slow.start()
            start = partial(_make, entry, wanted)
            self._runner.start(Job("colours of the picture", start))

    def _put(
        self, entry: Entry, colors: Colors | None, picture: NDArray[np.uint8]
    ) -> None:
        self._showing[entry] = colors
        if entry.picture is not None:
            entry.picture.data = picture
        elif colors is not None:
            self._add_layer(entry, picture)

    def _add_layer(self, entry: Entry, picture: NDArray[np.uint8]) -> None:
        bands = entry.bands
        layer = Image(
            picture,
            name=f"{entry.cube.name} RGB",  # by which the display knows it
            rgb=True,
            **plane_of(bands),
        )
        active = self._viewer.layers.selection.active
        self._viewer.layers.insert(self._viewer.layers.index(bands) + 1, layer)
        self._viewer.layers.selection.active = active

    # -- what happens ---------------------------------------------------------------

    def _on_view_changed(self, view: View) -> None:
        if view.false_color != self._colors:
            self._last = view.false_color or self._colors
            self._colors = view.false_color
            self._update()

    def _on_layer_joined(self, layer: Layer) -> None:
        data = layer.data
        for entry in self._display.entries:
            if layer is entry.picture and entry not in self._showing:
                self._showing[entry] = None
                self._made[entry] = {True: (None, data)}
        self._update()

    def _on_made(self, made: tuple[Entry, Colors | None, NDArray[np.uint8]]) -> None:
        entry, colors, picture = made
        self._made.setdefault(entry, {})[colors is None] = colors, picture
        # The user may have chosen others meanwhile, or taken the cube away.
        if colors == self.colors and entry in self._display.entries:
            self._put(entry, colors, picture)

    def _on_failed(self, error: Exception) -> None:
        entry = self._display.entry
        if entry is not None:
            self._showing[entry] = self.colors  # no second attempt
        self.said.emit(one_line(error), "error")

    def _on_running_changed(self, running: bool) -> None:
        if running:
            return
        entry = self._display.entry
        if not self._slow.isActive() and entry is not None:
            self.said.emit(self._word(entry.cube), "info")
        self._slow.stop()
        self._update()

    def _on_slow(self) -> None:
        self.said.emit("Reading the three bands of the picture…", "info")


def usual_colors(cube: Cube) -> Colors:
    """The first preset that a cube has the bands for; else three spread over it."""
    for colors in PRESETS.values():
        if cube.wavelengths is not None and suits(cube, colors):
            return colors
    numbers = np.arange(cube.bands) if cube.wavelengths is None else cube.wavelengths
    blue, green, red = (float(x) for x in np.quantile(numbers, (0.1, 0.5, 0.9)).round())
    return red, green, blue


def suits(cube: Cube, colors: Colors) -> bool:
    """Whether a cube has bands at these wavelengths."""
    try:
        false_color_bands(cube, colors)
    except InputError:
        return False
    return True


def _make(
    entry: Entry, colors: Colors | None
) -> Iterator[tuple[Entry, Colors | None, NDArray[np.uint8]]]:
    cube = entry.cube
    picture = pseudo_rgb(cube) if colors is None else false_color(cube, colors)
    yield entry, colors, picture
