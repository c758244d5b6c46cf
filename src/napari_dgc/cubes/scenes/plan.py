"""Where everything lies: leaves, lesions and the lamp, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from napari_dgc.cubes.scenes.config import SceneConfig
from napari_dgc.cubes.scenes.fields import draw_grid
from napari_dgc.cubes.scenes.geometry import LeafPlan, axis_points
from napari_dgc.cubes.scenes.lesions import LesionPlan
from napari_dgc.cubes.scenes.light import Lamp
from napari_dgc.cubes.scenes.outline import Outline

# Streams of random numbers: one per subject, so that asking for more of one
# thing moves nothing else.
_LEAVES, _LESIONS, _CLOTH, _SENSOR, _NOISE = range(5)
_TRIES = 120  # placings of one leaf before all are made smaller
_LENGTH = 0.53  # of a leaf, in scene units, when there are three


@dataclass(frozen=True)
class ScenePlan:
    """The leaves and the lamp of one scene."""

    leaves: tuple[LeafPlan, ...]
    lamp: Lamp


def cloth_stream(seed: int) -> np.random.Generator:
    """Return the random numbers of the cloth and the grain on leaves."""
    return np.random.default_rng([seed, _CLOTH])


def sensor_stream(seed: int) -> np.random.Generator:
    """Return the random numbers of stripes and drift."""
    return np.random.default_rng([seed, _SENSOR])


def noise_stream(seed: int, block: int) -> np.random.Generator:
    """Return the random numbers of the noise of one block of rows."""
    return np.random.default_rng([seed, _NOISE, block])


def draw_plan(config: SceneConfig, seed: int) -> ScenePlan:
    """Draw leaves, lesions and lamp; strengths in `config` move nothing."""
    rng = np.random.default_rng([seed, _LEAVES])
    lamp = Lamp(
        float(rng.uniform(0, 2 * np.pi)), float(np.radians(rng.uniform(37, 44)))
    )
    H, W = config.shape
    extent = (W / min(H, W), H / min(H, W))
    length = _LENGTH * (3 / config.leaves * extent[0] * extent[1]) ** 0.5
    length = min(length, 0.8)
    leaves = [_draw_leaf(rng) for _ in range(config.leaves)]
    placed = _place(leaves, length, extent, lamp, rng)
    if config.lesion is not None:
        lesions = np.random.default_rng([seed, _LESIONS])
        placed = [
            replace(leaf, lesions=_draw_lesions(leaf, config, number, lesions))
            for number, leaf in enumerate(placed)
        ]
    return ScenePlan(tuple(placed), lamp)


def _draw_leaf(rng: np.random.Generator) -> LeafPlan:
    """Draw one leaf's form; where it lies comes later."""
    outline = Outline(
        width=float(rng.uniform(0.17, 0.22)),
        skew=float(rng.uniform(-0.08, 0.08)),
        base_power=float(rng.uniform(0.62, 0.9)),
        tip_power=float(rng.uniform(0.85, 1.1)),
        tail=float(rng.uniform(0.3, 0.6)),
        teeth=int(rng.integers(30, 44)),
        tooth=float(rng.uniform(0.002, 0.0045)),
        petiole=float(rng.uniform(0.008, 0.03)),
    )
    return LeafPlan(
        base=(0.0, 0.0),
        angle=0.0,
        length=1.0,
        bend=float(rng.uniform(-0.07, 0.07)),
        outline=outline,
        folds=(float(rng.uniform(0.36, 0.6)), float(rng.uniform(0.36, 0.6))),
        camber=float(rng.uniform(-1.3, -0.4)),
        curl=float(rng.uniform(-0.25, 0.35)),
        twist=float(rng.uniform(-0.5, 0.5)),
        veins=int(rng.integers(7, 10)),
        lean=float(rng.uniform(0.35, 0.65)),
        waves=draw_grid(rng, 8, 7),
        puffs=draw_grid(rng, 9, 7),
        ripples=draw_grid(rng, 18, 12),
        ages=draw_grid(rng, 6, 5),
        maturity=float(rng.uniform(0.15, 0.95)),
    )


def _place(
    leaves: list[LeafPlan],
    length: float,
    extent: tuple[float, float],
    lamp: Lamp,
    rng: np.random.Generator,
) -> list[LeafPlan]:
    """Lay leaves on the cloth so that none touches another or the border."""
    while True:
        placed: list[LeafPlan] = []
        for leaf in leaves:
            for _ in range(_TRIES):
                candidate = _throw(leaf, length, extent, lamp, rng)
                if _inside(candidate, extent) and _apart(candidate, placed):
                    placed.append(candidate)
                    break
            else:
                break
        if len(placed) == len(leaves):
            return placed
        length *= 0.96


def _throw(
    leaf: LeafPlan,
    length: float,
    extent: tuple[float, float],
    lamp: Lamp,
    rng: np.random.Generator,
) -> LeafPlan:
    """Put a leaf anywhere, its midrib roughly across the light."""
    across = lamp.azimuth + rng.choice([-0.5, 0.5]) * np.pi
    angle = float(across + np.radians(rng.uniform(-50, 50)))
    own = length * float(rng.uniform(0.9, 1.08))
    x, y = rng.uniform(0, extent[0]), rng.uniform(0, extent[1])
    base = (float(x - 0.5 * own * np.cos(angle)), float(y - 0.5 * own * np.sin(angle)))
    return replace(leaf, base=base, angle=angle, length=own)


def _inside(leaf: LeafPlan, extent: tuple[float, float]) -> bool:
    """Whether a leaf lies within the scene."""
    places = axis_points(leaf, np.linspace(0, 1, 9))
    room = _reach(leaf)[:, None] + 0.02
    return bool((places > room).all() and (places < np.array(extent) - room).all())


def _apart(leaf: LeafPlan, others: list[LeafPlan]) -> bool:
    """Whether a leaf, its shadow included, keeps off all others."""
    here, own = axis_points(leaf, np.linspace(0, 1, 9)), _reach(leaf)
    for other in others:
        there = axis_points(other, np.linspace(0, 1, 9))
        gap = np.linalg.norm(here[:, None] - there[None], axis=2)
        if (gap < own[:, None] + _reach(other)[None] + 0.035).any():
            return False
    return True


def _reach(leaf: LeafPlan) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Half widths at nine places along the midrib, scene units."""
    u = np.linspace(0, 1, 9, dtype=np.float32)
    widths = [leaf.outline.half_width(u, np.full(9, far)) for far in (False, True)]
    reach = np.maximum(*widths) * leaf.length
    return reach.astype(np.float64)


def _draw_lesions(
    leaf: LeafPlan, config: SceneConfig, number: int, rng: np.random.Generator
) -> tuple[LesionPlan, ...]:
    """Draw the lesions of leaf `number`, kept off the blade's edge."""
    kind: Literal["near-black", "brown"]
    if config.lesion == "mixed":
        kind = "near-black" if number % 2 else "brown"
    else:
        kind = "brown" if config.lesion == "brown" else "near-black"
    lesions: list[LesionPlan] = []
    for _ in range(config.lesions_per_leaf):
        radius = config.lesion_size / 2 * float(rng.uniform(0.85, 1.15))
        u = float(rng.uniform(0.32, 0.68))
        far = bool(rng.random() < 0.5)
        edge = leaf.outline.half_width(np.array([u], np.float32), np.array([far]))[0]
        v = float(edge) * float(rng.uniform(0.35, 0.62)) * (1 if far else -1)
        sizes = rng.uniform(0.02, 0.09, 5) / np.sqrt(np.arange(1, 6))
        lobes = np.stack([sizes, rng.uniform(0, 2 * np.pi, 5)], axis=1)
        lesions.append(
            LesionPlan(
                u=u,
                v=v,
                radius=radius,
                kind=kind,
                lobes=lobes.astype(np.float32),
                crust=draw_grid(rng, 8, 8),
            )
        )
    return tuple(lesions)
