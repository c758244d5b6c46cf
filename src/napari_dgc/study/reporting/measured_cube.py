"""What a report knows of one cube."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.study.leaves import LeafRegions


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredCube:
    """What is known of one cube.

    Attributes
    ----------
    clusters : ndarray of uint8, shape (H, W)
        Cluster ids; label values of the same grouping do as well.
    confidence : ndarray of uint8, shape (H, W), optional
        In 255ths.
    statistics : ClusterStatistics, optional
    regions : ndarray of uint16, shape (H, W), optional
        Leaf regions that are settled; None to find them.
    names : tuple of str
        Of those leaves.
    pixel_area : float, optional
        mm² per pixel.
    """

    clusters: NDArray[np.uint8]
    confidence: NDArray[np.uint8] | None = None
    statistics: ClusterStatistics | None = None
    regions: NDArray[np.uint16] | None = None
    names: tuple[str, ...] = ()
    pixel_area: float | None = None

    def within(self, leaves: LeafRegions, stem: str) -> MeasuredCube:
        """Take settled leaves and the area that is looked at, where they fit.

        Outside the area there is no data, as far as pixels are counted; statistics,
        and so the spectra, stay those of the whole cube.
        """
        cube, shape = self, self.clusters.shape
        area = leaves.areas.get(stem)
        if area is not None and area.shape == shape:
            cube = replace(cube, clusters=np.where(area, cube.clusters, np.uint8(0)))
        return cube.naming(leaves, stem)

    def naming(self, leaves: LeafRegions, stem: str) -> MeasuredCube:
        """Take settled leaves where they fit, but no area."""
        regions = leaves.maps.get(stem)
        if regions is None or regions.shape != self.clusters.shape:
            return self
        return replace(self, regions=regions, names=leaves.names[stem])
