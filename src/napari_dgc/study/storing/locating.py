"""Find a study's cubes again: where they were, or by fingerprint elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import read_cube
from napari_dgc.cubes.zarr_store import is_zarr
from napari_dgc.study.calibrations import prepare
from napari_dgc.study.storing.fingerprints import has_fingerprint
from napari_dgc.study.storing.reference import CubeReference

Whereabouts = Literal["found", "moved", "changed", "missing"]


@dataclass(frozen=True, slots=True)
class Located:
    """Where a cube is.

    Attributes
    ----------
    state : {"found", "moved", "changed", "missing"}
        Where it was; elsewhere, with the same content; another content where it was;
        nowhere looked at.
    path : pathlib.Path, optional
        None unless it is found or moved.
    """

    state: Whereabouts
    path: Path | None


def locate_cubes(
    references: Mapping[int, CubeReference], folder: Path
) -> dict[int, Located]:
    """Look for cubes where they were, then for the others where those are.

    Parameters
    ----------
    references : mapping of int to CubeReference
        By the cube's place.
    folder : pathlib.Path
        The study's; looked in too. No folder is searched for what lies below it.

    Notes
    -----
    A file at the right place counts if its fingerprint is right or was not known;
    one elsewhere only if it is right.
    """
    found: dict[int, Located] = {}
    for index, reference in references.items():
        path = reference.path
        if path is None or not (path.is_file() or is_zarr(path)):
            found[index] = Located("missing", None)
        elif reference.fingerprint is None or has_fingerprint(
            path, reference.fingerprint
        ):
            found[index] = Located("found", path)
        else:
            found[index] = Located("changed", None)
    folders = [folder, *(where.path.parent for where in found.values() if where.path)]
    wanted = {i: references[i] for i, where in found.items() if where.path is None}
    for index, path in search(wanted, folders):
        found[index] = Located("moved", path)
    return found


def search(
    references: Mapping[int, CubeReference], folders: Iterable[Path]
) -> Iterator[tuple[int, Path]]:
    """Look for cubes in folders by fingerprint; yields each once."""
    wanted = {
        index: reference
        for index, reference in references.items()
        if reference.path is not None and reference.fingerprint is not None
    }
    for folder in dict.fromkeys(folders):
        if not wanted:
            return
        for path in _files(folder):
            for index, reference in list(wanted.items()):
                if _is(path, reference):
                    del wanted[index]
                    yield index, path
                    break


def search_cubes(
    missing: Mapping[int, CubeReference], folders: Iterable[Path]
) -> Iterator[tuple[int, Cube]]:
    """Look for missing cubes in folders, by fingerprint; reads those found.

    For a worker: ``Study.locate`` takes what this yields. What lies in folders below
    is not looked at; a file that cannot be read is passed over.
    """
    for index, path in search(missing, folders):
        try:
            yield index, read_located(missing[index], path)
        except InputError:
            continue


def read_located(reference: CubeReference, path: str | Path) -> Cube:
    """Read the cube that the user says is the missing one.

    Its name stays the study's; its content may be another one.

    Raises
    ------
    InputError
        If it cannot be read or has another shape, or its white and dark
        references are not what they were.
    """
    cube = read_cube(path, reference.key, axes=reference.axes)
    check_fits(reference, cube)
    cube = prepare(cube, reference.calibration, reference.bad_bands)
    return replace(cube, name=reference.name)


def check_fits(reference: CubeReference, cube: Cube) -> None:
    """Raise InputError unless a cube has the shape of the one it shall be."""
    if cube.shape != reference.shape:
        was, now = (" x ".join(map(str, s)) for s in (reference.shape, cube.shape))
        raise InputError(
            cube.path or cube.name,
            f"it is {now}, {reference.name} was {was} (bands x rows x columns)",
            "choose the file that was used",
        )


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


def _is(path: Path, reference: CubeReference) -> bool:
    """Whether a file is a cube's, asked first what is cheapest."""
    if reference.path is None or reference.fingerprint is None:
        return False
    same_kind = path.suffix.lower() == reference.path.suffix.lower()
    return same_kind and has_fingerprint(path, reference.fingerprint)
