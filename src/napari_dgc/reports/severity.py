"""How much of the tissue is lesion, per cube and per leaf."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.reports.csv_files import write_csv
from napari_dgc.reports.doubt import Interval
from napari_dgc.reports.lesions import LesionSizes
from napari_dgc.reports.masks import check_label_map

ROLES = ("background", "healthy", "lesion", "ignore", "unset")
TISSUE = ("healthy", "lesion")


@dataclass(frozen=True, slots=True)
class SeverityRow:
    """One cube's line, or one leaf's.

    Attributes
    ----------
    cube : str
    pixels : mapping of str to int
        Pixels per role; "unset" for groups without one. No-data pixels are in
        none.
    leaf : str
        The leaf's name; "" for all of the cube.
    region : int
        The leaf's number; 0 for all of the cube.
    lesions : LesionSizes, optional
        None where they were not measured.
    interval : Interval, optional
        Of `lesion_percent`; None where no confidence is known.
    pixel_area : float, optional
        mm² per pixel, where the scale is known.
    plant : str
    day : float, optional
    """

    cube: str
    pixels: Mapping[str, int]
    leaf: str = ""
    region: int = 0
    lesions: LesionSizes | None = None
    interval: Interval | None = None
    pixel_area: float | None = None
    plant: str = ""
    day: float | None = None

    @property
    def valid(self) -> int:
        """Pixels with data."""
        return sum(self.pixels.values())

    @property
    def tissue(self) -> int:
        """Pixels that are healthy or lesion."""
        return sum(self.pixels[role] for role in TISSUE)

    def percent(self, role: str) -> float | None:
        """Share of all pixels with data in %; None if there are none."""
        return _percent(self.pixels[role], self.valid)

    @property
    def lesion_percent(self) -> float | None:
        """Lesion as a share of tissue (healthy and lesion) in %, or None."""
        return _percent(self.pixels["lesion"], self.tissue)

    def area(self, pixels: float | None) -> float | None:
        """Turn pixels into mm²; None where either is not known."""
        if pixels is None or self.pixel_area is None:
            return None
        return pixels * self.pixel_area


def severity(
    label_maps: Mapping[str, NDArray[np.uint8]], roles: Mapping[int, str | None]
) -> list[SeverityRow]:
    """Count pixels by role.

    Parameters
    ----------
    label_maps : mapping of str to ndarray of uint8, shape (H, W)
        Group map by the cube's name; 0 is "no data".
    roles : mapping of int to str or None
        Role by label value; None where the user has set none.

    Returns
    -------
    list of SeverityRow
        In the order of `label_maps`.

    Raises
    ------
    ValueError
        If a map is not 2-D uint8, a value has no entry or a role is unknown.
    """
    rows = []
    for name, label_map in label_maps.items():
        check_label_map(label_map)
        counts = np.bincount(label_map.ravel(), minlength=256)
        rows.append(SeverityRow(name, pixels_by_role(counts, roles, name)))
    if not rows:
        pixels_by_role(np.zeros(256, np.int64), roles, "")
    return rows


def pixels_by_role(
    counts: NDArray[np.integer], roles: Mapping[int, str | None], name: str
) -> dict[str, int]:
    """Add up counts by value, (256,), to counts by role.

    Raises
    ------
    ValueError
        If a value that occurs has no entry, or a role is unknown; names `name`.
    """
    strange = {role for role in roles.values() if role is not None} - set(ROLES)
    if strange:
        raise ValueError(
            f"unknown roles {sorted(strange)}; use {', '.join(ROLES[:-1])}"
        )
    pixels = dict.fromkeys(ROLES, 0)
    for value in np.flatnonzero(counts).tolist():
        if value == 0:
            continue
        if value not in roles:
            raise ValueError(f"{name}: the label value {value} has no role entry")
        pixels[roles[value] or "unset"] += int(counts[value])
    return pixels


def with_days(
    rows: Iterable[SeverityRow], days: Mapping[str, tuple[str, float]]
) -> list[SeverityRow]:
    """Add plant and day by cube; rows of cubes that have none stay as they are."""
    return [
        replace(row, plant=days[row.cube][0], day=days[row.cube][1])
        if row.cube in days
        else row
        for row in rows
    ]


_HEADER = (
    ["cube", "valid_px"]
    + [f"{role}_px" for role in ROLES]
    + [f"{role}_%" for role in ROLES]
    + ["lesion_%_of_tissue", "lesion_%_low", "lesion_%_high"]
    + ["leaf", "leaf_name", "plant", "day", "tissue_mm2", "lesion_mm2", "lesions"]
    + [
        f"lesion_{kind}_{u}"
        for u in ("px", "mm2")
        for kind in ("mean", "median", "max")
    ]
)


def write_severity_csv(
    path: str | Path, rows: Iterable[SeverityRow], *, force: bool = False
) -> Path:
    """Write the table: pixels and % of every role, lesions and areas.

    What is not known, and a share of nothing, is an empty cell. Percentages have
    four decimals; areas in mm² have six digits. `leaf` is the leaf's number.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    return write_csv(path, _HEADER, (_cells(row) for row in rows), force=force)


def write_lesions_csv(
    path: str | Path, rows: Iterable[SeverityRow], *, force: bool = False
) -> Path:
    """Write one line per lesion: cube, leaf, number, area in pixels and mm²."""
    header = ["cube", "leaf", "leaf_name", "lesion", "area_px", "area_mm2"]
    lines = (
        [row.cube, row.region or "", row.leaf, number, area, _digits(row.area(area))]
        for row in rows
        for number, area in enumerate(row.lesions.areas if row.lesions else (), 1)
    )
    return write_csv(path, header, lines, force=force)


def _cells(row: SeverityRow) -> list[object]:
    shares = [row.percent(role) for role in ROLES] + [row.lesion_percent]
    ends = (
        (None, None) if row.interval is None else (row.interval.low, row.interval.high)
    )
    sizes = row.lesions
    spread = (None,) * 3 if sizes is None else (sizes.mean, sizes.median, sizes.largest)
    return [
        row.cube,
        row.valid,
        *(row.pixels[role] for role in ROLES),
        *("" if share is None else f"{share:.4f}" for share in (*shares, *ends)),
        row.region or "",
        row.leaf,
        row.plant,
        _digits(row.day),
        _digits(row.area(row.tissue)),
        _digits(row.area(row.pixels["lesion"])),
        "" if sizes is None else sizes.count,
        *(_digits(pixels) for pixels in spread),
        *(_digits(row.area(pixels)) for pixels in spread),
    ]


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
