"""How noisy each band is, by the noise estimate that the front-end works with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.clustering.frontend import PIXELS_PER_BAND, Moments, gather_moments
from napari_dgc.cubes.agreement import check_same_bands, common_good_bands
from napari_dgc.cubes.cube import Cube

# A band is offered to be left out where its noise is a tenth of its signal and it is
# far noisier than its fellows: in dark leaves all of blue has an SNR near 10, and the
# front-end gives noisy bands little weight anyway.
_LEAST_SNR, _OF_MEDIAN = 10.0, 0.25
_HOPELESS = 3.0  # offered whatever the others are
_NEIGHBOURS = 8


@dataclass(frozen=True, slots=True, eq=False)
class BandNoise:
    """Signal and noise of each band over the valid pixels of the cubes.

    Attributes
    ----------
    mean, noise : ndarray of float64, shape (C,)
        Mean and standard deviation of the noise, in the units of the data.
    snr : ndarray of float64, shape (C,)
        Root mean square of the signal / noise: in it bright leaves count for more
        than a dark cloth around them. NaN in bands that the headers rule out, 0 in
        bands in which all pixels are equal.
    method : str
        ``"all other bands"`` or, where there are fewer than 20 pixels for each,
        the 8 ``"neighbouring bands"``, which overstates it by about 5 %.

    Notes
    -----
    The noise of a band is what regressing it on other bands leaves: 1 / (S^-1)_ii
    (HySime, Bioucas-Dias & Nascimento 2008, section III-A). With as few pixels as
    bands the regression would explain the noise, too; the front-end takes spatial
    differences then, which call texture noise and so are no use for offering bands.
    """

    mean: NDArray[np.float64]
    noise: NDArray[np.float64]
    snr: NDArray[np.float64]
    method: str

    @property
    def least(self) -> float:
        """The SNR below which a band is noisy: a quarter of the median, 3 to 10."""
        known = self.snr[np.isfinite(self.snr)]
        typical = float(np.median(known)) if known.size else 0.0
        return float(np.clip(_OF_MEDIAN * typical, _HOPELESS, _LEAST_SNR))

    def noisy(self) -> NDArray[np.bool_]:
        """Good bands whose SNR is below `least`, (C,)."""
        return np.asarray(np.nan_to_num(self.snr, nan=np.inf) < self.least)


def measure_noise(cubes: Sequence[Cube]) -> Iterator[float | BandNoise]:
    """Estimate the noise of each band from one pass over a sample of the pixels.

    Parameters
    ----------
    cubes : sequence of Cube
        With the same bands.

    Yields
    ------
    float
        The share of the work done.
    BandNoise
        Last.

    Raises
    ------
    InputError
        If the bands differ or too few pixels are valid.
    """
    check_same_bands(cubes)
    good = common_good_bands(cubes)
    for piece in gather_moments(cubes):
        if isinstance(piece, Moments):
            yield _noise(piece, good)
        else:
            yield piece


def _noise(moments: Moments, good: NDArray[np.bool_]) -> BandNoise:
    variance = np.diag(moments.covariance)
    # What has no variance has no noise to find: the regression would praise it.
    # A relative limit, since sums of equal float32 values differ by rounding.
    varying = (variance > 1e-9 * np.square(moments.mean)) & (variance > 0)
    used = np.flatnonzero(good & varying)
    covariance = moments.covariance[np.ix_(used, used)]
    noise = np.full(len(good), np.nan)
    method = "all other bands"
    if len(used) > 1:
        near = len(used)
        if moments.count < PIXELS_PER_BAND * len(used):
            near, method = min(near, _NEIGHBOURS), "neighbouring bands"
        noise[used] = np.sqrt(_residuals(covariance, near))
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.square(moments.mean) + variance - np.square(noise)
        snr = np.sqrt(np.maximum(square, 0)) / noise
    snr[good & ~varying] = 0
    return BandNoise(moments.mean, noise, snr, method)


def _residuals(covariance: NDArray[np.float64], near: int) -> NDArray[np.float64]:
    """Variance (C,) that a band's `near` nearest bands leave unexplained."""
    C = len(covariance)
    ridge = 1e-9 * np.trace(covariance) / C
    if near >= C:
        inverse = np.linalg.inv(covariance + ridge * np.eye(C))
        return np.asarray(1 / np.diag(inverse))
    left = np.empty(C)
    for band in range(C):
        start = min(max(0, band - near // 2), C - near - 1)
        window = np.arange(start, start + near + 1)
        part = covariance[np.ix_(window, window)] + ridge * np.eye(near + 1)
        left[band] = 1 / np.linalg.inv(part)[band - start, band - start]
    return left
