"""The menu "Use a layer": the user's own layers as leaves, or as an area."""

from __future__ import annotations

from functools import partial

from napari.layers import Layer
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QMenu

from napari_dgc.cubes.errors import InputError
from napari_dgc.ui.leaves_layers import layer_regions, usable_layers
from napari_dgc.ui.leaves_session import LeavesSession
from napari_dgc.ui.workspace import Workspace

_NONE = "There is no Labels or Shapes layer of yours"


class LayerMenu(QObject):
    """Fills a menu with the layers there are when it opens."""

    def __init__(
        self, menu: QMenu, workspace: Workspace, session: LeavesSession
    ) -> None:
        super().__init__(menu)
        self._menu = menu
        self._workspace = workspace
        self._session = session
        menu.aboutToShow.connect(self._fill)

    def use_as_leaves(self, layer: Layer) -> None:
        """Have the regions of a layer for the leaves of the cube on show."""
        entry = self._workspace.display.entry
        try:
            if entry is not None:
                self._session.take(*layer_regions(layer, entry))
        except InputError as error:
            self._workspace.status.report(error)

    def use_as_area(self, layer: Layer) -> None:
        """Look at nothing of the cube on show but what is in a layer."""
        entry = self._workspace.display.entry
        try:
            if entry is not None:
                self._session.look_at(layer_regions(layer, entry)[0] > 0)
        except InputError as error:
            self._workspace.status.report(error)

    def _fill(self) -> None:
        menu, session = self._menu, self._session
        menu.clear()
        layers = usable_layers(self._workspace.viewer.layers)
        for title, use in (
            ("As the leaves of this cube", self.use_as_leaves),
            ("As the area to look at", self.use_as_area),
        ):
            under = menu.addMenu(title)
            under.setEnabled(bool(layers))
            for layer in layers:
                action = under.addAction(layer.name)
                action.triggered.connect(partial(_called, use, layer))
        if not layers:
            menu.addAction(_NONE).setEnabled(False)
        whole = menu.addAction("Look at all of the cube")
        whole.setEnabled(session.area is not None)
        whole.triggered.connect(partial(_called, session.look_at, None))


def _called(use, what, _: bool = False) -> None:
    use(what)
