"""Which cubes the study has, and which napari layers show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_dgc.cubes.cube import Cube
from napari_dgc.study import Study
from napari_dgc.ui.cube_entry import Entry, close_layers, entry_for_picture
from napari_dgc.ui.label_layer import GroupLayer, Looks
from napari_dgc.ui.layer_cubes import cube_of, plain_cube
from napari_dgc.ui.refusals import Refusals

_DESCRIBE_MS = 300  # after the last of many steps


class CubeDisplay:
    """Shows one cube of the study at a time, with its map on top.

    Entries are in the order of `Study.cubes`. A cube leaves with its layer.

    Attributes
    ----------
    shown_changed : Signal
        Emitted with the index of the cube now shown, or -1.
    layer_joined : Signal
        Emitted with each layer that now shows a cube of the study: its bands,
        its picture, its groups.
    refused : Signal
        Emitted with the error where a layer's cube does not fit the others.
    previewing_changed : Signal
        Emitted with whether the image now shows, or waits for, a preview.
    """

    shown_changed = Signal(int)
    layer_joined = Signal(object)
    refused = Signal(object)
    previewing_changed = Signal(bool)

    def __init__(self, viewer: Viewer, study: Study) -> None:
        self._viewer = viewer
        self._study = study
        self._entries: list[Entry] = []
        self._shown: Entry | None = None
        self._looks = Looks()
        self._previews: dict[int, tuple[NDArray[np.uint8], list[int]]] = {}
        self._was_previewing = False
        self._described = QTimer()
        self._described.setSingleShot(True)
        self._described.setInterval(_DESCRIBE_MS)
        self._described.timeout.connect(self._describe)
        self._refusals = Refusals()
        # napari makes each new layer the active one; we answer after the last.
        self._opened = QTimer()
        self._opened.setSingleShot(True)
        self._opened.timeout.connect(self._on_layers_opened)
        viewer.layers.events.inserted.connect(self._on_layer_inserted)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    def close(self) -> None:
        """Let go of the viewer; the layers stay as they are."""
        self._described.stop()
        self._opened.stop()
        self._viewer.layers.events.inserted.disconnect(self._on_layer_inserted)
        self._viewer.layers.events.removed.disconnect(self._on_layer_removed)

    # -- which cubes --------------------------------------------------------

    @property
    def shown(self) -> int:
        """Index of the cube shown; -1 for none."""
        return -1 if self._shown is None else self._entries.index(self._shown)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All cubes with their layers, in the order of `Study.cubes`."""
        return tuple(self._entries)

    @property
    def entry(self) -> Entry | None:
        """The cube shown, with its layers."""
        return self._shown

    def adopt_open_layers(self, *, plain: bool = False) -> int:
        """Add the cubes of open layers; returns how many came.

        Parameters
        ----------
        plain : bool
            Also take 3-D image layers that our reader did not make, as they
            are: first axis = bands.
        """
        return sum(self._adopt(layer, plain) for layer in list(self._viewer.layers))

    def index_of(self, cube: Cube) -> int:
        """Place of a cube in the study; -1 where it is no longer there."""
        return next((i for i, e in enumerate(self._entries) if e.cube is cube), -1)

    def remove(self, index: int) -> None:
        """Take a cube out of the study and its layers out of the viewer."""
        entry = self._entries[index]
        self._forget(entry)
        close_layers(self._viewer, entry.layers)

    def clear(self) -> None:
        """Close all layers but arrays of the user's own; the study is not told."""
        entries, self._entries, self._shown = self._entries, [], None
        self.end_previews()
        self.shown_changed.emit(-1)
        for entry in entries:
            users_own = [] if cube_of(entry.bands) else [entry.bands]
            close_layers(self._viewer, entry.layers, keep=users_own)

    def relocate(self, index: int, layers: Iterable[Layer]) -> None:
        """Give a cube that was missing, and is found, its layers."""
        entry, old = self._entries[index], self._entries[index].layers
        entry.cube, entry.picture = self._study.cubes[index], None
        entry.bands, *rest = layers
        close_layers(self._viewer, old, keep=entry.layers)
        for layer in (entry.bands, *rest):
            self._viewer.add_layer(layer)
        self.layer_joined.emit(entry.bands)
        self.show(index)

    def show(self, index: int) -> None:
        """Show this cube's layers and hide the other cubes'."""
        entry = self._entries[index]
        changed = entry is not self._shown
        self._shown = entry
        for other in self._entries:
            for layer in other.layers:
                layer.visible = other is entry
        self._study.set_view(replace(self._study.view, shown=index))
        self.draw()
        if entry.groups is not None:
            self._viewer.layers.selection.active = entry.groups.layer
        if changed:
            self.shown_changed.emit(index)

    # -- what is drawn ------------------------------------------------------

    def draw(self) -> None:
        """Draw the shown cube's map anew: its preview, else its groups."""
        entry, index = self._shown, self.shown
        self._tell_previewing()
        if entry is None:
            return
        preview = self._previews.get(id(entry.cube))
        clusters, grouping = self._study.cluster_map(index), self._study.grouping
        if preview is not None:
            self._groups_of(entry).show_clusters(*preview)
        elif clusters is not None and grouping is not None:
            self._groups_of(entry).show_groups(clusters, grouping, self._looks)
        elif entry.groups is not None:
            entry.groups.clear()
        self._described.start()

    def set_looks(self, looks: Looks) -> None:
        """Highlight and hide groups from the next draw on."""
        self._looks = looks

    def highlight(self, groups: Iterable[int], members: Iterable[int] = ()) -> None:
        """Dim all but these groups and single clusters; none dims none."""
        chosen = {"highlighted": frozenset(groups), "members": frozenset(members)}
        self._recolor(replace(self._looks, **chosen))

    def hide(self, groups: Iterable[int]) -> None:
        """Draw all groups but these."""
        self._recolor(replace(self._looks, hidden=frozenset(groups)))

    def _recolor(self, looks: Looks) -> None:
        before, self._looks = self._looks, looks
        if looks.members != before.members:
            self.draw()
            return
        entry = self._shown
        grouping = self._study.grouping
        if entry is None or entry.groups is None or grouping is None:
            return
        if id(entry.cube) not in self._previews:
            entry.groups.recolor(grouping, looks)

    def preview(self, cube: Cube, clusters: NDArray[np.uint8], ids: list[int]) -> None:
        """Show a map of cluster ids that is not in the study, until `end_previews`."""
        self._previews[id(cube)] = clusters, ids
        if self._shown is not None and self._shown.cube is cube:
            self.draw()

    def end_previews(self) -> None:
        """Show the study's maps again."""
        if self._previews:
            self._previews.clear()
            self.draw()

    @property
    def previewing(self) -> bool:
        """Whether a live training has the image, with the next preview if not yet."""
        return self._shown is not None and bool(self._previews)

    def _tell_previewing(self) -> None:
        if self.previewing != self._was_previewing:
            self._was_previewing = self.previewing
            self.previewing_changed.emit(self.previewing)

    def _describe(self) -> None:
        entry = self._shown
        if entry is not None and entry.groups is not None:
            entry.groups.describe(None if self.previewing else self._study.grouping)

    def _groups_of(self, entry: Entry) -> GroupLayer:
        if entry.groups is None:
            entry.groups = GroupLayer(self._viewer, entry.bands, entry.cube.name)
            entry.groups.layer.visible = entry is self._shown
            self._viewer.add_layer(entry.groups.layer)
            self.layer_joined.emit(entry.groups.layer)
        return entry.groups

    # -- layers that come and go ----------------------------------------------

    def _on_layer_inserted(self, event) -> None:
        if not self._adopt(event.value, plain=False):
            self._match_picture(event.value)

    def _adopt(self, layer: Layer, plain: bool) -> bool:
        """Add a layer's cube to the study; False where it holds none that is new."""
        cube = cube_of(layer) or (plain_cube(layer) if plain else None)
        if cube is None or any(
            e.bands is layer or e.cube is cube for e in self._entries
        ):
            return False
        # The list grows first: whoever hears of the cube finds its layers.
        entry = Entry(cube, layer)
        self._entries.append(entry)
        try:
            if all(cube is not known for known in self._study.cubes):
                self._study.add_cubes([cube])  # else the study was opened from a file
        except ValueError as error:
            self._entries.remove(entry)
            self._refuse(cube, layer, error)
            return False
        self.layer_joined.emit(layer)
        for other in self._viewer.layers:
            self._match_picture(other)
        if self._shown is None or layer.visible:
            self.show(len(self._entries) - 1)
        self._opened.start(0)
        return True

    def _refuse(self, cube: Cube, bands: Layer, error: ValueError) -> None:
        error = self._refusals.add(cube, bands, error)
        self._opened.start(0)
        self.refused.emit(error)

    def _on_layers_opened(self) -> None:
        """Hide the pictures of refused cubes; make the shown cube's layer active."""
        self._refusals.hide_pictures(self._viewer, self._entries)
        entry, selection = self._shown, self._viewer.layers.selection
        if entry is not None and selection.active not in entry.layers:
            selection.active = entry.groups.layer if entry.groups else entry.layers[-1]

    def _match_picture(self, layer: Layer) -> None:
        """Take an RGB layer for the picture of the cube it was opened with."""
        entry = entry_for_picture(layer, self._entries)
        if entry is not None:
            entry.picture = layer
            layer.visible = entry is self._shown
            self.layer_joined.emit(layer)

    def _on_layer_removed(self, event) -> None:
        for entry in list(self._entries):
            if entry.bands is event.value:
                self.remove(self._entries.index(entry))
            elif entry.picture is event.value:
                entry.picture = None
            elif entry.groups is not None and entry.groups.layer is event.value:
                entry.groups = None

    def _forget(self, entry: Entry) -> None:
        index = self._entries.index(entry)
        self._entries.remove(entry)
        self._previews.pop(id(entry.cube), None)
        was_shown = entry is self._shown
        if was_shown:
            self._shown = None
        self._study.remove_cube(index)
        if not was_shown:
            return
        if self._entries:
            self.show(min(index, len(self._entries) - 1))
        else:
            self._tell_previewing()
            self.shown_changed.emit(-1)
