"""How far a cube's clusters lie from those the model was trained on. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_dgc.clustering.model import Model

_LEAST_SHARE = 1e-3  # of a cube's pixels: the mean of fewer is chance


def departure(
    model: Model, counts: NDArray[np.int64], means: NDArray[np.float64]
) -> float | None:
    """Distance of a cube from what the model has seen, in noise units.

    Parameters
    ----------
    model : Model
    counts : ndarray of int64, shape (R,)
        The cube's pixels per cluster id.
    means : ndarray of float64, shape (R, C)
        Its clusters' mean spectra; rows without pixels may hold anything.

    Returns
    -------
    float or None
        Mean over the cube's pixels; None where no cluster can be compared.

    Notes
    -----
    Label-free, from K rows. Each cluster's mean spectrum in this cube and in the
    training cubes is put through the front-end onto the sphere on which pixels
    are assigned, so that other light counts little and other material much. Their
    distance there is divided by sqrt(2 tau) at that place: by what noise alone puts
    between two pixels of one material. A mean over pixels holds next to no noise:
    what remains is another sensor, calibration or material.
    """
    ids = model.cluster_ids.astype(np.intp)
    ids_there = ids < len(counts)
    count = np.where(ids_there, counts[np.where(ids_there, ids, 0)], 0)
    used = (count > _LEAST_SHARE * count.sum()) & (model.counts > 0)
    if not used.any():
        return None
    here = _lift(model, means[ids[used]])
    seen = _lift(model, model.mean_spectra[used].astype(np.float64))
    noise = float(np.square(model.front_end.noise_std.astype(np.float64)).sum())
    tau = noise / model.offset**2
    # s / |(y, s)|, the last coordinate, is how noise shrinks away from black.
    scale = 2 * tau * here[:, -1] * seen[:, -1]
    apart = np.sqrt(np.square(here - seen).sum(axis=1) / scale)
    return float(np.average(apart, weights=count[used]))


def _lift(model: Model, spectra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spectra (N, C) to unit vectors (N, D+1), as `embedding.lift` does."""
    # U(x - mu) minus the black point U(0 - mu) is U x.
    y = spectra @ model.front_end.projection.T.astype(np.float64)
    lifted = np.hstack([y, np.full((len(y), 1), model.offset)])
    unit: NDArray[np.float64] = lifted / np.linalg.norm(lifted, axis=1, keepdims=True)
    return unit
