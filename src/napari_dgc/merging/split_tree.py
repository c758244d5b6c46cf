"""The tree of clusters when some of them are split."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_dgc.merging.refining import shares
from napari_dgc.merging.splits import Split
from napari_dgc.merging.tree import ClusterTree


def with_splits(tree: ClusterTree, splits: Iterable[Split]) -> ClusterTree:
    """Hang the parts of split clusters beside them.

    A part joins its cluster right before that first joins another one: what was
    split by hand is together again in coarse cuts alone. The cluster's pixels are
    dealt to it and its parts as they were when it was split.

    Parameters
    ----------
    tree : ClusterTree
    splits : iterable of Split
        In the order they were taken; each of a cluster that is there by then.
    """
    ids, counts = list(tree.cluster_ids), tree.counts.tolist()
    rows = tree.linkage.tolist()
    for split in splits:
        at = ids.index(split.cluster)
        counts[at], *dealt = shares(split.pixels, counts[at])
        for part, count in zip(split.parts, dealt, strict=True):
            rows = _hang_leaf(rows, at, len(ids))
            ids.append(part)
            counts.append(count)
    if len(ids) == len(tree.cluster_ids):
        return tree
    sizes = [1] * len(ids)
    for row in rows:
        row[3] = sizes[int(row[0])] + sizes[int(row[1])]
        sizes.append(int(row[3]))
    return ClusterTree(
        tuple(ids), np.array(rows).reshape(-1, 4), np.array(counts, np.int64)
    )


def _hang_leaf(rows: list[list[float]], at: int, K: int) -> list[list[float]]:
    """Join a new leaf K to leaf `at`, right below the row where that first joins."""
    place = next((r for r, row in enumerate(rows) if at in row[:2]), len(rows))
    height = rows[place][2] if place < len(rows) else 0.0
    joined = K + 1 + place  # number of the new node

    def renumbered(node: float, row: int) -> float:
        if node == at and row == place:
            return joined
        # One leaf more before all nodes; one row more before those above the new one.
        return node if node < K else node + 1 + (node >= K + place)

    moved = [[renumbered(a, r), renumbered(b, r), h, n]
             for r, (a, b, h, n) in enumerate(rows)]  # fmt: skip
    moved.insert(place, [at, K, height, 2])
    return [[min(a, b), max(a, b), h, n] for a, b, h, n in moved]
