"""The user's faults, told in one line on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from napari_dgc.cubes.errors import InputError

# After napari has slid the notification in: unfolding uses the same animation.
_SLIDE_MS = 300

# How the readers' remedies begin where `LayoutForm` can ask instead.
_ASKS_FOR_KEY = "name one with --key"
_ASKS_FOR_AXES = "say which with --axes"
# Remedies that name options of the command line, and what does the same here.
_CALIBRATE = "calibrate it: More > Calibrate… beside the colours R, G, B"
_ON_SCREEN = (
    ("by --white and --dark", _CALIBRATE),
    ("use --no-calibration, or train", "press First map or Train"),
    ("use --no-calibration, or no --white", "remove its calibration first"),
    ("--reference-per band", "take references as wide as the cube, or average them "
     "over all pixels"),
)  # fmt: skip
_OPEN_BY_MENU = (
    "open it with File > IO Utilities > Open hyperspectral cube…, which asks for it"
)


def show_fault(error: InputError) -> None:
    """Put an input error's one line on the screen, without a traceback.

    Parameters
    ----------
    error : InputError
        A file in it goes by its name alone, not its folder.

    Raises
    ------
    InputError
        `error` itself where there is no screen to show it on (a script).

    Notes
    -----
    napari shows the first 30 letters or so for 4 s. A fault without its remedy
    helps nobody, so the notification is unfolded and stays until closed.
    """
    from napari.utils.notifications import notification_manager, show_error

    if not notification_manager.notification_ready.callbacks:
        raise error
    before = {id(each) for each in _notifications()}
    show_error(screen_line(error))
    for notification in _notifications():
        if id(notification) not in before:
            from qtpy.QtCore import QTimer

            QTimer.singleShot(_SLIDE_MS, notification.toggle_expansion)


def screen_line(error: InputError) -> str:
    """Word an error for the screen, where there are menus and no options."""
    remedy = _OPEN_BY_MENU if question(error) else error.remedy
    remedy = next((ours for cli, ours in _ON_SCREEN if cli in remedy), remedy)
    for option in (" with --axes", " with --key"):
        remedy = remedy.replace(option, "")
    return f"{Path(error.source).name}: {error.fault}; {remedy}"


def question(error: InputError) -> Literal["key", "axes"] | None:
    """Say what the user can add to make the file readable, if anything."""
    if error.remedy.startswith(_ASKS_FOR_KEY):
        return "key"
    if error.remedy.startswith(_ASKS_FOR_AXES):
        return "axes"
    return None


def _notifications() -> list:
    """Notifications on screen now; none without a Qt application."""
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        return []
    # By name: the class is private to napari, its methods are not.
    return [
        widget
        for widget in QApplication.allWidgets()
        if type(widget).__name__ == "NapariQtNotification"
        and hasattr(widget, "toggle_expansion")
    ]
