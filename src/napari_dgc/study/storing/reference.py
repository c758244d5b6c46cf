"""Cubes as a study's file names them, and the place of one that is missing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.study.calibrations import CalibrationReference


@dataclass(frozen=True, slots=True)
class CubeReference:
    """What a study's file says of one cube.

    Attributes
    ----------
    name : str
        What the cube is called on screen.
    path : pathlib.Path, optional
        Where it was; None for a cube that was in no file.
    key, axes : str, optional
        How it was read; see `read_cube`.
    shape : tuple of int
        (C, H, W).
    fingerprint : str, optional
        Of its content; see `storing.fingerprints`. None where it was not
        known when the study was saved.
    calibration : CalibrationReference, optional
        What made reflectance of it.
    bad_bands : str
        Bands that are left out, such as ``0-3,7``.
    """

    name: str
    path: Path | None
    key: str | None
    axes: str | None
    shape: tuple[int, int, int]
    fingerprint: str | None
    calibration: CalibrationReference | None = None
    bad_bands: str = ""

    @property
    def source(self) -> str:
        """The path, or the name where there is none: for messages."""
        return str(self.path or self.name)


class MissingArray:
    """Data of a cube that is not there: its shape is known, reading is refused.

    It keeps the cube's place in the study, and with it its map, its pins and its
    share of the statistics.
    """

    def __init__(self, reference: CubeReference) -> None:
        self.reference = reference
        self.shape: tuple[int, ...] = reference.shape
        self.ndim = 3
        self.dtype: np.dtype[Any] = np.dtype(np.float32)

    def __getitem__(self, key: Any, /) -> Any:
        self._refuse()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise InputError(
            self.reference.source,
            "the cube is missing",
            "say where it is now, or take it out of the study",
        )


def missing_cube(
    reference: CubeReference, wavelengths: NDArray[np.float64] | None = None
) -> Cube:
    """Make a cube that keeps the place of a missing one."""
    return Cube(
        MissingArray(reference),
        wavelengths,
        reference.name,
        reference.path,
        key=reference.key,
        axes=reference.axes,
    )


def missing_reference(cube: Cube) -> CubeReference | None:
    """What is known of a missing cube; None for one that is there."""
    return cube.data.reference if isinstance(cube.data, MissingArray) else None
