"""What napari's tests do again for each viewer, done once for all of them.

A viewer in a test costs a second of one core, and there are hundreds. Three parts of
that give the same result each time; nothing of what a user sees or the plugin does
depends on them.
"""

from __future__ import annotations

import functools
import inspect
from types import FunctionType, MethodType

import pytest
from napari._qt.widgets.qt_welcome import QtWelcomeWidget
from napari.utils.events import EventEmitter
from npe2 import PluginManifest


def spare(patch: pytest.MonkeyPatch) -> None:
    """Spare a viewer's start what the viewers before it have done already."""
    _read_manifests_once(patch)
    _look_at_signatures_once(patch)
    _leave_hidden_welcome(patch)


def _read_manifests_once(patch: pytest.MonkeyPatch) -> None:
    """Of each installed plugin: napari's fixture has it search for them every time.

    From the second time on, npe2 throws away what it reads: it has them all.
    """
    read = functools.cache(PluginManifest._from_entrypoint)
    patch.setattr(PluginManifest, "_from_entrypoint", read)


def _look_at_signatures_once(patch: pytest.MonkeyPatch) -> None:
    """Of each callback: several thousand connections a viewer, of the same functions.

    Code objects are the keys, for functions would keep alive what they close over.
    """
    check = EventEmitter._check_signature
    known: dict[tuple, bool] = {}

    def check_once(callback) -> bool:
        function = inspect.unwrap(getattr(callback, "__func__", callback))
        plain = isinstance(callback, FunctionType | MethodType)
        if not plain or not isinstance(function, FunctionType):
            return check(callback)
        given = len(function.__defaults__ or ())
        key = (function.__code__, isinstance(callback, MethodType), given)
        if key not in known:
            known[key] = check(callback)
        return known[key]

    patch.setattr(EventEmitter, "_check_signature", staticmethod(check_once))


def _leave_hidden_welcome(patch: pytest.MonkeyPatch) -> None:
    """Write the shortcuts' names on the welcome screen only where it is on show.

    Each of 176 shortcuts bound has them all written anew; showing it does so too.
    """
    refresh = QtWelcomeWidget.refresh

    def refresh_shown(self, _event=None) -> None:
        if self.isVisible():
            refresh(self)

    patch.setattr(QtWelcomeWidget, "refresh", refresh_shown)
