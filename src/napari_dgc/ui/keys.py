"""Every key we own, once: what it does, and the words that say so.

napari's label layers have keys of their own (Ctrl+Z replays strokes, M makes
a new label). Ours are bound to the dock and to our layers themselves, so they
win there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QMessageBox, QShortcut, QWidget


@dataclass(frozen=True, slots=True)
class Key:
    """A key, in Qt's spelling and in napari's, and what it does."""

    qt: str
    napari: str
    action: str
    help: str


KEYS = (
    Key("Ctrl+Z", "Control-Z", "undo", "Undo the last step"),
    Key("Ctrl+Shift+Z", "Control-Shift-Z", "redo", "Take the undone step again"),
    Key("M", "M", "toggle_merging", "Enter or leave Merge mode"),
    Key("Esc", "Escape", "leave", "Leave Merge mode; else select nothing"),
    Key("G", "G", "toggle_spectra", "Show or hide the spectra"),
    Key("P", "P", "pin", "Pin the spectrum of the pixel under the mouse; or unpin it"),
    Key("Shift+P", "Shift-P", "unpin_all", "Unpin all pixels"),
    Key("H", "H", "show_keys", "Show this list"),
)

MOUSE = (
    ("Click on the image", "Select the group there; again: unselect it"),
    ("Ctrl-click", "Select one more, or one less"),
    ("Drag rows onto a row", "Merge them into it; it keeps its name and colour"),
    ("Double-click a name", "Rename the group"),
    ("Merge mode: drag from A to B", "A goes into B"),
    ("Merge mode: Shift-click A, then B", "B goes into A"),
)

Actions = Mapping[str, Callable[[], object]]


def bind_dock(dock: QWidget, actions: Actions) -> None:
    """Bind all keys for as long as the focus is in the dock.

    A text field keeps the keys it needs itself: Qt asks it first.
    """
    for key in KEYS:
        shortcut = QShortcut(QKeySequence(key.qt), dock)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(actions[key.action])


def bind_layer(layer: Labels, actions: Actions) -> None:
    """Bind all keys to one layer, for when it is the active one."""
    for key in KEYS:
        layer.bind_key(key.napari, _ignoring_layer(actions[key.action]), overwrite=True)


def unbind_layer(layer: Labels) -> None:
    """Give a layer's keys back to napari."""
    for key in KEYS:
        layer.bind_key(key.napari, None)


def key_help() -> str:
    """All keys and gestures as a table in Qt's rich text."""
    pairs = [*MOUSE, *((key.qt, key.help) for key in KEYS)]
    cell = "<td style='padding: 2px 12px 2px 0; white-space: nowrap'>"
    rows = "".join(
        f"<tr>{cell}<b>{keys}</b></td>{cell}{text}</td></tr>" for keys, text in pairs
    )
    return f"<table>{rows}</table>"


def make_key_box(parent: QWidget) -> QMessageBox:
    """Make the window that lists the keys; the caller shows it."""
    box = QMessageBox(parent)
    box.setWindowTitle("Keys and gestures")
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(key_help())
    box.setStandardButtons(QMessageBox.StandardButton.Close)
    box.setModal(False)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box


def _ignoring_layer(action: Callable[[], object]) -> Callable[[Labels], None]:
    def call(layer: Labels) -> None:
        action()  # what it returns is no wish of ours for the key's release

    return call
