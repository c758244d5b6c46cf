"""What `doctor` says: one finding each, and the command that mends it."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    topic : str
        Such as "Qt".
    state : {"ok", "warning", "missing"}
        It works; it works, but; it does not work.
    text : str
        What was found.
    command : str
        What to type to mend it; "" where no command does.
    """

    topic: str
    state: State
    text: str
    command: str = ""


def pip_install(*names: str, force: bool = False) -> str:
    """The command that installs packages into this very environment."""
    return _pip("install", (*(("--force-reinstall",) if force else ()), *names))


def pip_uninstall(*names: str) -> str:
    """The command that takes packages out of this very environment."""
    return _pip("uninstall", names)


def system_install(packages: Sequence[str]) -> str:
    """The command that installs Debian packages; "" where there is no apt-get."""
    if not packages or shutil.which("apt-get") is None:
        return ""
    user = hasattr(os, "geteuid") and os.geteuid() != 0
    return f"{'sudo ' if user else ''}apt-get install {' '.join(packages)}"


def _pip(verb: str, rest: Sequence[str]) -> str:
    listed = " ".join(shlex.quote(each) for each in rest)
    python = shlex.quote(sys.executable)
    if importlib.util.find_spec("pip") is None and shutil.which("uv"):
        return f"uv pip {verb} --python {python} {listed}"
    return f"{python} -m pip {verb} {listed}"
