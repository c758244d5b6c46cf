"""The groups' spectra, from sums alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.statistics import ClusterStatistics, group_statistics
from napari_dgc.reports.spectra import Spectrum

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model


def good_in_all(
    cubes: Sequence[Cube],
    model: Model | None = None,
    more: Sequence[NDArray[np.bool_]] = (),
) -> NDArray[np.bool_] | None:
    """Bands that neither a cube, the model nor `more` rules out, (C,); None for all.

    Statistics hold zeros in those that the model rules out, too: it reads no others.
    """
    masks = [cube.good_bands for cube in cubes if cube.good_bands is not None]
    masks += more
    if model is not None and not model.good_bands.all():
        masks.append(model.good_bands)
    return np.logical_and.reduce(masks) if masks else None


def group_spectra(
    statistics: ClusterStatistics,
    grouping: Grouping,
    *,
    good_bands: NDArray[np.bool_] | None = None,
    cube: str = "",
) -> dict[int, Spectrum]:
    """Give each group's mean spectrum and its standard deviation.

    Parameters
    ----------
    statistics : ClusterStatistics
        Of one cube, or of several added up.
    grouping : Grouping
    good_bands : ndarray of bool, shape (C,), optional
        All other bands are NaN: in the sums they hold nothing but zeros.
    cube : str
        What the pixels are of.

    Returns
    -------
    dict of int to Spectrum
        By group id, in table order; groups without a pixel are left out.

    Raises
    ------
    ValueError
        If the grouping holds a cluster the statistics lack.
    """
    pooled = group_statistics(statistics, grouping)
    if good_bands is not None:
        pooled.mean[:, ~good_bands] = np.nan
        pooled.std[:, ~good_bands] = np.nan
    return {
        group.id: Spectrum(
            cube=cube,
            name=group.name,
            mean=pooled.mean[row],
            std=pooled.std[row],
            n=int(pooled.count[row]),
            role=group.role,
            color=group.color,
        )
        for row, group in enumerate(grouping.groups)
        if pooled.count[row] > 0
    }
