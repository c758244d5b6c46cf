"""The spectra of one window: pins, and a dock that is made when first shown."""

from __future__ import annotations

from collections.abc import Callable

import napari.viewer
from qtpy.QtWidgets import QWidget

from napari_dgc.ui.pins import Pins
from napari_dgc.ui.second_dock import SecondDock
from napari_dgc.ui.spectra_dock import SpectraDock
from napari_dgc.ui.workspace import Workspace

NAME = "Spectra"


class Spectra(SecondDock):
    """The spectra of one workspace: pins, and a dock that is made when first shown.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    workspace : Workspace
    bind : callable
        Binds our keys to a widget.
    parent : QWidget
        The main dock.

    Attributes
    ----------
    pins : Pins
    dock : SpectraDock or None
        None until it is first shown, and after the user has closed it.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        workspace: Workspace,
        bind: Callable[[QWidget], None],
        parent: QWidget,
    ) -> None:
        super().__init__(viewer, NAME, self._make_spectra, bind, parent)
        self._workspace = workspace
        self.pins = Pins(
            viewer,
            workspace.study,
            workspace.display,
            workspace.pointer,
            workspace.status.say,
        )

    def pin_here(self) -> None:
        """Pin the pixel under the mouse, where its spectrum can be seen."""
        before = self._workspace.study.view.pins
        self.pins.pin_here()
        if len(self._workspace.study.view.pins) > len(before):
            self.set_shown(True)

    def close(self) -> None:
        """Take dock and marks away."""
        self.pins.close()
        super().close()

    def _make_spectra(self) -> SpectraDock:
        return SpectraDock(self._viewer, self._workspace, self.pins)
