"""A button that opens what was written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from qtpy.QtCore import QPoint, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QMenu, QPushButton, QStyle


class OpenButton(QPushButton):
    """Opens folders and files in the programs set for them; hidden without any.

    With one place it opens that at once, with more it asks which by a menu. It has
    an icon alone: in a narrow row a word has no room.
    """

    def __init__(self) -> None:
        super().__init__()
        self.choices = QMenu(self)
        self.setIcon(self.style().standardIcon(QStyle.StandardPixmap.SP_DirOpenIcon))
        self.setStyleSheet("padding: 3px 0px;")
        self.setAccessibleName("Open")
        self.hide()
        self.clicked.connect(self._on_clicked)

    def offer(self, places: Mapping[str, Path]) -> None:
        """Take what can be opened, by what to call that; nothing hides the button."""
        self.choices.clear()
        for text, path in places.items():
            action = self.choices.addAction(text)
            action.triggered.connect(partial(_open, path))
        self.setToolTip("\n".join(f"{text}: {path}" for text, path in places.items()))
        self.setVisible(bool(places))

    def _on_clicked(self) -> None:
        actions = self.choices.actions()
        if len(actions) == 1:
            actions[0].trigger()
        else:
            self.choices.popup(self.mapToGlobal(QPoint(0, self.height())))


def _open(path: Path, _: bool = False) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
