"""Lesions: where they sit on a leaf and how they fade into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_dgc.cubes.scenes.fields import Floats, sample_grid

# Width of the yellowing around a lesion, in lesion radii: the near-black ones of
# the pictures have next to none.
_HALO = {"brown": 0.4, "near-black": 0.14}
_HALO_STRENGTH = {"brown": 0.85, "near-black": 0.25}


@dataclass(frozen=True, eq=False, kw_only=True)
class LesionPlan:
    """One lesion in the coordinates of its leaf.

    Parameters
    ----------
    u, v : float
        Centre, along and across, in leaf lengths.
    radius : float
        Mean radius in leaf lengths.
    kind : {"near-black", "brown"}
    lobes : ndarray of float32, shape (n, 2)
        Amplitude and phase of the edge's wobbles.
    crust : ndarray of float32, shape (n, m)
        Control points of the brightness inside.
    """

    u: float
    v: float
    radius: float
    kind: Literal["near-black", "brown"]
    lobes: Floats
    crust: Floats


@dataclass(frozen=True, eq=False)
class LesionCover:
    """A lesion on a leaf's window, arrays (h, w) float32 from 0 to 1.

    `core` is the dead tissue, `halo` the yellowing around it, `crust` the
    relative brightness of the dead tissue (about 1) and `centre` how papery
    its middle is.
    """

    core: Floats
    halo: Floats
    crust: Floats
    centre: Floats


def cover_lesion(
    plan: LesionPlan, u: Floats, v: Floats, length_px: float
) -> LesionCover:
    """Draw a lesion on a leaf's (u, v) coordinates."""
    du, dv = u - np.float32(plan.u), v - np.float32(plan.v)
    away = np.hypot(du, dv)
    angle = np.arctan2(dv, du)
    edge = np.ones_like(u)
    for order, (size, phase) in enumerate(plan.lobes, start=2):
        edge += size * np.cos(order * angle + phase)
    where_u = np.clip(0.5 + du / (2.6 * plan.radius), 0, 1)
    where_v = np.clip(0.5 + dv / (2.6 * plan.radius), 0, 1)
    mottle = sample_grid(plan.crust, where_u, where_v)
    edge = (edge + 0.07 * mottle) * np.float32(plan.radius)
    inside = (edge - away) * length_px
    # Near-black lesions end sharply, brown ones within a few hundredths of a leaf.
    soft = max(1.0, (0.014 if plan.kind == "brown" else 0.010) * length_px)
    core = np.clip(inside / soft + 0.5, 0, 1)
    width = _HALO[plan.kind] * plan.radius * length_px
    halo = _HALO_STRENGTH[plan.kind] * np.exp(-(np.clip(-inside / width, 0, 6) ** 2))
    halo = halo * (1 - core)
    crust = np.clip(1.05 + 0.16 * mottle, 0.8, 1.6)
    rings = 1 + 0.06 * np.cos(9 * away / plan.radius + plan.lobes[0, 1])
    centre = core * np.clip(1 - 1.3 * away / plan.radius, 0, 1)
    return LesionCover(
        core.astype(np.float32),
        halo.astype(np.float32),
        (crust * rings).astype(np.float32),
        centre.astype(np.float32),
    )
