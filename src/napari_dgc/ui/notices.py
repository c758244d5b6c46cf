"""What the dock tells the user: one line in the dock, questions, errors."""

from __future__ import annotations

from napari.utils.notifications import notification_manager, show_error
from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QLabel, QMessageBox, QSizePolicy, QWidget

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import MergeError
from napari_dgc.ui.faults import screen_line, show_fault
from napari_dgc.ui.worker import WorkError

_STYLES = {
    "info": "",
    "good": "border-left: 3px solid #2e9e5b;",
    "warning": "border-left: 3px solid #d98a00;",
    "error": "border-left: 3px solid #d6453d; font-weight: bold;",
}


class WrappedLabel(QLabel):
    """Text that wraps to the width it is given and is never cut off."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding
        )

    def minimumSizeHint(self) -> QSize:
        """Ask for the height that the text needs at the present width."""
        height = self.heightForWidth(max(self.width(), 120))
        return QSize(120, max(height, self.fontMetrics().height()))

    def resizeEvent(self, event) -> None:
        """Ask again: another width wraps the text otherwise."""
        super().resizeEvent(event)
        self.updateGeometry()


class Heading(QLabel):
    """The name of a section, at the start of its first row."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setStyleSheet("QLabel { font-weight: bold; }")


class StatusLine(WrappedLabel):
    """The dock's own line: what just happened, or what to do next."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setObjectName("dgc_status")
        self.setToolTip("What just happened, and what you can do next")
        self.level = "info"

    def say(self, text: str, level: str = "info") -> None:
        """Show a line; level is info, good, warning or error."""
        self.level = level
        self.setText(text)
        self.setStyleSheet(f"QLabel {{ padding: 4px; {_STYLES[level]} }}")
        self.updateGeometry()

    def refuse(self, error: MergeError) -> None:
        """Say why a step on the groups was refused."""
        self.say(f"Not done: {error}", "warning")

    def report(self, error: Exception) -> None:
        """Put an error before the user: here and as napari's notification.

        A fault of the user's input is one line; anything else keeps its
        traceback behind the notification's button.
        """
        text = one_line(error)
        self.say(text, "error")
        if isinstance(error, InputError):
            show_fault(error)
        elif isinstance(error, ValueError):
            show_error(text)
        else:
            cause = error.__cause__ if isinstance(error, WorkError) else error
            cause = cause or error
            notification_manager.receive_error(type(cause), cause, cause.__traceback__)


def one_line(error: Exception) -> str:
    """Give an error's text as one line; a file goes by its name alone."""
    if isinstance(error, InputError):
        return screen_line(error)
    text = " ".join(str(error).split())
    return text or type(error).__name__


def ask(parent: QWidget, title: str, question: str, yes: str, no: str) -> bool:
    """Ask before something is lost; the safe answer is the default.

    Returns
    -------
    bool
        True for `yes` alone; closing the box means `no`.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setText(question)
    agreed = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    refused = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(refused)
    box.setEscapeButton(refused)
    box.exec()
    return box.clickedButton() is agreed
