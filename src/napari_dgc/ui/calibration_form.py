"""The form "Calibrate": references chosen or marked, looked at, and applied."""

from __future__ import annotations

from functools import partial

import numpy as np
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QComboBox, QWidget

from napari_dgc.study.calibrating.preparing import Wanted, wanted
from napari_dgc.study.calibrating.references import References, calibrate_cubes
from napari_dgc.ui.calibration_fields import CalibrationFields
from napari_dgc.ui.calibration_preview import CalibrationPreview
from napari_dgc.ui.preparation import Preparation
from napari_dgc.ui.preparation_form import PreparationForm
from napari_dgc.ui.workspace import Workspace

_SIZE = (480, 500)  # pixels; fits beside the image in a window of 1280 x 800
_NO_CUBE = "Begin with a cube."
_GONE = "The file of this cube is missing: say where it is first."


class CalibrationForm(PreparationForm):
    """White and dark, a preview, and for which cubes; parameters as its base's."""

    def __init__(
        self, workspace: Workspace, preparation: Preparation, parent: QWidget
    ) -> None:
        super().__init__(
            workspace,
            preparation,
            parent,
            "Calibrate to reflectance",
            "Calibrate",
            "Remove calibration",
        )
        self.fields = CalibrationFields(workspace)
        self.preview = CalibrationPreview(workspace.viewer.theme)
        self.scope = QComboBox()
        self.scope.addItems(["This cube", "All cubes"])
        self.scope.setCurrentIndex(1)
        self.scope.setToolTip("Which cubes: the one on show, or all of the study")
        self.remove_button.setToolTip("Show and use the raw counts again")
        self.column.addWidget(self.fields)
        self.column.addWidget(self.preview, stretch=1)
        self.buttons.insertWidget(0, self.scope)
        self.fields.changed.connect(self._look)
        self.preview.ready.connect(self._on_ready)
        self.apply_button.clicked.connect(self._on_apply)
        self.remove_button.clicked.connect(self._on_remove)
        self.resize(*_SIZE)

    def begin(self) -> None:
        """Show the form with what calibrates the cube on show, or is beside it."""
        self.fields.begin()
        super().begin()

    def renew(self) -> None:
        """Follow the cube on show."""
        count = len(self.workspace.study.cubes)
        self.scope.setItemText(1, f"All {count} cubes")
        self.scope.setVisible(count > 1)
        self.remove_button.setEnabled(bool(self._wishes(removing=True)))
        self.fields.refresh()
        self._look()

    def finish(self, done: bool) -> None:
        """Take the tile away once it has served."""
        if done:
            self.fields.end()
        super().finish(done)

    def _look(self) -> None:
        entry, shown = self.workspace.display.entry, self.workspace.display.shown
        self.fields.tile.keep_last()
        cube = None if entry is None else entry.cube
        why = self.fields.missing
        if cube is None or shown in self.workspace.study.missing:
            why = _NO_CUBE if cube is None else _GONE
            cube = None
        self.preview.look(cube, self.fields.references(), why)

    def _on_ready(self, ready: bool) -> None:
        self.apply_button.setEnabled(ready and not self.busy)

    def _on_apply(self) -> None:
        references = self.fields.references()
        if references is not None:
            self._calibrate("Calibrate", references)

    def _on_remove(self) -> None:
        self._calibrate("Remove calibration", None)

    def _calibrate(self, verb: str, references: References | None) -> None:
        wishes = self._wishes(removing=references is None)
        if wishes:
            self.prepare(verb, partial(calibrate_cubes, wishes, references))

    def _wishes(self, *, removing: bool) -> list[Wanted]:
        """The cubes that are meant, but for those that are missing."""
        study, shown = self.workspace.study, self.workspace.display.shown
        everyone = self.scope.currentIndex() == 1
        places = range(len(study.cubes)) if everyone else range(shown, shown + 1)
        return [
            wanted(study, i, None, np.zeros(study.cubes[i].bands, bool))
            for i in places
            if i >= 0
            and i not in study.missing
            and not (removing and study.cubes[i].calibration is None)
        ]

    def closeEvent(self, event: QCloseEvent) -> None:
        """Take the tile's layer away and read no further."""
        self.preview.stop()
        self.fields.end()
        super().closeEvent(event)
