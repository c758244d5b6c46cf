"""Where this program keeps what the user has not put anywhere."""

from __future__ import annotations

import os
from pathlib import Path

from qtpy.QtCore import QSettings, QStandardPaths

_VARIABLE = "NAPARI_DGC_DATA"
_RECENT, _MOST = "recent", 8  # studies in the menu


def data_folder() -> Path:
    """The folder of unsaved and recent studies; it may not be there yet.

    The user's own (such as ``~/.local/share/napari-dgc``), or what the environment
    variable ``NAPARI_DGC_DATA`` says.
    """
    said = os.environ.get(_VARIABLE)
    if said:
        return Path(said)
    place = QStandardPaths.StandardLocation.GenericDataLocation
    return Path(QStandardPaths.writableLocation(place)) / "napari-dgc"


def recent_studies() -> list[Path]:
    """Studies opened or saved lately that are still there, the latest first."""
    said = _settings().value(_RECENT) or []
    paths = [Path(text) for text in ([said] if isinstance(said, str) else said)]
    return [path for path in paths if path.is_file()]


def remember_study(path: Path) -> None:
    """Put a study first among the recent ones."""
    path = path.absolute()
    others = [each for each in recent_studies() if each != path]
    _settings().setValue(_RECENT, [str(each) for each in [path, *others][:_MOST]])


def _settings() -> QSettings:
    return QSettings(str(data_folder() / "studies.ini"), QSettings.Format.IniFormat)
