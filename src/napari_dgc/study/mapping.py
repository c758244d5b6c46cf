"""From a model and cubes to cluster maps with their statistics.

Joins the rooms that do not know each other: the windows that inference
yields feed the statistics that merging lives on. Everything is a generator,
so that the screen's worker and the command line can show progress and stop
between two pieces of work.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.statistics import ClusterStatistics, StatisticsBuilder

if TYPE_CHECKING:
    from napari_dgc.clustering.config import Config
    from napari_dgc.clustering.model import Model
    from napari_dgc.clustering.training import Step

PREVIEW_SIDE = 256


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
    """

    index: int
    clusters: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    statistics: ClusterStatistics


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
class Preview:
    """A map of subsampled pixels, made while training goes on.

    Attributes
    ----------
    index : int
        The cube's place among those given.
    clusters : ndarray of uint8, shape (H, W)
        At the cube's full size: each mapped pixel fills its stride.
    model : Model
        The snapshot it was made with.
    small : ndarray of uint8, shape (h, w)
        The mapped pixels alone; `enlarge` makes `clusters` of them.
    """

    index: int
    clusters: NDArray[np.uint8]
    model: Model
    small: NDArray[np.uint8]


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
                yield _preview(step.snapshot, cubes[index], small, config.device)
            model = step.model
    if model is None:
        raise RuntimeError("training ended without a model")
    yield from map_cubes(model, cubes, device=config.device)


def map_cubes(
    model: Model, cubes: Sequence[Cube], *, device: str = "auto"
) -> Iterator[Progress | Finished]:
    """Map every cube with one model.

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
                maps.append(piece)
            else:
                done = (index + piece.done) / len(cubes)
                yield Progress(piece.text, done, piece.notice)
    yield Finished(model, tuple(maps))


def thumbnail(cube: Cube, side: int = PREVIEW_SIDE) -> tuple[Cube, int]:
    """Take every n-th pixel, so that no side is longer than `side`.

    Returns
    -------
    small : Cube
        In memory, float32.
    stride : int
        n.
    """
    _, H, W = cube.shape
    stride = stride_of(cube, side)
    rows = range(0, H, stride)
    small = np.empty((cube.bands, len(rows), len(range(0, W, stride))), np.float32)
    valid = np.empty(small.shape[1:], bool)
    for at, row in enumerate(rows):
        spectra, good = cube.block(slice(row, row + 1), slice(0, W))
        small[:, at] = spectra[:, 0, ::stride]
        valid[at] = good[0, ::stride]
    return (
        Cube(
            small,
            cube.wavelengths,
            cube.name,
            good_bands=cube.good_bands,
            mask=valid,
        ),
        stride,
    )


def stride_of(cube: Cube, side: int = PREVIEW_SIDE) -> int:
    """Every how many pixels one is taken, so that no side is longer than `side`."""
    return max(1, -(-max(cube.shape[1:]) // side))


def enlarge(small: NDArray[np.uint8], cube: Cube) -> NDArray[np.uint8]:
    """Blow the map of a cube's thumbnail up to the cube's size, (H, W)."""
    _, H, W = cube.shape
    stride = stride_of(cube)
    if stride == 1:
        return small
    return small.repeat(stride, axis=0).repeat(stride, axis=1)[:H, :W]


def _preview(
    model: Model, cube: Cube, small: tuple[int, Cube, int], device: str
) -> Preview:
    """Segment a thumbnail and blow the map up to the cube's size."""
    from napari_dgc.clustering.inference import segment

    index, thumb = small[:2]
    clusters = segment(model, thumb, device=device).clusters
    return Preview(index, enlarge(clusters, cube), model, clusters)


def preview_all(
    models: Iterable[Model], cube: Cube, *, index: int = 0, device: str = "auto"
) -> Iterator[Preview]:
    """Map a cube's thumbnail with one model after the other.

    Yields
    ------
    Preview
        One per model, with this `index`.
    """
    small = index, *thumbnail(cube)
    for model in models:
        yield _preview(model, cube, small, device)
