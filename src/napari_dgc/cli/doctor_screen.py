"""What `doctor` asks of Qt, the display, OpenGL, fonts and napari."""

from __future__ import annotations

import importlib.metadata as installed
import os
import re
import shutil
import sys
from collections.abc import Iterator

from napari_dgc.cli.children import Answer
from napari_dgc.cli.findings import (
    Finding,
    pip_install,
    pip_uninstall,
    system_install,
)
from napari_dgc.cli.system_libraries import (
    find_xcb_plugin,
    missing_libraries,
    named_libraries,
    packages_of,
)

_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")
_NOT_NAPARIS = ("PySide2",)
_REFUSED_QT = ("6.11.0", "6.11.1")  # by napari's own requirements
_LEAST_OPENGL = (2, 1)  # VisPy's
_LINUX = sys.platform.startswith("linux")
_PLATFORM = "QT_QPA_PLATFORM"
_WITHOUT_IMAGE = ("offscreen", "minimal", "vnc", "linuxfb")


def look_at_qt(qt: Answer) -> Iterator[Finding]:
    """Whether there is one Qt binding, and whether it can be loaded.

    Parameters
    ----------
    qt : Answer
        Of `napari_dgc.ui.probing.probe_qt`.
    """
    found = {name: version for name in _BINDINGS if (version := _version(name))}
    listed = ", ".join(f"{name} {version}" for name, version in found.items())
    usable = [name for name in found if name not in _NOT_NAPARIS]
    if not usable:
        what = f"only {listed}, which napari cannot use" if found else "none"
        text = f"no Qt binding for napari is installed ({what})"
        yield Finding("Qt", "missing", text, pip_install("PyQt6"))
    elif "binding" not in qt.facts:
        yield _explain_unloaded(qt, listed, usable)
    else:
        yield _judge_version(qt.facts["binding"], qt.facts["version"])
    if len(found) > 1:
        spare = [n for n in found if n != qt.facts.get("binding", usable[:1] or "")]
        text = f"{listed} are installed; one alone is safe, two can crash each other"
        if "binding" in qt.facts:
            text += f"; {qt.facts['binding']} is used"
        yield Finding("Qt", "warning", text, pip_uninstall(*spare))


def _judge_version(binding: str, version: str) -> Finding:
    text = f"{binding} {_version(binding) or '?'}, Qt {version}"
    if version in _REFUSED_QT:
        wanted = {"PyQt6": "PyQt6-Qt6!=6.11.0,!=6.11.1"}.get(
            binding, f"{binding}!=6.11.0,!=6.11.1"
        )
        text += ": napari refuses Qt 6.11.0 and 6.11.1"
        return Finding("Qt", "missing", text, pip_install("--upgrade", wanted))
    return Finding("Qt", "ok", text)


def _explain_unloaded(qt: Answer, listed: str, usable: list[str]) -> Finding:
    said = os.environ.get("QT_API", "")
    libraries = named_libraries(f"{qt.error} {qt.log}")
    text = f"{listed} is installed and cannot be loaded: {qt.error}"
    if said and said.lower() not in [name.lower() for name in usable]:
        text = f"QT_API={said} asks for another Qt than {listed}, which is installed"
        command = "unset QT_API" if os.name == "posix" else "set QT_API="
    elif libraries:
        text = f"{listed} needs {', '.join(libraries)}, which is not on this machine"
        command = system_install(packages_of(libraries))
    else:
        command = pip_install(usable[0], force=True)
    return Finding("Qt", "missing", text, command)


def look_at_display(qt: Answer, opengl: Answer) -> Iterator[Finding]:
    """Whether there is a screen to draw on, and what Qt needs to reach it.

    Parameters
    ----------
    qt, opengl : Answer
        Of `napari_dgc.ui.probing`.
    """
    if _LINUX:
        yield from _look_at_libraries(qt)
    asked = os.environ.get(_PLATFORM, "").partition(":")[0]
    where = _display()
    size = " x ".join(map(str, opengl.facts.get("screen") or ()))
    if asked in _WITHOUT_IMAGE:
        text = f"{_PLATFORM}={asked} draws no image in napari"
        yield Finding("Display", "missing", text, f"unset {_PLATFORM}")
    elif not where:
        text = (
            "there is none (DISPLAY and WAYLAND_DISPLAY are not set): napari cannot "
            "open a window here; the other commands work. Log in with ssh -X, or "
            "take a virtual screen"
        )
        yield Finding("Display", "missing", text, _virtual_screen())
    elif "could not connect to display" in opengl.log:
        text = f"nothing answers at {where}: log in again, or take a virtual screen"
        yield Finding("Display", "missing", text, _virtual_screen())
    elif not size:
        text = f"{where}, not tried: Qt opens nothing there"
        yield Finding("Display", "warning", text)
    else:
        yield Finding("Display", "ok", f"{where}, {size} pixels")


def display_is_missing() -> bool:
    """Whether the environment says that no window can be opened."""
    return not _display()


def _display() -> str:
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        if os.environ.get(name):
            return f"{name}={os.environ[name]}"
    return "" if _LINUX else sys.platform


def _virtual_screen() -> str:
    start = "xvfb-run -a napari"
    if shutil.which("xvfb-run"):
        return start
    install = system_install(["xvfb", "xauth"])
    return f"{install} && {start}" if install else start


def _look_at_libraries(qt: Answer) -> Iterator[Finding]:
    binding = qt.facts.get("binding") or next(filter(_version, _BINDINGS), "")
    plugin = find_xcb_plugin(binding, qt.facts.get("plugins", "")) if binding else None
    missing = None if plugin is None else missing_libraries(plugin)
    if missing:
        packages = packages_of(missing)
        text = f"Qt's window needs {', '.join(missing)}"
        if shutil.which("apt-get") is None and packages:
            text += f"; Debian has them in {' '.join(packages)}"
        yield Finding("Libraries", "missing", text, system_install(packages))
    elif missing is not None:
        yield Finding("Libraries", "ok", "all that Qt's window needs are there")


def look_at_opengl(opengl: Answer) -> Iterator[Finding]:
    """Whether a real context could be made, and whether VisPy can draw with it.

    Parameters
    ----------
    opengl : Answer
        Of `napari_dgc.ui.probing.probe_opengl`.
    """
    facts = opengl.facts
    version = facts.get("version", "")
    drivers = system_install(["libgl1", "libegl1", "libgl1-mesa-dri"])
    if not version:
        why = facts.get("fault") or opengl.error or "no context came"
        libraries = named_libraries(f"{why} {opengl.log}")
        packages = packages_of(libraries)
        command = system_install(packages) if packages else drivers
        yield Finding("OpenGL", "missing", f"napari cannot draw: {why}", command)
        return
    text = f"{version}, {facts['renderer']}, images up to {facts['texture']} pixels"
    number = re.search(r"(\d+)\.(\d+)", version)
    if number and (int(number[1]), int(number[2])) < _LEAST_OPENGL:
        least = ".".join(map(str, _LEAST_OPENGL))
        text += f": VisPy needs {least} or newer; renew the graphics driver"
        yield Finding("OpenGL", "missing", text, drivers)
    else:
        yield Finding("OpenGL", "ok", text)


def look_at_fonts(qt: Answer) -> Iterator[Finding]:
    """Whether Qt finds a font at all; without one all words are empty boxes."""
    families = qt.facts.get("families")
    if families:
        yield Finding("Fonts", "ok", f"{families} families")
    elif families == 0:
        command = system_install(["fontconfig", "fonts-dejavu-core"])
        text = "Qt finds none: words would be empty boxes"
        yield Finding("Fonts", "missing", text, command)
    else:
        yield Finding("Fonts", "warning", f"could not be counted: {qt.error}")


def look_at_plugin(plugin: Answer, *, qt_works: bool) -> Iterator[Finding]:
    """Whether napari knows this plugin, and whether its dock can be loaded.

    Parameters
    ----------
    plugin : Answer
        Of `napari_dgc.ui.probing.probe_plugin`.
    qt_works : bool
        Without Qt the dock cannot, and that is said already.
    """
    facts = plugin.facts
    if not facts.get("registered"):
        text = plugin.error or "npe2 does not find it in this environment"
        command = pip_install("napari-dgc[all]", force=True)
        yield Finding("Plugin", "missing", f"not registered: {text}", command)
    elif facts.get("disabled"):
        text = "switched off: tick it in napari, Plugins > Install/Uninstall Plugins"
        yield Finding("Plugin", "missing", text)
    elif facts.get("dock") or not qt_works:
        yield Finding("Plugin", "ok", "registered with npe2")
    else:
        text = f"registered, but its dock cannot be loaded: {plugin.error}"
        command = pip_install("--upgrade", "napari-dgc[all]")
        yield Finding("Plugin", "missing", text, command)


def _version(name: str) -> str:
    try:
        return installed.version(name)
    except installed.PackageNotFoundError:
        return ""
