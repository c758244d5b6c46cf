"""How much of the tissue is lesion, per cube."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.files import write_whole
from napari_dgc.reports.masks import check_label_map

ROLES = ("background", "healthy", "lesion", "ignore", "unset")
_TISSUE = ("healthy", "lesion")


@dataclass(frozen=True, slots=True)
class SeverityRow:
    """One cube's line.

    Attributes
    ----------
    cube : str
    pixels : mapping of str to int
        Pixels per role; "unset" for groups without one. No-data pixels are in
        none.
    """

    cube: str
    pixels: Mapping[str, int]

    @property
    def valid(self) -> int:
        """Pixels with data."""
        return sum(self.pixels.values())

    def percent(self, role: str) -> float | None:
        """Share of all pixels with data in %; None if there are none."""
        return _percent(self.pixels[role], self.valid)

    @property
    def lesion_percent(self) -> float | None:
        """Lesion as a share of tissue (healthy and lesion) in %, or None."""
        tissue = sum(self.pixels[role] for role in _TISSUE)
        return _percent(self.pixels["lesion"], tissue)


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
    strange = {role for role in roles.values() if role is not None} - set(ROLES)
    if strange:
        raise ValueError(
            f"unknown roles {sorted(strange)}; use {', '.join(ROLES[:-1])}"
        )
    rows = []
    for name, label_map in label_maps.items():
        check_label_map(label_map)
        counts = np.bincount(label_map.ravel(), minlength=256)
        pixels = dict.fromkeys(ROLES, 0)
        for value in np.flatnonzero(counts).tolist():
            if value == 0:
                continue
            if value not in roles:
                raise ValueError(f"{name}: the label value {value} has no role entry")
            pixels[roles[value] or "unset"] += int(counts[value])
        rows.append(SeverityRow(name, pixels))
    return rows


def write_severity_csv(
    path: str | Path, rows: Iterable[SeverityRow], *, force: bool = False
) -> Path:
    """Write the table: pixels and % of every role, and lesion % of tissue.

    A share of nothing is an empty cell. Percentages have four decimals.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["cube", "valid_px"]
        + [f"{role}_px" for role in ROLES]
        + [f"{role}_%" for role in ROLES]
        + ["lesion_%_of_tissue"]
    )
    for row in rows:
        shares = [row.percent(role) for role in ROLES] + [row.lesion_percent]
        table.writerow(
            [row.cube, row.valid]
            + [row.pixels[role] for role in ROLES]
            + ["" if share is None else f"{share:.4f}" for share in shares]
        )
    content = text.getvalue().encode()
    return write_whole(path, lambda file: file.write(content), force=force)


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
