"""The cubes of a study prepared otherwise: calibrated, or with other bands.

`prepare_cubes` may run in a worker; `Study.prepare` takes what it made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.calibration import Calibration
from napari_dgc.cubes.cube import Cube, row_slices
from napari_dgc.cubes.pixel_states import PixelCounts, count_in_steps
from napari_dgc.cubes.preparing import prepare_anew
from napari_dgc.merging.statistics import ClusterStatistics, StatisticsBuilder
from napari_dgc.study.mapping import Progress
from napari_dgc.study.study import Study

_ROWS_PER_READ = 64


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """How a cube shall be prepared.

    Attributes
    ----------
    index : int
        Its place in the study.
    cube : Cube
    calibration : Calibration, optional
    out : ndarray of bool, shape (C,)
        Bands to leave out.
    clusters, confidence : ndarray of uint8, shape (H, W), optional
        Its finest map, whose sums are counted anew over the spectra as they will
        be, and the confidence in 255ths.
    highest : int
        The highest cluster id its statistics have a row for.
    """

    index: int
    cube: Cube
    calibration: Calibration | None
    out: NDArray[np.bool_]
    clusters: NDArray[np.uint8] | None = None
    confidence: NDArray[np.uint8] | None = None
    highest: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCube:
    """What `prepare_cubes` made of one cube, and how many of its pixels count."""

    index: int
    before: Cube
    cube: Cube
    counts: PixelCounts
    statistics: ClusterStatistics | None


def wanted(
    study: Study,
    index: int,
    calibration: Calibration | None,
    out: NDArray[np.bool_],
) -> Wanted:
    """Say how a cube of a study shall be prepared; its map goes along."""
    sums = study.finest_statistics(index)
    return Wanted(
        index,
        study.cubes[index],
        calibration,
        out,
        study.finest_map(index) if sums is not None else None,
        study.confidence(index),
        len(sums.count) - 1 if sums is not None else 0,
    )


def prepare_cubes(wishes: Sequence[Wanted]) -> Iterator[Progress | PreparedCube]:
    """Prepare cubes; count their pixels and the sums of their maps.

    Nothing of a cube is copied: its values are computed as they are read.

    Yields
    ------
    Progress
        Over all cubes together.
    PreparedCube
        Of each cube, in order.

    Raises
    ------
    InputError
        If references or bands do not fit a cube.
    """
    # Whatever does not fit is told before the first cube is read.
    cubes = [prepare_anew(one.cube, one.calibration, one.out) for one in wishes]
    for i, (one, cube) in enumerate(zip(wishes, cubes, strict=True)):
        text = f"Reading {cube.name}"
        counts = sums = None
        for piece in count_in_steps(cube):
            if isinstance(piece, PixelCounts):
                counts = piece
            else:
                yield Progress(text, (i + piece / 2) / len(wishes))
        if one.clusters is not None:
            for step in _recount(one, one.clusters, cube):
                if isinstance(step, ClusterStatistics):
                    sums = step
                else:
                    yield Progress(text, (i + 0.5 + step / 2) / len(wishes))
        if counts is None:
            raise RuntimeError("counting pixels ended without a count")
        yield PreparedCube(one.index, one.cube, cube, counts, sums)


def take(study: Study, done: Sequence[PreparedCube]) -> None:
    """Take over prepared cubes; those that are no longer there are passed over."""
    here: Mapping[int, Cube] = dict(enumerate(study.cubes))
    kept = [one for one in done if here.get(one.index) is one.before]
    sums = {one.index: one.statistics for one in kept if one.statistics is not None}
    study.prepare({one.index: one.cube for one in kept}, sums)


def outdated(study: Study) -> str:
    """Why the model in use does not fit the cubes as they are prepared; "" if it does.

    "calibrated" where it was made of raw counts and the cubes are calibrated now, "raw"
    the other way round; "bands" where all cubes have left out bands that it works with,
    or have taken in bands that it never saw; "mixed" where some cubes are calibrated
    and others are not, with or without a model.
    """
    model = study.model
    there = [c for i, c in enumerate(study.cubes) if i not in study.missing]
    calibrated = [cube.calibration is not None for cube in there]
    if len(set(calibrated)) > 1:
        return "mixed"
    if model is None or not there:
        return ""
    if not model.calibrations and any(calibrated):
        return "calibrated"
    if model.calibrations and not all(calibrated):
        return "raw"
    if model.bands != there[0].bands:
        return ""
    good = [
        np.ones(c.bands, bool) if c.good_bands is None else c.good_bands for c in there
    ]
    lost = model.good_bands & ~reduce(or_, good)
    gained = reduce(and_, good) & ~model.good_bands
    return "bands" if lost.any() or gained.any() else ""


def _recount(
    one: Wanted, clusters: NDArray[np.uint8], cube: Cube
) -> Iterator[float | ClusterStatistics]:
    """Sum the spectra of a map's clusters; yields shares of it, then the sums."""
    C, H, W = cube.shape
    builder = StatisticsBuilder(one.highest, C)
    for rows in row_slices(H, _ROWS_PER_READ):
        spectra, valid = cube.block(rows, slice(0, W))
        ids = np.where(valid, clusters[rows], 0)
        if one.confidence is None:
            confidence: NDArray[np.floating] = np.zeros(ids.shape, np.float32)
        else:
            confidence = one.confidence[rows] / np.float32(255)
        builder.add(ids, confidence, spectra)
        yield rows.stop / H
    yield builder.finish(clusters)
