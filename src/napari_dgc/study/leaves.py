"""A study's leaf regions: found once, edited by hand at will, then frozen.

Merging never changes them; when roles change they are stale until somebody finds
them anew. `leaf_file` keeps them beside the study.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.splits import Split
from napari_dgc.reports.region_edits import carry_names, renumber
from napari_dgc.reports.regions import (
    RegionSettings,
    default_region_names,
    find_regions,
)
from napari_dgc.reports.severity import TISSUE
from napari_dgc.study.exports import file_stems

if TYPE_CHECKING:
    from napari_dgc.study.study import Study

T = TypeVar("T")
Regions = NDArray[np.uint16]
Area = NDArray[np.bool_]


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
    clusters : tuple of int, optional
        All clusters there were then; None in files of older programs.
    areas : mapping of str to ndarray of bool, shape (H, W)
        Where a cube is looked at, by file stem; all of it where there is none.
    edited : frozenset of str
        Cubes whose leaves were changed by hand.
    """

    model: str
    tissue: tuple[int, ...]
    settings: RegionSettings = field(default_factory=RegionSettings)
    maps: Mapping[str, Regions] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clusters: tuple[int, ...] | None = None
    areas: Mapping[str, Area] = field(default_factory=dict)
    edited: frozenset[str] = frozenset()

    @classmethod
    def none_yet(cls, study: Study) -> LeafRegions:
        """No leaf at all, for this study's clusters.

        Raises
        ------
        InputError
            If there is no model.
        """
        model, grouping = study.model, study.grouping
        if model is None or grouping is None:
            raise InputError("study", "there is no model yet", "train or load a model")
        tissue = tissue_clusters(grouping)
        return cls(model.fingerprint, tissue, clusters=grouping.clusters)

    def is_stale(self, study: Study) -> bool:
        """Whether other clusters are tissue now, or another model is in use.

        A cluster that was split since, or whose split was undone, changes nothing:
        what came of it carries its tissue until it is given another role.
        """
        if not self.maps:
            return False
        if study.model is None or study.grouping is None:
            return True
        if study.model.fingerprint != self.model:
            return True
        splits, now = study.splits_on_record, study.grouping
        known = self.clusters
        if known is None:
            known = (*study.model.cluster_ids.tolist(), *self.tissue)
        undecided = {c for g in now.groups if g.role is None for c in g.clusters}
        settled = set(now.clusters) - (undecided - set(known))
        before = _with_parts(self.tissue, known, splits)
        return before != _with_parts(tissue_clusters(now), settled, splits)

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

    def put(
        self,
        stem: str,
        regions: NDArray[np.integer],
        names: Mapping[int, str] | None = None,
    ) -> LeafRegions:
        """Take leaves made by hand, (H, W), numbered anew in reading order.

        `names` are by the numbers in `regions`; without them, leaves keep the names
        that their numbers have.
        """
        if names is None:
            names = dict(enumerate(self.names.get(stem, ()), 1))
        numbered, called = renumber(regions, names)
        return replace(
            self,
            maps={**self.maps, stem: numbered},
            names={**self.names, stem: called},
            edited=self.edited | {stem},
        )

    def look_at(self, stem: str, area: Area | None) -> LeafRegions:
        """Look at a part of a cube, (H, W) bool, or at all of it: None.

        Leaves are cut off where the area ends.
        """
        others = {name: one for name, one in self.areas.items() if name != stem}
        if area is None:
            return replace(self, areas=others)
        changed = replace(self, areas={**others, stem: area})
        regions = self.maps.get(stem)
        if regions is None or not regions[~area].any():
            return changed
        hand = self.edited
        return replace(changed.put(stem, np.where(area, regions, 0)), edited=hand)

    def follow(self, stems: Mapping[str, str]) -> LeafRegions:
        """Keep the cubes that there still are: old stems to new ones."""

        def moved(by_stem: Mapping[str, T]) -> dict[str, T]:
            return {stems[s]: one for s, one in by_stem.items() if s in stems}

        return replace(
            self,
            maps=moved(self.maps),
            names=moved(self.names),
            areas=moved(self.areas),
            edited=frozenset(stems[s] for s in self.edited if s in stems),
        )


def tissue_clusters(grouping: Grouping) -> tuple[int, ...]:
    """Clusters whose group is healthy or lesion, ascending."""
    return clusters_with(grouping, TISSUE)


def clusters_with(grouping: Grouping, roles: Collection[str]) -> tuple[int, ...]:
    """Clusters whose group has one of these roles, ascending."""
    groups = (group for group in grouping.groups if group.role in roles)
    return tuple(sorted(cluster for group in groups for cluster in group.clusters))


def find_leaves(
    study: Study, settings: RegionSettings | None = None, *, keep_edited: bool = False
) -> Iterator[str | LeafRegions]:
    """Find the leaves of every cube that has a map.

    The study is asked at once; the work may be done in a worker. Areas that are
    looked at are kept, and names that somebody gave go to the leaves in their place.

    Parameters
    ----------
    study : Study
    settings : RegionSettings, optional
    keep_edited : bool
        Leave the cubes alone whose leaves were changed by hand.

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
    empty = LeafRegions.none_yet(study)
    if not empty.tissue:
        raise InputError(
            "study",
            "no group has the role healthy or lesion",
            "give the groups their roles first",
        )
    stems = file_stems([cube.name for cube in study.cubes])
    clusters = {stem: study.cluster_map(i) for i, stem in enumerate(stems)}
    known = {stem: ids for stem, ids in clusters.items() if ids is not None}
    found = replace(empty, settings=settings or RegionSettings())
    before = study.leaves or found
    kept = before.edited & before.maps.keys() if keep_edited else frozenset()
    return _found(replace(found, edited=frozenset(kept)), known, before)


def _found(
    found: LeafRegions,
    clusters: Mapping[str, NDArray[np.uint8]],
    before: LeafRegions,
) -> Iterator[str | LeafRegions]:
    maps = {stem: before.maps[stem] for stem in found.edited}
    names = {stem: before.names[stem] for stem in found.edited}
    for stem, ids in clusters.items():
        if stem in maps:
            continue
        yield stem
        tissue = np.isin(ids, found.tissue) & _area(before, stem, ids.shape)
        regions = maps[stem] = find_regions(tissue, found.settings)
        count = int(regions.max(initial=0))
        names[stem] = default_region_names(count)
        if stem in before.maps:
            old = before.maps[stem], before.names[stem]
            names[stem] = carry_names(*old, regions, count)
    yield replace(found, maps=maps, names=names, areas=before.areas)


def _area(leaves: LeafRegions, stem: str, shape: tuple[int, ...]) -> Area | np.bool_:
    area = leaves.areas.get(stem)
    return np.True_ if area is None or area.shape != shape else area


def _with_parts(
    tissue: Iterable[int], known: Iterable[int], splits: Iterable[Split]
) -> set[int]:
    """Tissue with the parts of its clusters that are not among those known."""
    all_of_it, known = set(tissue), set(known)
    for split in splits:
        if split.cluster in all_of_it:
            all_of_it |= set(split.parts) - known
    return all_of_it
