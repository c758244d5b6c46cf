"""What a worker does to open a study: all that reads pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_dgc.cubes.cube import Cube
from napari_dgc.study.mapping import Progress
from napari_dgc.study.storing.fingerprints import cube_fingerprint
from napari_dgc.study.storing.reference import CubeReference, missing_reference
from napari_dgc.study.storing.study_file import (
    LoadedStudy,
    read_located,
    read_study,
    search_cubes,
)
from napari_dgc.ui.cube_layers import CUBE_KEY, LayerData, cube_to_layers
from napari_dgc.ui.sample_data import simulate_again


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A study and the layers of its cubes, in their order."""

    loaded: LoadedStudy
    layers: tuple[list[LayerData], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A missing cube that was found.

    Attributes
    ----------
    index : int
        Its place in the study.
    cube : Cube
    layers : list of LayerData
    same : bool
        Whether its content is that of the cube the study was made of; also True
        where that is not known.
    """

    index: int
    cube: Cube
    layers: list[LayerData]
    same: bool


def read_with_layers(path: Path) -> Iterator[Progress | Opened]:
    """Read a study, then make its layers.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    for piece in read_study(path, find=_simulated):
        if not isinstance(piece, LoadedStudy):
            yield Progress(piece.text, 0.8 * piece.done)
            continue
        layers = []
        for index, cube in enumerate(piece.cubes):
            done = 0.8 + 0.2 * index / len(piece.cubes)
            yield Progress(f"Drawing {cube.name}", done)
            layers.append(make_layers(cube))
        yield Opened(piece, tuple(layers))


def read_missing(
    missing: Mapping[int, CubeReference], path: Path
) -> Iterator[Progress | Found]:
    """Read the first missing cube from a file, and others that lie beside it.

    Raises
    ------
    InputError
        If the file cannot be read or holds a cube of another shape.
    """
    (index, reference), *others = missing.items()
    yield Progress(f"Reading {path.name}", 0.0)
    cube = read_located(reference, path)
    same = reference.fingerprint in (None, cube_fingerprint(cube))
    if reference.path is None and reference.fingerprint is not None:
        same = reference.fingerprint == f"pixels:{cube.fingerprint}"
    yield Found(index, cube, cube_to_layers(cube), same)
    for index, cube in search_cubes(dict(others), [path.parent]):
        yield Found(index, cube, cube_to_layers(cube), True)


def make_layers(cube: Cube) -> list[LayerData]:
    """Make a cube's layers; a missing one gets an empty place of its size."""
    if missing_reference(cube) is None:
        return cube_to_layers(cube)
    # One zero, seen from everywhere: no memory, whatever the size.
    nothing = np.broadcast_to(np.float32(0), cube.shape)
    options = {
        "name": f"{cube.name} (missing)",
        "rgb": False,
        "multiscale": False,
        "contrast_limits": (0.0, 1.0),
        "axis_labels": ("band", "y", "x"),
        "metadata": {CUBE_KEY: cube},
    }
    return [(nothing, options, "image")]


def _simulated(reference: CubeReference) -> Cube | None:
    """Find a cube of a sample that was never in a file: simulate it again."""
    if reference.path is not None or reference.fingerprint is None:
        return None
    cube = simulate_again(reference.name, reference.shape)
    if cube is None or cube_fingerprint(cube) != reference.fingerprint:
        return None  # of an older version of the simulation
    return cube
