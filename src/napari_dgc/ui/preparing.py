"""The menu of what can be done with the cubes before they are clustered."""

from __future__ import annotations

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QMenu, QWidget

from napari_dgc.ui.bands_form import BandsForm
from napari_dgc.ui.calibration_form import CalibrationForm
from napari_dgc.ui.index_layers import IndexLayers
from napari_dgc.ui.preparation import Preparation
from napari_dgc.ui.workspace import Workspace


class Preparing(QObject):
    """Calibrate, choose bands, index maps; forms are made when first opened.

    Parameters
    ----------
    workspace : Workspace
    menu : QMenu
        Gets the entries.
    parent : QWidget
        The dock.
    """

    def __init__(self, workspace: Workspace, menu: QMenu, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._parent = parent
        self.preparation = Preparation(workspace, self)
        self.indices = IndexLayers(workspace, self)
        self.calibration: CalibrationForm | None = None
        self.bands: BandsForm | None = None
        menu.setToolTipsVisible(True)
        calibrate = menu.addAction("Calibrate…")
        calibrate.setToolTip(
            "Turn raw counts into reflectance, by a white and a dark reference or by a "
            "tile in the image"
        )
        calibrate.triggered.connect(self.open_calibration)
        bands = menu.addAction("Bands…")
        bands.setToolTip("Leave out noisy bands, or keep a range of wavelengths")
        bands.triggered.connect(self.open_bands)
        self.index_menu = menu.addMenu("Index map")
        self.index_menu.aboutToShow.connect(self._fill)
        self._fill()

    def open_calibration(self, *_: object) -> None:
        """Open the form "Calibrate"."""
        if self.calibration is None:
            self.calibration = CalibrationForm(
                self._workspace, self.preparation, self._parent
            )
        self.calibration.begin()

    def open_bands(self, *_: object) -> None:
        """Open the form "Bands"."""
        if self.bands is None:
            self.bands = BandsForm(self._workspace, self.preparation, self._parent)
        self.bands.begin()

    def stop(self) -> None:
        """Stop what is running and close the forms; layers of indices stay."""
        for form in (self.calibration, self.bands):
            if form is not None:
                form.close()
        self.preparation.stop()
        self.indices.stop()

    def _fill(self) -> None:
        self.indices.fill(self.index_menu)
