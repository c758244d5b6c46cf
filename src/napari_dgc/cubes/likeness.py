"""How alike clusters are, from their mean spectra alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

# What is flat over the bands (a glint, a grey cloth) counts a tenth.
_FLAT = 0.1
# The black level, as a share of a bright cluster's level (its root mean square
# over the bands; the 90th percentile over the clusters): small while many groups
# are left, so that a dark lesion is told apart by its colour; larger among the
# last few, so that what is nearly black goes to the black.
_FINE, _COARSE = 0.02, 0.13
LAST = 6  # groups among which the coarse level decides
_BRIGHT = 0.9  # quantile


def material_angles(spectra: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Angles between mean spectra as those of materials in some light.

    Parameters
    ----------
    spectra : ndarray of float64, shape (K, C)
    level : float
        The black level, in the units of the spectra.

    Returns
    -------
    ndarray of float64, shape (K, K)
        Radians.

    Notes
    -----
    The angle does not see how strong the light is; taking most of the flat
    part away, it hardly sees a glint either, which adds light of the lamp's
    colour. Appending the black level keeps apart what is far above black from
    what is near it: at an angle alone, cloth with a tenth of leaf in its pixels
    is leaf. Bands that are zero in all spectra (bad ones) do not count.
    """
    used = spectra[:, (spectra != 0).any(axis=0)]
    if not used.shape[1]:
        return np.zeros((len(spectra), len(spectra)))
    flat = used.mean(axis=1, keepdims=True)
    black = np.full((len(used), 1), level * np.sqrt(used.shape[1]))
    return spectral_angles(np.hstack([used - flat + _FLAT * flat, black]))


def tree_angles(
    spectra: NDArray[np.float64],
    counted: NDArray[np.bool_] | None = None,
    *,
    last: bool = False,
) -> NDArray[np.float64]:
    """Angles (K, K) while many groups are left, or among the last `LAST`.

    Parameters
    ----------
    spectra : ndarray of float64, shape (K, C)
    counted : ndarray of bool, shape (K,), optional
        The rows that say what is bright; all if not given.
    last : bool
        Whether those among the last.
    """
    used = spectra[:, (spectra != 0).any(axis=0)]
    scale = np.abs(used).max(initial=0.0) or 1.0  # nothing overflows when squared
    used = used / scale
    looked_at = used if counted is None or not counted.any() else used[counted]
    bright = 0.0
    if looked_at.size:
        levels = np.sqrt(np.square(looked_at).mean(axis=1))
        bright = float(np.quantile(levels, _BRIGHT))
    return material_angles(used, (_COARSE if last else _FINE) * bright)


def link_materials(spectra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average linkage of mean spectra (K, C) on their `material_angles`.

    Returns
    -------
    ndarray of float64, shape (K - 1, 4)
        SciPy's form; heights in radians, none below the one before.
    """
    K = len(spectra)
    angles, coarse = tree_angles(spectra), tree_angles(spectra, last=True)
    fine = link(angles)[: max(0, K - LAST)]
    nodes = {i: [i] for i in range(K)}  # clusters below each node that has no parent
    for row, (a, b, _, _) in enumerate(fine):
        nodes[K + row] = nodes.pop(int(a)) + nodes.pop(int(b))
    rows = fine.tolist()
    height = float(fine[-1, 2]) if len(fine) else 0.0
    while len(nodes) > 1:
        ids = sorted(nodes)
        pairs = [(a, b) for at, a in enumerate(ids) for b in ids[at + 1 :]]
        means = [coarse[np.ix_(nodes[a], nodes[b])].mean() for a, b in pairs]
        best = int(np.argmin(means))
        a, b = pairs[best]
        if rows:  # a little above the last one, so that cuts find the order again
            height = max(float(np.nextafter(height, np.inf)), float(means[best]))
        else:
            height = float(means[best])
        nodes[K + len(rows)] = nodes.pop(a) + nodes.pop(b)
        rows.append([a, b, height, len(nodes[K + len(rows)])])
    return np.array(rows, np.float64).reshape(-1, 4)


def link_clusters(
    spectra: NDArray[np.float64],
    counts: NDArray[np.int64],
    centroids: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Link the mean spectra (K, C) of clusters, some of which hold no pixel.

    Parameters
    ----------
    spectra : ndarray of float64, shape (K, C)
        Rows of clusters without pixels are not looked at.
    counts : ndarray of int64, shape (K,)
    centroids : ndarray of float64, shape (K, D + 1), optional
        See `hang`; where no cluster has a pixel, they are linked in its place.

    Returns
    -------
    ndarray of float64, shape (K - 1, 4)
        SciPy's form; heights in radians, 0 where an empty cluster hangs on another.
    """
    hosts = np.flatnonzero(counts > 0)
    if not len(hosts):
        points = np.zeros((len(counts), 1)) if centroids is None else centroids
        return link(spectral_angles(points))
    return hang(centroids, hosts, link_materials(spectra[hosts]), len(counts))


def link(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average linkage of angles (K, K), in SciPy's form."""
    if len(angles) < 2:
        return np.empty((0, 4))
    return np.asarray(linkage(squareform(angles), "average"), np.float64)


def spectral_angles(spectra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between all pairs of spectra, (K, K), in radians.

    Exact for nearly parallel spectra too, where the arc cosine loses half its
    digits: 2 arcsin(|u - v| / 2) for unit vectors u and v. A spectrum of zeros is
    square to all others and parallel to another of zeros.
    """
    scale = np.abs(spectra).max(axis=1, keepdims=True)  # no overflow when squared
    units = spectra / np.where(scale > 0, scale, 1)
    norms = np.linalg.norm(units, axis=1, keepdims=True)
    units /= np.where(norms > 0, norms, 1)
    # Pair by pair: (K, K) of memory, and to the last digit symmetric.
    angles = squareform(2 * np.arcsin(np.minimum(pdist(units) / 2, 1)), checks=False)
    dark = norms[:, 0] == 0
    angles[dark] = angles[:, dark] = np.pi / 2
    angles[np.ix_(dark, dark)] = 0
    np.fill_diagonal(angles, 0)
    return np.asarray(angles)


def hang(
    centroids: NDArray[np.float64] | None,
    hosts: NDArray[np.intp],
    above: NDArray[np.float64],
    K: int,
) -> NDArray[np.float64]:
    """Put the leaves that are no hosts under these, below the tree of hosts.

    Parameters
    ----------
    centroids : ndarray of float64, shape (K, D + 1), optional
        A leaf goes to the host whose centroid is nearest; without: to the first.
    hosts : ndarray of intp
        Leaves that are in a tree already.
    above : ndarray of float64, shape (len(hosts) - 1, 4)
        That tree, in SciPy's form.
    K : int
        Number of all leaves.

    Returns
    -------
    ndarray of float64, shape (K - 1, 4)
    """
    node = {int(host): int(host) for host in hosts}  # where each host's stem ends
    size = dict.fromkeys(range(K), 1)
    rows: list[tuple[float, float, float, float]] = []

    def join(a: int, b: int, height: float) -> int:
        new = K + len(rows)
        size[new] = size[a] + size[b]
        rows.append((min(a, b), max(a, b), height, size[new]))
        return new

    for leaf in sorted(set(range(K)) - {*node}):
        host = _nearest(centroids, leaf, hosts)
        node[host] = join(node[host], leaf, 0.0)
    ends = [node[int(host)] for host in hosts]
    for left, right, height, _ in above:
        ends.append(join(ends[int(left)], ends[int(right)], float(height)))
    return np.array(rows, np.float64).reshape(-1, 4)


def _nearest(
    centroids: NDArray[np.float64] | None, i: int, hosts: NDArray[np.intp]
) -> int:
    """Host whose centroid is nearest to leaf i's; the first one at a tie."""
    if centroids is None:
        return int(hosts[0])
    distance = np.linalg.norm(centroids[hosts] - centroids[i], axis=1)
    return int(hosts[int(distance.argmin())])
