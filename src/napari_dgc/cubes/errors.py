"""The one error a user's file can cause."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Something the user gave cannot be used; says what, why and what to do.

    Parameters
    ----------
    source : str or pathlib.Path
        The file, folder or option at fault.
    fault : str
        What is wrong with it, without a final full stop.
    remedy : str
        What the user can do about it, without a final full stop.

    Notes
    -----
    ``str(error)`` is exactly one line, fit for standard error and for a
    notification: ``<source>: <fault>; <remedy>``.
    """

    def __init__(self, source: str | Path, fault: str, remedy: str) -> None:
        self.source = str(source)
        self.fault = fault
        self.remedy = remedy
        line = f"{self.source}: {fault}; {remedy}"
        super().__init__(" ".join(line.split()))
