"""Sufficient statistics: all that merging ever needs of the pixels.

Count, sum and sum of squares add up: over windows, over cubes, over the clusters
of a group. So a mean spectrum, a spread or a percentage of a group costs K rows,
for one cube as for a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.archives import read_npz
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole

_FIELDS = ("count", "sum", "sum_squares", "confidence", "boundary")
_LARGEST = 2**27  # bytes: K = 255 and ten thousand bands have 43 MB
_DTYPES = (np.int64, np.float64, np.float64, np.float64, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ClusterStatistics:
    """Sums over pixels; row i is cluster id i, row 0 is "no data" without a spectrum.

    There are R rows, as many as the model's highest id asks for; rows of ids that
    it does not have are zero.

    Attributes
    ----------
    count : ndarray of int64, shape (R,)
        Pixels.
    sum, sum_squares : ndarray of float64, shape (R, C)
        Of the spectra, band by band, in the cube's units (and squared).
    confidence : ndarray of float64, shape (R,)
        Sum of the pixels' confidence.
    boundary : ndarray of int64, shape (R, R)
        Pairs of pixels side by side or one above the other with these two
        ids; symmetric, each pair within one cluster counted once.
    """

    count: NDArray[np.int64]
    sum: NDArray[np.float64]
    sum_squares: NDArray[np.float64]
    confidence: NDArray[np.float64]
    boundary: NDArray[np.int64]

    @property
    def _summed(self) -> NDArray[np.int64]:
        """Pixels whose spectra are in the sums: none of row 0."""
        summed = self.count.copy()
        summed[0] = 0
        return summed

    def mean(self) -> NDArray[np.float64]:
        """Give mean spectra, (R, C); NaN where there is no pixel."""
        return mean_of(self._summed, self.sum)

    def std(self) -> NDArray[np.float64]:
        """Give standard deviations (dividing by n), (R, C); NaN without pixels."""
        return std_of(self._summed, self.sum, self.sum_squares)

    def __add__(self, other: ClusterStatistics) -> ClusterStatistics:
        """Pool two cubes of the same model.

        Raises
        ------
        ValueError
            If they have not the same numbers of rows and bands.
        """
        if self.sum.shape != other.sum.shape:
            raise ValueError(
                f"statistics of {self.sum.shape} and {other.sum.shape} (highest id + "
                "1, bands) do not add up; both must come from one model"
            )
        return ClusterStatistics(
            self.count + other.count,
            self.sum + other.sum,
            self.sum_squares + other.sum_squares,
            self.confidence + other.confidence,
            self.boundary + other.boundary,
        )

    def grown(self, rows: int) -> ClusterStatistics:
        """Give the same sums with at least `rows` rows, the new ones zero."""
        more = rows - len(self.count)
        if more <= 0:
            return self
        down = (0, more)
        return ClusterStatistics(
            np.pad(self.count, down),
            np.pad(self.sum, (down, (0, 0))),
            np.pad(self.sum_squares, (down, (0, 0))),
            np.pad(self.confidence, down),
            np.pad(self.boundary, (down, down)),
        )

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write an .npz file, whole or not at all.

        Raises
        ------
        InputError
            If the file exists and `force` is False, or cannot be written.
        """
        write_whole(Path(path), self.write, force=force)

    def write(self, file: BinaryIO) -> None:
        """Write into an open file what `save` writes; equal sums, equal bytes."""
        np.savez(file, **{name: getattr(self, name) for name in _FIELDS})

    @classmethod
    def load(cls, path: str | Path) -> ClusterStatistics:
        """Read what `save` wrote; nothing in it is executed.

        Raises
        ------
        InputError
            If the file is missing, damaged or something else.
        """
        try:
            held = read_npz(path, _FIELDS, _LARGEST)
            arrays = [held[name] for name in _FIELDS]
            rows, bands = arrays[1].shape
            shapes = [(rows,), (rows, bands), (rows, bands), (rows,), (rows, rows)]
            for array, shape, dtype in zip(arrays, shapes, _DTYPES, strict=True):
                if array.shape != shape or array.dtype != dtype:
                    raise ValueError(f"{array.dtype} of {array.shape} in it")
        except FileNotFoundError as error:
            raise InputError(path, "is not there", "check the path") from error
        except (OSError, ValueError) as error:
            raise InputError(
                path,
                f"holds no cluster statistics or is damaged ({error})",
                "segment the cube again to renew it",
            ) from error
        return cls(*arrays)


def mean_of(
    count: NDArray[np.int64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Divide row sums (R, C) by counts (R,); NaN where the count is 0."""
    n = np.where(count > 0, count, np.nan)[:, None]
    return np.asarray(total / n)


def std_of(
    count: NDArray[np.int64],
    total: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Give standard deviations (R, C) from sums and sums of squares."""
    variance = mean_of(count, squares) - np.square(mean_of(count, total))
    return np.sqrt(np.maximum(variance, 0))  # rounding may leave a hair below 0
