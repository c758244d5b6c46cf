"""Simulated scenes of tea-like leaves, with their truth."""

from __future__ import annotations

from napari_dgc.cubes.scenes.config import SceneConfig
from napari_dgc.cubes.scenes.files import write_scene_envi, write_scenes
from napari_dgc.cubes.scenes.scene import Scene, make_scene, make_scenes

__all__ = [
    "Scene",
    "SceneConfig",
    "make_scene",
    "make_scenes",
    "write_scene_envi",
    "write_scenes",
]
