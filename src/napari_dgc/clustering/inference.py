"""Segmenting a whole cube, window by window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from napari_dgc.clustering.devices import find_device, out_of_memory
from napari_dgc.clustering.embedding import Embedder
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import load_network
from napari_dgc.clustering.sampling import grown, inside
from napari_dgc.cubes.cube import Cube, row_slices

_WINDOW_VALUES = 10_000_000  # read at once, halo not counted: 40 MB of float32
_WIDEST = 4_096


@dataclass(frozen=True, slots=True)
class Window:
    """One piece of a segmented cube, without its halo.

    Attributes
    ----------
    rows, cols : slice
        Its place in the cube.
    ids : ndarray of uint8, shape (h, w)
        The model's cluster ids, 0 = no data.
    confidence : ndarray of float32, shape (h, w)
        Top-1 softmax at tau; 0 where there is no data.
    spectra : ndarray of float32, shape (C, h, w)
        What the cube holds there.
    notice : str
        Something the user should know; mostly empty.
    """

    rows: slice
    cols: slice
    ids: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    spectra: NDArray[np.float32]
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A segmented cube.

    Attributes
    ----------
    clusters : ndarray of uint8, shape (H, W)
        The model's cluster ids, 0 = no data.
    confidence : ndarray of float32, shape (H, W)
        Top-1 softmax at tau; 0 where there is no data.
    """

    clusters: NDArray[np.uint8]
    confidence: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a cube as a model reads it, with its halo.

    Attributes
    ----------
    rows, cols : slice
        Its place in the cube, without the halo.
    inner : tuple of (slice, slice)
        The same place within what was read.
    spectra : ndarray of float32, shape (C, h, w)
        With the halo; bands that the cube lacks hold the model's mean spectrum.
    valid : ndarray of bool, shape (h, w)
    """

    rows: slice
    cols: slice
    inner: tuple[slice, slice]
    spectra: NDArray[np.float32]
    valid: NDArray[np.bool_]


def blocks(
    model: Model,
    cube: Cube,
    halo: int,
    *,
    tile: tuple[int, int] | None = None,
    where: NDArray[np.bool_] | None = None,
) -> Iterator[Block]:
    """Read a cube piece by piece, in reading order.

    Parameters
    ----------
    model : Model
    cube : Cube
    halo : int
        Pixels to read around each piece.
    tile : (int, int), optional
        Rows and columns of a piece.
    where : ndarray of bool, shape (H, W), optional
        Pieces without any of these pixels are left out.
    """
    model.require_bands(cube)
    C, H, W = cube.shape
    if tile is None:
        width = min(W, _WIDEST)
        tile = (max(8, _WINDOW_VALUES // (C * width)), width)
    # Bands that either rules out decide nothing, not even which pixels are valid;
    # those that the model knows and this cube lacks count as the mean spectrum.
    own = np.ones(C, bool) if cube.good_bands is None else cube.good_bands
    cube = replace(cube, good_bands=model.good_bands & own)
    lacking = model.good_bands & ~own
    for rows in row_slices(H, tile[0]):
        for cols in row_slices(W, tile[1]):
            if where is not None and not where[rows, cols].any():
                continue
            read = (grown(rows, halo, H), grown(cols, halo, W))
            spectra, valid = cube.block(*read)
            if lacking.any():
                spectra[lacking] = model.front_end.mean[lacking, None, None]
            inner = (inside(rows, read[0]), inside(cols, read[1]))
            yield Block(rows, cols, inner, spectra, valid)


def segment(model: Model, cube: Cube, *, device: str = "auto") -> Segmentation:
    """Segment a cube.

    Parameters
    ----------
    model : Model
    cube : Cube
        With the model's number of bands.
    device : str
        As in `Config`.

    Returns
    -------
    Segmentation

    Raises
    ------
    InputError
        If the cube's bands, or their wavelengths, are not the model's.
    """
    _, H, W = cube.shape
    clusters = np.zeros((H, W), np.uint8)
    confidence = np.zeros((H, W), np.float32)
    for window in windows(model, cube, device=device):
        clusters[window.rows, window.cols] = window.ids
        confidence[window.rows, window.cols] = window.confidence
    return Segmentation(clusters, confidence)


def windows(
    model: Model,
    cube: Cube,
    *,
    device: str = "auto",
    tile: tuple[int, int] | None = None,
    where: NDArray[np.bool_] | None = None,
) -> Iterator[Window]:
    """Segment a cube window by window.

    Parameters
    ----------
    model : Model
    cube : Cube
    device : str
        As in `Config`.
    tile : (int, int), optional
        Rows and columns of a window. The map does not depend on it (but for
        ties in floating point): the halo that is read around a window is as
        wide as the receptive field plus the reach of the mean-shift.
    where : ndarray of bool, shape (H, W), optional
        Windows without any of these pixels are left out.

    Yields
    ------
    Window
        In reading order; together they cover the cube once. Where the device
        has no room for a window, it is embedded in halves, quarters and so on,
        as are all later ones; the first such window carries a notice.
    """
    on = find_device(device)
    embedder, centroids, tau = load_network(model, on)
    halo, pieces = embedder.halo, 1
    assign = partial(_assign, embedder, centroids, tau, model.owner_ids)
    for block in blocks(model, cube, halo, tile=tile, where=where):
        rows, cols = block.rows, block.cols
        notice = ""
        while True:
            try:
                ids, confidence = _in_pieces(
                    assign, block.spectra, block.valid, block.inner, halo, pieces
                )
                break
            except RuntimeError as error:
                if pieces >= max(rows.stop - rows.start, cols.stop - cols.start):
                    raise
                if not out_of_memory(error):
                    raise
            pieces *= 2
            notice = (
                f"The {on.type} device ran out of memory: mapping goes on with "
                f"1/{pieces} of a window at a time"
            )
        spectra = block.spectra[:, *block.inner]
        yield Window(rows, cols, ids, confidence, spectra, notice)


def _in_pieces(
    assign: Callable[..., tuple[NDArray[np.uint8], NDArray[np.float32]]],
    spectra: NDArray[np.float32],
    valid: NDArray[np.bool_],
    inner: tuple[slice, slice],
    halo: int,
    pieces: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Assign the inner part of a read window, its longer side cut in `pieces`."""
    sides = [span.stop - span.start for span in inner]
    ids, confidence = np.zeros(sides, np.uint8), np.zeros(sides, np.float32)
    axis = int(np.argmax(sides))
    for part in row_slices(sides[axis], -(-sides[axis] // pieces)):
        to = [slice(None), slice(None)]
        to[axis] = part
        start = inner[axis].start
        piece = list(inner)
        piece[axis] = slice(start + part.start, start + part.stop)
        taken = tuple(
            grown(p, halo, size) for p, size in zip(piece, valid.shape, strict=True)
        )
        place = tuple(inside(p, t) for p, t in zip(piece, taken, strict=True))
        ids[*to], confidence[*to] = assign(spectra[:, *taken], valid[taken], place)
    return ids, confidence


@torch.inference_mode()
def _assign(
    embedder: Embedder,
    centroids: torch.Tensor,
    tau: float,
    owner_ids: NDArray[np.uint8],
    spectra: NDArray[np.float32],
    valid: NDArray[np.bool_],
    inner: tuple[slice, slice],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Cluster ids and confidence of the inner part of one read window."""
    device = centroids.device
    x = torch.from_numpy(spectra).to(device)[None]  # (1, C, h, w)
    keep = torch.from_numpy(valid).to(device)[None]
    z = embedder(x, keep)[0, :, inner[0], inner[1]]  # (D+1, h, w)
    logits = (centroids @ z.flatten(1)) / tau  # (P, N)
    top, best = logits.max(0)
    # Top-1 softmax: one over the sum of the others relative to the best; the share
    # of all centroids that hold the cluster together where there are several.
    shares = logits.sub_(top).exp_()
    confidence = 1 / shares.sum(0)
    if len({*owner_ids.tolist()}) < len(owner_ids):
        owners = torch.from_numpy(owner_ids).to(device)
        confidence *= (shares * (owners[:, None] == owners[best])).sum(0)
    keep_inner = valid[inner]
    ids = owner_ids[best.to(torch.uint8).cpu().numpy()].reshape(keep_inner.shape)
    sure = confidence.cpu().numpy().reshape(keep_inner.shape)
    return (
        np.where(keep_inner, ids, np.uint8(0)),
        np.where(keep_inner, sure, np.float32(0)),
    )
