"""Where the spectra dock has its numbers from: statistics, pooled and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.preview import preview_merge
from napari_dgc.merging.statistics import ClusterStatistics
from napari_dgc.reports.spectra import Spectrum
from napari_dgc.study import Study
from napari_dgc.study.reporting.spectra import good_in_all, group_spectra
from napari_dgc.study.view import Pin
from napari_dgc.ui.spectrum_reader import Pixel, SpectrumReader

_NO_CUBE = "Open a cube first: press Add files… under Cubes."
_NO_MAP = "Make a map first: press First map. Pixels under the mouse are shown already."
_NO_STATISTICS = "No statistics for this cube: map it again with First map."


class SpectraSource:
    """Group spectra of one cube or of all; computes only what has changed."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._from: ClusterStatistics | None = None
        self._members: dict[int, tuple[int, ...]] = {}
        self._spectra: dict[int, Spectrum] = {}

    def forget(self) -> None:
        """Compute all anew: maps or cubes are others."""
        self._from = None

    def name(self, index: int | None) -> str:
        """What the numbers are of; `index` as for `spectra`."""
        cubes = self._study.cubes
        if index is None:
            return f"{len(cubes)} cubes" if len(cubes) != 1 else cubes[0].name
        return cubes[index].name if 0 <= index < len(cubes) else ""

    def spectra(self, index: int | None) -> tuple[dict[int, Spectrum], str]:
        """Give every group's spectrum by its id.

        Parameters
        ----------
        index : int or None
            The cube's place in the study; None for all cubes together.

        Returns
        -------
        dict of int to Spectrum
        str
            What to do where there are none; empty where there are.
        """
        study = self._study
        if not study.cubes:
            return {}, _NO_CUBE
        mapped = [
            i for i in range(len(study.cubes)) if study.cluster_map(i) is not None
        ]
        grouping = study.grouping
        if grouping is None or not (mapped if index is None else index in mapped):
            return {}, _NO_MAP
        statistics = self._statistics(index)
        if statistics is None:
            return {}, _NO_STATISTICS
        return self._of(statistics, grouping, index), ""

    def _statistics(self, index: int | None) -> ClusterStatistics | None:
        study = self._study
        return study.pooled_statistics if index is None else study.statistics(index)

    def merged(
        self, index: int | None, sources: Sequence[int], target: int
    ) -> Spectrum | None:
        """Give what merging groups would show, in the target's colour.

        None without statistics or without a pixel; `index` as for `spectra`.
        """
        grouping, statistics = self._study.grouping, self._statistics(index)
        if grouping is None or statistics is None:
            return None
        preview = preview_merge(statistics, grouping, sources, target)
        if not preview.count:
            return None
        cubes, into = self._study.cubes, grouping.group(target)
        own = cubes if index is None else cubes[index : index + 1]
        good = good_in_all(own, self._study.model)
        mean, std = (
            v if good is None else np.where(good, v, np.nan)
            for v in (preview.mean, preview.std)
        )
        name = self.name(index)
        return Spectrum(
            name, into.name, mean, std, preview.count, into.role, into.color
        )

    def _of(
        self, statistics: ClusterStatistics, grouping: Grouping, index: int | None
    ) -> dict[int, Spectrum]:
        members = {group.id: group.clusters for group in grouping.groups}
        if statistics is not self._from or members != self._members:
            cubes = self._study.cubes
            own = cubes if index is None else cubes[index : index + 1]
            good = good_in_all(own, self._study.model)
            fresh = group_spectra(
                statistics, grouping, good_bands=good, cube=self.name(index)
            )
            if statistics is self._from:
                # The very arrays of groups that hold what they held: drawn already.
                same = {
                    id
                    for id, held in members.items()
                    if self._members.get(id) == held and id in self._spectra
                }
                for id in same & set(fresh):
                    old = self._spectra[id]
                    fresh[id] = replace(fresh[id], mean=old.mean, std=old.std)
            self._spectra, self._from, self._members = fresh, statistics, members
        return {
            group.id: replace(
                self._spectra[group.id],
                name=group.name,
                role=group.role,
                color=group.color,
            )
            for group in grouping.groups
            if group.id in self._spectra
        }


def pinned_spectra(
    study: Study, reader: SpectrumReader
) -> list[tuple[int, Pin, Spectrum | None]]:
    """Give the study's pins with their numbers and spectra, None while being read."""
    cubes = study.cubes
    numbered = [
        (number, pin, Pixel(cubes[pin.cube], pin.row, pin.col))
        for number, pin in enumerate(study.view.pins, 1)
        if 0 <= pin.cube < len(cubes) and _holds(cubes[pin.cube], pin)
    ]
    read = reader.keep(pixel for *_, pixel in numbered)
    result: list[tuple[int, Pin, Spectrum | None]] = []
    for number, pin, pixel in numbered:
        name = f"{number}: {pixel.cube.name}, row {pin.row}, column {pin.col}"
        place = pin.row, pin.col
        result.append(
            (
                number,
                pin,
                Spectrum(pixel.cube.name, name, read[pixel], pixel=place)
                if pixel in read
                else None,
            )
        )
    return result


def _holds(cube: Cube, pin: Pin) -> bool:
    _, H, W = cube.shape
    return 0 <= pin.row < H and 0 <= pin.col < W
