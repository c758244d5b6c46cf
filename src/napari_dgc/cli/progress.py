"""Progress on standard error."""

from __future__ import annotations

import sys
import time

_PER_SECOND_TERMINAL, _PER_SECOND_FILE = 10.0, 0.5


class ProgressLine:
    """One line that is rewritten on a terminal, and few lines in a file.

    A context: the line is closed when it is left, whatever happened. In a file
    nothing is said for the first seconds, so that bad input found at once
    leaves one line there, its own.

    Parameters
    ----------
    quiet : bool
        Say nothing.
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._rate = _PER_SECOND_TERMINAL if self._terminal else _PER_SECOND_FILE
        self._last = 0.0 if self._terminal else time.monotonic()
        self._open = False

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def show(self, text: str) -> None:
        """Show text, at most some times a second."""
        now = time.monotonic()
        if self._quiet or now - self._last < 1 / self._rate:
            return
        self._last = now
        if self._terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._open = True
        else:
            print(text, file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Say something that stays."""
        if self._quiet:
            return
        self.end()
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Close the line that is being rewritten."""
        if self._open:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._open = False
