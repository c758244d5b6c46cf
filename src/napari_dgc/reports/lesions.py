"""Lesions as connected pieces: how many, and how large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

_ALL_EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class LesionSizes:
    """The lesions of one leaf.

    Attributes
    ----------
    areas : tuple of int
        Pixels per lesion, largest first.
    """

    areas: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        """Number of lesions."""
        return len(self.areas)

    @property
    def mean(self) -> float | None:
        """Mean area in pixels; None if there is no lesion."""
        return float(np.mean(self.areas)) if self.areas else None

    @property
    def median(self) -> float | None:
        """Median area in pixels; None if there is no lesion."""
        return float(np.median(self.areas)) if self.areas else None

    @property
    def largest(self) -> int | None:
        """Largest area in pixels; None if there is no lesion."""
        return self.areas[0] if self.areas else None


def lesion_sizes(
    lesion: NDArray[np.bool_],
    regions: NDArray[np.uint16] | None = None,
    *,
    min_pixels: int = 1,
) -> tuple[LesionSizes, ...]:
    """Measure the lesions, per leaf region.

    Parameters
    ----------
    lesion : ndarray of bool, shape (H, W)
    regions : ndarray of uint16, shape (H, W), optional
        Without it all of the image is region 0.
    min_pixels : int
        Smaller pieces are not counted as lesions: noise of single pixels. Their
        pixels stay lesion pixels in every percentage.

    Returns
    -------
    tuple of LesionSizes
        By region number, 0 (outside all) first.

    Notes
    -----
    Pieces are 8-connected; one that crosses from a leaf into the next is one lesion
    in each.
    """
    if regions is None:
        regions = np.zeros(lesion.shape, np.uint16)
    sizes = []
    numbers = range(int(regions.max(initial=0)) + 1)
    windows = [None, *scipy.ndimage.find_objects(np.asarray(regions, np.int32))]
    for number in numbers:
        window = windows[number]
        if number and window is None:
            sizes.append(LesionSizes())
            continue
        place = window if window is not None else (slice(None), slice(None))
        inside = lesion[place] & (regions[place] == number)
        numbered, count = scipy.ndimage.label(inside, _ALL_EIGHT)
        areas = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
        areas = np.sort(areas[areas >= min_pixels])[::-1]
        sizes.append(LesionSizes(tuple(areas.tolist())))
    return tuple(sizes)
