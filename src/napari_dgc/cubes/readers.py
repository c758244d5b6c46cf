"""Reading cubes from files, whatever their format."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from napari_dgc.cubes.arrays import read_npy, read_tiff
from napari_dgc.cubes.axes import parse_axes
from napari_dgc.cubes.checks import refusing, require_file, require_numbers
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.envi import DATA_SUFFIXES, find_header, read_envi
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.matlab import read_matlab
from napari_dgc.cubes.references import is_reference, without_references
from napari_dgc.cubes.zarr_store import is_zarr, read_zarr

#: What a folder stands for; other formats are named one by one.
FOLDER_SUFFIXES = (".mat", ".hdr")


def read_cube(
    path: str | Path, key: str | None = None, *, axes: str | None = None
) -> Cube:
    """Read a hyperspectral cube.

    Parameters
    ----------
    path : str or pathlib.Path
        MATLAB (``.mat``, v5 and v7.3), ENVI (the ``.hdr`` or the data file
        beside it), NumPy (``.npy``), TIFF (``.tif``, ``.tiff``) or a zarr store
        (a folder; needs zarr).
    key : str, optional
        Name of the array in a MATLAB file. Without it: ``cube``, else the
        only numeric array with three axes. Other formats hold one cube and
        pay no heed to it.
    axes : str, optional
        Order of the axes as stored, from the letters b (bands), y (rows)
        and x (columns), such as ``"yxb"``. ENVI states its own and pays no
        heed to it. Needed where neither the key ``cube`` (bands, rows,
        columns) nor a list of wavelengths settles it.

    Returns
    -------
    Cube
        Data (C, H, W), memory-mapped or read by blocks where the format
        allows (all but MATLAB v5 and compressed TIFF); wavelengths in nm.

    Raises
    ------
    InputError
        For anything that is no readable cube, and where the axes are
        ambiguous: one line with file, fault and remedy.

    Notes
    -----
    Integer data saturates at its type's maximum (or at the value an ENVI
    header states). ``reflectance scale factor`` divides integer data only.
    """
    path = Path(path)
    if axes is not None:
        axes = parse_axes(axes)
    if not is_zarr(path):
        require_file(path)
    with refusing(path, "cannot be read", "check the file"):
        cube = _dispatch(path, key, axes)
        require_numbers(path, cube.data)
    return cube if key is axes is None else replace(cube, key=key, axes=axes)


def find_cubes(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """List the cube files that paths stand for.

    Parameters
    ----------
    paths : path or iterable of paths
        A folder stands for its ``.mat`` and ``.hdr`` files, sorted by name, and
        one that Specim cameras wrote for those in its ``capture`` folder; a file
        stands for itself; a pattern such as ``day*/*.hdr`` for all that fit.

    Returns
    -------
    list of pathlib.Path
        In the order given, each file once; without the white and dark
        references of cubes that are among them.

    Raises
    ------
    InputError
        Where a path is missing or a folder holds no cube.
    """
    found: dict[Path, None] = {}
    for entry in [paths] if isinstance(paths, (str, Path)) else paths:
        for path in _matching(Path(entry)):
            folder = path.is_dir() and not is_zarr(path)
            files = _in_folder(path) if folder else [path]
            found.update(dict.fromkeys(files))
    return without_references(found)


def _matching(path: Path) -> list[Path]:
    """The path itself, or what fits it where it is a pattern."""
    if path.exists():
        return [path]
    if not glob.has_magic(str(path)):
        raise InputError(path, "no such file or folder", "check the path")
    fitting = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207
    if not fitting:
        raise InputError(path, "no file or folder fits the pattern", "check it")
    return fitting


def _in_folder(folder: Path) -> list[Path]:
    """The cubes of a folder; one written by a Specim camera has them in ``capture``."""
    for place in (folder, folder / "capture"):
        if not place.is_dir():
            continue
        files = sorted(
            file
            for file in place.iterdir()
            if file.suffix.lower() in FOLDER_SUFFIXES
            and file.is_file()
            and not is_reference(file)
        )
        if files:
            return files
    raise InputError(
        folder,
        "holds no .mat or .hdr file",
        "name a folder with cubes, or the files themselves",
    )


def _dispatch(path: Path, key: str | None, axes: str | None) -> Cube:
    """Hand a file to the reader its suffix asks for."""
    suffix = path.suffix.lower()
    if is_zarr(path):
        return read_zarr(path, key, axes)
    if suffix == ".mat":
        return read_matlab(path, key, axes)
    if suffix == ".npy":
        return read_npy(path, axes)
    if suffix in (".tif", ".tiff"):
        return read_tiff(path, axes)
    if suffix in (".hdr", *DATA_SUFFIXES) or find_header(path) is not None:
        return read_envi(path)
    raise InputError(
        path,
        "is of no format known here"
        if suffix
        else "has neither a suffix nor an ENVI header beside it",
        "give a .mat, an ENVI .hdr, a .npy or a .tif file",
    )
