"""The pixel under the mouse in napari's status bar, in one line.

napari writes there what the active layer says: of three layers of one cube only
one, and of the bands a bare number. While the mouse is over a cube of ours and
one of its layers is active, we put our line in the place of napari's, in the
same turn of the event loop, so that neither flickers.
"""

from __future__ import annotations

from collections.abc import Callable

from napari.viewer import Viewer

from napari_dgc.study import Study
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.cube_entry import Entry
from napari_dgc.ui.gestures import Gestures
from napari_dgc.ui.pointer import Place, Pointer


class Readout:
    """Writes x, y, wavelength, value, cluster, group and confidence.

    The setting of napari's that turns its status off turns this off too.

    Attributes
    ----------
    extras : list of callable
        Each says something more of a `Place`, or nothing ("").
    """

    def __init__(
        self,
        viewer: Viewer,
        study: Study,
        display: CubeDisplay,
        pointer: Pointer,
        gestures: Gestures,
    ) -> None:
        self._viewer = viewer
        self._study = study
        self._display = display
        self._pointer = pointer
        self._gestures = gestures
        self._text = ""
        self.extras: list[Callable[[Place], str]] = []
        viewer.events.status.connect(self._on_status_written, position="last")
        viewer.dims.events.current_step.connect(self._follow)
        pointer.moved.connect(self._follow)

    def detach(self) -> None:
        """Let go of the viewer."""
        self._viewer.events.status.disconnect(self._on_status_written)
        self._viewer.dims.events.current_step.disconnect(self._follow)

    @property
    def text(self) -> str:
        """What is said of the pixel under the mouse; empty off the cube."""
        return self._text

    def _follow(self, *_: object) -> None:
        place, entry = self._pointer.place, self._display.entry
        before, self._text = self._text, ""
        if place is not None and entry is not None and self._gestures.ours:
            self._text = self._describe(place, entry)
        if self._text != before and self._viewer.status in (before, ""):
            self._viewer.status = self._text

    def _on_status_written(self, event) -> None:
        if self._text and event.value != self._text and self._gestures.ours:
            self._viewer.status = self._text

    def _describe(self, place: Place, entry: Entry) -> str:
        parts = [f"x {place.col}, y {place.row}", self._band(place, entry)]
        if place.group is not None:
            parts.append(_cluster(place))
            confidence = self._study.confidence(place.cube)
            if confidence is not None:
                share = confidence[place.row, place.col] / 255
                parts.append(f"confidence {share:.2f}")
        elif self._study.cluster_map(place.cube) is not None:
            parts.append("preview" if self._display.previewing else "no data")
        parts += [extra(place) for extra in self.extras]
        return " · ".join(filter(None, parts))

    def _band(self, place: Place, entry: Entry) -> str:
        """Say what the band on the slider holds at a pixel.

        napari holds that band, so that no file is read; unless the bands are
        hidden, when none is held and none is named.
        """
        held = entry.bands.get_value((0, place.row, place.col))
        if held is None:
            return ""
        point = entry.bands.world_to_data(self._viewer.dims.point)
        band = min(max(round(float(point[-3])), 0), entry.cube.bands - 1)
        nm = entry.cube.wavelengths
        name = f"band {band}" if nm is None else f"{nm[band]:.1f} nm"
        return f"{name}: {float(held):.4g}"


def _cluster(place: Place) -> str:
    """Name a pixel's cluster, and its group."""
    own = f"cluster {place.cluster}"
    return own if place.group is None else f"{own} ({place.group.name})"
