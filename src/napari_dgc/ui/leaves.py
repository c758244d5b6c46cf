"""Opens, hides and closes the dock "Leaves" below the image."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import napari.viewer
from qtpy.QtWidgets import QWidget

from napari_dgc.ui.leaves_dock import LeavesDock
from napari_dgc.ui.leaves_session import LeavesSession
from napari_dgc.ui.second_dock import SecondDock
from napari_dgc.ui.workspace import Workspace

NAME = "Leaves"


class Leaves(SecondDock):
    """The leaves of one workspace; parameters as for `Spectra`.

    Attributes
    ----------
    session : LeavesSession
        Outlives the dock, and with it what can be taken back.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        workspace: Workspace,
        bind: Callable[[QWidget], None],
        parent: QWidget,
    ) -> None:
        self.session = LeavesSession(workspace, parent)
        make = partial(LeavesDock, viewer, workspace, self.session)
        super().__init__(viewer, NAME, make, bind, parent)
        self.shown_changed.connect(self._on_shown_changed)

    def leave(self) -> bool:
        """Cut no leaf; whether there was a cut to leave."""
        dock = self.dock
        cutting = isinstance(dock, LeavesDock) and dock.image.cutting
        if isinstance(dock, LeavesDock) and cutting:
            dock.image.end_cutting()
        return cutting

    def _on_shown_changed(self, shown: bool) -> None:
        if isinstance(self.dock, LeavesDock):
            self.dock.set_open(shown)

    def close(self) -> None:
        """Stop looking for leaves, and take the dock away."""
        self.session.stop()
        super().close()
