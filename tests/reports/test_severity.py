"""The severity table."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.severity import severity, write_severity_csv

ROLES = {1: "background", 2: "healthy", 3: "lesion", 4: None, 5: "lesion", 6: "ignore"}
LEAF = np.array([[0, 1, 1, 2, 2], [2, 3, 5, 4, 6]], np.uint8)


def test_counts_and_shares():
    (row,) = severity({"leaf": LEAF}, ROLES)
    assert row.cube == "leaf"
    assert row.valid == 9
    assert dict(row.pixels) == {
        "background": 2,
        "healthy": 3,
        "lesion": 2,
        "ignore": 1,
        "unset": 1,
    }
    assert row.percent("lesion") == pytest.approx(200 / 9)
    assert row.lesion_percent == pytest.approx(40)


def test_a_share_of_nothing_is_none():
    rows = severity({"tray": LEAF * 0, "cloth": LEAF * 0 + np.uint8(1)}, ROLES)
    assert rows[0].percent("lesion") is None
    assert rows[0].lesion_percent is None
    assert rows[1].percent("lesion") == 0
    assert rows[1].lesion_percent is None


def test_the_file(tmp_path):
    path = tmp_path / "severity.csv"
    rows = severity({'a "leaf", day 1': LEAF, "empty": LEAF * 0}, ROLES)
    write_severity_csv(path, rows)
    with path.open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert first["cube"] == 'a "leaf", day 1'
    assert first["lesion_px"] == "2"
    assert first["lesion_%"] == "22.2222"
    assert first["lesion_%_of_tissue"] == "40.0000"
    assert second["valid_px"] == "0"
    assert second["lesion_%_of_tissue"] == ""
    with pytest.raises(InputError, match="exists already"):
        write_severity_csv(path, rows)


def test_what_is_refused():
    with pytest.raises(ValueError, match="leaf: the label value 2 has no role"):
        severity({"leaf": LEAF}, {1: "healthy"})
    with pytest.raises(ValueError, match="unknown roles"):
        severity({"leaf": LEAF}, {**ROLES, 2: "leaf"})
    with pytest.raises(ValueError, match="a label map is uint8"):
        severity({"leaf": LEAF.astype(int)}, ROLES)
