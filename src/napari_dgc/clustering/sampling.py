"""Which pixels of which cubes stand for all of them.

A pixel's neighbours are needed to embed it (mean-shift, spatial filters), so
pixels are sampled as wide stripes of a few rows with a halo: that is also how
every file format is read fastest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from napari_dgc.cubes.cube import Cube

_STRIPE_ROWS = 4
_MOST_ROWS = 64
_MOST_VALUES = 4_000_000  # of one read, halo not counted: 16 MB of float32


@dataclass(frozen=True, slots=True)
class Stripe:
    """A piece of one cube.

    Attributes
    ----------
    cube : int
        Index among the cubes.
    rows, cols : slice
        The pixels that count.
    read : tuple of (slice, slice)
        The rows and columns to read: with the halo, cut at the cube's edge.
    """

    cube: int
    rows: slice
    cols: slice
    read: tuple[slice, slice]

    @property
    def inner(self) -> tuple[slice, slice]:
        """Where the pixels that count lie within what is read."""
        return inside(self.rows, self.read[0]), inside(self.cols, self.read[1])

    @property
    def pixels(self) -> int:
        """How many pixels count."""
        rows, cols = self.rows, self.cols
        return int((rows.stop - rows.start) * (cols.stop - cols.start))


def grown(span: slice, halo: int, size: int) -> slice:
    """A span with its halo, cut at the edges of an axis of `size`."""
    return slice(max(0, span.start - halo), min(size, span.stop + halo))


def inside(span: slice, read: slice) -> slice:
    """Where `span` lies within `read`."""
    return slice(span.start - read.start, span.stop - read.start)


def choose_stripes(cubes: Sequence[Cube], pixels: float, halo: int = 0) -> list[Stripe]:
    """Spread about `pixels` pixels evenly over all cubes.

    Parameters
    ----------
    cubes : sequence of Cube
    pixels : float
        Wanted in all; every cube gives at least one stripe, and small sets
        are taken whole.
    halo : int
        Pixels to read around a stripe.

    Returns
    -------
    list of Stripe
        In the order of the cubes and their rows; deterministic. No read
        grows with the cube.
    """
    total = sum(cube.shape[1] * cube.shape[2] for cube in cubes)
    stripes: list[Stripe] = []
    for index, cube in enumerate(cubes):
        _, H, W = cube.shape
        wanted = pixels * (H * W / total) / W  # rows of this cube
        if wanted * 2 >= H:  # reading the gaps too costs less than skipping them
            spans = [(0, H)]
        else:
            count = max(1, round(wanted / _STRIPE_ROWS))
            starts = (np.arange(count) + 0.5) * H / count - _STRIPE_ROWS / 2
            spans = [(int(a), min(int(a) + _STRIPE_ROWS, H)) for a in starts.clip(0)]
        for start, stop in spans:
            stripes.extend(_cut(index, cube, start, stop, halo))
    return stripes


def left_out(cubes: Sequence[Cube], stripes: Sequence[Stripe]) -> list[Stripe]:
    """Every row that `stripes` leave out, for cubes whose valid pixels hide there."""
    rest: list[Stripe] = []
    for index, cube in enumerate(cubes):
        H = cube.shape[1]
        taken = np.zeros(H, bool)
        for stripe in stripes:
            if stripe.cube == index:
                taken[stripe.rows] = True
        edges = np.flatnonzero(np.diff(np.concatenate([[True], taken, [True]])))
        for start, stop in pairwise(edges.tolist()):
            if not taken[start]:
                rest.extend(_cut(index, cube, start, stop, 0))
    return rest


def _cut(index: int, cube: Cube, start: int, stop: int, halo: int) -> Iterator[Stripe]:
    """Cut rows into pieces that are read at once."""
    C, H, W = cube.shape
    width = min(W, max(1, _MOST_VALUES // (C * _STRIPE_ROWS)))
    height = max(_STRIPE_ROWS, min(_MOST_ROWS, _MOST_VALUES // (C * width)))
    for top in range(start, stop, height):
        rows = slice(top, min(top + height, stop))
        for left in range(0, W, width):
            cols = slice(left, min(left + width, W))
            read = grown(rows, halo, H), grown(cols, halo, W)
            yield Stripe(index, rows, cols, read)
