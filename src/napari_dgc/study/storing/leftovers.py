"""Folders beside a study that no way leads back to: named, never deleted.

A model that another one has taken the place of leaves its folder behind (see
`companions`): the study's ``.bak`` may need it, and so may a copy of the study's file
that somebody has put aside. Nobody but the user knows of those.
"""

from __future__ import annotations

from pathlib import Path

from napari_dgc.cubes.checks import read_regular
from napari_dgc.study.storing.companions import SUFFIX, companion_folder


def leftovers(path: Path) -> dict[Path, int]:
    """Find the folders of models that no study's file names.

    Parameters
    ----------
    path : pathlib.Path
        A study's ``.dgc.json``, or the ``.bak`` beside it.

    Returns
    -------
    dict of pathlib.Path to int
        Each folder's size in bytes. One that is named by any ``.dgc.json`` or ``.bak``
        in the study's own folder is none; where one of these cannot be read, there are
        none at all. Copies that lie elsewhere are not known.
    """
    folder = companion_folder(path.with_name(path.name.removesuffix(".bak")))
    texts = []
    try:
        folders = [sub for sub in sorted(folder.iterdir()) if sub.is_dir()]
        for file in path.parent.glob(f"*{SUFFIX}*"):
            texts.append(read_regular(file))
    except OSError:
        return {}
    return {
        sub: sum(file.stat().st_size for file in sub.rglob("*") if file.is_file())
        for sub in folders
        if not any(sub.name.encode() in text for text in texts)
    }
