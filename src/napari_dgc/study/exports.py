"""Group maps, masks and the recipe of a study, as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Group, Grouping, Role
from napari_dgc.merging.recipe import Recipe
from napari_dgc.reports.masks import write_label_tiff, write_png
from napari_dgc.reports.pictures import map_with_legend

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model

Color = tuple[int, int, int]

MAP_FORMATS = ("tif", "png")
MASK_ROLES: tuple[Role, ...] = ("background", "healthy", "lesion")
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
        Of "tif" (uint8 label values) and "png" (the colours on screen).
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
    formats: tuple[str, ...] = MAP_FORMATS
    roles: bool = False
    legend: bool = False

    def __post_init__(self) -> None:
        unknown = sorted(set(self.formats) - set(MAP_FORMATS))
        if unknown or not self.formats:
            raise ValueError(f"formats {unknown} are unknown; use {MAP_FORMATS}")

    def paths(self) -> list[Path]:
        """Every file that will be written."""
        files = []
        for stem in self.maps:
            for kind in ("groups", *self._masks()):
                names = (f"{stem}_{kind}.{suffix}" for suffix in self.formats)
                files += [self.folder / name for name in names]
            files += [self._legend_path(stem)] if self._has_legend else []
        files.append(self.folder / "recipe.json")
        if self.model is not None:
            files.append(self.folder / "model.safetensors")
        return files

    def existing(self) -> list[Path]:
        """Those of them that are there already."""
        return [path for path in self.paths() if path.exists()]

    def run(self, *, force: bool = False) -> Iterator[Path]:
        """Write the files one by one.

        Yields
        ------
        pathlib.Path
            After each file.

        Raises
        ------
        InputError
            If a file exists and `force` is False (nothing is written then),
            or the folder cannot be written to.
        """
        there = self.existing()
        if there and not force:
            raise InputError(
                there[0], "it exists already", "choose another folder, or use --force"
            )
        lut = self.grouping.lut()
        colors = {group.value: group.color for group in self.grouping.groups}
        named = {
            group.value: (_word(group), group.color) for group in self.grouping.groups
        }
        meaning = "; ".join(f"{value} = {name}" for value, (name, _) in named.items())
        for stem, clusters in self.maps.items():
            labels = np.take(lut, clusters)
            yield from self._write(f"{stem}_groups", labels, colors, meaning, force)
            if self._has_legend:
                path = self._legend_path(stem)
                yield map_with_legend(path, stem, labels, named, force=force)
            for kind, groups in self._masks().items():
                values = [group.value for group in groups]
                mask = np.isin(labels, values).astype(np.uint8)
                color = {1: groups[0].color}
                text = "1 = " + " + ".join(group.name for group in groups)
                yield from self._write(f"{stem}_{kind}", mask, color, text, force)
        path = self.folder / "recipe.json"
        self.recipe.write(path, force=force)
        yield path
        if self.model is not None:
            path = self.folder / "model.safetensors"
            self.model.save(path, force=force)
            yield path

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

    def _legend_path(self, stem: str) -> Path:
        return self.folder / f"{stem}_groups_legend.png"

    def _write(
        self,
        stem: str,
        labels: NDArray[np.uint8],
        colors: Mapping[int, Color],
        meaning: str,
        force: bool,
    ) -> Iterator[Path]:
        for suffix in self.formats:
            path = self.folder / f"{stem}.{suffix}"
            if suffix == "tif":
                write_label_tiff(path, labels, description=meaning, force=force)
            else:
                write_png(path, labels, dict(colors), force=force)
            yield path


def _word(group: Group) -> str:
    """Name a group, and its role where that is not its name."""
    same = group.role is None or group.name.lower() == group.role
    return group.name if same else f"{group.name} ({group.role})"


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
