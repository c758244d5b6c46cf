"""How far a map holds when the pixels are a little noisier than they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_dgc.clustering.devices import find_device
from napari_dgc.clustering.inference import windows
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import load_network
from napari_dgc.clustering.sampling import grown, inside
from napari_dgc.cubes.cube import Cube, row_slices

VIEWS = 5
"""Noisy views that a pixel is looked at in."""

FULL = 255
"""A pixel that keeps its cluster in every view."""

_WINDOW_VALUES = 5_000_000  # read at once, halo not counted: 20 MB, and as much noise
_WIDEST = 4_096
_IDS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """How often each pixel keeps its cluster under noise.

    Attributes
    ----------
    agreement : ndarray of uint8, shape (H, W)
        Share of the noisy views in which the pixel is in the cluster it is in
        without noise, in 255ths; 0 also where there is no data.
    transitions : ndarray of int64, shape (256, 256)
        Pixels times views, by the id that a pixel has in the map looked at (row)
        and the one that the model gives it in a noisy view (column).
    origins : ndarray of uint8, shape (256,)
        For each id in the map, the one that the model gives most of its pixels
        without noise: itself, unless its cluster was split. 0 for ids without pixels.
    places : ndarray of int64, shape (U,)
        The pixels that do not keep their cluster in all views, as row * W + column.
    ids : ndarray of uint8, shape (views, U)
        The model's ids of those pixels in each view.
    """

    agreement: NDArray[np.uint8]
    transitions: NDArray[np.int64]
    origins: NDArray[np.uint8]
    places: NDArray[np.int64]
    ids: NDArray[np.uint8]


def measure_stability(
    model: Model,
    cube: Cube,
    clusters: NDArray[np.uint8] | None = None,
    *,
    views: int = VIEWS,
    seed: int = 0,
    device: str = "auto",
    tile: tuple[int, int] | None = None,
) -> Iterator[float | Stability]:
    """Map a cube again and again with noise of the estimated strength added.

    Parameters
    ----------
    model : Model
        Its front-end knows the standard deviation of each band's noise.
    cube : Cube
        With the model's bands.
    clusters : ndarray of uint8, shape (H, W), optional
        A map whose ids transitions are counted by; the model's own if not given.
    views : int
        At least 1; each costs as much as mapping the cube.
    seed : int
        Same seed, same noise; it does not depend on `tile`.
    device : str
        As in `Config`.
    tile : (int, int), optional
        Rows and columns that are looked at at a time.

    Yields
    ------
    float
        The share of the work done, after each view of each window.
    Stability
        Last.

    Raises
    ------
    InputError
        If the cube's bands, or their wavelengths, are not the model's.
    ValueError
        If there is no view.

    Notes
    -----
    The noise is white, Gaussian, independent from band to band and pixel to pixel.
    The cube holds the same amount already, so a view is noisier than a second shot
    of the same scene by the square root of two: what holds here holds there.
    Each window is read once; memory does not grow with the cube.
    """
    if views < 1:
        raise ValueError(f"{views} noisy views tell nothing; take at least 1")
    model.require_bands(cube)
    C, H, W = cube.shape
    if tile is None:
        width = min(W, _WIDEST)
        tile = (max(8, _WINDOW_VALUES // (C * width)), width)
    # What rules a band out, or a pixel, is the same as when the cube is mapped.
    own = np.ones(C, bool) if cube.good_bands is None else cube.good_bands
    both = replace(cube, good_bands=model.good_bands & own)
    halo = load_network(model, find_device("cpu"))[0].halo
    noise_std = model.front_end.band_noise * own
    agreement = np.zeros((H, W), np.uint8)
    transitions, sources = np.zeros((2, _IDS, _IDS), np.int64)
    pixels = np.arange(H * W).reshape(H, W)
    moved: list[tuple[NDArray[np.int64], NDArray[np.uint8]]] = []
    tiles = [(r, c) for r in row_slices(H, tile[0]) for c in row_slices(W, tile[1])]
    for at, (rows, cols) in enumerate(tiles):
        read = (grown(rows, halo, H), grown(cols, halo, W))
        inner = (inside(rows, read[0]), inside(cols, read[1]))
        spectra, valid = both.block(*read)
        piece = Cube(spectra, cube.wavelengths, cube.name, good_bands=own, mask=valid)
        still = _ids(model, piece, device)[inner]
        mapped = still if clusters is None else clusters[rows, cols]
        sources += _pairs(mapped, still, still)
        ids = np.empty((views, *still.shape), np.uint8)
        for view in range(views):
            noisy = _noise((seed, view), read, W, noise_std)
            noisy += spectra
            ids[view] = _ids(model, replace(piece, data=noisy), device)[inner]
            transitions += _pairs(mapped, ids[view], still)
            yield (at + (view + 1) / views) / len(tiles)
        kept = ((ids == still) & (still > 0)).sum(axis=0)
        agreement[rows, cols] = np.rint(kept * (FULL / views))
        unstable = (kept < views) & (still > 0)
        moved.append((pixels[rows, cols][unstable], ids[:, unstable]))
    yield Stability(
        agreement,
        transitions,
        sources.argmax(axis=1).astype(np.uint8),
        np.concatenate([places for places, _ in moved]),
        np.concatenate([ids for _, ids in moved], axis=1),
    )


def _ids(model: Model, piece: Cube, device: str) -> NDArray[np.uint8]:
    """Cluster ids of a piece of a cube, looked at as one window."""
    (window,) = windows(model, piece, device=device, tile=piece.shape[1:])
    return window.ids


def _pairs(
    one: NDArray[np.uint8], other: NDArray[np.uint8], still: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """How many valid pixels have which id in one map and which in another."""
    places = one[still > 0].astype(np.int64) * _IDS + other[still > 0]
    return np.bincount(places, minlength=_IDS * _IDS).reshape(_IDS, _IDS)


def _noise(
    seed: tuple[int, int],
    read: tuple[slice, slice],
    width: int,
    std: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Noise (C, h, w) for some rows and columns of a cube.

    Each row of the cube has a generator of its own: pixels that two windows share
    get the same noise in both.
    """
    rows, cols = read
    noise = np.empty(
        (len(std), rows.stop - rows.start, cols.stop - cols.start), np.float32
    )
    for at, row in enumerate(range(rows.start, rows.stop)):
        generator = np.random.default_rng((*seed, row))
        drawn = generator.standard_normal((len(std), width), dtype=np.float32)
        noise[:, at] = drawn[:, cols] * std[:, None]
    return noise
