"""Cutting the tree of clusters the slow way, on pixels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pixel_model import PixelModel, Pixels, State

    from napari_dgc.merging import ClusterTree

_PLAIN = re.compile(r"(Group|Cluster) \d+( \(\d+\))?")
Parts = list[tuple[int | None, list[list[int]]]]


def expected_cut(
    model: PixelModel,
    at: State,
    tree: ClusterTree,
    n: int,
    is_data: Pixels,
) -> Parts:
    """Say which parts a cut at `n` groups should have, by their lowest cluster.

    Each part is the group id that it keeps (None: a new one) and its atoms.
    `is_data` is 1 where a pixel counts for who keeps an id, else 0.
    """
    free = [id for id in at.order if not at.locked[id]]
    part = _joined(at, tree, free, n - (len(at.order) - len(free)))
    values = np.unique(part[part > 0]).tolist()
    values.sort(key=lambda value: at.clusters[part == value].min())
    claims: dict[int, tuple[bool, int, int, int]] = {}
    for id in free:
        best = (-1, -1, 0)  # pixels and clusters shared, and with which part
        for value in np.unique(part[at.owner == id]).tolist():
            shared = (at.owner == id) & (part == value)
            size = len(np.unique(at.clusters[shared]))
            pixels = int(is_data[shared].sum())
            lowest = int(at.clusters[part == value].min())
            best = max(best, (pixels, size, -lowest))
        part_of_lowest = int(part[at.clusters == -best[2]][0])
        marked = at.roles[id] is not None or not _PLAIN.fullmatch(at.names[id])
        claim = (marked, *best[:2], -id)
        claims[part_of_lowest] = max(claims.get(part_of_lowest, claim), claim)
    keepers = {value: -claim[3] for value, claim in claims.items()}
    return [
        (keepers.get(value), [
            np.unique(at.clusters[at.atom == atom]).tolist()
            for atom in np.unique(at.atom[part == value])
        ])
        for value in values
    ]  # fmt: skip


def _joined(
    at: State,
    tree: ClusterTree,
    free: list[int],
    wanted: int,
) -> Pixels:
    """Number the parts, pixel by pixel; 0 where a group is locked or no data is."""
    inside = np.isin(at.owner, free)
    part = np.where(inside, at.atom, 0)
    below = [[c] for c in tree.cluster_ids]
    for left, right, *_ in tree.linkage:
        below.append(below[int(left)] + below[int(right)])
        if len(np.unique(part[inside])) <= max(1, wanted):
            break
        joined = np.unique(part[inside & np.isin(at.clusters, below[-1])])
        # An atom can reach out of the branch: all of its part comes along.
        part[inside & np.isin(part, joined)] = min(joined, default=0)
    return part
