"""Which of some files are labels, and of which cube."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.matlab import open_matlab
from napari_dgc.cubes.readers import find_cubes

_SUFFIX: Final = "_labels"
_ORDER = (".json", ".pth", ".mat", ".tif", ".tiff", ".npy")  # as `read_labels` looks
_START = 65_536  # bytes of a .json in which LabelMe says what it is


def find_label_files(
    paths: Iterable[Path], known: Iterable[Path] = ()
) -> tuple[list[Path], list[Path]]:
    """Tell label files from all others, by name and header alone.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        A folder that holds label files stands for these, and for the cubes in it.
    known : iterable of pathlib.Path
        Cubes that are open already: those of a folder are not opened again.

    Returns
    -------
    labels, others : list of pathlib.Path
        Labels are ``.pth``, LabelMe's ``.json``, ``*_labels.tif`` and ``.npy``, and
        ``.mat`` without an array of three axes; the rest are cubes, studies, pictures.
    """
    labels: list[Path] = []
    others: list[Path] = []
    # The header or the data file: without their suffix they are one cube.
    open_ones = {path.resolve().with_suffix("") for path in known}
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else []
        found = [each for each in inside if each.is_file() and _is_labels(each)]
        if found:
            labels += found
            others += [
                cube
                for cube in _cubes_in(path)
                if cube not in found and cube.resolve().with_suffix("") not in open_ones
            ]
        elif path.is_file() and _is_labels(path):
            labels.append(path)
        else:
            others.append(path)
    return labels, others


def may_be_labels(path: Path) -> bool:
    """Whether a file's name is no reason against its being labels; reads nothing."""
    return path.suffix.lower() in _ORDER or path.is_dir()


def _cubes_in(folder: Path) -> list[Path]:
    try:
        return find_cubes([folder])
    except InputError:  # it holds none
        return []


def _is_labels(path: Path) -> bool:
    suffix = path.suffix.lower()
    if suffix == ".json":
        try:
            with path.open("rb") as file:
                return b'"shapes"' in file.read(_START)
        except OSError:
            return False
    if suffix == ".mat":
        try:
            variables = open_matlab(path).variables.values()
        except (InputError, OSError):
            return path.stem.endswith(_SUFFIX)
        axes = [len(v.shape) for v in variables]
        return 2 in axes and 3 not in axes
    named = path.stem.endswith(_SUFFIX) and suffix in _ORDER
    return suffix == ".pth" or named


def match_labels(
    paths: Sequence[Path], stems: Sequence[str]
) -> tuple[dict[int, Path], list[InputError]]:
    """Find the cube of each label file by its name.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        ``<stem>.<suffix>`` or ``<stem>_labels.<suffix>``.
    stems : sequence of str
        The cubes' file names, as `napari_dgc.study.exports.file_stems` gives them.

    Returns
    -------
    matched : dict of int to pathlib.Path
        By the cube's place. Of several files of one cube the first kind of .json,
        .pth, .mat, .tif, .npy is taken, as `evaluate` does.
    faults : list of InputError
        Files that are no labels, or of no cube.
    """
    matched: dict[int, Path] = {}
    faults = []
    places = {stem: index for index, stem in enumerate(stems)}
    known = [path for path in paths if path.suffix.lower() in _ORDER]
    for path in sorted(known, key=lambda each: _ORDER.index(each.suffix.lower())):
        # Whole first: a cube may itself be called ..._labels.
        index = places.get(path.stem, places.get(path.stem.removesuffix(_SUFFIX)))
        if index is None:
            few = ", ".join(stems[:3]) + (", …" if len(stems) > 3 else "")
            wanted = f"give it the name of its cube ({few})" if few else "open it first"
            faults.append(InputError(path, "no cube here has this name", wanted))
        else:
            matched.setdefault(index, path)
    faults += [
        InputError(path, "is no label file", "give a .json, .mat, .pth or _labels.tif")
        for path in paths
        if path not in known
    ]
    return matched, faults
