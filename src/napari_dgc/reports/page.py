"""A study's report as one page that needs nothing beside it: no network, no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.files import write_whole
from napari_dgc.reports.classes import MapClass
from napari_dgc.reports.doubt import DOUBTFUL_SHARE
from napari_dgc.reports.facts import StudyFacts
from napari_dgc.reports.indices import UsableIndex
from napari_dgc.reports.methods import BIBTEX, CITATION, LINK, methods_paragraph
from napari_dgc.reports.page_done import calibration_lines, file_table, model_terms
from napari_dgc.reports.page_pictures import (
    Mark,
    Picture,
    color_picture,
    leaf_marks,
    map_picture,
    png_picture,
)
from napari_dgc.reports.page_severity import SeverityTable, nice_scale
from napari_dgc.reports.page_tables import (
    Entry,
    Grid,
    activation_tables,
    group_table,
    index_tables,
    legend_entries,
    named,
    role_beside,
)
from napari_dgc.reports.severity import SeverityRow
from napari_dgc.reports.spectra import MOST_SHADED, Spectrum
from napari_dgc.reports.spectra_picture import spectra_png
from napari_dgc.reports.time_series import series_png

_TOLD = 12  # groups that the words for a picture name
_MOST_LEAVES = 60  # of a cube that the page lists
_PICTURES_BYTES = 6_000_000  # of all cubes; a third more as base64


@dataclass(frozen=True, slots=True)
class CubePart:
    """What the page shows of one cube; `left_out` leaves are in the CSV alone."""

    name: str
    color: Picture | None
    groups: Picture
    legend: tuple[Entry, ...]
    leaves: SeverityTable
    marks: tuple[Mark, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class SpectraPart:
    """The plot of all cubes' mean spectra, and its legend."""

    plot: Picture
    legend: tuple[Entry, ...]
    shaded: int
    units: str
    calibrated: bool


@dataclass(frozen=True, slots=True, eq=False)
class PageContent:
    """All that the page tells.

    Attributes
    ----------
    facts : StudyFacts
    whole : sequence of SeverityRow
        A row for each cube.
    cubes : sequence of CubePart
    pooled, spectra : sequence of Spectrum
        Groups' means over all cubes, and cube by cube.
    wavelengths : ndarray of float64, shape (C,), optional
        In nm.
    indices : sequence of UsableIndex
    shares : ndarray of float64, shape (groups, cubes)
        Of a cube's valid pixels, 0..1; groups in table order.
    """

    facts: StudyFacts
    whole: Sequence[SeverityRow]
    cubes: Sequence[CubePart]
    pooled: Sequence[Spectrum]
    spectra: Sequence[Spectrum]
    wavelengths: NDArray[np.float64] | None
    indices: Sequence[UsableIndex]
    shares: NDArray[np.float64]


def cube_part(
    name: str,
    label_map: NDArray[np.uint8],
    color: NDArray[np.uint8] | None,
    classes: Sequence[MapClass],
    leaves: Sequence[SeverityRow],
    *,
    regions: NDArray[np.uint16] | None = None,
    of: int,
    scale: float,
) -> CubePart:
    """Draw one cube; its own arrays may go afterwards.

    Parameters
    ----------
    name : str
    label_map : ndarray of uint8, shape (H, W)
    color : ndarray of uint8, shape (h, w, 3), optional
        The cube's picture, with every n-th row and column or so.
    classes : sequence of MapClass
    leaves : sequence of SeverityRow
        This cube's.
    regions : ndarray of uint16, shape (H, W), optional
        Its leaves: their numbers are put on the map.
    of : int
        Number of cubes: they share the room there is for pictures.
    scale : float
        End of the bars in %; see `nice_scale`.
    """
    room = _PICTURES_BYTES // (2 * max(1, of))
    legend = legend_entries(label_map, classes)
    said = "; ".join(f"{one.name} {one.share}" for one in legend[:_TOLD]) or "no data"
    said += f"; {len(legend) - _TOLD} more" if len(legend) > _TOLD else ""
    return CubePart(
        name,
        None if color is None else color_picture(color, f"{name} in colour", room),
        map_picture(label_map, classes, f"Groups of {name}: {said}", room),
        legend,
        SeverityTable.of(leaves[:_MOST_LEAVES], "Leaf", scale),
        () if regions is None else leaf_marks(regions, _MOST_LEAVES),
        max(0, len(leaves) - _MOST_LEAVES),
    )


def write_page(path: str | Path, content: PageContent, *, force: bool = False) -> Path:
    """Write the page; equal content gives equal bytes.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    text = _template().render(**_values(content))
    return write_whole(path, lambda file: file.write(text.encode()), force=force)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("napari_dgc.reports"),
        autoescape=True,  # names are anybody's: nothing of them is markup
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html")


def _values(content: PageContent) -> dict[str, object]:
    facts, classes = content.facts, [one for one, _ in content.facts.groups]
    names = [row.cube for row in content.whole]
    return {
        "facts": facts,
        "summary": _summary(content),
        "doubt": f"{100 * DOUBTFUL_SHARE:g} %",
        "whole": SeverityTable.of(content.whole, "Cube", nice_scale(content.whole)),
        "series": _series(content.whole),
        "cubes": content.cubes,
        "spectra": _spectra(content),
        "indices": _indices(content),
        "activation": activation_tables(classes, names, content.shares),
        "methods": methods_paragraph(facts, [i.index.name for i in content.indices]),
        "citation": CITATION,
        "link": LINK,
        "bibtex": BIBTEX,
        "files": file_table(facts.cubes),
        "calibrations": calibration_lines(facts.cubes),
        "model": model_terms(facts),
        "groups": group_table(facts.groups),
    }


def _summary(content: PageContent) -> str:
    cubes, groups = len(content.whole), len(content.facts.groups)
    tissue = sum(row.tissue for row in content.whole)
    lesion = sum(row.pixels["lesion"] for row in content.whole)
    text = f"{named(cubes, 'cube')}, {named(groups, 'group')}. "
    if not tissue:
        return text + "No pixel is tissue."
    together = " of all cubes together" if cubes > 1 else ""
    return text + f"{100 * lesion / tissue:.2f} % of the tissue{together} is lesion."


def _series(whole: Sequence[SeverityRow]) -> Picture | None:
    data = series_png(whole)
    if data is None:
        return None
    told = sorted(
        (
            row
            for row in whole
            if row.day is not None and row.lesion_percent is not None
        ),
        key=lambda row: (row.plant, row.day or 0.0),
    )
    points = "; ".join(
        f"{row.plant or row.cube} day {row.day:g}: {row.lesion_percent:.1f} %"
        for row in told
    )
    return png_picture(data, f"Severity by day. {points}")


def _spectra(content: PageContent) -> SpectraPart | None:
    if not content.pooled:
        return None
    calibrated = any(cube.calibration for cube in content.facts.cubes)
    axis = {"values": "Reflectance"} if calibrated else {}
    data = spectra_png(content.pooled, content.wavelengths, **axis)
    names = "; ".join(spectrum.name for spectrum in content.pooled[:_TOLD])
    return SpectraPart(
        png_picture(data, f"Mean spectra of {len(content.pooled)} groups: {names}"),
        tuple(
            Entry(s.name, role_beside(s.name, s.role), s.color, f"{s.n:,}")
            for s in content.pooled
        ),
        min(MOST_SHADED, len(content.pooled)),
        "Reflectance." if calibrated else "Values as they are in the files.",
        calibrated,
    )


def _indices(content: PageContent) -> list[Grid]:
    return index_tables(content.indices, content.pooled, content.spectra)
