"""Opens, hides and closes the dock "Activation" below the image."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import napari.viewer
from qtpy.QtWidgets import QWidget

from napari_dgc.ui.activation_dock import ActivationDock
from napari_dgc.ui.second_dock import SecondDock
from napari_dgc.ui.workspace import Workspace

NAME = "Activation"


class Activation(SecondDock):
    """The activation matrix of one workspace; parameters as for `Spectra`."""

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        workspace: Workspace,
        bind: Callable[[QWidget], None],
        parent: QWidget,
    ) -> None:
        make = partial(ActivationDock, viewer, workspace)
        super().__init__(viewer, NAME, make, bind, parent)
