"""Which groups fire in which cubes, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dgc.reports.csv_files import write_csv


@dataclass(frozen=True, slots=True)
class ActivationRow:
    """A cluster or a group in all cubes.

    Attributes
    ----------
    name : str
    role : str or None
    clusters : tuple of int
        Cluster ids.
    active : int
        In how many cubes it holds more than 0.1 % of the valid pixels.
    """

    name: str
    role: str | None
    clusters: tuple[int, ...]
    active: int


def write_activation_csv(
    path: str | Path,
    rows: Sequence[ActivationRow],
    cubes: Sequence[str],
    shares: NDArray[np.float64],
    *,
    force: bool = False,
) -> Path:
    """Write one row per cluster or group and one column per cube.

    Parameters
    ----------
    path : str or pathlib.Path
    rows : sequence of ActivationRow, length R
    cubes : sequence of str, length N
        Names.
    shares : ndarray of float64, shape (R, N)
        Of the cubes' valid pixels, 0..1; written in %, with four decimals.
    force : bool
        Replace the file if it exists.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    InputError
        If the file exists and `force` is False, or cannot be written.
    ValueError
        If `shares` has another shape.

    Notes
    -----
    Columns: ``name, role, clusters, active_cubes`` and the cubes' names with ``_%``.
    `clusters` are separated by spaces. UTF-8, with a byte order mark where a name is
    not plain ASCII, as `write_spectra_csv` has it.
    """
    if shares.shape != (len(rows), len(cubes)):
        raise ValueError(
            f"{shares.shape} shares for {len(rows)} rows and {len(cubes)} cubes"
        )
    head = ["name", "role", "clusters", "active_cubes"]
    lines = []
    for row, values in zip(rows, shares.tolist(), strict=True):
        clusters = " ".join(map(str, row.clusters))
        fixed = [row.name, row.role or "", clusters, row.active]
        lines.append(fixed + [f"{100 * value:.4f}" for value in values])
    return write_csv(path, head + [f"{cube}_%" for cube in cubes], lines, force=force)
