"""How sure a severity is: doubtful pixels at the edges of lesions, either way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

DOUBTFUL_SHARE = 0.4
"""Share of each cluster's pixels that is doubtful; see `doubt_levels`."""

_LEVELS = 256  # confidence is kept in 255ths
_AROUND = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a percentage.

    Attributes
    ----------
    low, high : float
        In %.
    """

    low: float
    high: float


def doubt_levels(
    maps: Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    share: float = DOUBTFUL_SHARE,
) -> NDArray[np.int64]:
    """Find the confidence up to which a pixel of a cluster is doubtful.

    Parameters
    ----------
    maps : iterable of (clusters, confidence)
        Of all cubes of a study: (H, W) uint8 each, confidence in 255ths.
    share : float
        Of each cluster's pixels, over all cubes.

    Returns
    -------
    ndarray of int64, shape (256,)
        By cluster id, in 255ths; -1 for a cluster without a pixel. The least value
        that takes in at least `share` of the cluster's pixels.

    Notes
    -----
    Each cluster has a level of its own, since confidence (softmax over K clusters at
    the model's temperature) depends on how many neighbours a cluster has: a fixed
    level called half of all pixels doubtful, and still missed the truth more often.
    """
    counts = np.zeros((256, _LEVELS), np.int64)
    for clusters, confidence in maps:
        flat = clusters.ravel().astype(np.intp) * _LEVELS + confidence.ravel()
        counts += np.bincount(flat, minlength=counts.size).reshape(counts.shape)
    total = counts.sum(axis=1)
    reached = np.cumsum(counts, axis=1) >= share * total[:, None]
    return np.where(total > 0, reached.argmax(axis=1), -1)


def lesion_edge(lesion: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the pixels on both sides of the lesions' outlines, one pixel deep.

    Parameters
    ----------
    lesion : ndarray of bool, shape (H, W)

    Returns
    -------
    ndarray of bool, shape (H, W)
        Lesion beside something else, and what lies beside lesion, corners included.
    """
    inner = scipy.ndimage.binary_dilation(~lesion, _AROUND)
    return np.asarray(inner & scipy.ndimage.binary_dilation(lesion, _AROUND))


def severity_interval(
    lesion: NDArray[np.bool_],
    healthy: NDArray[np.bool_],
    doubtful: NDArray[np.bool_],
) -> Interval | None:
    """Bound the lesion's share of the tissue.

    Parameters
    ----------
    lesion, healthy, doubtful : ndarray of bool, any one shape
        Of a leaf's or a cube's pixels. `doubtful`: of little confidence and at the
        `lesion_edge`.

    Returns
    -------
    Interval or None
        Low: every doubtful lesion pixel were healthy. High: every doubtful healthy
        pixel were lesion. None where there is no tissue.

    Notes
    -----
    No sum of independent errors: those of neighbouring pixels go together, and such
    an interval would be a few hundredths of a point wide. Most errors lie where a
    pixel is half lesion; doubt anywhere else made the interval three times as wide
    and held the truth less often. It says nothing of a group with the wrong role, nor
    of a lesion that was not found at all. benchmarks/severity.py has its coverage.
    """
    sick, well = int(lesion.sum()), int(healthy.sum())
    if not sick + well:
        return None
    return Interval(
        100 * (sick - int((lesion & doubtful).sum())) / (sick + well),
        100 * (sick + int((healthy & doubtful).sum())) / (sick + well),
    )
