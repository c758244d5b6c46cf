"""File > Open Sample: simulated leaf scenes, shown just as cubes from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils import progress

from napari_dgc.cubes.scenes import SceneConfig, make_scene, make_scenes
from napari_dgc.ui.cube_layers import cube_to_layers

if TYPE_CHECKING:
    from napari_dgc.ui.cube_layers import LayerData

_SCENES = 6
_SIZE = 256  # pixels; six such cubes of 301 bands take some 470 MB
_SEED = 0


def leaf_study() -> list[LayerData]:
    """Six scenes of one study, healthy and 3, 5 and 7 days after infection.

    They lie in one place, so that only the first is visible at once.
    """
    layers: list[LayerData] = []
    scenes = make_scenes(_SCENES, _SIZE, _SEED)
    for scene in progress(scenes, desc="Simulating leaves", total=_SCENES):
        layers += cube_to_layers(scene.cube, visible=not layers)
    return layers


def infected_leaf() -> list[LayerData]:
    """One scene with near-black lesions."""
    config = SceneConfig(size=_SIZE, lesion="near-black")
    return cube_to_layers(make_scene(config, _SEED, "infected_leaf").cube)


def healthy_leaf() -> list[LayerData]:
    """One scene without lesions."""
    config = SceneConfig(size=_SIZE, lesion=None)
    return cube_to_layers(make_scene(config, _SEED, "healthy_leaf").cube)
