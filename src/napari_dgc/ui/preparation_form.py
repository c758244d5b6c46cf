"""What the forms that prepare cubes have in common: buttons, progress, a question."""

from __future__ import annotations

from qtpy.QtCore import QPoint
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_dgc.ui.notices import ask
from napari_dgc.ui.preparation import Preparation, Work
from napari_dgc.ui.workspace import Workspace

_ASIDE, _BELOW = 8, 60  # pixels from the window's corner
_ASK = (
    "The map and its groups were made of the cubes as they are now. They stay on the "
    "image, and their spectra follow the new values; but the model no longer fits: "
    "First map or Train makes new clusters, each in a group of its own.\n\n"
    "“Cancel”: everything stays as it is."
)


class PreparationForm(QDialog):
    """A form beside the image that has cubes prepared in the worker.

    Parameters
    ----------
    workspace : Workspace
    preparation : Preparation
    parent : QWidget
    title, apply, remove : str
        Of the window, and of the two buttons.

    Attributes
    ----------
    column : QVBoxLayout
        Takes the fields.
    """

    def __init__(
        self,
        workspace: Workspace,
        preparation: Preparation,
        parent: QWidget,
        title: str,
        apply: str,
        remove: str,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.workspace = workspace
        self.preparation = preparation
        self._mine = False
        self.column = QVBoxLayout()
        self.progress = QProgressBar()
        self.progress.setVisible(False)
        self.apply_button = QPushButton(apply)
        self.remove_button = QPushButton(remove)
        self.close_button = QPushButton("Close")
        self.buttons = QHBoxLayout()
        self.buttons.addStretch()
        for button in (self.remove_button, self.apply_button, self.close_button):
            button.setAutoDefault(False)  # Enter in a field shall change no cube
            self.buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.addLayout(self.column, stretch=1)
        column.addWidget(self.progress)
        column.addLayout(self.buttons)
        self.close_button.clicked.connect(self._on_close_clicked)
        preparation.progressed.connect(self._on_progressed)
        preparation.ended.connect(self._on_ended)
        workspace.display.shown_changed.connect(self._on_cube_shown)
        workspace.study.cubes_changed.connect(self._on_cube_shown)

    def begin(self) -> None:
        """Show the form, with what is so for the cube on show."""
        self.renew()
        if not self.isVisible():
            self._leave_image_free()
        self.show()
        self.raise_()
        self.activateWindow()

    def _leave_image_free(self) -> None:
        """Open at the left of the window, over napari's controls of layers."""
        parent = self.parentWidget()
        window = None if parent is None else parent.window()
        if window is not None:
            self.move(window.mapToGlobal(QPoint(_ASIDE, _BELOW)))

    def renew(self) -> None:
        """Show what has changed."""
        raise NotImplementedError

    def finish(self, done: bool) -> None:
        """Go on after cubes were prepared, or were not."""
        self.renew()

    @property
    def busy(self) -> bool:
        """Whether cubes are being prepared."""
        return self.preparation.runner.running

    def prepare(self, verb: str, work: Work) -> None:
        """Have cubes prepared, once the user knows what it means for the map."""
        study = self.workspace.study
        if self.preparation.refusal:
            self.workspace.status.say(self.preparation.refusal, "warning")
            return
        if study.model is not None and not ask(self, f"{verb}?", _ASK, verb, "Cancel"):
            return
        if self.preparation.start("preparing cubes", work):
            self._mine = True
            self._show_working(True)

    def _show_working(self, on: bool) -> None:
        self.progress.setVisible(on)
        self.progress.setValue(0)
        self.close_button.setText("Stop" if on else "Close")
        for button in (self.apply_button, self.remove_button):
            button.setEnabled(not on)

    def _on_progressed(self, text: str, done: float) -> None:
        self.progress.setValue(round(100 * done))
        self.progress.setFormat(f"{text} %p %")

    def _on_ended(self, done: list) -> None:
        if self._mine:
            self._mine = False
            self._show_working(False)
            self.finish(bool(done))

    def _on_close_clicked(self) -> None:
        if self._mine:
            self.preparation.stop()
        else:
            self.close()

    def _on_cube_shown(self, *_: object) -> None:
        if self.isVisible() and not self._mine:
            self.renew()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what this form began."""
        if self._mine:
            self.preparation.stop()
        super().closeEvent(event)
