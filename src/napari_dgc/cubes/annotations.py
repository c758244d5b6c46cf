"""Ground truth beside cubes: LabelMe files, label rasters, MATLAB arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.arrays import load_tiff, map_npy
from napari_dgc.cubes.checks import require_file
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.labelme import SCENE_CLASSES, read_labelme, write_labelme
from napari_dgc.cubes.matlab import Variable, open_matlab

__all__ = ["SCENE_CLASSES", "Labels", "read_labels", "write_labelme"]

_MATLAB_NAME = "labels"


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A label map.

    Parameters
    ----------
    data : ndarray of uint8 or int32, shape (H, W)
        int32 only where a value exceeds 255.
    classes : tuple of str
        Class names by value; rasters, which know none, get "class 0" and on.
    """

    data: NDArray[Any]
    classes: tuple[str, ...]


def read_labels(
    source: str | Path,
    stem: str,
    shape: tuple[int, int],
    *,
    classes: Sequence[str] | None = None,
) -> Labels:
    """Read the labels of a cube.

    Parameters
    ----------
    source : str or pathlib.Path
        A file (LabelMe ``.json``, ``.tif``, ``.npy``, ``.mat``), or a folder
        with ``<stem>.json``, else ``<stem>.mat`` (where it holds a 2-D
        array), else ``<stem>_labels.tif``.
    stem : str
        The cube's name; of no account where `source` is a file.
    shape : (int, int)
        The cube's (H, W).
    classes : sequence of str, optional
        Class names by value. Give it where several LabelMe files with
        classes of your own are to agree on their values.

    Returns
    -------
    Labels

    Raises
    ------
    InputError
        Where there are no labels, or not of this size.
    """
    source = Path(source)
    path = _find(source, stem) if source.is_dir() else source
    require_file(path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        data, names = read_labelme(path, shape, classes)
        return Labels(_compact(path, data), names)
    if suffix in (".tif", ".tiff"):
        raster = load_tiff(path)
    elif suffix == ".npy":
        raster = map_npy(path)
    elif suffix == ".mat":
        raster = _load_matlab(path, shape)
    else:
        raise InputError(
            path, "is no label file known here", "give a .json, .tif, .npy or .mat file"
        )
    if raster.shape != shape:
        raise InputError(
            path,
            f"is {' x '.join(map(str, raster.shape))} pixels, the cube has "
            f"{shape[0]} x {shape[1]}",
            "give the labels of this cube",
        )
    labels = _compact(path, raster)
    if classes is None:
        names = tuple(f"class {value}" for value in range(int(labels.max()) + 1))
    else:
        names = tuple(classes)
    return Labels(labels, names)


def _find(folder: Path, stem: str) -> Path:
    """Find the label file of a cube in a folder."""
    drawn = folder / f"{stem}.json"
    if drawn.is_file():
        return drawn
    matlab = folder / f"{stem}.mat"
    if matlab.is_file() and _maps(matlab):
        return matlab
    raster = folder / f"{stem}_labels.tif"
    if raster.is_file():
        return raster
    raise InputError(
        folder,
        f"holds no labels of {stem!r}",
        f"put {stem}.json or {stem}_labels.tif there",
    )


def _maps(path: Path) -> list[Variable]:
    """List the 2-D arrays of a MATLAB file that are no mere lists."""
    return [
        variable
        for variable in open_matlab(path).variables.values()
        if len(variable.shape) == 2
        and min(variable.shape) > 1
        and variable.dtype.kind in "iuf"
    ]


def _load_matlab(path: Path, shape: tuple[int, int]) -> NDArray[Any]:
    """Load the one 2-D array that can be the label map."""
    maps = _maps(path)
    fitting = [variable for variable in maps if variable.shape == shape]
    named = [variable for variable in fitting if variable.name == _MATLAB_NAME]
    chosen = named or fitting or maps
    if not chosen:
        raise InputError(path, "holds no 2-D array", "give a file with a label map")
    if len(chosen) > 1:
        raise InputError(
            path,
            f"holds several arrays that may be labels: {', '.join(map(str, chosen))}",
            f"call the right one {_MATLAB_NAME!r}",
        )
    return open_matlab(path).load(chosen[0].name)


def _compact(path: Path, raster: NDArray[Any]) -> NDArray[Any]:
    """Copy labels into the smallest type that holds them."""
    values = np.asarray(raster)
    if (
        values.dtype.kind not in "iufb"
        or (values.dtype.kind == "f" and not (values == np.rint(values)).all())
        or (values.size and (values.min() < 0 or values.max() > np.iinfo("i4").max))
    ):
        raise InputError(
            path,
            "holds values that are no labels",
            "give whole numbers of 0 or more",
        )
    small = values.size == 0 or values.max() <= 255
    return values.astype(np.uint8 if small else np.int32)
