"""Libraries of the system that Qt's window needs, and Debian's packages of them."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

#: Library → the Debian package that holds it (newer ones provide these names too).
DEBIAN = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libOpenGL.so.0": "libopengl0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
}
_LIBRARY = re.compile(r"\b(lib[\w.+-]+\.so(?:\.\d+)*)")


def find_xcb_plugin(binding: str, plugins: str = "") -> Path | None:
    """Find Qt's plugin for X windows without loading Qt.

    Parameters
    ----------
    binding : str
        Such as "PyQt6".
    plugins : str
        Qt's own folder of plugins, if it could be asked.
    """
    places = [Path(plugins)] if plugins else []
    try:
        spec = importlib.util.find_spec(binding)
    except (ImportError, ValueError):
        spec = None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        places += [Path(folder) / qt / "plugins" for qt in ("Qt6", "Qt5", "Qt")]
    found = (place / "platforms" / "libqxcb.so" for place in places)
    return next((path for path in found if path.is_file()), None)


def missing_libraries(plugin: Path) -> list[str] | None:
    """Ask ldd which libraries that a plugin needs are not there; None: no ldd."""
    try:
        done = subprocess.run(
            ["ldd", str(plugin)],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    lines = (line for line in done.stdout.splitlines() if "not found" in line)
    return sorted({line.split()[0] for line in lines})


def named_libraries(text: str) -> list[str]:
    """The libraries that an error of the loader says it cannot open."""
    if "cannot open shared object file" not in text:
        return []
    return sorted(set(_LIBRARY.findall(text)))


def packages_of(libraries: Iterable[str]) -> list[str]:
    """Debian's packages of libraries, as far as they are known here."""
    return sorted({DEBIAN[name] for name in libraries if name in DEBIAN})
