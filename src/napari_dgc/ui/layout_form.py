"""The question that is left where a file does not say how it is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

_NAMES = {"y": "rows", "x": "columns", "b": "bands"}
# As files usually are, the likeliest first; then those with columns before rows.
AXES = ("yxb", "byx", "ybx", "xyb", "bxy", "xby")


@dataclass(frozen=True, slots=True)
class Layout:
    """What the user answered.

    Parameters
    ----------
    key : str or None
        The variable to read.
    axes : str or None
        The order of its axes, such as ``yxb``.
    """

    key: str | None
    axes: str | None


class LayoutForm(QDialog):
    """Asks for the variable (where there are several) and its axes.

    Parameters
    ----------
    path : pathlib.Path
    fault : str
        Why we have to ask, in the reader's words.
    shapes : mapping of str to tuple of int
        What the file holds: shapes by variable; one named "" has no name.
    ask_axes : bool
        Whether to ask for the axes, too; else the file shall say them.
    parent : QWidget, optional
    """

    def __init__(
        self,
        path: Path,
        fault: str,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        ask_axes: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Open {path.name}")
        self._shapes = dict(shapes)
        self._ask_axes = ask_axes

        why = QLabel(f"{path.name}: {fault}.")
        why.setWordWrap(True)
        self.key_box = QComboBox()
        for key, shape in self._shapes.items():
            self.key_box.addItem(f"{key}  ({' × '.join(map(str, shape))})", key)
        self.axes_box = QComboBox()
        self._fill_axes()

        form = QFormLayout()
        if any(self._shapes):
            form.addRow("Variable:", self.key_box)
        if ask_axes:
            form.addRow("It holds:", self.axes_box)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open
            | QDialogButtonBox.StandardButton.Cancel
        )
        layout = QVBoxLayout(self)
        layout.addWidget(why)
        layout.addLayout(form)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(420)

        self.key_box.currentIndexChanged.connect(self._on_key_chosen)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    @property
    def layout_chosen(self) -> Layout:
        """The answer as it stands in the form."""
        axes = self.axes_box.currentData() if self._ask_axes else None
        return Layout(self.key_box.currentData() or None, axes)

    def _on_key_chosen(self) -> None:
        self._fill_axes()

    def _fill_axes(self) -> None:
        """Offer the orders of axes, with the lengths they would mean."""
        shape = self._shapes.get(self.key_box.currentData() or "", ())
        chosen = self.axes_box.currentData()
        self.axes_box.clear()
        for axes in AXES:
            self.axes_box.addItem(describe_axes(axes, shape), axes)
        self.axes_box.setCurrentIndex(max(0, self.axes_box.findData(chosen)))


def describe_axes(axes: str, shape: tuple[int, ...] = ()) -> str:
    """Say what an order of axes means: ``200 bands × 145 rows × 145 columns``."""
    names = [_NAMES[axis] for axis in axes]
    if len(shape) != len(axes):
        return ", ".join(names)
    return " × ".join(f"{n} {name}" for n, name in zip(shape, names, strict=True))


def ask_layout(
    path: Path,
    fault: str,
    shapes: Mapping[str, tuple[int, ...]],
    *,
    ask_axes: bool = True,
    parent: QWidget | None = None,
) -> Layout | None:
    """Ask the user; None where they would rather not open the file."""
    form = LayoutForm(path, fault, shapes, ask_axes=ask_axes, parent=parent)
    accepted = form.exec() == QDialog.DialogCode.Accepted
    answer = form.layout_chosen if accepted else None
    form.deleteLater()
    return answer
