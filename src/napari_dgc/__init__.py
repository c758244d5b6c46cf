"""Deep Global Clustering of hyperspectral cubes, merged by hand in napari.

The public face. Importing it loads neither torch nor Qt; each name is
fetched when it is first used.

Examples
--------
>>> from napari_dgc import Config, segment, train, read_cube  # doctest: +SKIP
>>> cube = read_cube("leaf.mat")  # doctest: +SKIP
>>> *_, last = train([cube], Config(k=16))  # doctest: +SKIP
>>> segment(last.model, cube).clusters  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_dgc.clustering.config import Config
    from napari_dgc.clustering.inference import segment
    from napari_dgc.clustering.model import Model
    from napari_dgc.clustering.training import train
    from napari_dgc.cubes.cube import Cube
    from napari_dgc.cubes.readers import read_cube
    from napari_dgc.study import Study

__version__ = "0.1.0"
__all__ = ["Config", "Cube", "Model", "Study", "read_cube", "segment", "train"]

_HOMES = {
    "Config": "clustering.config",
    "Cube": "cubes.cube",
    "Model": "clustering.model",
    "Study": "study",
    "read_cube": "cubes.readers",
    "segment": "clustering.inference",
    "train": "clustering.training",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"napari_dgc.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'napari_dgc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
