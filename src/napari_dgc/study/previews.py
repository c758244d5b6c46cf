"""Maps of subsampled pixels, quick enough to be seen while training goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model

PREVIEW_SIDE = 256


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


def make_preview(
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
        yield make_preview(model, cube, small, device)
