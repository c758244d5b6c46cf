"""What the page of a study's report shows, gathered cube by cube."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.rendering import pseudo_rgb
from napari_dgc.merging.activation import group_activation
from napari_dgc.reports.indices import UsableIndex
from napari_dgc.reports.page import PageContent, cube_part
from napari_dgc.reports.page_pictures import stride_of
from napari_dgc.reports.page_severity import nice_scale
from napari_dgc.reports.severity import SeverityRow
from napari_dgc.reports.spectra import Spectrum
from napari_dgc.study.exports import map_classes
from napari_dgc.study.reporting.spectra import group_spectra

if TYPE_CHECKING:
    from napari_dgc.study.reporting.account import Account
    from napari_dgc.study.reporting.reporting import Report


def page_content(
    report: Report,
    rows: Sequence[SeverityRow],
    spectra: Sequence[Spectrum],
    indices: Sequence[UsableIndex],
) -> Iterator[str | PageContent]:
    """Gather it; one cube is read at a time, and of that three bands.

    Yields
    ------
    str
        Before each cube: what is done now.
    PageContent
        Last; nothing at all for a report without an account.
    """
    if report.account is None:
        return
    account, classes = report.account.found(), map_classes(report.grouping)
    leaves = [row for row in rows if row.region]
    scale, lut, parts = nice_scale(leaves), report.grouping.lut(), []
    for stem, cube in report.cubes.items():
        yield f"Drawing {stem} for the report"
        parts.append(
            cube_part(
                stem,
                np.take(lut, cube.clusters),
                _picture(account, stem, cube.clusters.shape),
                classes,
                [row for row in leaves if row.cube == stem],
                regions=cube.regions,
                of=len(report.cubes),
                scale=scale,
            )
        )
    yield "Writing the report"
    counts = [
        np.bincount(cube.clusters.ravel(), minlength=256)
        for cube in report.cubes.values()
    ]
    maps = {stem: cube.clusters for stem, cube in report.cubes.items()}
    areas = {stem: cube.pixel_area for stem, cube in report.cubes.items()}
    yield PageContent(
        facts=account.facts(maps, areas, rules=tuple(_rules(report))),
        whole=[row for row in rows if not row.region],
        cubes=parts,
        pooled=_pooled(report),
        spectra=spectra,
        wavelengths=report.wavelengths,
        indices=indices,
        shares=group_activation(counts, report.grouping).shares,
    )


def _rules(report: Report) -> Iterator[str]:
    """Say by what leaves and lesions were counted."""
    if report.settled:
        yield "Leaves were found once and kept."
    else:
        least = report.settings.min_pixels
        size = "a thousandth of the image" if least is None else f"{least} pixels"
        split = ", touching ones were cut apart" if report.settings.split else ""
        yield f"Pieces smaller than {size} were not counted as leaves{split}."
    if report.min_lesion > 1:
        yield (
            f"Lesions of fewer than {report.min_lesion} pixels count towards severity, "
            "not towards the number of lesions."
        )


def _picture(
    account: Account, stem: str, shape: tuple[int, ...]
) -> NDArray[np.uint8] | None:
    """The cube in colour; None where it cannot be read or is another one by now."""
    cube = account.cube(stem)
    if cube is None or cube.shape[1:] != shape:
        return None
    try:
        return pseudo_rgb(cube, stride=stride_of(shape))
    except InputError:
        return None


def _pooled(report: Report) -> list[Spectrum]:
    """Every group's mean over all cubes."""
    known = [c.statistics for c in report.cubes.values() if c.statistics is not None]
    if not known:
        return []
    together = reduce(add, known)
    good = report.good_bands
    return list(group_spectra(together, report.grouping, good_bands=good).values())
