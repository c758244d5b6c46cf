"""Leaves as shapes: outline, veins and a surface that is not flat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.scenes.fields import Floats, sample_grid
from napari_dgc.cubes.scenes.lesions import LesionPlan
from napari_dgc.cubes.scenes.outline import Outline

_MARGIN = 0.16  # leaf lengths kept around a leaf's axis, so that lifted edges fit


@dataclass(frozen=True, eq=False, kw_only=True)
class LeafPlan:
    """One leaf, in scene units (the shorter side of the scene is 1).

    Parameters
    ----------
    base : (float, float)
        Where the petiole ends, x to the right and y down.
    angle : float
        Direction from base to tip, radians, clockwise on screen.
    length : float
        From base to tip.
    bend : float
        How far the midrib leaves the chord, in leaf lengths.
    outline : Outline
        The blade's edge.
    folds : (float, float)
        How steeply the two halves rise from the midrib (rise over run).
    camber, curl, twist : float
        Curvature across the blade, along it, and their product.
    veins : int
        Side veins on each half.
    lean : float
        How far a side vein runs tipwards per unit it runs outwards.
    waves, puffs, ripples, ages : ndarray of float32
        Control points over (along, across): undulation, how much the blade
        bulges between its veins, small dents, and tissue age.
    maturity : float
        0 young, 1 mature.
    lesions : tuple of LesionPlan
    """

    base: tuple[float, float]
    angle: float
    length: float
    bend: float
    outline: Outline
    folds: tuple[float, float]
    camber: float
    curl: float
    twist: float
    veins: int
    lean: float
    waves: Floats
    puffs: Floats
    ripples: Floats
    ages: Floats
    maturity: float
    lesions: tuple[LesionPlan, ...] = ()


@dataclass(frozen=True, eq=False)
class LeafSurface:
    """A leaf on the pixel grid of its window, all arrays (h, w) float32.

    `u` runs from 0 (base) to 1 (tip), `v` across in leaf lengths; `cover`,
    `midrib` and `veins` are from 0 to 1; `height` is in leaf lengths above
    the midrib's lowest place; `slope_x`, `slope_y` are rise over run.
    """

    rows: slice
    cols: slice
    u: Floats
    v: Floats
    cover: Floats
    midrib: Floats
    veins: Floats
    height: Floats
    slope_x: Floats
    slope_y: Floats
    length_px: float


def lay_out(leaf: LeafPlan, shape: tuple[int, int]) -> LeafSurface:
    """Put a leaf on a grid of `shape` = (H, W) pixels."""
    scale = min(shape)
    length_px = leaf.length * scale
    rows, cols = _window(leaf, shape, scale)
    down = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / scale
    right = (np.arange(cols.start, cols.stop, dtype=np.float32) + 0.5) / scale
    y = np.broadcast_to(down[:, None], (len(down), len(right)))
    x = np.broadcast_to(right, y.shape)
    u, v = to_leaf(leaf, x, y)
    edge = leaf.outline.half_width(u, v >= 0)
    steep = np.sqrt(1 + leaf.outline.edge_slope(u, v >= 0) ** 2)
    inside = (edge - np.abs(v)) / steep * length_px
    cover = np.clip(inside + 0.5, 0, 1) * ((u > 0) & (u < 1))
    midrib = _midrib(u, v, length_px)
    phase = _vein_phase(leaf, u, v, edge)
    veins = _side_veins(leaf, phase, v, edge, length_px)
    height = _height(leaf, u, v, edge, phase)
    slope_y, slope_x = np.gradient(height * length_px)
    return LeafSurface(
        rows,
        cols,
        u,
        v,
        cover.astype(np.float32),
        midrib,
        veins,
        height,
        slope_x.astype(np.float32),
        slope_y.astype(np.float32),
        length_px,
    )


def to_leaf(
    leaf: LeafPlan, x: NDArray[np.floating], y: NDArray[np.floating]
) -> tuple[Floats, Floats]:
    """Scene coordinates to (u, v) of a leaf."""
    cos, sin = np.cos(leaf.angle), np.sin(leaf.angle)
    dx, dy = x - np.float32(leaf.base[0]), y - np.float32(leaf.base[1])
    u = (dx * cos + dy * sin) / leaf.length
    v = (dy * cos - dx * sin) / leaf.length
    inner = np.clip(u, -0.1, 1.1)
    v = v - leaf.bend * 4 * inner * (1 - inner)
    return u.astype(np.float32), v.astype(np.float32)


def axis_points(leaf: LeafPlan, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (n, 2) = (x, y) along the midrib, in scene units."""
    across = leaf.bend * 4 * u * (1 - u) * leaf.length
    along = u * leaf.length
    cos, sin = np.cos(leaf.angle), np.sin(leaf.angle)
    return np.stack(
        [
            leaf.base[0] + along * cos - across * sin,
            leaf.base[1] + along * sin + across * cos,
        ],
        axis=1,
    )


def _window(leaf: LeafPlan, shape: tuple[int, int], scale: int) -> tuple[slice, slice]:
    """The pixels a leaf can touch, clipped to the scene."""
    reach = (leaf.outline.width + _MARGIN) * leaf.length
    places = axis_points(leaf, np.linspace(0, 1, 9)) * scale
    low = np.floor(places.min(axis=0) - reach * scale).astype(int)
    high = np.ceil(places.max(axis=0) + reach * scale).astype(int)
    rows = slice(max(int(low[1]), 0), min(int(high[1]), shape[0]))
    cols = slice(max(int(low[0]), 0), min(int(high[0]), shape[1]))
    return rows, cols


def _midrib(u: Floats, v: Floats, length_px: float) -> Floats:
    """Cover of the midrib: thick at the base, a hair at the tip."""
    half = (0.0035 + 0.0085 * np.clip(1 - u, 0, 1) ** 1.5) * length_px
    # A rib thinner than a pixel covers it in part.
    across = np.abs(v) * length_px
    cover = np.clip(half + 0.5 - across, 0, np.minimum(2 * half, 1))
    out: Floats = cover.astype(np.float32)
    return out


def _vein_phase(leaf: LeafPlan, u: Floats, v: Floats, edge: Floats) -> Floats:
    """Phase of the side veins: whole numbers lie on a vein."""
    away = np.abs(v)
    relative = away / np.maximum(edge, 0.02)
    run = u - leaf.lean * away - 0.10 * relative**2
    wobble = 0.18 * sample_grid(leaf.waves, u, 0.5 + 1.6 * v)
    shifted = np.where(v >= 0, 0.5, 0.0)  # the two halves alternate
    return (run * leaf.veins + wobble + shifted).astype(np.float32)


def _side_veins(
    leaf: LeafPlan, phase: Floats, v: Floats, edge: Floats, length_px: float
) -> Floats:
    """Cover of the side veins, fading towards the blade's edge."""
    away = np.abs(phase - np.round(phase)) / leaf.veins / np.hypot(1, leaf.lean)
    relative = np.clip(np.abs(v) / np.maximum(edge, 0.02), 0, 1)
    half = 0.0030 * (1 - 0.6 * relative) * length_px
    cover = np.clip(half + 0.5 - away * length_px, 0, np.minimum(2 * half, 1))
    out: Floats = (cover * (1 - relative**3)).astype(np.float32)
    return out


def _height(
    leaf: LeafPlan, u: Floats, v: Floats, edge: Floats, phase: Floats
) -> Floats:
    """Height of the blade in leaf lengths."""
    away = np.abs(v)
    relative = np.clip(away / np.maximum(edge, 0.02), 0, 1.2)
    fold = np.where(v >= 0, leaf.folds[1], leaf.folds[0]).astype(np.float32)
    soft = 0.012  # the fold's radius, leaf lengths
    valley = fold * (np.sqrt(away**2 + soft**2) - soft)
    sweep = leaf.camber * v**2 + leaf.curl * (u - 0.45) ** 2
    sweep = sweep + leaf.twist * v * (u - 0.4)
    waves = 0.014 * sample_grid(leaf.waves, u, 0.5 + 1.8 * v)
    waves += 0.0017 * sample_grid(leaf.ripples, u, 0.5 + 1.8 * v)
    puff = np.clip(0.6 + 0.8 * sample_grid(leaf.puffs, u, 0.5 + 1.8 * v), 0, 2)
    part = phase - np.floor(phase)
    bulge = np.sin(np.pi * part) * relative * np.clip(1.15 - relative, 0, 1) * 4
    rib = 0.006 * np.exp(-((v / 0.012) ** 2)) * np.clip(1.1 - u, 0, 1)
    frill = 0.004 * np.clip(relative - 0.6, 0, 1) * np.sin(40 * u + 9 * leaf.angle)
    height = valley + sweep + waves + 0.0042 * puff * bulge + rib + frill
    out: Floats = height.astype(np.float32)
    return out
