"""The one error a user's file can cause."""

from __future__ import annotations

import re
from pathlib import Path

_LONGEST = 800  # characters of each part: a file may hold a word of a megabyte
#: What would move a terminal's cursor or turn the text around, and half characters,
#: which Qt and UTF-8 refuse.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


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
    notification: ``<source>: <fault>; <remedy>``. What a file makes it say is cut
    short where it is long, and holds no control characters.
    """

    def __init__(self, source: str | Path, fault: str, remedy: str) -> None:
        self.source = str(source)
        self.fault = _shown(fault)
        self.remedy = _shown(remedy)
        super().__init__(f"{_shown(self.source)}: {self.fault}; {self.remedy}")


def _shown(text: str) -> str:
    """Make one line of a text, leave out the middle of a long one."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
