"""Simulated scenes of tea-like leaves, with their truth."""

from __future__ import annotations

from napari_dgc.cubes.scenes.config import SceneConfig
from napari_dgc.cubes.scenes.scene import Scene, make_scene, make_scenes

__all__ = ["Scene", "SceneConfig", "make_scene", "make_scenes"]
