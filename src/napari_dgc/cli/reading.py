"""Reading the cubes that a command was given: calibrated, and with which bands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

if TYPE_CHECKING:
    from napari_dgc.cubes.calibration import Calibration


def add_cube_options(parser: argparse.ArgumentParser, *, bands: bool = False) -> None:
    """Add the options that say which cubes, and how to read them.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    bands : bool
        With those that choose bands; segmenting takes the model's.
    """
    parser.add_argument(
        "cubes",
        type=Path,
        nargs="+",
        metavar="CUBE_OR_DIR",
        help="files, folders or patterns",
    )
    add_key_options(parser)
    how = parser.add_argument_group(
        "calibration",
        "reflectance = (raw - dark) / (white - dark); WHITEREF_NAME.hdr and "
        "DARKREF_NAME.hdr beside a cube are taken by themselves",
    )
    white = how.add_mutually_exclusive_group()
    white.add_argument("--white", type=Path, metavar="FILE", help="white reference")
    white.add_argument(
        "--white-region",
        type=_region,
        metavar="R0:R1,C0:C1",
        help="rows and columns (from 0, ends left out) of a white or grey tile in "
        "each cube itself",
    )
    white.add_argument(
        "--no-calibration", action="store_true", help="leave references beside cubes"
    )
    how.add_argument("--dark", type=Path, metavar="FILE", help="dark reference")
    how.add_argument(
        "--white-reflectance",
        type=_reflectance,
        metavar="R",
        help="of the white reference or tile (1.0)",
    )
    how.add_argument(
        "--reference-per",
        choices=("column", "band", "pixel"),
        help="average a reference over its lines (column), over all pixels "
        "(band), or take whole frames pixel by pixel (column)",
    )
    if bands:
        parser.add_argument(
            "--drop-bands",
            type=_bands,
            metavar="noisy|LIST",
            help="leave out noisy bands, or these, such as 0-9,570-579 (from 0)",
        )
        parser.add_argument(
            "--wavelengths", type=_range, metavar="NM-NM", help="such as 450-900"
        )


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where in a file the cube is."""
    parser.add_argument("--key", help="variable that holds the cube, in .mat files")
    parser.add_argument("--axes", help="order of the axes, such as yxb")


def read_raw_cubes(
    options: argparse.Namespace, references: Sequence[Path | None] = ()
) -> list[Cube]:
    """The cubes as their files have them, but for `references` among them."""
    from napari_dgc.cubes.agreement import check_same_bands
    from napari_dgc.cubes.readers import find_cubes, read_cube

    found = find_cubes(options.cubes)
    # The header or the data file: without their suffix they are one.
    named = {path.resolve().with_suffix("") for path in references if path}
    paths = [path for path in found if path.resolve().with_suffix("") not in named]
    if not paths:
        raise InputError(
            found[0], "is named as a cube and as its own reference", "name the cube"
        )
    cubes = [read_cube(path, options.key, axes=options.axes) for path in paths]
    check_same_bands(cubes)
    return cubes


def read_cubes(options: argparse.Namespace, notices: list[str]) -> list[Cube]:
    """The cubes that a command was given; all with the same bands.

    Parameters
    ----------
    options : argparse.Namespace
    notices : list of str
        Gets what shall be said once all input is found good: which references
        were taken, which bands left out.

    Returns
    -------
    list of Cube
    """
    cubes = read_raw_cubes(options, (options.white, options.dark))
    if not options.no_calibration:
        calibrator = _Calibrator(options, notices)
        cubes = [calibrator.calibrate(cube) for cube in cubes]
    elif options.dark is not None:
        raise InputError("--dark", "does nothing with --no-calibration", "leave one")
    if len({cube.calibration is None for cube in cubes}) > 1:
        raw = next(cube for cube in cubes if cube.calibration is None)
        raise InputError(
            raw.path or raw.name,
            "it has no references, other cubes have",
            "put them beside it, name them by --white and --dark, or use "
            "--no-calibration",
        )
    return _choose_bands(cubes, options, notices)


@dataclass
class _Calibrator:
    """Finds each cube's references; reads each pair once."""

    options: argparse.Namespace
    notices: list[str]
    known: dict[tuple[Path, Path | None], Calibration] = field(default_factory=dict)

    def calibrate(self, cube: Cube) -> Cube:
        """The cube as reflectance; as it is where it has no white reference."""
        from napari_dgc.cubes.calibrating import calibrate
        from napari_dgc.cubes.describing import describe, word_calibrated_twice
        from napari_dgc.study.calibrating.references import mean_spectrum

        calibration = self._find(cube)
        if calibration is None:
            return cube
        calibrated = calibrate(cube, calibration)
        text = f"{cube.name}: calibrated with {describe(calibrated)}"
        if cube.data.dtype.kind == "f":  # counts as integers are never asked about
            twice = word_calibrated_twice(cube, mean_spectrum(cube))
            text += f"; but {twice}" if twice else ""
        self.notices.append(text)
        return calibrated

    def _find(self, cube: Cube) -> Calibration | None:
        from napari_dgc.cubes.calibrating import calibration_from, tile_calibration
        from napari_dgc.cubes.references import find_references

        options = self.options
        reflectance: float = options.white_reflectance or 1.0
        if options.white_region is not None:
            dark = None if options.dark is None else self._read(options.dark)
            return tile_calibration(
                cube, options.white_region, dark, reflectance=reflectance
            )
        white_path, dark_path = options.white, options.dark
        if white_path is None and cube.path is not None:
            white_path, beside = find_references(cube.path)
            dark_path = dark_path or beside
        if white_path is None:
            if options.dark is not None:
                raise InputError(
                    "--dark", "a dark reference does nothing alone", "add --white"
                )
            if dark_path is not None:
                self.notices.append(
                    f"{cube.name}: not calibrated, {dark_path.name} has no white "
                    "reference beside it"
                )
            return None
        pair = white_path, dark_path
        if pair not in self.known:
            self.known[pair] = calibration_from(
                self._read(white_path),
                None if dark_path is None else self._read(dark_path),
                per=options.reference_per or "column",
                reflectance=reflectance,
            )
        return self.known[pair]

    def _read(self, path: Path) -> Cube:
        from napari_dgc.cubes.readers import read_cube

        return read_cube(path, self.options.key, axes=self.options.axes)


def _choose_bands(
    cubes: list[Cube], options: argparse.Namespace, notices: list[str]
) -> list[Cube]:
    from napari_dgc.cubes.bands import band_ranges, select_bands

    drop = getattr(options, "drop_bands", None)
    wavelengths = getattr(options, "wavelengths", None)
    if wavelengths is not None:
        cubes = [select_bands(cube, wavelengths=wavelengths) for cube in cubes]
    if drop is None:
        return cubes
    listed: Sequence[int] = drop
    if drop == "noisy":
        from napari_dgc.clustering.noise import BandNoise, measure_noise

        with ProgressLine(options.quiet) as progress:
            for piece in measure_noise(cubes):
                if isinstance(piece, BandNoise):
                    noisy, least = piece.noisy(), piece.least
                else:
                    progress.show(f"Measuring the noise {piece:.0%}")
        listed = noisy.nonzero()[0].tolist()
        which = band_ranges(noisy) or "none"
        notices.append(f"Noisy bands (SNR below {least:.2g}), left out: {which}")
    return [select_bands(cube, drop=listed) for cube in cubes]


def _region(text: str) -> tuple[slice, slice]:
    try:
        rows, cols = (
            tuple(int(n) for n in part.split(":")) for part in text.split(",")
        )
        (r0, r1), (c0, c1) = rows, cols
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: give rows and columns such as 10:40,20:60"
        ) from None
    if not (0 <= r0 < r1 and 0 <= c0 < c1):
        raise argparse.ArgumentTypeError(f"{text!r} marks no pixel")
    return slice(r0, r1), slice(c0, c1)


def _reflectance(text: str) -> float:
    value = float(text)
    if not 0 < value <= 2:
        raise argparse.ArgumentTypeError(f"{text} is no reflectance; give 0 to 1")
    return value


def _bands(text: str) -> str | tuple[int, ...]:
    from napari_dgc.cubes.bands import parse_ranges

    if text.strip().lower() == "noisy":
        return "noisy"
    try:
        return parse_ranges(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split("-"))
    except ValueError:
        low, high = 1.0, 0.0
    if not low < high:
        raise argparse.ArgumentTypeError(f"{text!r}: give two in nm, such as 450-900")
    return low, high
