"""Asks Qt, OpenGL and napari whether they work: run in a process of its own.

Each of these can end the process it is asked in (a Qt without its libraries aborts),
so `napari-dgc doctor` calls the functions below in child processes. Each yields what
it has found so far: a crash later on takes nothing of it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_PLUGIN = "napari-dgc"


def probe_qt() -> Iterator[dict[str, Any]]:
    """Load Qt; count fonts, without a display if the caller asks Qt so.

    Yields
    ------
    dict
        ``binding``, ``version`` and ``plugins`` (a folder); ``data_folder``, that of
        unsaved studies; then ``families``, the number of font families.
    """
    import qtpy
    from qtpy.QtCore import QLibraryInfo, qVersion
    from qtpy.QtGui import QFontDatabase, QGuiApplication
    from qtpy.QtWidgets import QWidget  # noqa: F401 (needs more libraries than QtCore)

    ask = QLibraryInfo.path if hasattr(QLibraryInfo, "path") else QLibraryInfo.location
    places = getattr(QLibraryInfo, "LibraryPath", None) or QLibraryInfo.LibraryLocation
    yield {
        "binding": qtpy.API_NAME,
        # Of the libraries: `qtpy.QT_VERSION` is what the binding was built with.
        "version": qVersion(),
        "plugins": str(ask(places.PluginsPath)),
    }
    from napari_dgc.ui.app_data import data_folder

    yield {"data_folder": str(data_folder())}
    app = QGuiApplication(["napari-dgc"])
    fonts = QFontDatabase if qtpy.QT6 else QFontDatabase()
    yield {"families": len(fonts.families())}
    del app


def probe_opengl() -> Iterator[dict[str, Any]]:
    """Make an OpenGL context as napari's canvas does, and ask it by VisPy.

    Yields
    ------
    dict
        ``platform`` (Qt's) and ``screen`` (pixels, two int); then ``version`` and
        ``renderer`` as OpenGL says them, and ``texture``, the longest side in pixels
        of an image that is drawn in full; or ``fault``, in words.
    """
    from qtpy.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

    app = QGuiApplication(["napari-dgc"])
    screen = app.primaryScreen()
    size = None if screen is None else screen.size()
    yield {
        "platform": app.platformName(),
        "screen": None if size is None else [size.width(), size.height()],
    }
    surface = QOffscreenSurface()
    surface.create()
    context = QOpenGLContext()
    if not context.create() or not context.makeCurrent(surface):
        yield {"fault": f"Qt's {app.platformName()} platform gives no OpenGL context"}
        return
    from vispy.gloo import gl  # type: ignore[import-untyped]

    yield {
        "version": str(gl.glGetParameter(gl.GL_VERSION)),
        "renderer": str(gl.glGetParameter(gl.GL_RENDERER)),
        "texture": int(gl.glGetParameter(gl.GL_MAX_TEXTURE_SIZE)),
    }
    context.doneCurrent()


def probe_plugin() -> Iterator[dict[str, Any]]:
    """Ask npe2 for our plugin, napari for its settings, and load our dock.

    Yields
    ------
    dict
        ``registered`` (bool); ``settings`` (a file) and ``disabled`` (bool);
        ``dock`` (True) once all that is behind our dock has been imported.
    """
    from npe2 import PluginManager

    manager = PluginManager.instance()
    manager.discover()
    yield {"registered": _PLUGIN in manager}
    from napari.settings import get_settings

    settings = get_settings()
    yield {
        "settings": str(settings.config_path),
        "disabled": _PLUGIN in settings.plugins.disabled_plugins,
    }
    import napari_dgc.ui.dock  # noqa: F401

    yield {"dock": True}
