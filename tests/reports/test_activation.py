"""The activation table is what a spreadsheet reads back."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.activation import ActivationRow, write_activation_csv

ROWS = (
    ActivationRow("Läsion, dunkel", "lesion", (3, 7), 1),
    ActivationRow("Group 1", None, (1,), 2),
)
SHARES = np.array([[0.25, 0.0004], [0.75, 0.9996]])


def test_one_row_per_group_and_one_column_per_cube(tmp_path: Path) -> None:
    path = write_activation_csv(tmp_path / "a.csv", ROWS, ("day 3", "d,5"), SHARES)
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *body = csv.reader(file)
    assert head == ["name", "role", "clusters", "active_cubes", "day 3_%", "d,5_%"]
    assert body == [
        ["Läsion, dunkel", "lesion", "3 7", "1", "25.0000", "0.0400"],
        ["Group 1", "", "1", "2", "75.0000", "99.9600"],
    ]


def test_a_file_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_activation_csv(path, ROWS, ("a", "b"), SHARES)
    assert path.read_text() == "mine"
    write_activation_csv(path, ROWS, ("a", "b"), SHARES, force=True)
    assert path.read_text(encoding="utf-8-sig").startswith("name,role")


def test_shares_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 rows and 1 cubes"):
        write_activation_csv(tmp_path / "a.csv", ROWS, ("a",), SHARES)
    assert not (tmp_path / "a.csv").exists()
