"""Every key we own, once: what it does, and the words that say so.

napari's layers have keys of their own (in a label layer Ctrl+Z replays strokes
and M makes a new label). Ours are bound to the dock and to our layers
themselves, so they win there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from napari.layers import Layer
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QShortcut,
    QVBoxLayout,
    QWidget,
)

MERGE, LOOK, STUDY = "Merge", "Select and look", "Study"


@dataclass(frozen=True, slots=True)
class Key:
    """A key, in Qt's spelling and in napari's, what it does, and its theme."""

    qt: str
    napari: str
    action: str
    help: str
    theme: str = LOOK


class Gesture(NamedTuple):
    """What a hand does with the mouse, what follows, and its theme."""

    mouse: str
    help: str
    theme: str = LOOK


KEYS = (
    Key("Ctrl+Z", "Control-Z", "undo", "Undo the last step", STUDY),
    Key("Ctrl+Shift+Z", "Control-Shift-Z", "redo", "Redo", STUDY),
    Key("M", "M", "toggle_merging", "Enter or leave Merge mode", MERGE),
    Key(
        "Esc",
        "Escape",
        "leave",
        "Leave the film or Merge mode; else select nothing",
        MERGE,
    ),
    Key("[", "[", "coarser", "One group fewer", MERGE),
    Key("]", "]", "finer", "One group more", MERGE),
    Key("N", "N", "next_suggestion", "Suggest what to merge; again: the next", MERGE),
    Key("Shift+N", "Shift-N", "previous_suggestion", "The suggestion before", MERGE),
    Key("A", "A", "accept_suggestion", "Accept the suggestion", MERGE),
    Key("R", "R", "reject_suggestion", "Reject it, now and later", MERGE),
    Key("T", "T", "take_out", "Take the selected clusters out", MERGE),
    Key("D", "D", "split_in_two", "Split the selected cluster in two", MERGE),
    Key("V", "V", "toggle_hidden", "Hide the selected groups, or show them"),
    Key("S", "S", "toggle_solo", "Show the selected groups alone; again: all"),
    Key("B", "B", "toggle_blink", "Let the selected groups blink; again: stop"),
    Key(",", ",", "previous_cube", "The cube before"),
    Key(".", ".", "next_cube", "The next cube"),
    Key("F", "F", "toggle_false_color", "False colours, or natural ones"),
    Key("G", "G", "toggle_spectra", "Show or hide the spectra"),
    Key(
        "X", "X", "toggle_activation", "Show or hide which clusters are in which cubes"
    ),
    Key("L", "L", "toggle_leaves", "Show or hide the leaves"),
    Key("P", "P", "pin", "Pin or unpin the pixel under the mouse"),
    Key("Shift+P", "Shift-P", "unpin_all", "Unpin all pixels"),
    Key("Ctrl+S", "Control-S", "save_study", "Save the study", STUDY),
    Key("Ctrl+Shift+S", "Control-Shift-S", "save_study_as", "Save it as…", STUDY),
    Key("H", "H", "show_keys", "Show this list", STUDY),
)

MOUSE = (
    Gesture("Point at the image", "Light the group there up and name it"),
    Gesture("Click on the image", "Select the group there; again: unselect it"),
    Gesture("Ctrl-click", "Select one more, or one less"),
    Gesture("Click an eye", "Hide the group, or show it again"),
    Gesture("Drag on the image", "Move it; in Merge mode: A goes into B", MERGE),
    Gesture("Shift-click A, then B", "In Merge mode: B goes into A", MERGE),
    Gesture("Drag rows onto a row", "They go into it; it keeps its name", MERGE),
    Gesture("Drag a cluster onto a row", "It leaves its group for that one", MERGE),
    Gesture("Drag it between rows", "It becomes a group of its own", MERGE),
    Gesture("Click a fork of the tree", "Merge all groups below it", MERGE),
    Gesture("Drag the tree's dashed line", "Fewer or more groups", MERGE),
    Gesture("Click a square", "Choose the group's colour", STUDY),
    Gesture("Double-click a name", "Rename the group", STUDY),
    Gesture("Click a role", "Say what the group is: its colour follows", STUDY),
    Gesture("Drop label files", "Compare the groups with labels", STUDY),
)

# In napari's menu too: with the focus in our parts, they are ours (see `KeyClaim`).
CLAIMED = frozenset({"Ctrl+S", "Ctrl+Shift+S"})

Actions = Mapping[str, Callable[[], object]]


class KeyClaim(QObject):
    """Keeps keys of ours from napari's menu while a widget has the focus.

    A key of two shortcuts triggers neither, and on the canvas the menu's comes first.
    Qt asks before both, though, whether somebody wants the key itself.

    Parameters
    ----------
    widget : QWidget
        Asked with its children.
    actions : mapping of str to callable, optional
        Called at the claimed keys; None where the widget knows what to do with them.
    when : callable
        Whether to claim them now.
    """

    def __init__(
        self,
        widget: QWidget,
        actions: Actions | None = None,
        when: Callable[[], bool] = lambda: True,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent or widget)
        self._actions = actions
        self._when = when
        self._claimed = {key.qt: key.action for key in KEYS if key.qt in CLAIMED}
        widget.installEventFilter(self)

    def eventFilter(self, widget: QObject, event: QEvent) -> bool:
        """Claim a key when Qt asks, act when it comes."""
        if event.type() not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            return False
        action = self._claimed.get(_key_text(event))
        if action is None or not self._when():
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if self._actions is None:
            return False
        self._actions[action]()
        return True


def _key_text(event: QKeyEvent) -> str:
    return QKeySequence(event.keyCombination()).toString(
        QKeySequence.SequenceFormat.PortableText
    )


def bind_dock(dock: QWidget, actions: Actions) -> None:
    """Bind all keys for as long as the focus is in the dock.

    A text field keeps the keys it needs itself: Qt asks it first.
    """
    KeyClaim(dock, actions)
    for key in KEYS:
        if key.qt in CLAIMED:
            continue
        shortcut = QShortcut(QKeySequence(key.qt), dock)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(actions[key.action])


def bind_layer(layer: Layer, actions: Actions) -> None:
    """Bind all keys to one layer, for when it is the active one."""
    for key in KEYS:
        layer.bind_key(key.napari, _ignoring_layer(actions[key.action]), overwrite=True)


def unbind_layer(layer: Layer) -> None:
    """Give a layer's keys back to napari."""
    for key in KEYS:
        layer.bind_key(key.napari, None)


def key_help() -> str:
    """All keys and gestures by theme, as a table in Qt's rich text.

    Themes stand side by side, so that a long list still fits a small screen.
    """
    gestures = [Gesture(*gesture) for gesture in MOUSE]
    rows = [(g.mouse, g.help, g.theme) for g in gestures]
    rows += [(key.qt, key.help, key.theme) for key in KEYS]
    titles = dict.fromkeys((MERGE, LOOK, STUDY, *(theme for *_, theme in rows)))
    tables = {title: _theme(title, rows) for title in titles}
    look = tables.pop(LOOK)
    column = "<td style='padding-right: 18px; vertical-align: top'>"
    others = "".join(tables.values())
    return f"<table><tr>{column}{look}</td>{column}{others}</td></tr></table>"


def _theme(title: str, rows: list[tuple[str, str, str]]) -> str:
    cell = "<td style='padding: 2px 12px 2px 0; white-space: nowrap'>"
    lines = "".join(
        f"<tr>{cell}<b>{keys}</b></td>{cell}{text}</td></tr>"
        for keys, text, theme in rows
        if theme == title
    )
    return f"<p><b>{title}</b></p><table>{lines}</table>"


def make_key_box(parent: QWidget) -> QDialog:
    """Make the window that lists the keys; the caller shows it.

    A message box would cut the list off at 800 pixels on a screen of 1280.
    """
    box = QDialog(parent)
    box.setObjectName("dgc_keys")
    box.setWindowTitle("Keys and gestures")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    text = QLabel(key_help())
    text.setTextFormat(Qt.TextFormat.RichText)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(box.close)
    layout = QVBoxLayout(box)
    layout.addWidget(text)
    layout.addWidget(buttons)
    return box


def _ignoring_layer(action: Callable[[], object]) -> Callable[[Layer], None]:
    def call(layer: Layer) -> None:
        action()  # what it returns is no wish of ours for the key's release

    return call
