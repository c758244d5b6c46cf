"""From raw counts to reflectance, by a white and a dark reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.agreement import SAME_NM, wavelengths_apart
from napari_dgc.cubes.backing import require_backing
from napari_dgc.cubes.cube import Cube, CubeArray
from napari_dgc.cubes.errors import InputError

#: What a reference holds a value for, besides each band.
Per = Literal["band", "column", "pixel"]
_LOOKS = 16  # rows of a whole frame that are looked at


@dataclass(frozen=True, eq=False)
class Calibration:
    """What turns raw counts into reflectance: (raw - dark) / (white - dark).

    Attributes
    ----------
    white, dark : array-like, shape (C, 1 or H, 1 or W)
        Counts; NaN where no reading can be used. Averages are float32 arrays;
        whole frames stay as they were read. `dark` is 0 where there is none.
    reflectance : float
        Of the white target, 0 to 1 (1: it reflects everything).
    per : {"band", "column", "pixel"}
        What the references hold a value for: one for each band, one for each
        column (push-broom cameras) or one for each pixel (whole frames).
    white_path, dark_path : pathlib.Path, optional
        The files; None for a tile in the cube itself, and for no dark one.
    saturation : float, optional
        Of `white`, where it is a whole frame.
    fingerprint : str
        A digest of the references and of `reflectance`.
    wavelengths : ndarray of float64, shape (C,), optional
        The white reference's, in nm.
    exposure : float, optional
        The white reference's integration time as its header states it (``tint``).
    """

    white: CubeArray
    dark: CubeArray
    reflectance: float
    per: Per
    white_path: Path | None
    dark_path: Path | None
    saturation: float | None
    fingerprint: str
    wavelengths: NDArray[np.float64] | None = None
    exposure: float | None = None

    def at(
        self, key: Any, shape: tuple[int, ...]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the dark counts and the range for an index into the cube.

        Parameters
        ----------
        key
            Any NumPy index.
        shape : tuple of int
            The cube's, (C, H, W).

        Returns
        -------
        dark, span : ndarray of float32
            Of the index's shape, or such as broadcast to it. `span` is
            (white - dark) / reflectance; NaN where that is not positive.
        """
        if self.per != "pixel":  # small enough to be kept
            return _pick(self.dark, key, shape), _pick(self._span, key, shape)
        dark = _pick(self.dark, key, shape)
        return dark, self._range(_pick(self.white, key, shape), dark)

    @cached_property
    def _span(self) -> NDArray[np.float32]:
        """The range of averaged references, whole."""
        white, dark = (np.asarray(a, np.float32) for a in (self.white, self.dark))
        return self._range(white, dark)

    def _range(
        self, white: NDArray[np.float32], dark: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        with np.errstate(invalid="ignore"):
            span = np.asarray((white - dark) / np.float32(self.reflectance))
            lost = ~(span > 0)
            if self.saturation is not None:
                lost |= white >= np.float32(self.saturation)
        span[lost] = np.nan
        return span

    def require_fit(self, cube: Cube) -> None:
        """Raise InputError unless the references fit a cube's shape and bands."""
        C, H, W = cube.shape
        for array, path, what in (
            (self.white, self.white_path, "white"),
            (self.dark, self.dark_path, "dark"),
        ):
            bands, rows, columns = array.shape
            fits = bands == C and rows in (1, H) and columns in (1, W)
            if self.per == "pixel":
                fits = array.shape == cube.shape
            if fits or array.shape == (1, 1, 1):
                continue
            size = {
                "band": f"{bands} bands",
                "column": f"{bands} bands x {columns} columns",
                "pixel": f"{bands} bands x {rows} rows x {columns} columns",
            }[self.per]
            raise InputError(
                path or f"the {what} reference",
                f"it is {size}, the cube {cube.name} {C} bands x {H} rows x {W} "
                "columns",
                "take references with the cube's settings"
                if bands != C or self.per == "pixel"
                else "take references as wide as the cube, or one value for each "
                "band (--reference-per band)",
            )
        apart = wavelengths_apart(cube.wavelengths, self.wavelengths)
        if apart > SAME_NM:
            raise InputError(
                self.white_path or "the white reference",
                f"its wavelengths differ from those of {cube.name} by up to "
                f"{apart:.1f} nm",
                "take references with the cube's settings",
            )

    def longer_exposure(self, cube: Cube) -> float:
        """How many times as long as the white reference a cube was exposed.

        1 where a header does not say. Reflectance comes out as many times too high.
        """
        own = exposure_of(cube)
        return own / self.exposure if own and self.exposure else 1.0

    def without_range(self, cube: Cube) -> NDArray[np.float64]:
        """The share of each band's columns (or pixels) that have no range, (C,).

        Of whole frames, 16 rows are looked at.
        """
        C, H, W = cube.shape
        rows = np.unique(np.linspace(0, H - 1, _LOOKS).astype(int))
        if self.per != "pixel":
            rows = rows[:1]
        lost = np.zeros(C)
        for row in rows.tolist():
            _, span = self.at(
                (slice(None), slice(row, row + 1), slice(0, W)), (C, H, W)
            )
            lost += np.isnan(span).mean(axis=(1, 2))
        return lost / len(rows)


def exposure_of(cube: Cube) -> float | None:
    """The integration time that a Specim header states, in its units, or None."""
    try:
        time = float(cube.metadata["tint"])
    except (KeyError, TypeError, ValueError):
        return None
    return time if 0 < time < float("inf") else None


def _pick(array: CubeArray, key: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Give what a reference holds for an index into the cube."""
    require_backing(array)
    window = isinstance(key, tuple) and [type(entry) for entry in key] == [slice] * 3
    if window and isinstance(array, np.ndarray):  # arithmetic broadcasts the rest
        lengths = zip(key, array.shape, strict=True)
        key = tuple(k if n > 1 else slice(None) for k, n in lengths)
        return np.asarray(array[key], dtype=np.float32)
    # Broadcasting a memory map reads nothing; other arrays have the full shape.
    whole = np.broadcast_to(array, shape) if isinstance(array, np.ndarray) else array
    return np.asarray(whole[key], dtype=np.float32)
