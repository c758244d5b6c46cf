"""Index values of groups: by the bands that are there, of the mean spectrum."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.indices import INDICES, IndexMap
from napari_dgc.reports.indices import usable_indices, write_indices_csv
from napari_dgc.reports.spectra import Spectrum

NM = np.linspace(400, 1000, 121)


def test_a_uniform_group_has_the_value_of_its_pixels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mean = rng.uniform(0.1, 0.6, len(NM)).astype(np.float32)
    cube = Cube(np.broadcast_to(mean[:, None, None], (len(NM), 2, 2)).copy(), NM)
    spectra = [Spectrum("a", "Leaf", mean, n=4, role="healthy")]
    path = write_indices_csv(tmp_path / "i.csv", spectra, usable_indices(NM))
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["index"] for row in rows] == list(INDICES)
    for row in rows:
        pixel = float(IndexMap(cube, INDICES[row["index"]])[0, 0])
        assert float(row["value_of_mean_spectrum"]) == pytest.approx(pixel, rel=1e-4)
        centres = [float(nm) for nm in row["bands_nm"].split()]
        assert NM[[int(b) for b in row["bands"].split()]].tolist() == centres
        assert (row["cube"], row["group"], row["n"]) == ("a", "Leaf", "4")


def test_what_has_no_value_is_empty_and_bad_bands_are_not_used(tmp_path: Path) -> None:
    assert usable_indices(None) == []
    good = np.abs(NM - 670) > 20
    assert "NDVI" not in [one.index.name for one in usable_indices(NM, good)]
    zero = Spectrum("a", "Dark", np.zeros(len(NM)), n=1)
    path = write_indices_csv(tmp_path / "i.csv", [zero], usable_indices(NM, good))
    with path.open(newline="", encoding="utf-8-sig") as file:
        assert {r["value_of_mean_spectrum"] for r in csv.DictReader(file)} <= {"", "0"}
