"""File > Open Sample: simulated leaf scenes, shown just as cubes from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils import progress

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.cubes.scenes.scene import plan_scenes
from napari_dgc.ui.cube_layers import cube_to_layers

if TYPE_CHECKING:
    from napari_dgc.ui.cube_layers import LayerData

_SCENES = 6
_SIZE = 256  # pixels; six such cubes of 301 bands take some 470 MB
_SEED = 0
_INFECTED, _HEALTHY = "infected_leaf", "healthy_leaf"


def leaf_study() -> list[LayerData]:
    """Six scenes of one study, healthy and 3, 5 and 7 days after infection.

    They lie in one place, so that only the first is visible at once.
    """
    layers: list[LayerData] = []
    plan = plan_scenes(_SCENES, _SIZE, _SEED)
    for name, config, seed in progress(plan, desc="Simulating leaves"):
        cube = make_scene(config, seed, name).cube
        layers += cube_to_layers(cube, visible=not layers)
    return layers


def infected_leaf() -> list[LayerData]:
    """One scene with near-black lesions."""
    return cube_to_layers(_simulate(_INFECTED))


def healthy_leaf() -> list[LayerData]:
    """One scene without lesions."""
    return cube_to_layers(_simulate(_HEALTHY))


def simulate_again(name: str, shape: tuple[int, int, int]) -> Cube | None:
    """Make a sample's cube once more: a study on samples needs no file of them.

    Parameters
    ----------
    name : str
        The cube's.
    shape : tuple of int
        (C, H, W); nothing is simulated where no sample of this name has it.
    """
    recipe = _recipes().get(name)
    if recipe is None or shape != (recipe[0].bands, *recipe[0].shape):
        return None
    return _simulate(name)


def is_sample(name: str) -> bool:
    """Whether a sample's cube is called so."""
    return name in _recipes()


def _simulate(name: str) -> Cube:
    config, seed = _recipes()[name]
    return make_scene(config, seed, name).cube


def _recipes() -> dict[str, tuple[SceneConfig, int]]:
    """How each sample's cube is made, by its name."""
    study = plan_scenes(_SCENES, _SIZE, _SEED)
    return {
        _INFECTED: (SceneConfig(size=_SIZE, lesion="near-black"), _SEED),
        _HEALTHY: (SceneConfig(size=_SIZE, lesion=None), _SEED),
        **{name: (config, seed) for name, config, seed in study},
    }
