"""napari's reader: a dropped cube becomes its picture and its bands.

Imports neither Qt nor a file library: napari asks `get_reader` about every
file whose name fits the manifest, and an answer must cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dgc.cubes.errors import InputError

if TYPE_CHECKING:
    from napari_dgc.ui.cube_layers import LayerData

_DATA_SUFFIXES = frozenset({".dat", ".img", ".raw", ".bil", ".bip", ".bsq", ""})
_PICTURE_MAGIC = b"#?"  # Radiance pictures end in .hdr too and start so

ReadFunction = Callable[[Any], "list[LayerData] | list[tuple[None]]"]


def get_reader(path: str | Sequence[str]) -> ReadFunction | None:
    """Say whether we read this, without reading it.

    Parameters
    ----------
    path : str or sequence of str
        One file, or several that the user wants stacked (they are opened one
        beside the other: cubes do not stack).

    Returns
    -------
    callable or None
        None hands the file to the other readers.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    if paths and all(is_claimed(p) for p in paths):
        return read_dropped
    return None


def is_claimed(path: str | Path) -> bool:
    """Whether a dropped file is ours: MATLAB, an ENVI header, or its data file."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".mat":
        return path.is_file()
    if suffix == ".hdr":
        return path.is_file() and not _starts_with(path, _PICTURE_MAGIC)
    if suffix in _DATA_SUFFIXES:
        return path.is_file() and envi_header(path) is not None
    return False


def envi_header(path: Path) -> Path | None:
    """Find the ENVI header beside a data file: ``x.raw.hdr`` or ``x.hdr``.

    As `napari_dgc.cubes.envi.find_header`, but that module loads HDF5, and this
    one asks whether the header is ENVI's at all.
    """
    for name in (f"{path.name}.hdr", f"{path.stem}.hdr"):
        for header in (path.with_name(name), path.with_name(name[:-4] + ".HDR")):
            if header.is_file() and _starts_with(header, b"ENVI"):
                return header
    return None


def _starts_with(path: Path, magic: bytes) -> bool:
    """Whether a file starts so, after a byte order mark if there is one."""
    try:
        with path.open("rb") as file:
            start = file.read(len(magic) + 3)
    except OSError:
        return False
    return start.removeprefix(b"\xef\xbb\xbf").startswith(magic)


def read_dropped(
    path: str | Sequence[str],
) -> list[LayerData] | list[tuple[None]]:
    """Read one or several cubes for napari.

    Returns
    -------
    list of LayerData
        ``[(None,)]``, napari's "nothing to show", where a file is at fault;
        the fault is on the screen then.

    Notes
    -----
    napari 0.9 answers an exception of a reader with a sentence of its own
    (or with a choice of other readers) and keeps ours for the traceback, so
    the one line that helps the user is shown from here instead.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    layers: list[LayerData] = []
    for each in paths:
        try:
            layers += read_layers(each)
        except InputError as error:
            from napari_dgc.ui.faults import show_fault

            show_fault(error)
    return layers or [(None,)]


def read_layers(
    path: str | Path, key: str | None = None, axes: str | None = None
) -> list[LayerData]:
    """Read a cube of any format we know and make its layers.

    Parameters
    ----------
    path : str or pathlib.Path
    key : str, optional
        The variable or data set in the file.
    axes : str, optional
        The order of the file's axes, such as ``yxb``.

    Raises
    ------
    InputError
        If the file cannot be read; nothing is half made then.
    """
    from napari_dgc.cubes.readers import read_cube
    from napari_dgc.ui.cube_layers import cube_to_layers

    return cube_to_layers(read_cube(Path(path), key, axes=axes))
