"""Which rows of which cubes stand for all of them.

A pixel's neighbours are needed to embed it (mean-shift, spatial filters), so
pixels are sampled as full-width stripes of a few rows with a halo: that is
also how every file format is read fastest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from napari_dgc.cubes.cube import Cube

_STRIPE_ROWS = 4


@dataclass(frozen=True, slots=True)
class Stripe:
    """Rows of one cube.

    Attributes
    ----------
    cube : int
        Index among the cubes.
    rows : slice
        The rows that count.
    read : slice
        The rows to read: `rows` with the halo, cut at the cube's edge.
    """

    cube: int
    rows: slice
    read: slice

    @property
    def inner(self) -> slice:
        """Where `rows` lie within `read`."""
        start = self.rows.start - self.read.start
        return slice(start, start + self.rows.stop - self.rows.start)


def choose_stripes(cubes: Sequence[Cube], pixels: int, halo: int = 0) -> list[Stripe]:
    """Spread about `pixels` pixels evenly over all cubes.

    Parameters
    ----------
    cubes : sequence of Cube
    pixels : int
        Wanted in all; every cube gives at least one stripe, and small sets
        are taken whole.
    halo : int
        Rows to read on either side of a stripe.

    Returns
    -------
    list of Stripe
        In the order of the cubes and their rows; deterministic.
    """
    total = sum(cube.shape[1] * cube.shape[2] for cube in cubes)
    stripes = []
    for index, cube in enumerate(cubes):
        _, H, W = cube.shape
        wanted = pixels * (H * W / total) / W  # rows of this cube
        if wanted * 2 >= H:  # reading the gaps too costs less than skipping them
            edges = np.arange(0, H + 64, 64).clip(max=H)
            spans = [(a, b) for a, b in pairwise(edges)]
        else:
            count = max(1, round(wanted / _STRIPE_ROWS))
            starts = (np.arange(count) + 0.5) * H / count - _STRIPE_ROWS / 2
            spans = [
                (int(a), min(int(a) + _STRIPE_ROWS, H)) for a in starts.clip(min=0)
            ]
        for start, stop in spans:
            if stop > start:
                rows = slice(int(start), int(stop))
                read = slice(max(0, rows.start - halo), min(H, rows.stop + halo))
                stripes.append(Stripe(index, rows, read))
    return stripes
