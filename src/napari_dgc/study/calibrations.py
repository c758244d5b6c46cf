"""A cube's calibration and choice of bands, as a study's file keeps them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from napari_dgc.cubes.bands import band_ranges, parse_ranges, select_bands
from napari_dgc.cubes.calibrating import (
    calibrate,
    calibration_from,
    calibration_of_spectrum,
)
from napari_dgc.cubes.calibration import Calibration, Per
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import read_cube
from napari_dgc.merging.fields import Fields, finite_number


@dataclass(frozen=True, slots=True)
class CalibrationReference:
    """What a study's file says of a calibration.

    Attributes
    ----------
    white, dark : pathlib.Path, optional
        The references' files; see `Calibration`.
    per : {"band", "column", "pixel"}
    reflectance : float
    tile : tuple of float
        The white counts of each band, where a tile in the cube gave them.
    fingerprint : str
    """

    white: Path | None
    dark: Path | None
    per: Per
    reflectance: float
    tile: tuple[float, ...]
    fingerprint: str


def calibration_reference(cube: Cube) -> CalibrationReference | None:
    """Say how a cube is calibrated; None where it is not."""
    one = cube.calibration
    if one is None:
        return None
    tile = np.asarray(one.white).ravel().tolist() if one.white_path is None else ()
    return CalibrationReference(
        one.white_path,
        one.dark_path,
        one.per,
        one.reflectance,
        tuple(tile),
        one.fingerprint,
    )


def bad_bands(cube: Cube) -> str:
    """Numbers of the bands that are left out, such as ``0-3,7``."""
    return "" if cube.good_bands is None else band_ranges(~cube.good_bands)


def prepare(cube: Cube, reference: CalibrationReference | None, bad: str) -> Cube:
    """Calibrate a cube that was read again, and leave out the same bands.

    Raises
    ------
    InputError
        If a reference is missing, or is not what it was.
    """
    if reference is not None:
        calibration = _read(cube, reference)
        if calibration.fingerprint != reference.fingerprint:
            raise InputError(
                reference.white or reference.dark or cube.name,
                f"the references of {cube.name} are not what the study was made with",
                "put the files back",
            )
        cube = calibrate(cube, calibration)
    return select_bands(cube, drop=parse_ranges(bad)) if bad else cube


def preparation_to_json(
    reference: CalibrationReference | None, bad: str, relative: Callable[[Path], str]
) -> dict[str, Any]:
    """Write what there is: equal to nothing for a cube as its file has it."""
    said: dict[str, Any] = {"bad_bands": bad} if bad else {}
    if reference is not None:
        paths = {"white": reference.white, "dark": reference.dark}
        said["calibration"] = {
            **{name: path and relative(path) for name, path in paths.items()},
            "per": reference.per,
            "reflectance": reference.reflectance,
            "tile": [None if math.isnan(x) else x for x in reference.tile],
            "fingerprint": reference.fingerprint,
        }
    return said


def preparation_from_json(
    data: dict[str, Any], absolute: Callable[[str], Path]
) -> tuple[CalibrationReference | None, str]:
    """Read what `preparation_to_json` wrote.

    Raises
    ------
    ValueError
        If it is none of that.
    """
    bad = data.get("bad_bands", "")
    if not isinstance(bad, str):
        raise ValueError("a cube's bad bands are no text")
    if bad:
        parse_ranges(bad)
    if data.get("calibration") is None:
        return None, bad
    fields = Fields(data["calibration"], "a calibration")
    white, dark = fields.optional_text("white"), fields.optional_text("dark")
    per = fields.text("per")
    if per not in get_args(Per):
        raise ValueError("a calibration is damaged")
    reference = CalibrationReference(
        None if white is None else absolute(white),
        None if dark is None else absolute(dark),
        per,  # type: ignore[arg-type]
        finite_number(fields.value("reflectance"), "a calibration's reflectance"),
        tuple(
            math.nan if x is None else finite_number(x, "a calibration's tile")
            for x in fields.items("tile")
        ),
        fields.text("fingerprint"),
    )
    return reference, bad


def _read(cube: Cube, reference: CalibrationReference) -> Calibration:
    dark = None if reference.dark is None else _read_one(cube, reference.dark)
    if reference.white is None:
        tile = np.array(reference.tile, np.float32)
        return calibration_of_spectrum(tile, dark, reflectance=reference.reflectance)
    return calibration_from(
        _read_one(cube, reference.white),
        dark,
        per=reference.per,
        reflectance=reference.reflectance,
    )


def _read_one(cube: Cube, path: Path) -> Cube:
    """Read a reference as the cube was; it may have moved along with the cube."""
    if not path.is_file() and cube.path is not None:
        beside = cube.path.parent / path.name
        path = beside if beside.is_file() else path
    return read_cube(path, cube.key, axes=cube.axes)
