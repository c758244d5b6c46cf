"""Functions called in a process of their own: what crashes or hangs there, ends there.

For `doctor`, which must give its answer where Qt aborts and torch does not load.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MARK = "napari-dgc-found "
_CODE = f"""
import importlib, json, sys
module, _, name = sys.argv[1].partition(":")
try:
    for facts in getattr(importlib.import_module(module), name)():
        print({_MARK!r} + json.dumps(facts), flush=True)
except Exception as error:
    said = " ".join(f"{{type(error).__name__}}: {{error}}".split())
    print({_MARK!r} + json.dumps({{"error": said}}), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child said.

    Attributes
    ----------
    facts : dict
        All that its function yielded, later values over earlier ones.
    error : str
        The exception, crash or delay that ended it, in one line; "" for none.
    log : str
        Its standard error.
    """

    facts: dict[str, Any]
    error: str
    log: str


def ask_child(
    target: str, *, seconds: float, environ: Mapping[str, str] | None = None
) -> Answer:
    """Call ``module:function``, a generator of dictionaries, in a child process.

    Parameters
    ----------
    target : str
        Such as ``napari_dgc.ui.probing:probe_qt``.
    seconds : float
        After them the child is killed; what it had said by then counts.
    environ : mapping of str to str, optional
        Environment variables over our own.
    """
    # -P: a file of the user's called napari.py, in this very folder, is none of ours.
    command = [sys.executable, "-P", "-c", _CODE, target]
    variables = {**os.environ, **(environ or {})}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=seconds, env=variables, check=False
        )
    except subprocess.TimeoutExpired as late:
        return _read(late.stdout, late.stderr, f"no answer within {seconds:g} s")
    except OSError as error:
        return Answer({}, f"{sys.executable} cannot be started: {error}", "")
    return _read(done.stdout, done.stderr, _word_end(done.returncode))


def _read(out: bytes | None, err: bytes | None, error: str) -> Answer:
    facts: dict[str, Any] = {}
    for line in (out or b"").decode(errors="replace").splitlines():
        if line.startswith(_MARK):
            facts |= json.loads(line.removeprefix(_MARK))
    log = (err or b"").decode(errors="replace")
    return Answer(facts, facts.pop("error", "") or error, log)


def _word_end(status: int) -> str:
    if status == 0:
        return ""
    if status > 0:
        return f"it ended with status {status}"
    try:
        return f"it crashed ({signal.Signals(-status).name})"
    except ValueError:
        return f"it crashed (signal {-status})"
