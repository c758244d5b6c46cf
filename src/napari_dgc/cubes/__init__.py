"""What comes in: cubes and their readers, annotations, sample scenes."""

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

__all__ = ["Cube", "InputError"]
