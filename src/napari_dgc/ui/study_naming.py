"""What a study's file is called."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from napari_dgc.study import Study
from napari_dgc.study.storing.companions import SUFFIX
from napari_dgc.ui.sample_data import is_sample


def with_suffix(path: str | Path) -> Path:
    """Give a name a study's ending, if it lacks it."""
    path = Path(path)
    if path.name.endswith(SUFFIX):
        return path
    stem = path.name.removesuffix(".json").removesuffix(".dgc")
    return path.with_name(stem + SUFFIX)


def suggest_name(study: Study) -> Path:
    """Suggest where to save a study: in its cubes' folder, and called like it.

    Where they lie in several folders it is the one that these are in.
    """
    paths = [cube.path.absolute() for cube in study.cubes if cube.path is not None]
    folders = {path.parent for path in paths}
    if folders:
        folder = min(folders)
        with contextlib.suppress(ValueError):  # on two drives
            folder = Path(os.path.commonpath(folders))
        return folder / f"{folder.name or 'study'}{SUFFIX}"
    samples = bool(study.cubes) and all(is_sample(cube.name) for cube in study.cubes)
    return Path(f"{'leaf_study' if samples else 'study'}{SUFFIX}")
