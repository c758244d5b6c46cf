"""The edge of a leaf blade: acuminate tip, wedge base, small teeth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.scenes.fields import Floats

_STALK = 0.015  # half width of the stalk


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Half widths of a leaf along its midrib, in leaf lengths.

    Parameters
    ----------
    width : float
        Largest half width.
    skew : float
        How much wider one half is than the other, as a fraction.
    base_power, tip_power : float
        How the blade opens and closes (1 a wedge, below 1 rounder).
    tail : float
        How much is cut away before the tip, 0 none.
    teeth : int
        Teeth along one edge.
    tooth : float
        Depth of a tooth.
    petiole : float
        Length of stalk before the blade begins.
    """

    width: float
    skew: float
    base_power: float
    tip_power: float
    tail: float
    teeth: int
    tooth: float
    petiole: float

    def half_width(self, u: Floats, far: NDArray[np.bool_]) -> Floats:
        """Half width at `u` on the far (v >= 0) or near half."""
        smooth = self._smooth(u, far)
        part = u * self.teeth + np.where(far, 0.37, 0.0)
        # Teeth lean tipwards: they rise slowly and drop fast.
        turn = 2 * np.pi * part
        saw = 0.5 + 0.5 * np.sin(turn + 0.6 * np.sin(turn))
        depth = self.tooth * np.clip(smooth / self.width * 3, 0, 1)
        stalk = np.where(u < 2 * self.petiole, _STALK, 0.0)
        out: Floats = np.maximum(smooth - depth * (1 - saw), stalk).astype(np.float32)
        return out

    def edge_slope(self, u: Floats, far: NDArray[np.bool_]) -> Floats:
        """How fast the half width changes, teeth left out."""
        step = np.float32(0.01)
        rise = self._smooth(u + step, far) - self._smooth(u - step, far)
        out: Floats = np.clip(rise / (2 * step), -2, 2).astype(np.float32)
        return out

    def _smooth(self, u: Floats, far: NDArray[np.bool_]) -> Floats:
        """Half width without teeth."""
        t = np.clip((u - self.petiole) / (1 - self.petiole), 0, 1)
        a, b = self.base_power, self.tip_power
        top = a / (a + b)
        peak = top**a * (1 - top) ** b
        shape = t**a * (1 - t) ** b / peak
        shape = shape * (1 - self.tail * np.clip((t - 0.55) / 0.38, 0, 1) ** 2)
        half = self.width * (1 + np.where(far, self.skew, -self.skew))
        out: Floats = (half * shape).astype(np.float32)
        return out
