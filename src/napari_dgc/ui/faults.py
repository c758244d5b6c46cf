"""The user's faults, told in one line on the screen."""

from __future__ import annotations

from pathlib import Path

from napari_dgc.cubes.errors import InputError

# After napari has slid the notification in: unfolding uses the same animation.
_SLIDE_MS = 300

# How the readers' remedies name what `LayoutForm` asks for.
_OPTIONS = ("--axes", "--key")
_ASK_US = "open it with File > IO Utilities > Open hyperspectral cube… and say which"


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
    remedy = _ASK_US if is_question(error) else error.remedy
    return f"{Path(error.source).name}: {error.fault}; {remedy}"


def is_question(error: InputError) -> bool:
    """Whether the user can settle it by naming the variable or its axes."""
    return any(option in error.remedy for option in _OPTIONS)


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
