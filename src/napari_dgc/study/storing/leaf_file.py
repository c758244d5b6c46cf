"""Leaf regions in a file beside the study: ``<stem>.dgc/leaves.npz``.

It holds a (H, W) uint16 map per cube, (H, W) bool for each area that is looked at
and, as JSON, from what they were found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.archives import read_npz
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole
from napari_dgc.merging.fields import Fields
from napari_dgc.reports.regions import RegionSettings
from napari_dgc.study.leaves import LeafRegions
from napari_dgc.study.storing.companions import companion_folder

FILE = "leaves.npz"
FORMAT = "napari-dgc leaves"
VERSION = 2  # 2: areas that are looked at
_WITHOUT_AREAS = 1  # what older programs read too
_ABOUT = "about"  # the JSON; cubes are "map 0", "map 1", ..., areas "area 0", ...
_REMEDY = "find the leaves again"


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
    stems, areas = sorted(leaves.maps), sorted(leaves.areas)
    about = {
        "format": FORMAT,
        "version": VERSION if areas else _WITHOUT_AREAS,
        "model": leaves.model,
        "tissue": list(leaves.tissue),
        "clusters": None if leaves.clusters is None else list(leaves.clusters),
        "min_pixels": leaves.settings.min_pixels,
        "split": leaves.settings.split,
        "neck": leaves.settings.neck,
        "cubes": [{"stem": s, "names": list(leaves.names[s])} for s in stems],
        "edited": sorted(leaves.edited),
        "areas": areas,
    }
    text = json.dumps(about, sort_keys=True, ensure_ascii=False)
    arrays: dict[str, Any] = {
        f"map {i}": leaves.maps[stem] for i, stem in enumerate(stems)
    }
    arrays |= {f"area {i}": leaves.areas[stem] for i, stem in enumerate(areas)}
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
        return _read(fields, file)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise InputError(path, f"is damaged ({error})", _REMEDY) from error


def _read(fields: Fields, file: Mapping[str, NDArray[Any]]) -> LeafRegions:
    maps, names, areas = {}, {}, {}
    for place, item in enumerate(fields.items("cubes")):
        cube = Fields(item, "a cube of the leaves")
        stem, listed = cube.text("stem"), cube.items("names")
        regions = file[f"map {place}"]
        _check(regions, listed)
        maps[stem], names[stem] = regions, tuple(listed)
    for place, stem in enumerate(_texts(fields, "areas")):
        area = areas[stem] = file[f"area {place}"]
        if area.ndim != 2 or area.dtype != np.bool_:
            raise ValueError(f"an area is {area.dtype} of {area.shape}")
    neck = fields.value("neck")
    return LeafRegions(
        fields.text("model"),
        fields.integers("tissue"),
        RegionSettings(
            fields.optional_integer("min_pixels"),
            fields.flag("split"),
            neck if isinstance(neck, float) else 0.0,
        ),
        maps,
        names,
        fields.optional_integers("clusters"),
        areas,
        frozenset(_texts(fields, "edited")),
    )


def _texts(fields: Fields, key: str) -> list[str]:
    """Read a list of texts, empty where it is missing: older files lack it."""
    items = fields.optional_items(key)
    if not all(isinstance(item, str) for item in items):
        raise ValueError(f"{key!r} of the leaves should be a list of texts")
    return items


def _check(regions: NDArray[np.uint16], names: list[object]) -> None:
    if regions.ndim != 2 or regions.dtype != np.uint16:
        raise ValueError(f"a map is {regions.dtype} of {regions.shape}")
    whole = all(isinstance(name, str) for name in names)
    if not whole or len(names) != int(regions.max(initial=0)):
        raise ValueError("the leaves' names do not fit their map")
