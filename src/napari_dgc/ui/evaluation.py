"""Opens the dock "Evaluation", and reads the label files dropped or chosen for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import napari.viewer
from napari.utils.history import get_open_history, update_open_history
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_dgc.ui.canvas import canvas_widget
from napari_dgc.ui.evaluation_dock import EvaluationDock
from napari_dgc.ui.evaluation_drop import LabelDrop
from napari_dgc.ui.evaluation_session import EvaluationSession
from napari_dgc.ui.second_dock import SecondDock
from napari_dgc.ui.workspace import Workspace

NAME = "Evaluation"
_FILTER = "Labels (*.json *.mat *.pth *.tif *.tiff *.npy);;All files (*)"


class Evaluation(SecondDock):
    """The labels of one workspace; parameters as for `Spectra`.

    Attributes
    ----------
    session : EvaluationSession
        There from the beginning: files may be dropped before the dock is open.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        workspace: Workspace,
        bind: Callable[[QWidget], None],
        parent: QWidget,
    ) -> None:
        make = partial(EvaluationDock, viewer, workspace, self)
        super().__init__(viewer, NAME, make, bind, parent)
        self._parent = parent
        self.session = EvaluationSession(workspace, self)
        self.session.came.connect(self._on_labels_came)
        self.shown_changed.connect(self.session.set_open)
        self.drop = LabelDrop(canvas_widget(viewer), parent, self._cube_files)
        self.drop.dropped.connect(self.session.open)

    def _cube_files(self) -> list[Path]:
        cubes = self.session.cubes
        return [cube.path for cube in cubes if cube.path is not None]

    def ask(self) -> None:
        """Open the dock; ask for files where there are no labels yet."""
        if len(self.session):
            self.set_shown(True)
        else:
            self.ask_files()

    def ask_files(self) -> None:
        """Ask for label files and read them."""
        names, _ = QFileDialog.getOpenFileNames(
            self._parent, "Compare with labels", get_open_history()[0], _FILTER
        )
        if names:
            update_open_history(names[0])
            self.session.open([Path(name) for name in names])

    def _on_labels_came(self) -> None:
        self.set_shown(True)

    def close(self) -> None:
        """Take the dock away, and end what is being read."""
        self.session.stop()
        super().close()
