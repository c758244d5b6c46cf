"""From a model and cubes to cluster maps with their statistics.

Joins the rooms that do not know each other: the windows that inference
yields feed the statistics that merging lives on. Everything is a generator,
so that the screen's worker and the command line can show progress and stop
between two pieces of work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.splits import Split
from napari_dgc.merging.statistics import ClusterStatistics, StatisticsBuilder
from napari_dgc.study.previews import Preview, make_preview, thumbnail

if TYPE_CHECKING:
    from napari_dgc.clustering.config import Config
    from napari_dgc.clustering.model import Model
    from napari_dgc.clustering.training import Step


@dataclass(frozen=True, slots=True)
class MappedCube:
    """One cube's map, finished.

    Attributes
    ----------
    index : int
        The cube's place among those given.
    clusters : ndarray of uint8, shape (H, W)
    confidence : ndarray of float32, shape (H, W)
    statistics : ClusterStatistics
    splits : tuple of Split
        By which the map is refined.
    """

    index: int
    clusters: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    statistics: ClusterStatistics
    splits: tuple[Split, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work is.

    Attributes
    ----------
    text : str
        What is being done, in words for the user.
    done : float
        0..1.
    notice : str
        Something the user should know; mostly empty.
    """

    text: str
    done: float
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """Training and mapping are done.

    Attributes
    ----------
    model : Model
    maps : tuple of MappedCube
        One per cube given.
    overlap : ndarray of int64, shape (256, 256), optional
        Pixels by the cluster id they had and the one they have now, over all cubes;
        where the groups shall be kept (see `napari_dgc.study.taking`).
    """

    model: Model
    maps: tuple[MappedCube, ...]
    overlap: NDArray[np.int64] | None = None


def map_cube(
    model: Model, cube: Cube, *, index: int = 0, device: str = "auto"
) -> Iterator[Progress | MappedCube]:
    """Segment one cube and gather its statistics in the same pass.

    Yields
    ------
    Progress
        After each window.
    MappedCube
        Last.
    """
    from napari_dgc.clustering.inference import windows

    C, H, W = cube.shape
    clusters = np.zeros((H, W), np.uint8)
    confidence = np.zeros((H, W), np.float32)
    builder = StatisticsBuilder(int(model.cluster_ids.max()), C)
    seen = 0
    for window in windows(model, cube, device=device):
        clusters[window.rows, window.cols] = window.ids
        confidence[window.rows, window.cols] = window.confidence
        builder.add(window.ids, window.confidence, window.spectra)
        seen += window.ids.size
        yield Progress(f"Mapping {cube.name}", seen / (H * W), window.notice)
    yield MappedCube(index, clusters, confidence, builder.finish(clusters))


def train_and_map(
    cubes: Sequence[Cube],
    config: Config,
    *,
    shown: Callable[[], int] = lambda: 0,
) -> Generator[Step | Preview | Progress | Finished, None, None]:
    """Train over all cubes, then map each of them.

    Parameters
    ----------
    cubes : sequence of Cube
    config : Config
    shown : callable
        Returns the index of the cube whose preview is wanted; called
        whenever a snapshot is at hand.

    Yields
    ------
    Step
        Each training step, as `napari_dgc.train` yields it.
    Preview
        After each step that carries a snapshot.
    Progress
        While the final maps are made.
    Finished
        Last.

    Notes
    -----
    A thread reads ahead while training goes on; it ends with the training, or
    when this generator is closed.
    """
    from napari_dgc.clustering.config import PREFETCH
    from napari_dgc.clustering.training import train

    small: tuple[int, Cube, int] | None = None  # of the cube on show, kept
    model = None
    with closing(train(cubes, config, prefetch=PREFETCH)) as steps:
        for step in steps:
            yield step
            if step.snapshot is not None:
                index = min(max(shown(), 0), len(cubes) - 1)
                if small is None or small[0] != index:
                    small = index, *thumbnail(cubes[index])
                yield make_preview(step.snapshot, cubes[index], small, config.device)
            model = step.model
    if model is None:
        raise RuntimeError("training ended without a model")
    yield from map_cubes(model, cubes, device=config.device)


def map_cubes(
    model: Model,
    cubes: Sequence[Cube],
    *,
    device: str = "auto",
    splits: tuple[Split, ...] = (),
) -> Iterator[Progress | Finished]:
    """Map every cube with one model.

    Parameters
    ----------
    model : Model
    cubes : sequence of Cube
    device : str
        As in `Config`.
    splits : tuple of Split
        Each map is refined by them.

    Yields
    ------
    Progress
        Over all cubes together.
    Finished
        Last.
    """
    maps: list[MappedCube] = []
    for index, cube in enumerate(cubes):
        for piece in map_cube(model, cube, index=index, device=device):
            if isinstance(piece, MappedCube):
                maps.append((yield from _refined(model, cube, piece, splits, device)))
            else:
                done = (index + piece.done) / len(cubes)
                yield Progress(piece.text, done, piece.notice)
    yield Finished(model, tuple(maps))


def _refined(
    model: Model,
    cube: Cube,
    done: MappedCube,
    splits: tuple[Split, ...],
    device: str,
) -> Generator[Progress, None, MappedCube]:
    """Refine a map by splits; gives it back."""
    from napari_dgc.study.dividing import CubeMap, refine

    one = CubeMap(cube, done.clusters, done.statistics, done.confidence)
    for piece in refine(model, one, splits, device=device):
        if isinstance(piece, CubeMap):
            one = piece
        else:
            yield piece
    if one.statistics is None:
        raise RuntimeError("a map was split and its sums were not")
    return MappedCube(done.index, one.clusters, done.confidence, one.statistics, splits)
