"""A scene as a few maps and spectra, before it becomes a cube."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import row_slices
from napari_dgc.cubes.scenes.cloth import draw_cloth
from napari_dgc.cubes.scenes.config import SceneConfig
from napari_dgc.cubes.scenes.fields import (
    Floats,
    draw_grain,
    draw_grid,
    sample_grid,
    spread_grid,
)
from napari_dgc.cubes.scenes.geometry import LeafPlan, LeafSurface, lay_out
from napari_dgc.cubes.scenes.lesions import cover_lesion
from napari_dgc.cubes.scenes.light import Lamp, cast_shadow, glint, shade
from napari_dgc.cubes.scenes.materials import (
    CLASS_OF,
    CLASSES,
    MATERIALS,
    accent_spectra,
    band_centres,
    glint_spectrum,
    material_spectra,
)
from napari_dgc.cubes.scenes.plan import (
    cloth_stream,
    draw_plan,
    noise_stream,
    sensor_stream,
)
from napari_dgc.cubes.scenes.sensor import Sensor, blur, draw_sensor

ROWS_PER_BLOCK = 16  # the noise is drawn per block: changing this changes every scene
_GLINT = 0.17  # reflectance at the brightest glint
# This share of the slopes as drawn: two-fold brightness within a leaf in the near
# infrared and, with glints, over three-fold in the green. With all of it LDA that
# knows the truth loses lesions in the dark halves (IoU 0.87 instead of 0.95).
_TILT = 0.68
_CLEARANCE = 0.018  # leaf lengths a leaf's lowest place is above the cloth
_LEAF_LIGHT = 0.95  # leaves stand somewhat out of the lamps' best line
_ACCENTS = 3
_INDEX = {name: number for number, name in enumerate(MATERIALS)}


@dataclass(frozen=True, eq=False)
class Layers:
    """All of a scene but its bands and noise.

    Parameters
    ----------
    maps : ndarray of float32, shape (M, H, W)
        Lit abundance of every material, accents, and the glint.
    spectra : ndarray of float32, shape (C, M)
        The spectrum of every map, the scene's gain applied.
    wavelengths : ndarray of float64, shape (C,)
    labels, materials : ndarray of uint8, shape (H, W)
    leaves : ndarray of uint8, shape (H, W)
        Which leaf (1, 2, ...) a pixel belongs to, 0 for none.
    sensor : Sensor
    seed : int
    """

    maps: Floats
    spectra: Floats
    wavelengths: NDArray[np.float64]
    labels: NDArray[np.uint8]
    materials: NDArray[np.uint8]
    leaves: NDArray[np.uint8]
    sensor: Sensor
    seed: int

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Render the scene from top to bottom.

        Yields
        ------
        rows : slice
        spectra : ndarray of float32, shape (C, h, W)
            Reflectance with noise, h at most `ROWS_PER_BLOCK`.
        """
        C, (H, W) = len(self.wavelengths), self.labels.shape
        for number, rows in enumerate(row_slices(H, ROWS_PER_BLOCK)):
            lit = self.maps[:, rows].reshape(len(self.maps), -1)
            # Not `@`: BLAS rounds differently with another number of threads.
            radiance = np.einsum("cm,mn->cn", self.spectra, lit).reshape(C, -1, W)
            yield rows, self.sensor.expose(radiance, noise_stream(self.seed, number))


@dataclass(eq=False)
class _Canvas:
    """Maps while leaves are laid on them, all float32 (..., H, W)."""

    cover: Floats  # abundance per material
    lit: Floats  # abundance times light
    accents: Floats
    glints: Floats
    leaves: NDArray[np.uint8]


def build_layers(config: SceneConfig, seed: int) -> Layers:
    """Lay out, light and photograph a scene, all but its bands and noise."""
    wavelengths = band_centres(config.bands)
    plan = draw_plan(config, seed)
    surfaces = [lay_out(leaf, config.shape) for leaf in plan.leaves]
    rng = cloth_stream(seed)
    lighting = _draw_lighting(rng, config)
    canvas = _spread_cloth(config, plan.lamp, surfaces, rng)
    for number, (leaf, surface) in enumerate(
        zip(plan.leaves, surfaces, strict=True), start=1
    ):
        _lay_leaf(canvas, leaf, surface, plan.lamp, config, number)
    canvas.glints *= _roughness(rng, config.shape)

    sensor = draw_sensor(config, wavelengths, sensor_stream(seed))
    lighting *= sensor.row_gain[:, None]
    maps = np.concatenate([canvas.lit, canvas.accents, canvas.glints[None]])
    for layer in maps:
        layer[:] = blur(layer, config.blur) * lighting
    for layer in canvas.cover:
        layer[:] = blur(layer, config.blur)
    labels, materials = _tell_truth(canvas.cover)
    spectra = np.concatenate(
        [
            material_spectra(wavelengths),
            accent_spectra(wavelengths),
            glint_spectrum(wavelengths)[None],
        ]
    )
    return Layers(
        maps=maps,
        spectra=np.ascontiguousarray((spectra * sensor.gain).T, np.float32),
        wavelengths=wavelengths,
        labels=labels,
        materials=materials,
        leaves=np.where(labels > 0, canvas.leaves, 0).astype(np.uint8),
        sensor=sensor,
        seed=seed,
    )


def _draw_lighting(rng: np.random.Generator, config: SceneConfig) -> Floats:
    """Uneven light of the lamps over the whole scene, about 1."""
    uneven = spread_grid(draw_grid(rng, 4, 4), *config.shape)
    out: Floats = np.exp(0.13 * config.gradient * uneven).astype(np.float32)
    return out


def _spread_cloth(
    config: SceneConfig,
    lamp: Lamp,
    surfaces: list[LeafSurface],
    rng: np.random.Generator,
) -> _Canvas:
    """Start with the cloth and the shadows of all leaves."""
    shape = config.shape
    cloth = draw_cloth(rng, shape)
    height = np.zeros(shape, np.float32)
    for surface in surfaces:
        if not surface.cover.any():
            continue
        lowest = surface.height[surface.cover > 0.5].min(initial=np.inf)
        above = np.maximum(surface.height - lowest, 0) + _CLEARANCE
        window = (surface.rows, surface.cols)
        raised = above * surface.length_px * (surface.cover > 0.5)
        height[window] = np.maximum(height[window], raised)
    shadow = cast_shadow(height, lamp, config.shadow)
    shadow = blur(shadow, max(0.8, 0.0035 * min(shape)))
    cover = np.zeros((len(MATERIALS), *shape), np.float32)
    cover[_INDEX["shadow"]] = shadow
    cover[_INDEX["fold"]] = (1 - shadow) * cloth.fold
    cover[_INDEX["cloth"]] = (1 - shadow) * (1 - cloth.fold)
    accents = np.zeros((_ACCENTS, *shape), np.float32)
    accents[1] = cloth.warm * (1 - shadow) * cloth.brightness
    return _Canvas(
        cover=cover,
        lit=cover * cloth.brightness,
        accents=accents,
        glints=np.zeros(shape, np.float32),
        leaves=np.zeros(shape, np.uint8),
    )


def _lay_leaf(
    canvas: _Canvas,
    leaf: LeafPlan,
    surface: LeafSurface,
    lamp: Lamp,
    config: SceneConfig,
    number: int,
) -> None:
    """Put one leaf over what is there."""
    window = (..., surface.rows, surface.cols)
    parts, crust, papery = _tissue_parts(leaf, surface)
    tilt = np.float32(_TILT * config.tilt)
    slopes = surface.slope_x * tilt, surface.slope_y * tilt
    light = _LEAF_LIGHT * shade(*slopes, lamp)
    bare = 1 - surface.cover
    for name, part in parts.items():
        part *= surface.cover
        tone = light * crust if name.endswith("lesion") else light
        index = _INDEX[name]
        canvas.cover[index][window] += part
        canvas.lit[index][window] += part * tone
    for index in range(_INDEX["fold"] + 1):
        canvas.cover[index][window] *= bare
        canvas.lit[index][window] *= bare
    canvas.accents[window] *= bare
    dead = parts["brown lesion"] + parts["near-black lesion"]
    thick = 0.7 * sample_grid(leaf.ages[::-1], surface.u, 0.5 + 1.8 * surface.v)
    canvas.accents[0][window] += papery * light * surface.cover
    canvas.accents[2][window] += thick * light * (surface.cover - dead)
    gloss = _GLINT * config.glint * glint(*slopes, lamp) * surface.cover
    gloss *= 1 - 0.3 * dead * (2 - crust)
    canvas.glints[window] = canvas.glints[window] * bare + gloss
    own = canvas.leaves[surface.rows, surface.cols]
    own[surface.cover > 0.2] = number


def _tissue_parts(
    leaf: LeafPlan, surface: LeafSurface
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Share of every tissue in a leaf's window, crust and papery middle."""
    u, v = surface.u, surface.v
    live = np.ones_like(u)
    halo, papery = np.zeros_like(u), np.zeros_like(u)
    crust = np.ones_like(u)
    parts = {name: np.zeros_like(u) for name in ("brown lesion", "near-black lesion")}
    for plan in leaf.lesions:
        lesion = cover_lesion(plan, u, v, surface.length_px)
        parts[f"{plan.kind} lesion"] += live * lesion.core
        crust = np.where(lesion.core > 0, lesion.crust, crust)
        if plan.kind == "brown":
            papery += live * lesion.centre
        live = live * (1 - lesion.core)
        halo = np.maximum(halo, lesion.halo)
    parts["halo"] = live * halo
    live = live * (1 - halo)
    vein = np.maximum(0.9 * surface.midrib, 0.32 * surface.veins)
    parts["vein"] = live * vein
    live = live * (1 - vein)
    age = leaf.maturity + 0.25 * sample_grid(leaf.ages, u, 0.5 + 1.8 * v)
    age = np.clip(age + 0.3 * (0.5 - u), 0, 1)
    parts["young"], parts["mature"] = live * (1 - age), live * age
    return parts, crust, papery


def _roughness(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Glints are uneven: wax is, about 1."""
    reach = 0.004 * min(shape)
    coarse = draw_grain(rng, shape, (reach, reach))
    fine = draw_grain(rng, shape, (0.4, 0.4))
    out: Floats = np.clip(1 + 0.20 * coarse + 0.14 * fine, 0.2, 2).astype(np.float32)
    return out


def _tell_truth(cover: Floats) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Class with the largest share of a pixel, and its largest material."""
    shares = np.stack(
        [cover[number == CLASS_OF].sum(axis=0) for number in range(len(CLASSES))]
    )
    labels = shares.argmax(axis=0).astype(np.uint8)
    own = CLASS_OF[:, None, None] == labels
    materials = np.where(own, cover, -1).argmax(axis=0).astype(np.uint8)
    return labels, materials
