"""A hyperspectral cube: reflectance, wavelengths and which pixels count."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.backing import require_backing
from napari_dgc.cubes.calibrated import CalibratedArray

if TYPE_CHECKING:
    from napari_dgc.cubes.calibration import Calibration

_ROWS_PER_READ = 64


class CubeArray(Protocol):
    """What a cube's data must offer; NumPy arrays and memory maps do."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    @property
    def ndim(self) -> int: ...  # noqa: D102
    def __getitem__(self, key: Any, /) -> Any: ...
    def __array__(self, dtype: Any = None) -> NDArray[Any]: ...


@dataclass(frozen=True, eq=False)
class Cube:
    """One scene, bands first.

    Parameters
    ----------
    data : array-like, shape (C, H, W)
        Reflectance (or raw counts where the file states no scale). A NumPy
        array, a memory map or a lazily read array; never copied here.
    wavelengths : ndarray of float64, shape (C,), optional
        Band centres in nanometres, in the file's band order (not
        necessarily ascending), or None where unknown.
    name : str
        The file's stem, or whatever the cube shall be called on screen.
    path : pathlib.Path, optional
        The file it came from.
    good_bands : ndarray of bool, shape (C,), optional
        False for bands the header's bad band list (``bbl``) rules out.
    ignore_value, saturation : float, optional
        The value that means "no data" and the value at which the sensor
        saturates, both in the units of `data`.
    mask : ndarray of bool, shape (H, W), optional
        False for pixels that shall not count.
    metadata : mapping
        What else the header says.
    key, axes : str, optional
        What `read_cube` was told about the file, so that it can be read so again.

    Notes
    -----
    A pixel is valid unless it is masked, *dead* (all good bands equal, or
    any good band not finite), *saturated* (any good band at `saturation` or
    above) or holds `ignore_value`. An ignore value of 0 counts only where
    all good bands hold it, because a dark pixel may honestly read 0 in some.
    """

    data: CubeArray
    wavelengths: NDArray[np.float64] | None = None
    name: str = "cube"
    path: Path | None = None
    good_bands: NDArray[np.bool_] | None = None
    ignore_value: float | None = None
    saturation: float | None = None
    mask: NDArray[np.bool_] | None = None
    metadata: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    key: str | None = None
    axes: str | None = None

    def __post_init__(self) -> None:
        if self.data.ndim != 3:
            raise ValueError(
                f"a cube has three axes (bands, rows, columns), not "
                f"{self.data.ndim}; give an array of shape (C, H, W)"
            )
        if self.wavelengths is not None and len(self.wavelengths) != self.bands:
            raise ValueError(
                f"{len(self.wavelengths)} wavelengths for {self.bands} bands; "
                "give one wavelength (nm) per band"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        C, H, W = self.data.shape
        return int(C), int(H), int(W)

    @property
    def calibration(self) -> Calibration | None:
        """What makes reflectance of raw counts as they are read, if anything does."""
        data = self.data
        return data.calibration if isinstance(data, CalibratedArray) else None

    @property
    def bands(self) -> int:
        """Number of bands C."""
        return int(self.data.shape[0])

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """Pixels that count, (H, W); the first call reads the whole cube."""
        _, H, W = self.shape
        valid = np.empty((H, W), bool)
        for rows in row_slices(H, _ROWS_PER_READ):
            valid[rows] = self.block(rows, slice(0, W))[1]
        return valid

    def block(
        self, rows: slice, cols: slice
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Read a window of all bands.

        Parameters
        ----------
        rows, cols : slice
            With start and stop inside the cube, step 1.

        Returns
        -------
        spectra : ndarray of float32, shape (C, h, w)
            Finite everywhere: bad bands, and pixels that are not valid, read 0.
        valid : ndarray of bool, shape (h, w)

        Raises
        ------
        InputError
            If the file behind it can no longer be read.
        """
        require_backing(self.data)
        raw = self.data
        if isinstance(raw, CalibratedArray):
            raw = raw.source  # dead, saturated and ignored are told by the counts
        with np.errstate(over="ignore"):  # doubles beyond float32 read as infinite
            spectra = np.array(raw[:, rows, cols], dtype=np.float32, order="C")
        good: Any = self.good_bands
        if good is None or good.all():
            good = slice(None)  # a view, where a mask would copy
        valid = self._valid_pixels(spectra[good])
        if isinstance(self.data, CalibratedArray):
            self.data.calibrate(spectra, (slice(None), rows, cols))
            with np.errstate(invalid="ignore", over="ignore"):
                valid &= np.isfinite(spectra[good].sum(axis=0))
        if isinstance(good, np.ndarray):
            spectra[~good] = 0
        if self.mask is not None:
            valid &= self.mask[rows, cols]
        if not valid.all():
            # Not only what is not finite: a "no data" of -3e38 would overflow later.
            spectra[:, ~valid] = 0
        return spectra, valid

    def spectrum(self, row: int, col: int) -> NDArray[np.float32]:
        """Read one pixel.

        Parameters
        ----------
        row, col : int
            Inside the cube.

        Returns
        -------
        ndarray of float32, shape (C,)
            NaN in bad bands, and in all bands of a pixel that is not valid.

        Raises
        ------
        IndexError
            If there is no such pixel.
        InputError
            If the file behind it can no longer be read.

        Notes
        -----
        From memory or a memory map in microseconds (`reads_at_once`); from
        compressed files it may take seconds: chunks are read whole.
        """
        _, H, W = self.shape
        if not (0 <= row < H and 0 <= col < W):
            raise IndexError(f"{self.name} has {H} x {W} pixels, no ({row}, {col})")
        spectra, valid = self.block(slice(row, row + 1), slice(col, col + 1))
        spectrum = spectra[:, 0, 0]
        if not valid[0, 0]:
            spectrum[:] = np.nan
        elif self.good_bands is not None:
            spectrum[~self.good_bands] = np.nan
        return spectrum

    def _valid_pixels(self, good: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Pixels (h, w) that are neither dead, saturated nor ignored, by raw values."""
        limits = self.data if isinstance(self.data, CalibratedArray) else self
        with np.errstate(invalid="ignore", over="ignore"):
            # A sum is finite only if every term is: one pass instead of C tests.
            valid: NDArray[np.bool_] = np.isfinite(good.sum(axis=0))
            # Few pixels share three bands' values; only those are looked at in full.
            last, middle = good[-1], good[len(good) // 2]
            flat = (good[0] == last) & (good[0] == middle) & valid
            if flat.any():
                flat[flat] = (good[:, flat] == good[0][flat]).all(axis=0)
                valid &= ~flat
            if limits.saturation is not None:
                valid &= ~(good >= np.float32(limits.saturation)).any(axis=0)
            if limits.ignore_value is not None and limits.ignore_value != 0:
                valid &= ~(good == np.float32(limits.ignore_value)).any(axis=0)
        return valid

    @cached_property
    def fingerprint(self) -> str:
        """A short digest of shape, wavelengths and some 16 rows of pixels."""
        _, H, W = self.shape
        digest = hashlib.sha256(repr(self.shape).encode())
        if self.wavelengths is not None:
            digest.update(np.ascontiguousarray(self.wavelengths, "<f8").tobytes())
        for row in np.unique(np.linspace(0, H - 1, 16).astype(int)):
            spectra, _ = self.block(slice(int(row), int(row) + 1), slice(0, W))
            digest.update(np.ascontiguousarray(spectra, "<f4").tobytes())
        return digest.hexdigest()[:16]


def row_slices(height: int, rows: int) -> Iterator[slice]:
    """Cut `height` rows into slices of at most `rows`."""
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))
