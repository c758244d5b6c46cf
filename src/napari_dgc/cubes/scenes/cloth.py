"""The dark cloth the leaves lie on: weave, grain, a fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_dgc.cubes.scenes.fields import Floats, draw_grain, draw_grid, spread_grid


@dataclass(frozen=True, eq=False)
class Cloth:
    """The ground of a scene, arrays (H, W) float32.

    `brightness` is relative (about 1), `fold` the share (0 to 1) of the
    second layer of cloth, `warm` the share of brownish threads.
    """

    brightness: Floats
    fold: Floats
    warm: Floats


def draw_cloth(rng: np.random.Generator, shape: tuple[int, int]) -> Cloth:
    """Draw a cloth for a scene of `shape` = (H, W) pixels.

    Weave and fold are as wide as the scene says; threads get no thinner than
    the grid can show, and grain is as fine as a pixel at every size.
    """
    H, W = shape
    scale = min(shape)
    y, x = np.meshgrid(
        np.arange(H, dtype=np.float32), np.arange(W, dtype=np.float32), indexing="ij"
    )
    # Everything that does not depend on the size is drawn first.
    upright = bool(rng.random() < 0.5)
    place = float(rng.uniform(0.32, 0.68)) if rng.random() < 0.75 else 2.0
    tones = rng.uniform(0.72, 0.9), rng.uniform(0.2, 0.4)
    slants = rng.uniform(0.7, 1.4, 2) * rng.choice([-1, 1], 2)
    wander, mottle, warp = (draw_grid(rng, *n) for n in ((7, 7), (9, 9), (6, 6)))
    wander, mottle, warp = (spread_grid(g, H, W) for g in (wander, mottle, warp))

    along = (x if upright else y) / scale + 0.008 * wander
    fold = np.clip((along - place) * scale / max(2.0, 0.012 * scale) + 0.5, 0, 1)
    period = max(0.0105 * scale, 3.3)
    weave = _weave(x, y, period, float(slants[0]), warp)
    other = _weave(x, y, 0.8 * period, float(slants[1]), -warp)
    streak = max(0.005 * scale, 0.8)
    across = (0.35, streak) if rng.random() < 0.5 else (streak, 0.35)
    texture = (1 - fold) * 0.26 * weave + fold * 0.20 * other
    texture = texture + 0.10 * draw_grain(rng, shape, across) + 0.05 * mottle
    beside = (along - place) / np.where(along < place, 0.012, 0.05)
    crease = np.exp(-(beside**2))
    brightness = (1 + texture) * (1 - (1 - tones[0]) * fold) * (1 - tones[1] * crease)
    warm = np.clip(
        0.5 + 0.35 * weave + 0.3 * draw_grain(rng, shape, (0.5, 0.5)), 0, 1.5
    )
    return Cloth(
        brightness.astype(np.float32),
        fold.astype(np.float32),
        (warm * (1 - 0.6 * fold)).astype(np.float32),
    )


def _weave(x: Floats, y: Floats, period: float, slant: float, warp: Floats) -> Floats:
    """Twill, about -1 to 1: slanting ridges cut by threads."""
    turn = np.float32(2 * np.pi / period)
    ridge = np.sin(turn * (x + slant * y) + 1.3 * warp)
    thread = np.sin(turn * (x - slant * y) * 1.1 - 0.9 * warp)
    out: Floats = (0.65 * ridge + 0.45 * ridge * thread + 0.25 * thread).astype(
        np.float32
    )
    return out
