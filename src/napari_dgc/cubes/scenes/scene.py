"""Sample scenes of leaves, with the truth beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes.config import LesionKind, SceneConfig
from napari_dgc.cubes.scenes.fields import Floats
from napari_dgc.cubes.scenes.layers import Layers, build_layers
from napari_dgc.cubes.scenes.materials import CLASSES, MATERIALS

# Diameter of a lesion in leaf lengths, by days after infection.
_GROWTH = {3: 0.15, 5: 0.22, 7: 0.27}
SIMULATED = "simulated scene; leaf spectra from PROSPECT-D, not measured"


@dataclass(frozen=True, eq=False)
class Scene:
    """A simulated cube and what is true of it.

    Parameters
    ----------
    cube : Cube
        Reflectance, float32 (C, H, W), 400–1000 nm.
    labels : ndarray of uint8, shape (H, W)
        0 background, 1 healthy, 2 lesion: the class with the largest share
        of the pixel after the camera's blur.
    materials : ndarray of uint8, shape (H, W)
        Index into `material_names`: the largest material of that class.
    leaves : ndarray of uint8, shape (H, W)
        Which leaf (1, 2, ...) a pixel belongs to, 0 for background.
    noise_sd : ndarray of float32, shape (C,)
        True standard deviation of the noise of a black pixel, in
        reflectance; bright ones have ``sqrt(noise_sd**2 + shot * signal)``
        with ``cube.metadata["shot"]``.
    name : str
    config : SceneConfig
    seed : int
    """

    cube: Cube
    labels: NDArray[np.uint8]
    materials: NDArray[np.uint8]
    leaves: NDArray[np.uint8]
    noise_sd: Floats
    name: str
    config: SceneConfig
    seed: int

    @property
    def material_names(self) -> tuple[str, ...]:
        """Names of the values of `materials`."""
        return MATERIALS

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the values of `labels`."""
        return CLASSES


def make_scene(config: SceneConfig, seed: int, name: str = "scene") -> Scene:
    """Simulate one scene.

    Parameters
    ----------
    config : SceneConfig
    seed : int
        Not negative. Equal seeds give equal scenes, byte for byte on one
        machine.
    name : str
        The cube's name, fit for a file.

    Returns
    -------
    Scene
        256 x 256 x 301 takes about a second on one core, 1000 x 1000 x 301
        about 10 s and 1.5 GB.
    """
    layers = build_layers(config, check_seed(seed))
    data = np.empty((config.bands, *config.shape), np.float32)
    for rows, block in layers.blocks():
        data[:, rows] = block
    return Scene(
        cube=Cube(
            data,
            wavelengths=layers.wavelengths,
            name=name,
            metadata=MappingProxyType(describe_scene(layers)),
        ),
        labels=layers.labels,
        materials=layers.materials,
        leaves=layers.leaves,
        noise_sd=layers.sensor.noise_floor,
        name=name,
        config=config,
        seed=seed,
    )


def make_scenes(
    count: int = 6,
    size: int | tuple[int, int] = 256,
    seed: int = 0,
    *,
    lesion: LesionKind | None = "mixed",
    config: SceneConfig | None = None,
) -> Iterator[Scene]:
    """Simulate a study: healthy leaves, and infected ones over some days.

    Parameters
    ----------
    count : int
        Number of scenes; every third one is healthy, starting with the
        first. The others show lesions 3, 5 and 7 days old.
    size : int or (int, int)
        Of each scene, in pixels.
    seed : int
        Of the whole study; a study of more scenes begins with the same ones.
    lesion : {"mixed", "near-black", "brown"} or None
        Kind of lesion; "mixed" has both in the study. None: all healthy.
    config : SceneConfig, optional
        Everything else, such as noise and tilt; its size, lesion and
        lesion size are replaced.

    Yields
    ------
    Scene
        Named ``leaf_01_healthy``, ``leaf_02_day3``, ``leaf_03_day5``, ...
    """
    for name, scene_config, scene_seed in plan_scenes(
        count, size, seed, lesion=lesion, config=config
    ):
        yield make_scene(scene_config, scene_seed, name)


def plan_scenes(
    count: int,
    size: int | tuple[int, int],
    seed: int,
    *,
    lesion: LesionKind | None = "mixed",
    config: SceneConfig | None = None,
) -> list[tuple[str, SceneConfig, int]]:
    """Name, configuration and seed of every scene of a study."""
    if count < 1:
        raise InputError("scenes", f"{count} is too few", "ask for one or more")
    base = replace(config or SceneConfig(), size=size, lesion=lesion)
    digits = max(2, len(str(count)))
    plan = []
    infected = 0
    for number in range(count):
        own_seed = _derive_seed(seed, number)
        if lesion is None or number % 3 == 0:
            name, own = "healthy", replace(base, lesion=None)
        else:
            day = tuple(_GROWTH)[infected % len(_GROWTH)]
            name = f"day{day}"
            own = replace(base, lesion_size=_GROWTH[day])
            infected += 1
        plan.append((f"leaf_{number + 1:0{digits}d}_{name}", own, own_seed))
    return plan


def describe_scene(layers: Layers) -> dict[str, object]:
    """Metadata of a simulated cube."""
    return {
        "description": SIMULATED,
        "seed": layers.seed,
        "noise_sd": tuple(layers.sensor.noise_floor.tolist()),
        "shot": layers.sensor.shot,
    }


def check_seed(seed: int) -> int:
    """Return the seed, or say why it is none."""
    if seed < 0:
        raise InputError("seed", f"{seed} is negative", "give 0 or more")
    return seed


def _derive_seed(seed: int, number: int) -> int:
    """Seed of one scene of a study."""
    return int(np.random.SeedSequence([check_seed(seed), number]).generate_state(1)[0])
