"""What is known of each cluster there is, those that came of splits too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.clustering.gathering import centers
from napari_dgc.merging.splits import Centers

if TYPE_CHECKING:
    from napari_dgc.study.study import Study


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Rows of numbers, one per cluster.

    Attributes
    ----------
    ids : tuple of int, length K
    mean_spectra : ndarray of float64, shape (K, C)
        The model's; of split clusters and their parts, those of the maps.
    counts : ndarray of int64, shape (K,)
        Pixels, as the tree deals them.
    centroids : ndarray of float32, shape (K, D + 1)
        On the unit sphere; a part by pieces has its cluster's.
    """

    ids: tuple[int, ...]
    mean_spectra: NDArray[np.float64]
    counts: NDArray[np.int64]
    centroids: NDArray[np.float32]


def known_clusters(study: Study) -> Clusters | None:
    """Gather what is known of a study's clusters; None without a model."""
    model, tree = study.model, study.tree
    if model is None or tree is None:
        return None
    rows = dict(zip(model.cluster_ids.tolist(), range(model.k), strict=True))
    means = {id: model.mean_spectra[row] for id, row in rows.items()}
    middles = centers(model)
    centroids = {id: middles[row] for id, row in rows.items()}
    pooled = study.pooled_statistics if study.splits else None
    seen = None if pooled is None else pooled.mean()
    for split in study.splits:
        for at, id in enumerate(split.ids):
            if isinstance(split.rule, Centers):
                centroids[id] = np.array(split.rule.values[at], np.float32)
            else:
                centroids[id] = centroids[split.cluster]
            means.setdefault(id, means[split.cluster])
            if seen is not None and id < len(seen) and np.isfinite(seen[id]).all():
                means[id] = seen[id]
    ids = tree.cluster_ids
    return Clusters(
        ids,
        np.array([means[id] for id in ids], np.float64),
        tree.counts,
        np.array([centroids[id] for id in ids]),
    )
