"""Severity leaf by leaf, of one cube."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from napari_dgc.reports.doubt import Interval, lesion_edge, severity_interval
from napari_dgc.reports.lesions import lesion_sizes
from napari_dgc.reports.masks import check_label_map
from napari_dgc.reports.regions import count_in_regions, default_region_names
from napari_dgc.reports.severity import SeverityRow, pixels_by_role

_EVERYWHERE = (slice(None), slice(None))


@dataclass(frozen=True, slots=True, eq=False)
class LeafMap:
    """One cube's group map with what severity is reckoned from.

    Attributes
    ----------
    cube : str
    label_map : ndarray of uint8, shape (H, W)
        Label values, 0 = no data.
    regions : ndarray of uint16, shape (H, W), optional
        Leaf regions; see `find_regions`.
    names : sequence of str
        Of the leaves, 1 and on; "Leaf n" where it is empty.
    doubtful : ndarray of bool, shape (H, W), optional
        Pixels whose cluster is not sure, of which those at the edge of a lesion
        count; without it there is no interval.
    pixel_area : float, optional
        mm² per pixel.
    """

    cube: str
    label_map: NDArray[np.uint8]
    regions: NDArray[np.uint16] | None = None
    names: Sequence[str] = ()
    doubtful: NDArray[np.bool_] | None = None
    pixel_area: float | None = None


def leaf_severity(
    leaf_map: LeafMap, roles: Mapping[int, str | None], *, min_lesion: int = 1
) -> list[SeverityRow]:
    """Measure one cube.

    Parameters
    ----------
    leaf_map : LeafMap
    roles : mapping of int to str or None
        Role by label value.
    min_lesion : int
        Pixels a piece must have to be counted as a lesion; percentages count all.

    Returns
    -------
    list of SeverityRow
        All of the cube first, then its leaves by number. The cube's row counts what
        lies outside the leaves, too.

    Raises
    ------
    ValueError
        If a map is not 2-D uint8, shapes differ, or a value has no role entry.
    """
    labels = leaf_map.label_map
    check_label_map(labels)
    regions = leaf_map.regions
    if regions is None:
        regions = np.zeros(labels.shape, np.uint16)
    counts = count_in_regions(regions, labels)
    lesion, healthy = (
        np.isin(labels, [v for v, role in roles.items() if role == kind and v])
        for kind in ("lesion", "healthy")
    )
    names = ("", *(leaf_map.names or default_region_names(len(counts) - 1)))
    if len(names) != len(counts):
        raise ValueError(f"{len(names) - 1} names for {len(counts) - 1} leaves")
    whole = lesion_sizes(lesion, min_pixels=min_lesion)[0]
    leaves = lesion_sizes(lesion, regions, min_pixels=min_lesion)[1:]
    windows = scipy.ndimage.find_objects(np.asarray(regions, np.int32))
    doubtful = leaf_map.doubtful
    if doubtful is not None:
        doubtful = doubtful & lesion_edge(lesion)
    rows = []
    for number, sizes in enumerate((whole, *leaves)):
        total = counts[number] if number else counts.sum(axis=0)
        window, inside = _EVERYWHERE, np.ones(labels.shape, bool)
        if number:
            down, right = windows[number - 1] or _EVERYWHERE
            window, inside = (down, right), regions[down, right] == number
        rows.append(
            SeverityRow(
                cube=leaf_map.cube,
                pixels=pixels_by_role(total, roles, leaf_map.cube),
                leaf=names[number],
                region=number,
                lesions=sizes,
                interval=_interval(doubtful, lesion, healthy, window, inside),
                pixel_area=leaf_map.pixel_area,
            )
        )
    return rows


def _interval(
    doubtful: NDArray[np.bool_] | None,
    lesion: NDArray[np.bool_],
    healthy: NDArray[np.bool_],
    window: tuple[slice, slice],
    inside: NDArray[np.bool_],
) -> Interval | None:
    if doubtful is None:
        return None
    return severity_interval(
        lesion[window] & inside, healthy[window] & inside, doubtful[window]
    )
