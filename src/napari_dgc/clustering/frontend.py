"""The linear front-end: noise-adjusted principal components, root-compressed.

A component whose variance is w times its noise variance is scaled to the
standard deviation w^(1/4): between whitening, in which weak components drown
in noise, and plain PCA, in which brightness drowns the lesion. Its noise then
has the standard deviation w^(-1/4). Every later bandwidth, temperature and
augmentation is stated in these noise units.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from napari_dgc.clustering.sampling import choose_stripes, left_out
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

# Noise regression needs pixels: never fewer than 20 per band where the cubes
# have them, and below 5 per band spatial differences take its place.
PIXELS_PER_BAND = 20
_FEWEST_PIXELS_PER_BAND = 5
_LEAST_PIXELS = 60_000


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """A linear map from spectra to D components, and what noise does to it.

    Attributes
    ----------
    mean : ndarray of float32, shape (C,)
        Mean spectrum of the valid pixels; 0 in bad bands.
    band_std, band_noise : ndarray of float32, shape (C,)
        Standard deviation of the signal and of the noise, per band.
    projection : ndarray of float32, shape (D, C)
        Rows v·w^(-1/4); zero in bad bands.
    noise_std : ndarray of float32, shape (D,)
        Standard deviation of the noise after projection, w^(-1/4).
    noise_method : str
        ``"regression"`` or ``"differences"``.
    """

    mean: NDArray[np.float32]
    band_std: NDArray[np.float32]
    band_noise: NDArray[np.float32]
    projection: NDArray[np.float32]
    noise_std: NDArray[np.float32]
    noise_method: str

    @property
    def black(self) -> NDArray[np.float32]:
        """Components (D,) of a spectrum of zeros, the black point."""
        return -(self.projection @ self.mean)

    def project(self, spectra: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project spectra (C, ...) to components (D, ...)."""
        centred = spectra - self.mean.reshape(-1, *[1] * (spectra.ndim - 1))
        return np.tensordot(self.projection, centred, axes=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Moments:
    """What one pass over (a sample of) the pixels leaves.

    Attributes
    ----------
    count : int
        Valid pixels seen.
    mean : ndarray of float64, shape (C,)
    covariance : ndarray of float64, shape (C, C)
    difference_variance : ndarray of float64, shape (C,)
        Half the variance of the difference between neighbours in a row.
    valid_share : float
        The share of the pixels looked at that is valid.
    """

    count: int
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    difference_variance: NDArray[np.float64]
    valid_share: float


def gather_moments(cubes: Sequence[Cube]) -> Iterator[float | Moments]:
    """Stream over the cubes once for mean and covariance.

    Yields
    ------
    float
        The share of the work done, between two reads.
    Moments
        Last.

    Raises
    ------
    InputError
        If too few pixels are valid to say anything.

    Notes
    -----
    Constant memory, float64 sums about a pivot near the mean. At least 20
    valid pixels per band are taken where the cubes have as many: if the
    sample holds fewer, all the rest is read too.
    """
    C = cubes[0].bands
    stripes = choose_stripes(cubes, max(PIXELS_PER_BAND * C * 2, _LEAST_PIXELS))
    sampled = len(stripes)
    pivot: NDArray[np.float32] | None = None
    count, pairs, seen = 0, 0, 0
    total, products = np.zeros(C), np.zeros((C, C))
    differences = np.zeros(C)
    for at, stripe in enumerate(stripes):  # may grow while it is walked through
        spectra, valid = cubes[stripe.cube].block(stripe.rows, stripe.cols)
        seen += valid.size
        pixels = spectra[:, valid]  # (C, N)
        if pixels.shape[1]:
            if pivot is None:
                pivot = pixels.mean(axis=1)
            both = valid[:, 1:] & valid[:, :-1]
            steps = (spectra[:, :, 1:] - spectra[:, :, :-1])[:, both]
            differences += np.square(steps, dtype=np.float64).sum(axis=1)
            pairs += steps.shape[1]
            centred = (pixels - pivot[:, None]).astype(np.float64)
            total += centred.sum(axis=1)
            products += centred @ centred.T
            count += centred.shape[1]
        if at + 1 == sampled and count < PIXELS_PER_BAND * C:
            stripes.extend(left_out(cubes, stripes))
        yield (at + 1) / len(stripes)
    if count < 2 or pivot is None:
        names = ", ".join(cube.name for cube in cubes[:3])
        raise InputError(
            names, "no valid pixels were found", "check masks and data ignore value"
        )
    shift = total / count
    yield Moments(
        count=count,
        mean=pivot + shift,
        covariance=products / count - np.outer(shift, shift),
        difference_variance=differences / max(2 * pairs, 1),
        valid_share=count / seen,
    )


def fit_front_end(
    moments: Moments, components: int, good_bands: NDArray[np.bool_] | None = None
) -> FrontEnd:
    """Find the D components of the best signal-to-noise ratio.

    Parameters
    ----------
    moments : Moments
    components : int
        D; fewer where there are fewer good bands.
    good_bands : ndarray of bool, shape (C,), optional

    Returns
    -------
    FrontEnd

    Notes
    -----
    The noise variance of band i, from regressing it on all others, is
    1 / (S^-1)_ii (HySime, Bioucas-Dias & Nascimento 2008, section III-A).
    S v = w diag(n) v is solved for the largest w. Each eigenvector's sign is
    fixed so that its largest entry is positive.
    """
    C = len(moments.mean)
    good = np.ones(C, bool) if good_bands is None else good_bands
    covariance = moments.covariance[np.ix_(good, good)]
    size = int(good.sum())
    floor = 1e-6 * np.trace(covariance) / size
    if floor <= 0:
        raise InputError("the cubes", "all valid pixels are equal", "check the files")
    covariance = covariance + floor * np.eye(size)
    if moments.count >= _FEWEST_PIXELS_PER_BAND * size:
        method = "regression"
        noise = 1.0 / np.diag(np.linalg.inv(covariance))
    else:
        method = "differences"
        noise = moments.difference_variance[good]
        # Few pixels: lean on the mean over bands, the more the fewer there are.
        lean = min(1.0, size / (5.0 * max(moments.count, 1)))
        noise = (1 - lean) * noise + lean * noise.mean() + floor
        noise = np.minimum(noise, np.diag(covariance))
    D = min(components, size, max(1, moments.count - 1))
    ratios, vectors = scipy.linalg.eigh(
        covariance, np.diag(noise), subset_by_index=(size - D, size - 1)
    )
    ratios, vectors = np.maximum(ratios[::-1], 1e-3), vectors[:, ::-1]
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(D)])
    projection = np.zeros((D, C), np.float32)
    projection[:, good] = (vectors * ratios**-0.25).T
    band_std, band_noise = np.ones(C, np.float32), np.zeros(C, np.float32)
    band_std[good] = np.sqrt(np.diag(covariance))
    band_noise[good] = np.sqrt(noise)
    mean = np.where(good, moments.mean, 0.0).astype(np.float32)
    noise_std = (ratios**-0.25).astype(np.float32)
    return FrontEnd(mean, band_std, band_noise, projection, noise_std, method)
