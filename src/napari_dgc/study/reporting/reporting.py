"""Severity, spectra, indices, pictures and the page of a study, as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.georeference import pixel_area
from napari_dgc.cubes.staging import staged
from napari_dgc.merging.grouping import Grouping
from napari_dgc.reports.doubt import doubt_levels
from napari_dgc.reports.envi_files import write_spectral_library
from napari_dgc.reports.indices import usable_indices, write_indices_csv
from napari_dgc.reports.leaf_pictures import write_leaf_picture, write_regions_tiff
from napari_dgc.reports.leaf_severity import LeafMap, leaf_severity
from napari_dgc.reports.page import write_page
from napari_dgc.reports.regions import RegionSettings, find_regions
from napari_dgc.reports.severity import (
    TISSUE,
    SeverityRow,
    with_days,
    write_lesions_csv,
    write_severity_csv,
)
from napari_dgc.reports.spectra import Spectrum, write_spectra_csv
from napari_dgc.reports.time_series import (
    Days,
    days_from_names,
    write_series_csv,
    write_series_picture,
)
from napari_dgc.study.exports import file_stems, map_classes
from napari_dgc.study.leaves import LeafRegions
from napari_dgc.study.reporting.account import Account, ruled_out
from napari_dgc.study.reporting.measured_cube import MeasuredCube
from napari_dgc.study.reporting.page import page_content
from napari_dgc.study.reporting.spectra import good_in_all, group_spectra

if TYPE_CHECKING:
    from napari_dgc.study.study import Study


PAGE = "report.html"
"""One page with all of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What shall be reckoned and written; made on the screen's thread.

    Attributes
    ----------
    grouping : Grouping
        Its roles say what tissue is.
    cubes : mapping of str to MeasuredCube
        By file stem.
    wavelengths : ndarray of float64, shape (C,), optional
        In nm.
    good_bands : ndarray of bool, shape (C,), optional
    settings : RegionSettings
        How leaves are found where they are not settled.
    min_lesion : int
        Pixels a lesion has at least to be counted.
    days : dict of str to (str, float)
        Plant and day by file stem.
    account : Account, optional
        What the study was made of; without it there is no page.
    settled : bool
        Whether leaves are kept with the study.
    """

    grouping: Grouping
    cubes: Mapping[str, MeasuredCube]
    wavelengths: NDArray[np.float64] | None = None
    good_bands: NDArray[np.bool_] | None = None
    settings: RegionSettings = field(default_factory=RegionSettings)
    min_lesion: int = 1
    days: Days = field(default_factory=dict)
    account: Account | None = None
    settled: bool = False

    @classmethod
    def of(cls, study: Study, *, pixel_mm2: float | None = None) -> Report:
        """Take what a study holds now, with its leaves, areas and measures.

        Parameters
        ----------
        study : Study
        pixel_mm2 : float, optional
            Area of a pixel; where it is None, what the study says and then what the
            cubes' headers do.

        Raises
        ------
        InputError
            If there is no map.
        """
        stems = file_stems([cube.name for cube in study.cubes])
        measures = study.view.measures
        area = pixel_mm2 or measures.pixel_area
        cubes = {}
        for index, (stem, cube) in enumerate(zip(stems, study.cubes, strict=True)):
            clusters = study.cluster_map(index)
            if clusters is not None:
                cubes[stem] = MeasuredCube(
                    clusters,
                    study.confidence(index),
                    study.statistics(index),
                    pixel_area=area or pixel_area(cube.metadata),
                )
        if study.grouping is None or study.model is None or not cubes:
            raise InputError("study", "there is no map yet", "map a cube first")
        report = cls(
            study.grouping,
            cubes,
            study.model.wavelengths,
            good_in_all(study.cubes, study.model, ruled_out(study)),
            min_lesion=measures.min_lesion,
            days=measures.by_cube or days_from_names(list(cubes)),
            account=Account.of(study),
        )
        return report if study.leaves is None else report.with_leaves(study.leaves)

    def with_leaves(self, leaves: LeafRegions) -> Report:
        """Take leaves that are settled, and areas, where they fit the cubes' maps.

        Leaves of other cubes will be found with the same settings.
        """
        cubes = {stem: cube.within(leaves, stem) for stem, cube in self.cubes.items()}
        return replace(self, cubes=cubes, settings=leaves.settings, settled=True)

    def with_regions(self) -> Iterator[str | Report]:
        """Find the leaves of every cube that has none yet.

        Yields
        ------
        str
            Before each cube: its stem.
        Report
            Last: the same with leaf regions.

        Raises
        ------
        InputError
            If no group is healthy or lesion.
        """
        tissue = self._values(*TISSUE)
        if not tissue:
            raise InputError(
                "study",
                "no group has the role healthy or lesion",
                "give the groups their roles first",
            )
        lut, found = self.grouping.lut(), {}
        for stem, cube in self.cubes.items():
            yield stem
            if cube.regions is None:
                mask = np.isin(np.take(lut, cube.clusters), tissue)
                cube = replace(cube, regions=find_regions(mask, self.settings))
            found[stem] = cube
        yield replace(self, cubes=found)

    def rows(self) -> list[SeverityRow]:
        """All rows: each cube's own, its leaves' after it; costs seconds."""
        roles = {group.value: group.role for group in self.grouping.groups}
        lut, levels = self.grouping.lut(), self._doubt_levels()
        rows: list[SeverityRow] = []
        for stem, cube in self.cubes.items():
            doubtful = None
            if levels is not None and cube.confidence is not None:
                doubtful = cube.confidence <= np.take(levels, cube.clusters)
            leaf_map = LeafMap(
                stem,
                np.take(lut, cube.clusters),
                cube.regions,
                cube.names,
                doubtful,
                cube.pixel_area,
            )
            rows += leaf_severity(leaf_map, roles, min_lesion=self.min_lesion)
        return with_days(rows, self.days)

    def spectra(self) -> list[Spectrum]:
        """Every group's mean, standard deviation and n, cube by cube."""
        return [
            spectrum
            for stem, cube in self.cubes.items()
            if cube.statistics is not None
            for spectrum in group_spectra(
                cube.statistics, self.grouping, good_bands=self.good_bands, cube=stem
            ).values()
        ]

    def paths(self, folder: Path) -> list[Path]:
        """Every file that `write` makes."""
        names = ["severity.csv", "leaves.csv", "lesions.csv"]
        if any(cube.statistics is not None for cube in self.cubes.values()):
            names += ["spectra.csv", "spectra.hdr", "spectra.sli"]
            names += ["spectra_sd.hdr", "spectra_sd.sli", "indices.csv"]
        if self.days:
            names += ["severity_by_day.csv", "severity_by_day.png"]
        for stem in self.cubes:
            names += [f"{stem}_leaves.tif", f"{stem}_leaves.png"]
        names += [PAGE] if self.account is not None else []
        return [folder / name for name in names]

    def write(self, folder: Path, *, force: bool = False) -> Iterator[Path | str]:
        """Write all of it; all appear at the end, or none.

        Yields
        ------
        pathlib.Path
            After each file: where it will be when the last one is done.
        str
            Before work that leaves no file of its own: what it is.

        Raises
        ------
        InputError
            If a file exists and `force` is False, no group is tissue, or the folder
            cannot be written to.
        """
        for path in self.paths(folder):
            if path.exists() and not force:
                remedy = "choose another folder, or use --force"
                raise InputError(path, "it exists already", remedy)
        *_, report = self.with_regions()
        if not isinstance(report, Report):
            raise RuntimeError("finding leaves ended without a report")
        with staged(folder, force=force) as stage:
            for piece in report._write(stage):
                yield piece if isinstance(piece, str) else folder / piece.name

    def _write(self, stage: Path) -> Iterator[Path | str]:
        rows = self.rows()
        whole = [row for row in rows if not row.region]
        leaves = [row for row in rows if row.region]
        yield write_severity_csv(stage / "severity.csv", whole)
        yield write_severity_csv(stage / "leaves.csv", leaves)
        yield write_lesions_csv(stage / "lesions.csv", leaves)
        spectra, nm = self.spectra(), self.wavelengths
        indices = usable_indices(nm, self.good_bands)
        if spectra:
            yield write_spectra_csv(stage / "spectra.csv", spectra, nm)
            for name, deviation in (("spectra", False), ("spectra_sd", True)):
                yield from write_spectral_library(
                    stage / f"{name}.hdr", spectra, nm, deviation=deviation
                )
            yield write_indices_csv(stage / "indices.csv", spectra, indices)
        if any(row.day is not None for row in whole):
            yield write_series_csv(stage / "severity_by_day.csv", whole)
            if any(row.day is not None and row.tissue for row in whole):
                yield write_series_picture(stage / "severity_by_day.png", whole)
        for stem, cube in self.cubes.items():
            if cube.regions is None:
                continue
            yield write_regions_tiff(stage / f"{stem}_leaves.tif", cube.regions)
            yield write_leaf_picture(
                stage / f"{stem}_leaves.png",
                np.take(self.grouping.lut(), cube.clusters),
                map_classes(self.grouping),
                cube.regions,
                [row for row in leaves if row.cube == stem],
                title=stem,
            )
        for piece in page_content(self, rows, spectra, indices):
            if isinstance(piece, str):
                yield piece
            else:
                yield write_page(stage / PAGE, piece)

    def _values(self, *roles: str) -> list[int]:
        return [g.value for g in self.grouping.groups if g.role in roles]

    def _doubt_levels(self) -> NDArray[np.int64] | None:
        pairs = [
            (cube.clusters, cube.confidence)
            for cube in self.cubes.values()
            if cube.confidence is not None
        ]
        return doubt_levels(pairs) if pairs else None
