"""From label maps to polygons and back, exactly.

Pixel (row r, column c) is the unit square from (x, y) = (c, r) to
(c + 1, r + 1), its centre (c + 0.5, r + 0.5). A polygon holds the pixels
whose centres lie inside it by the even-odd rule; of centres on an edge, those
on its left and upper side count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

#: Steps right, down, left, up in (x, y): turning right is going on by one.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


@dataclass(frozen=True, slots=True)
class Outline:
    """The outer outline of one region.

    Parameters
    ----------
    value : int
        The region's label.
    points : ndarray of int64, shape (n, 2)
        Corners (x, y), clockwise on screen, on the pixels' edges.
    """

    value: int
    points: NDArray[np.int64]


def fill_polygon(
    points: ArrayLike, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], tuple[slice, slice]]:
    """Find the pixels whose centres lie inside a polygon.

    Parameters
    ----------
    points : array-like, shape (n, 2)
        Corners (x, y) in pixels; the last joins the first.
    shape : (int, int)
        (H, W) of the image; parts outside are cut off.

    Returns
    -------
    inside : ndarray of bool, shape (h, w)
    window : (slice, slice)
        Rows and columns of the image that `inside` covers.
    """
    corners = np.asarray(points, np.float64)
    # Cut off before they become integers, which hold less than floats do.
    size = (shape[1], shape[0])
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, size).astype(int).tolist()
    # One column more, where crossings right of the window are put.
    crossings = np.zeros((bottom - top, right - left + 1), np.int32)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        upper, lower = min(y1, y2), max(y1, y2)
        first = max(top, int(np.ceil(upper - 0.5)))
        last = min(bottom, int(np.ceil(lower - 0.5)))
        if first >= last:
            continue
        rows = np.arange(first, last)
        x = x1 + (rows + 0.5 - y1) * ((x2 - x1) / (y2 - y1))
        columns = np.clip(np.ceil(x - 0.5), left, right).astype(np.intp)
        crossings[rows - top, columns - left] += 1
    inside = (np.cumsum(crossings, axis=1) % 2 == 1)[:, :-1]
    return inside, (slice(top, bottom), slice(left, right))


def fill_rings(
    rings: Sequence[ArrayLike], shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], tuple[slice, slice]]:
    """Find the pixels inside a shape of several polygons, by the even-odd rule.

    Parameters
    ----------
    rings : sequence of array-like, each of shape (n, 2)
        Corners (x, y) of one or more polygons. What lies in an odd number of
        them is inside: a ring in a ring is a hole, rings side by side are
        parts, and where two parts overlap there is a hole too.
    shape : (int, int)
        (H, W) of the image.

    Returns
    -------
    inside : ndarray of bool, shape (h, w)
    window : (slice, slice)
        Rows and columns of the image that `inside` covers.
    """
    filled = [fill_polygon(ring, shape) for ring in rings]
    if len(filled) == 1:
        return filled[0]
    whole = tuple(
        slice(min(w[a].start for _, w in filled), max(w[a].stop for _, w in filled))
        for a in (0, 1)
    )
    window = (whole[0], whole[1])
    inside = np.zeros([part.stop - part.start for part in window], bool)
    for ring, (rows, columns) in filled:
        top, left = rows.start - window[0].start, columns.start - window[1].start
        inside[top : top + ring.shape[0], left : left + ring.shape[1]] ^= ring
    return inside, window


def paint(
    shapes: Iterable[tuple[int, Sequence[ArrayLike]]], shape: tuple[int, int]
) -> NDArray[np.int32]:
    """Paint shapes over one another in the order given.

    Parameters
    ----------
    shapes : iterable of (value, rings)
        Rings as for `fill_rings`.
    shape : (int, int)
        (H, W) of the map.

    Returns
    -------
    ndarray of int32, shape (H, W)
        0 where no shape lies.
    """
    canvas = np.zeros(shape, np.int32)
    for value, rings in shapes:
        inside, window = fill_rings(rings, shape)
        canvas[window][inside] = value
    return canvas


def trace_outlines(labels: NDArray[np.integer]) -> Iterator[Outline]:
    """Trace every region of a label map, so that `paint` gives the map back.

    Parameters
    ----------
    labels : ndarray of integers, shape (H, W)
        0 is the ground that needs no outline.

    Yields
    ------
    Outline
        One per 4-connected region, enclosing regions before those they
        enclose. Only outer outlines: what a region encloses is painted over
        it, so background (0) has an outline where a region encloses it.
    """
    regions = [
        (int(first), int(value), piece, window)
        for value in np.unique(labels)
        for first, piece, window in _pieces(labels == value)
    ]
    canvas = np.zeros(labels.shape, np.int64)
    # An enclosing region's first pixel in reading order comes before the
    # first pixels of all it encloses.
    for _, value, piece, window in sorted(regions, key=lambda region: region[0]):
        if (canvas[window][piece] == value).all():
            continue
        points = _trace(piece) + np.array([window[1].start, window[0].start])
        inside, place = fill_polygon(points, labels.shape)
        canvas[place][inside] = value
        yield Outline(value, points)


def _pieces(
    mask: NDArray[np.bool_],
) -> Iterator[tuple[int, NDArray[np.bool_], tuple[slice, slice]]]:
    """Split a mask into 4-connected pieces: first pixel, piece, its window."""
    numbered, count = scipy.ndimage.label(mask)
    windows = scipy.ndimage.find_objects(numbered, count)
    for number, (rows, columns) in enumerate(windows, 1):
        piece = numbered[rows, columns] == number
        first = rows.start * mask.shape[1] + columns.start + int(piece[0].argmax())
        yield first, piece, (rows, columns)


def _trace(piece: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Walk clockwise round a 4-connected piece whose window fits it tightly."""
    padded = np.pad(piece, 1)
    x = start_x = int(piece[0].argmax())
    y = 0
    heading = start_heading = 0  # along the top edge of the first pixel
    corners: list[Sequence[int]] = []
    while True:
        x, y = x + _STEPS[heading][0], y + _STEPS[heading][1]
        turned = _turn(padded, x, y, heading)
        if turned != heading:
            corners.append((x, y))
            heading = turned
        if (x, y, heading) == (start_x, 0, start_heading):
            return np.array(corners, np.int64)


def _turn(padded: NDArray[np.bool_], x: int, y: int, heading: int) -> int:
    """Choose the next heading at a corner: right before straight before left.

    The piece lies on the right hand. Turning right where two pixels touch
    only by their corners keeps them apart, as 4-connected pieces are.
    """
    # Pixels ahead, right and left of the walker, in padded coordinates.
    ahead_right = {0: (y + 1, x + 1), 1: (y + 1, x), 2: (y, x), 3: (y, x + 1)}
    ahead_left = {0: (y, x + 1), 1: (y + 1, x + 1), 2: (y + 1, x), 3: (y, x)}
    if not padded[ahead_right[heading]]:
        return (heading + 1) % 4
    if not padded[ahead_left[heading]]:
        return heading
    return (heading + 3) % 4
