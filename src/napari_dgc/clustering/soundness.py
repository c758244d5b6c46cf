"""Whether a model's numbers can be computed with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import is_valid_linkage

_FLOATS = (
    "front_end.mean",
    "front_end.band_std",
    "front_end.band_noise",
    "front_end.projection",
    "front_end.noise_std",
    "centroids",
    "mean_spectra",
)
_MAY_LACK = ("wavelengths", "linkage")
MAX_ID = 255
"""The highest cluster id: maps are uint8."""


def check_clusters(
    cluster_ids: NDArray[Any],
    owners: NDArray[Any],
    retired_ids: Sequence[int],
    centroids: int,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Cluster ids (K,) and owners of a model as they must be.

    Parameters
    ----------
    cluster_ids : ndarray, shape (K,), or empty
        Empty for 1..K.
    owners : ndarray, shape (P,), or empty
        Cluster id of each centroid; empty where each is a cluster.
    retired_ids : sequence of int
    centroids : int
        P.

    Raises
    ------
    ValueError
        If an id is out of 1..255 or comes twice, or the clusters and the centroids
        are not those of each other.
    """
    own, ids = np.asarray(owners), np.asarray(cluster_ids)
    k = len({*own.tolist()}) or centroids
    if not ids.size:
        ids = np.arange(1, k + 1)
    taken = [*ids.tolist(), *retired_ids]
    whole = all(type(id) is int and 1 <= id <= MAX_ID for id in taken)
    if ids.shape != (k,) or not whole or len(set(taken)) < len(taken):
        raise ValueError(
            f"cluster ids {ids.tolist()} and retired ids {retired_ids}: give "
            f"{k} and any number, all different, from 1 to {MAX_ID}"
        )
    alike = own.shape == (centroids,) and {*own.tolist()} == {*ids.tolist()}
    if own.size and not alike:
        raise ValueError(
            f"{centroids} centroids of clusters {own.tolist()}: give each the id of "
            "its cluster, and every cluster a centroid"
        )
    return ids.astype(np.uint8), own.astype(np.uint8)


def finite_or_none(value: object) -> float | None:
    """A number as it was written, None for none; ValueError for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def check_numbers(
    tensors: Mapping[str, NDArray[Any]], ids: Sized, owners: Sized, offset: float
) -> None:
    """Raise ValueError unless shapes, types and values fit each other.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        As `Model.parts` names them.
    ids : list
        The clusters' ids, K of them.
    owners : list
        The centroids' clusters, P of them.
    offset : float

    Raises
    ------
    KeyError
        If one is missing.
    """
    mean, projection = tensors["front_end.mean"], tensors["front_end.projection"]
    C, D, K = len(mean), len(projection), len(ids)
    shapes = {
        "front_end.mean": (C,),
        "front_end.band_std": (C,),
        "front_end.band_noise": (C,),
        "front_end.projection": (D, C),
        "front_end.noise_std": (D,),
        "centroids": (len(owners), D + 1),
        "mean_spectra": (K, C),
        "counts": (K,),
        "good_bands": (C,),
        "wavelengths": (C,),
        "linkage": (K - 1, 4),
    }
    for name, shape in shapes.items():
        if (name in tensors or name not in _MAY_LACK) and tensors[name].shape != shape:
            raise ValueError(f"{name} is {tensors[name].shape}, it should be {shape}")
    floats = {name for name in tensors if name.startswith("encoder.")} | {*_FLOATS}
    for name in floats:
        if tensors[name].dtype != np.float32:
            raise ValueError(f"{name} is {tensors[name].dtype}, no float32")
    counts = tensors["counts"]
    if counts.dtype != np.int64 or counts.min(initial=0) < 0:
        raise ValueError("the pixels of a cluster are no count")
    counted = {"mean_spectra": tensors["mean_spectra"][counts > 0]}  # else of none
    for name in floats:
        if not np.isfinite(counted.get(name, tensors[name])).all():
            raise ValueError(f"{name} holds what is no number")
    tree = tensors.get("linkage")
    if tree is not None and not (np.isfinite(tree).all() and is_valid_linkage(tree)):
        raise ValueError("the tree of its clusters is none")
    good = np.count_nonzero(tensors["good_bands"])
    if min(C, D, K) < 1 or good < 2 or not math.isfinite(offset):
        raise ValueError("there is nothing in it")
