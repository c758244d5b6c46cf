"""A study's leaf regions: found once, then frozen in a file beside it.

``<stem>.dgc/leaves.npz`` holds a (H, W) uint16 map per cube and, as JSON, from what
they were found. Merging never changes them; when roles change they are stale until
somebody finds them anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.archives import read_npz
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole
from napari_dgc.merging.fields import Fields
from napari_dgc.merging.grouping import Grouping
from napari_dgc.reports.regions import (
    RegionSettings,
    default_region_names,
    find_regions,
)
from napari_dgc.reports.severity import TISSUE
from napari_dgc.study.companions import companion_folder
from napari_dgc.study.exports import file_stems

if TYPE_CHECKING:
    from napari_dgc.study.study import Study

FILE = "leaves.npz"
FORMAT, VERSION = "napari-dgc leaves", 1
_ABOUT = "about"  # the JSON; cubes are "map 0", "map 1", ...
_REMEDY = "find the leaves again"


@dataclass(frozen=True, slots=True, eq=False)
class LeafRegions:
    """The leaves of a study's cubes.

    Attributes
    ----------
    model : str
        Fingerprint of the model whose clusters `tissue` names.
    tissue : tuple of int
        Clusters that were healthy or lesion when they were found.
    settings : RegionSettings
    maps : mapping of str to ndarray of uint16, shape (H, W)
        By file stem; see `find_regions`.
    names : mapping of str to tuple of str
        Names of the leaves 1 and on, by file stem.
    """

    model: str
    tissue: tuple[int, ...]
    settings: RegionSettings = field(default_factory=RegionSettings)
    maps: Mapping[str, NDArray[np.uint16]] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def is_stale(self, study: Study) -> bool:
        """Whether other clusters are tissue now, or another model is in use."""
        if study.model is None or study.grouping is None:
            return True
        now = study.model.fingerprint, tissue_clusters(study.grouping)
        return now != (self.model, self.tissue)

    def rename(self, stem: str, number: int, name: str) -> LeafRegions:
        """Name one leaf.

        Raises
        ------
        ValueError
            If there is no such leaf, or the name is not one printable line.
        """
        names, clean = list(self.names.get(stem, ())), name.strip()
        if not 1 <= number <= len(names):
            raise ValueError(f"{stem} has no leaf {number}")
        if not clean or not clean.isprintable():
            raise ValueError(f"a name is one printable line of text, not {name!r}")
        names[number - 1] = clean
        return replace(self, names={**self.names, stem: tuple(names)})


def tissue_clusters(grouping: Grouping) -> tuple[int, ...]:
    """Clusters whose group is healthy or lesion, ascending."""
    groups = (group for group in grouping.groups if group.role in TISSUE)
    return tuple(sorted(cluster for group in groups for cluster in group.clusters))


def find_leaves(
    study: Study, settings: RegionSettings | None = None
) -> Iterator[str | LeafRegions]:
    """Find the leaves of every cube that has a map.

    Yields
    ------
    str
        Before each cube: its file stem.
    LeafRegions
        Last.

    Raises
    ------
    InputError
        If there is no map, or no group is healthy or lesion.
    """
    model, grouping = study.model, study.grouping
    if model is None or grouping is None:
        raise InputError("study", "there is no model yet", "train or load a model")
    tissue = tissue_clusters(grouping)
    if not tissue:
        raise InputError(
            "study",
            "no group has the role healthy or lesion",
            "give the groups their roles first",
        )
    settings = settings or RegionSettings()
    stems = file_stems([cube.name for cube in study.cubes])
    clusters = {stem: study.cluster_map(i) for i, stem in enumerate(stems)}
    maps = {}
    for stem, ids in clusters.items():
        if ids is not None:
            yield stem
            maps[stem] = find_regions(np.isin(ids, tissue), settings)
    names = {s: default_region_names(int(m.max(initial=0))) for s, m in maps.items()}
    yield LeafRegions(model.fingerprint, tissue, settings, maps, names)


def leaves_path(study_path: Path) -> Path:
    """Where the leaves of the study in a file are kept."""
    return companion_folder(study_path) / FILE


def save_leaves(leaves: LeafRegions, path: Path, *, force: bool = False) -> Path:
    """Write leaf regions: whole or not at all.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    stems = sorted(leaves.maps)
    about = {
        "format": FORMAT,
        "version": VERSION,
        "model": leaves.model,
        "tissue": list(leaves.tissue),
        "min_pixels": leaves.settings.min_pixels,
        "split": leaves.settings.split,
        "neck": leaves.settings.neck,
        "cubes": [{"stem": s, "names": list(leaves.names[s])} for s in stems],
    }
    text = json.dumps(about, sort_keys=True, ensure_ascii=False)
    arrays: dict[str, Any] = {
        f"map {i}": leaves.maps[stem] for i, stem in enumerate(stems)
    }
    arrays[_ABOUT] = np.frombuffer(text.encode(), np.uint8)
    return write_whole(
        path, lambda file: np.savez_compressed(file, **arrays), force=force
    )


def load_leaves(path: Path) -> LeafRegions | None:
    """Read leaf regions; None where there is no file.

    Raises
    ------
    InputError
        If the file is damaged, or a newer version wrote it.
    """
    if not path.is_file():
        return None
    try:
        file = read_npz(path)
        fields = Fields(json.loads(file[_ABOUT].tobytes()), "the leaves")
        if fields.text("format") != FORMAT:
            raise ValueError(f"it says {fields.text('format')!r}")
        fields.require_version(VERSION, path)
        maps, names = {}, {}
        for place, item in enumerate(fields.items("cubes")):
            cube = Fields(item, "a cube of the leaves")
            stem, listed = cube.text("stem"), cube.items("names")
            regions = file[f"map {place}"]
            _check(regions, listed)
            maps[stem], names[stem] = regions, tuple(listed)
        neck = fields.value("neck")
        settings = RegionSettings(
            fields.optional_integer("min_pixels"),
            fields.flag("split"),
            neck if isinstance(neck, float) else 0.0,
        )
        tissue = fields.integers("tissue")
        return LeafRegions(fields.text("model"), tissue, settings, maps, names)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise InputError(path, f"is damaged ({error})", _REMEDY) from error


def _check(regions: NDArray[np.uint16], names: list[object]) -> None:
    if regions.ndim != 2 or regions.dtype != np.uint16:
        raise ValueError(f"a map is {regions.dtype} of {regions.shape}")
    whole = all(isinstance(name, str) for name in names)
    if not whole or len(names) != int(regions.max(initial=0)):
        raise ValueError("the leaves' names do not fit their map")
