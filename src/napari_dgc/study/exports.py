"""Group maps, masks and the recipe of a study, as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.staging import staged
from napari_dgc.merging.grouping import Group, Grouping, Role
from napari_dgc.merging.recipe import Recipe
from napari_dgc.reports.classes import MapClass
from napari_dgc.reports.map_formats import ENDINGS, MapFiles
from napari_dgc.reports.pictures import map_with_legend

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study

FORMATS = tuple(ENDINGS)
DEFAULT_FORMATS = ("tif", "png")
MASK_ROLES: tuple[Role, ...] = ("background", "healthy", "lesion")
_LEGEND = "_groups_legend.png"
_REFUSED = '/\\:*?"<>|'  # by one file system or another


@dataclass(frozen=True, slots=True)
class Export:
    """What shall be written; made on the screen's thread, run in a worker.

    Attributes
    ----------
    folder : pathlib.Path
        Created if missing.
    grouping : Grouping
    recipe : Recipe
    maps : mapping of str to ndarray of uint8
        Cluster map (H, W) by file stem.
    model : Model, optional
        Written as ``model.safetensors``: without it nobody could use the
        recipe.
    groups : tuple of Group
        If any: masks of their pixels are written too (1, the rest 0).
    formats : tuple of str
        Of "tif" (uint8 label values), "png" (the colours on screen), "overlay"
        (the colours over the cube's picture), "envi" (a classification: .hdr and
        .dat), "labelme" (polygons), "npy" and "pth".
    cubes : mapping of str to Cube
        By file stem, those that are there. "overlay" needs them all; where they
        lie on Earth goes into "tif" and "envi".
    roles : bool
        Whether there is also a mask for each role of `MASK_ROLES` that a group has:
        ``<stem>_lesion_mask.tif`` and so on.
    legend : bool
        Whether a picture of each map with the groups' names is written too, as
        ``<stem>_groups_legend.png``; needs the format "png".
    """

    folder: Path
    grouping: Grouping
    recipe: Recipe
    maps: Mapping[str, NDArray[np.uint8]]
    model: Model | None = None
    groups: tuple[Group, ...] = ()
    formats: tuple[str, ...] = DEFAULT_FORMATS
    cubes: Mapping[str, Cube] = field(default_factory=dict)
    roles: bool = False
    legend: bool = False

    def __post_init__(self) -> None:
        unknown = sorted(set(self.formats) - set(FORMATS))
        if unknown or not self.formats:
            raise ValueError(f"formats {unknown} are unknown; use {FORMATS}")

    @classmethod
    def of(
        cls,
        study: Study,
        folder: str | Path,
        groups: Sequence[int] = (),
        formats: Sequence[str] = DEFAULT_FORMATS,
    ) -> Export:
        """Prepare writing what a study holds now; see `Study.export`."""
        recipe, grouping = study.recipe(), study.grouping
        maps = {i: study.cluster_map(i) for i in range(len(study.cubes))}
        if grouping is None or all(clusters is None for clusters in maps.values()):
            raise InputError(folder, "there is no map to export", "map a cube first")
        stems = file_stems([cube.name for cube in study.cubes])
        there = {i: c for i, c in enumerate(study.cubes) if i not in study.missing}
        return cls(
            folder=Path(folder),
            grouping=grouping,
            recipe=recipe,
            maps={stems[i]: m for i, m in maps.items() if m is not None},
            model=study.model,
            groups=tuple(grouping.group(g) for g in groups),
            formats=tuple(formats),
            cubes={stems[i]: cube for i, cube in there.items()},
        )

    def paths(self) -> list[Path]:
        """Every file that will be written."""
        files = [
            self.folder / f"{stem}_{kind}{ending}"
            for stem in self.maps
            for kind in ("groups", *self._masks())
            for suffix in self.formats
            for ending in ENDINGS[suffix]
        ]
        if self._has_legend:
            files += [self.folder / f"{stem}{_LEGEND}" for stem in self.maps]
        files.append(self.folder / "recipe.json")
        if self.model is not None:
            files.append(self.folder / "model.safetensors")
        return files

    def existing(self) -> list[Path]:
        """Those of them that are there already."""
        return [path for path in self.paths() if path.exists()]

    def run(self, *, force: bool = False) -> Iterator[Path]:
        """Write the files one by one; all appear at the end, or none.

        Yields
        ------
        pathlib.Path
            After each file: where it will be when the last one is done.

        Raises
        ------
        InputError
            If a file exists and `force` is False, a cube for "overlay" is missing,
            or the folder cannot be written to. Nothing is changed then, nor if the
            generator is closed early.
        """
        there = self.existing()
        if there and not force:
            raise InputError(
                there[0], "it exists already", "choose another folder, or use --force"
            )
        lacking = sorted(set(self.maps) - set(self.cubes))
        if "overlay" in self.formats and lacking:
            raise InputError(
                lacking[0],
                "the cube is not there, and an overlay shows it",
                "name the cubes, or leave out the overlay",
            )
        with staged(self.folder, force=force) as stage:
            for path in self._write(stage):
                yield self.folder / path.name

    def _write(self, stage: Path) -> Iterator[Path]:
        for files in self._maps():
            yield from files.write(stage, self.formats, _write_tensor)
        if self._has_legend:
            yield from self._write_legends(stage)
        path = stage / "recipe.json"
        self.recipe.write(path)
        yield path
        if self.model is not None:
            path = stage / "model.safetensors"
            self.model.save(path)
            yield path

    def _maps(self) -> Iterator[MapFiles]:
        """Every map, made when its turn comes."""
        lut, classes = self.grouping.lut(), map_classes(self.grouping)
        for stem, clusters in self.maps.items():
            labels, cube = np.take(lut, clusters), self.cubes.get(stem)
            yield MapFiles(f"{stem}_groups", labels, classes, cube)
            for kind, groups in self._masks().items():
                values = [group.value for group in groups]
                mask = np.isin(labels, values).astype(np.uint8)
                names = " + ".join(group.name for group in groups)
                chosen = (MapClass(1, names, groups[0].color),)
                yield MapFiles(f"{stem}_{kind}", mask, chosen, cube)

    def _masks(self) -> dict[str, tuple[Group, ...]]:
        """Groups of each mask, by what its files are called after the stem."""
        masks = {"mask": self.groups}
        for role in MASK_ROLES if self.roles else ():
            alike = tuple(g for g in self.grouping.groups if g.role == role)
            masks[f"{role}_mask"] = alike
        return {kind: groups for kind, groups in masks.items() if groups}

    @property
    def _has_legend(self) -> bool:
        return self.legend and "png" in self.formats

    def _write_legends(self, stage: Path) -> Iterator[Path]:
        lut = self.grouping.lut()
        named = {g.value: (_word(g), g.color) for g in self.grouping.groups}
        for stem, clusters in self.maps.items():
            path = stage / f"{stem}{_LEGEND}"
            yield map_with_legend(path, stem, np.take(lut, clusters), named)


def map_classes(grouping: Grouping) -> tuple[MapClass, ...]:
    """What the label values of a grouping mean, in table order."""
    return tuple(MapClass(g.value, g.name, g.color, g.role) for g in grouping.groups)


def file_stems(names: Sequence[str]) -> list[str]:
    """Make names fit for files, and unlike each other where they are equal."""
    stems: list[str] = []
    for name in names:
        clean = "".join("_" if c in _REFUSED or ord(c) < 32 else c for c in name)
        stem = clean.strip(" .") or "cube"
        number, unique = 2, stem
        while unique in stems:
            unique = f"{stem}_{number}"
            number += 1
        stems.append(unique)
    return stems


def _write_tensor(path: Path, data: NDArray[np.uint8], *, force: bool = False) -> None:
    # Imported here: torch takes two seconds, which other formats need not wait for.
    from napari_dgc.clustering.tensors import write_tensor

    write_tensor(path, data, force=force)


def _word(group: Group) -> str:
    """Name a group, and its role where that is not its name."""
    same = group.role is None or group.name.lower() == group.role
    return group.name if same else f"{group.name} ({group.role})"
