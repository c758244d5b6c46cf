"""One map in every format that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.files import write_whole
from napari_dgc.cubes.georeference import envi_fields, geotiff_tags
from napari_dgc.cubes.labelme import write_labelme
from napari_dgc.cubes.rendering import pseudo_rgb
from napari_dgc.reports.classes import MapClass, meaning, names_by_value
from napari_dgc.reports.envi_files import write_classification
from napari_dgc.reports.masks import write_label_tiff, write_png
from napari_dgc.reports.overlays import overlay

#: Endings of the files of each format, after the map's own name.
ENDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tif": (".tif",),
        "png": (".png",),
        "overlay": ("_overlay.png",),
        "envi": (".hdr", ".dat"),
        "labelme": (".json",),
        "npy": (".npy",),
        "pth": (".pth",),
    }
)
#: LabelMe's own name for what is no object.
_GROUND = "_background_"

TensorWriter = Callable[[Path, NDArray[np.uint8]], object]


@dataclass(frozen=True, slots=True, eq=False)
class MapFiles:
    """One map to be written.

    Attributes
    ----------
    name : str
        Of its files, without the ending.
    label_map : ndarray of uint8, shape (H, W)
    classes : tuple of MapClass
    cube : Cube, optional
        What it is the map of: "overlay" needs its picture; where it lies is
        written into TIFF and ENVI files.
    """

    name: str
    label_map: NDArray[np.uint8]
    classes: tuple[MapClass, ...]
    cube: Cube | None = None

    def write(
        self, folder: Path, formats: Sequence[str], write_tensor: TensorWriter
    ) -> Iterator[Path]:
        """Write the map; what is there is written over: give a folder of `staged`.

        Parameters
        ----------
        folder : pathlib.Path
        formats : sequence of str
            Of `ENDINGS`.
        write_tensor : callable
            Writes a .pth; it lives where torch may.

        Yields
        ------
        pathlib.Path
            After each file.
        """
        for kind in formats:
            paths = [folder / f"{self.name}{ending}" for ending in ENDINGS[kind]]
            if kind == "overlay":
                self._write_overlay(paths[0])
            elif kind == "labelme":
                image = self._image(formats)
                names = names_by_value(self.classes, _GROUND)
                write_labelme(paths[0], self.label_map, names, image)
            elif kind == "envi":
                place = envi_fields(self._header)
                write_classification(
                    paths[0], self.label_map, self.classes, place=place
                )
            else:
                self._write_plain(kind, paths[0], write_tensor)
            yield from paths

    @property
    def _header(self) -> Mapping[str, Any]:
        return {} if self.cube is None else self.cube.metadata

    def _write_plain(self, kind: str, path: Path, write_tensor: TensorWriter) -> None:
        if kind == "tif":
            write_label_tiff(
                path,
                self.label_map,
                description=meaning(self.classes),
                tags=geotiff_tags(self._header),
            )
        elif kind == "png":
            write_png(path, self.label_map, {c.value: c.color for c in self.classes})
        elif kind == "npy":
            write_whole(path, lambda file: np.save(file, self.label_map))
        else:
            write_tensor(path, self.label_map)

    def _write_overlay(self, path: Path) -> None:
        if self.cube is None:
            raise ValueError(f"{self.name} has no cube to lie over")
        mixed = overlay(pseudo_rgb(self.cube), self.label_map, self.classes)
        image = Image.fromarray(mixed)
        write_whole(path, lambda file: image.save(file, format="PNG"))

    def _image(self, formats: Sequence[str]) -> str:
        """Name what LabelMe shall show: a picture beside it, if one is written."""
        for kind in ("overlay", "png"):
            if kind in formats:
                return f"{self.name}{ENDINGS[kind][0]}"
        path = None if self.cube is None else self.cube.path
        return self.name if path is None else path.name
