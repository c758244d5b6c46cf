"""A study dropped on napari opens in our dock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import napari

from napari_dgc.study.storing.companions import SUFFIX
from napari_dgc.ui.menus import open_study_in

Paths = str | Sequence[str]


def get_study_reader(path: Paths) -> Callable[[Paths], list[tuple]] | None:
    """Offer to open a study; None for anything else.

    A study is no layer: its reader opens the dock, and tells napari so by the layer
    that is none, ``(None,)``.
    """
    paths = [path] if isinstance(path, str) else list(path)
    one_study = len(paths) == 1 and paths[0].endswith(SUFFIX)
    return _open if one_study else None


def _open(path: Paths) -> list[tuple]:
    viewer = napari.current_viewer()
    if viewer is not None:
        name = path if isinstance(path, str) else path[0]
        open_study_in(viewer, Path(name))
    return [(None,)]
