"""A button that opens what was written."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QPushButton, QStyle


class OpenButton(QPushButton):
    """Opens a folder, or a file in the program set for its kind; hidden without one.

    Parameters
    ----------
    icon : QStyle.StandardPixmap
        It stands alone: a word has no room.
    name : str
        For screen readers.
    tip : str
        What it does; the place is added where there is one.
    """

    def __init__(self, icon: QStyle.StandardPixmap, name: str, tip: str) -> None:
        super().__init__()
        self._path: Path | None = None
        self._tip = tip
        self.setIcon(self.style().standardIcon(icon))
        self.setStyleSheet("padding: 3px 0px;")
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.hide()
        self.clicked.connect(self._on_clicked)

    def offer(self, path: Path | None) -> None:
        """Take what shall be opened; None hides the button."""
        self._path = path
        self.setToolTip(self._tip if path is None else f"{self._tip} {path}")
        self.setVisible(path is not None)

    def _on_clicked(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))
