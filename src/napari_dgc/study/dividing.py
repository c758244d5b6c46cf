"""Refining one map by a split, and renewing the sums of its cluster alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.refining import divide
from napari_dgc.merging.splits import Centers, Split
from napari_dgc.merging.statistics import (
    ClusterStatistics,
    StatisticsBuilder,
    count_boundaries,
)
from napari_dgc.study.mapping import Progress

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study


@dataclass(frozen=True, slots=True, eq=False)
class CubeMap:
    """One cube with its map, and with what is known of it.

    A split by pieces needs no cube where there are no sums to renew.
    """

    cube: Cube | None
    clusters: NDArray[np.uint8]
    statistics: ClusterStatistics | None = None
    confidence: NDArray[np.uint8] | NDArray[np.float32] | None = None


def mapped_cubes(study: Study) -> dict[int, CubeMap]:
    """Take every cube that has a map, by its place; costs microseconds."""
    maps = {}
    for index, cube in enumerate(study.cubes):
        clusters = study.cluster_map(index)
        if clusters is not None:
            sums, sure = study.statistics(index), study.confidence(index)
            maps[index] = CubeMap(cube, clusters, sums, sure)
    return maps


@dataclass(frozen=True, slots=True, eq=False)
class DividedMap:
    """One map before and after a split, and the sums after it."""

    base: NDArray[np.uint8]
    clusters: NDArray[np.uint8]
    statistics: ClusterStatistics | None


def divide_map(
    model: Model, one: CubeMap, split: Split, *, device: str = "auto"
) -> Iterator[float | DividedMap]:
    """Refine one map by a split, and renew the sums of its cluster alone.

    Yields
    ------
    float
        How much is done, 0..1.
    DividedMap
        Last; nothing where the map has no pixel of the cluster, or the split is by
        pieces of another cube.
    """
    from napari_dgc.clustering.inference import blocks
    from napari_dgc.clustering.splitting import nearest

    base, mask = one.clusters, one.clusters == split.cluster
    if not mask.any():
        return
    builder = None
    if one.statistics is not None:
        rows = max(len(one.statistics.count), max(split.ids) + 1)
        builder = StatisticsBuilder(rows - 1, model.bands)
    refined = base.copy() if isinstance(split.rule, Centers) else divide(base, split)
    if refined is None:
        return
    cube = one.cube
    if cube is None and (builder is not None or isinstance(split.rule, Centers)):
        raise InputError(
            "the map",
            f"cluster {split.cluster} is split by spectra, which no map holds",
            "give its cube (with --cubes)",
        )
    seen, total = 0, int(mask.sum())
    if cube is not None and isinstance(split.rule, Centers):
        centroids = np.array(split.rule.values, np.float32)
        for window in nearest(model, cube, centroids, split.ids, mask, device=device):
            place = window.rows, window.cols
            inside = mask[place] & (window.ids > 0)
            refined[place][inside] = window.ids[inside]
            _gather(builder, refined[place], mask[place], window.spectra)
            seen += int(mask[place].sum())
            yield seen / total
    elif cube is not None and builder is not None:
        for block in blocks(model, cube, 0, where=mask):
            place = block.rows, block.cols
            _gather(builder, refined[place], mask[place], block.spectra)
            seen += int(mask[place].sum())
            yield seen / total
    sums = None if builder is None else _renewed(one, split, refined, builder)
    yield DividedMap(base, refined, sums)


def refine(
    model: Model,
    one: CubeMap,
    splits: tuple[Split, ...],
    *,
    device: str = "auto",
) -> Iterator[Progress | CubeMap]:
    """Refine a map by every split that it has not been refined by.

    A map holds pixels of a split's parts where it has been.

    Yields
    ------
    Progress
    CubeMap
        Last.
    """
    for at, split in enumerate(splits):
        if np.isin(one.clusters, split.parts).any():
            continue
        for done in divide_map(model, one, split, device=device):
            if isinstance(done, DividedMap):
                one = CubeMap(one.cube, done.clusters, done.statistics, one.confidence)
            else:
                name = "a map" if one.cube is None else one.cube.name
                yield Progress(f"Splitting in {name}", (at + done) / len(splits))
    yield one


def _gather(
    builder: StatisticsBuilder | None,
    ids: NDArray[np.uint8],
    mask: NDArray[np.bool_],
    spectra: NDArray[np.float32],
) -> None:
    if builder is not None:
        only = np.where(mask, ids, np.uint8(0))
        builder.add(only, np.zeros(only.shape, np.float32), spectra)


def _renewed(
    one: CubeMap,
    split: Split,
    refined: NDArray[np.uint8],
    builder: StatisticsBuilder,
) -> ClusterStatistics:
    """The sums after a split: those of its cluster and parts are new."""
    old = one.statistics
    if old is None:
        raise RuntimeError("there are no sums to renew")
    mask = one.clusters == split.cluster
    only = np.where(mask, refined, np.uint8(0))
    builder.skip_rest(only.size)
    new, ids = builder.finish(only), list(split.ids)
    old = old.grown(len(new.count))
    count, confidence = old.count.copy(), old.confidence.copy()
    total, squares = old.sum.copy(), old.sum_squares.copy()
    count[ids], total[ids], squares[ids] = (
        new.count[ids], new.sum[ids], new.sum_squares[ids]
    )  # fmt: skip
    # The parts' confidences add up to what the cluster had, to the rounding of the
    # 255ths that they are kept in.
    weights = None if one.confidence is None else one.confidence[mask]
    sure = np.bincount(refined[mask], weights, minlength=len(count))[ids]
    if not sure.sum():
        sure = new.count[ids].astype(np.float64)
    confidence[ids] = old.confidence[split.cluster] * sure / sure.sum()
    boundary = count_boundaries(refined, len(count) - 1)
    return ClusterStatistics(count, total, squares, confidence, boundary)
