"""Which bands to leave out: noisy ones, those out of a range, and single ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.preparing import left_out, prepare_anew
from napari_dgc.study.calibrating.preparing import PreparedCube, Wanted, prepare_cubes
from napari_dgc.study.mapping import Progress

Bands = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class BandChoice:
    """A choice of bands in the making.

    Attributes
    ----------
    places : ndarray of float64, shape (C,)
        Wavelengths in nm, or band numbers where there are none.
    bad : ndarray of bool, shape (C,)
        Left out by the files or by their calibration: not the user's to choose.
    noisy : ndarray of bool, shape (C,)
        Found noisy.
    drop_noisy : bool
    span : (float, float)
        The range kept, both ends included, in the unit of `places`.
    single : frozenset of int
        Bands left out one by one.
    """

    places: NDArray[np.float64]
    bad: Bands
    noisy: Bands
    drop_noisy: bool
    span: tuple[float, float]
    single: frozenset[int] = frozenset()

    @property
    def within(self) -> Bands:
        """Bands in the range, (C,)."""
        low, high = self.span
        return np.asarray((self.places >= low) & (self.places <= high))

    @property
    def out(self) -> Bands:
        """Bands to leave out, (C,); not those that are bad anyway."""
        out = ~self.within
        if self.drop_noisy:
            out |= self.noisy
        out[sorted(self.single)] = True
        return np.asarray(out & ~self.bad)

    @property
    def kept(self) -> Bands:
        """Bands that count, (C,)."""
        return ~self.out & ~self.bad

    def toggled(self, band: int) -> BandChoice:
        """Leave a band out, or take it in again; those not to choose stay."""
        if self.bad[band] or not self.within[band]:
            return self
        if self.drop_noisy and self.noisy[band]:
            return self
        return replace(self, single=self.single ^ {band})


def begin_choice(cubes: Sequence[Cube], noisy: Bands) -> BandChoice:
    """Begin with what is left out now; noisy bands are not, unless all are already.

    Parameters
    ----------
    cubes : sequence of Cube
        With the same bands; the first one's choice is taken for all.
    noisy : ndarray of bool, shape (C,)
    """
    first = cubes[0]
    out = left_out(first)
    bad = np.zeros(first.bands, bool)
    for cube in cubes:
        if cube.good_bands is not None:
            bad |= ~cube.good_bands & ~left_out(cube)
    places = first.wavelengths
    if places is None:
        places = np.arange(first.bands, dtype=np.float64)
    kept = places[~out & ~bad]
    # The ends that are left out make a range; the range of all is no choice.
    usable = places[~bad]
    low = usable.min() if kept.min() <= usable.min() else kept.min()
    high = usable.max() if kept.max() >= usable.max() else kept.max()
    inside = out & (places >= low) & (places <= high)
    noisy = noisy & ~bad
    dropped = noisy & (places >= low) & (places <= high)
    drop = bool(dropped.any() and inside[dropped].all())
    single = inside & ~noisy if drop else inside
    return BandChoice(
        places,
        bad,
        noisy,
        drop,
        (float(low), float(high)),
        frozenset(np.flatnonzero(single).tolist()),
    )


def with_all_bands(cubes: Iterable[Cube]) -> list[Cube]:
    """The cubes with every band in but those nobody chose to leave out."""
    return [
        prepare_anew(cube, cube.calibration, np.zeros(cube.bands, bool))
        for cube in cubes
    ]


def choose_bands(
    wishes: Sequence[Wanted], out: Bands
) -> Iterator[Progress | PreparedCube]:
    """Leave these bands out, and no others; calibrations stay.

    See `prepare_cubes`; `calibration` and `out` of `wishes` are not looked at.
    """
    yield from prepare_cubes(
        [replace(one, calibration=one.cube.calibration, out=out) for one in wishes]
    )


def word_bands(places: NDArray[np.float64], marked: Bands, nm: bool) -> str:
    """Say which bands, such as "395–402 nm, 999 nm" or "bands 0–3, 7"."""
    order = np.argsort(places, kind="stable")
    run = marked[order].astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], run, [0]])))
    parts = []
    for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        low, high = places[order[a]], places[order[b - 1]]
        parts.append(f"{low:.0f}" if b == a + 1 else f"{low:.0f}–{high:.0f}")
    text = ", ".join(parts)
    if not text:
        return ""
    return f"{text} nm" if nm else f"band{'s' * int(marked.sum() > 1)} {text}"
