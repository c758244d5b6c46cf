"""Working splits out: which pixels go where, and the sums of the parts.

Joins the rooms that do not know each other, as `mapping` does. All of it may run in
a worker: a `Whole` is taken on the screen's thread, and what comes of it is taken
into the study there by `Mapped.take_split`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_dgc.merging.grouping import MergeError
from napari_dgc.merging.members import unlocked
from napari_dgc.merging.refining import choose_pieces, mask_digest
from napari_dgc.merging.splits import Centers, Pieces, Split, free_ids
from napari_dgc.study.dividing import CubeMap, DividedMap, divide_map, mapped_cubes
from napari_dgc.study.mapping import Progress

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study

_FITTING = 0.4  # share of the time; dividing takes the rest


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A cluster that shall be split, as it is before.

    Attributes
    ----------
    model : Model
    maps : mapping of int to CubeMap
        Every mapped cube, by its place in the study.
    cluster : int
    used : frozenset of int
        Cluster ids that cannot be given away.
    """

    model: Model
    maps: Mapping[int, CubeMap]
    cluster: int
    used: frozenset[int]

    @classmethod
    def of(cls, study: Study, cluster: int) -> Whole:
        """Take a study as it is; costs microseconds.

        Raises
        ------
        MergeError
            If the cluster is in no group, or in a locked one, or no id is left.
        """
        model, grouping = study.model, study.grouping
        if model is None or grouping is None:
            raise MergeError("there is no model yet; make a map first")
        unlocked(grouping, grouping.group_of(cluster).id)
        used = {*grouping.clusters, *model.cluster_ids.tolist(), *model.retired_ids}
        free_ids(used, 1)
        return cls(model, mapped_cubes(study), cluster, frozenset(used))


@dataclass(frozen=True, slots=True, eq=False)
class Divided:
    """A split, worked out.

    Attributes
    ----------
    split : Split
    maps : mapping of int to DividedMap
        Of the cubes that hold pixels of the cluster, by their place.
    notice : str
        Something the user should know; mostly empty.
    """

    split: Split
    maps: Mapping[int, DividedMap]
    notice: str = ""


def split_in_two(
    whole: Whole, *, seed: int | None = None, device: str = "auto"
) -> Iterator[Progress | Divided]:
    """Divide a cluster by 2-means in the model's embedding, in all mapped cubes.

    Parameters
    ----------
    whole : Whole
    seed : int, optional
        The model's if not given.
    device : str
        As in `Config`.

    Yields
    ------
    Progress
    Divided
        Last.

    Raises
    ------
    MergeError
        If the cluster has no pixels, or they cannot be told apart.
    InputError
        If a cube that holds pixels of it cannot be read.
    """
    from napari_dgc.clustering.splitting import Fit, fit_two

    cluster, model = whole.cluster, whole.model
    masks = {i: one.clusters == cluster for i, one in whole.maps.items()}
    masks = {i: mask for i, mask in masks.items() if mask.any()}
    if not masks:
        raise MergeError(f"cluster {cluster} has no pixel in the mapped cubes")
    text = f"Splitting cluster {cluster}"
    yield Progress(text, 0.0)
    fit: Fit | None = None
    for piece in fit_two(
        model,
        [cube for i in masks if (cube := whole.maps[i].cube) is not None],
        list(masks.values()),
        seed=model.seed if seed is None else seed,
        device=device,
    ):
        if isinstance(piece, Fit):
            fit = piece
        else:
            yield Progress(text, _FITTING * piece)
    if fit is None or (fit.centroids[0] == fit.centroids[1]).all():
        raise MergeError(f"the pixels of cluster {cluster} cannot be told apart")
    parts = free_ids(whole.used, 1)
    rule = Centers(tuple(tuple(row) for row in fit.centroids.tolist()))
    draft = Split(cluster, parts, (0, 0), rule)
    maps: dict[int, DividedMap] = {}
    for at, index in enumerate(masks):
        for done in divide_map(model, whole.maps[index], draft, device=device):
            if isinstance(done, DividedMap):
                maps[index] = done
            else:
                share = (at + done) / len(masks)
                yield Progress(text, _FITTING + (1 - _FITTING) * share)
    split = _counted(draft, maps)
    if min(split.pixels) == 0:
        raise MergeError(f"the pixels of cluster {cluster} cannot be told apart")
    yield Divided(split, maps)


def split_by_pieces(whole: Whole, index: int) -> Iterator[Progress | Divided]:
    """Give the largest connected pieces of a cluster in one cube ids of their own.

    The small ones stay together under the cluster's id, as do its pixels in other
    cubes; without small ones the largest piece does.

    Yields
    ------
    Progress
    Divided
        Last.

    Raises
    ------
    MergeError
        If there is no map, but one piece, or none large enough.
    InputError
        If the cube cannot be read.
    """
    one = whole.maps.get(index)
    if one is None:
        raise MergeError("the cube on show has no map yet")
    cluster, name = whole.cluster, "it" if one.cube is None else one.cube.name
    text = f"Splitting cluster {cluster} by pieces"
    yield Progress(text, 0.0)
    mask = one.clusters == cluster
    if not mask.any():
        raise MergeError(f"cluster {cluster} has no pixel in {name}")
    sizes, keeps_largest = choose_pieces(mask)
    if not sizes.size:
        why = "is one piece" if keeps_largest else "is in small pieces only"
        raise MergeError(f"cluster {cluster} {why} in {name}; nothing to split off")
    parts = free_ids(whole.used, len(sizes))
    rule = Pieces(name, mask_digest(mask), keeps_largest)
    draft = Split(cluster, parts, (0,) * (len(parts) + 1), rule)
    maps: dict[int, DividedMap] = {}
    for done in divide_map(whole.model, one, draft):
        if isinstance(done, DividedMap):
            maps[index] = done
        else:
            yield Progress(text, done)
    lacking = len(sizes) - len(parts)
    notice = f"No cluster id is left for {lacking} pieces." if lacking else ""
    yield Divided(_counted(draft, maps), maps, notice)


def _counted(split: Split, maps: Mapping[int, DividedMap]) -> Split:
    """The split with the pixels of its parts, over all maps."""
    counts = np.zeros(len(split.ids), np.int64)
    for one in maps.values():
        counts += np.bincount(one.clusters.ravel(), minlength=256)[list(split.ids)]
    return Split(split.cluster, split.parts, tuple(counts.tolist()), split.rule)
