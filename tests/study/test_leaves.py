"""Leaves frozen beside a study, and the report made of it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spectral.io.envi
from small_study import K, make_study

from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.regions import RegionSettings
from napari_dgc.study import Study
from napari_dgc.study.leaf_file import leaves_path, load_leaves, save_leaves
from napari_dgc.study.leaves import (
    LeafRegions,
    find_leaves,
    tissue_clusters,
)
from napari_dgc.study.reporting import Report

SETTINGS = RegionSettings(min_pixels=2)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    study = make_study(tmp_path)
    for cluster in range(1, K + 1):
        role = "lesion" if cluster == 2 else "healthy"
        study.set_role(cluster, "background" if cluster > 5 else role)
    return study


def leaves_of(study: Study) -> LeafRegions:
    *stems, leaves = find_leaves(study, SETTINGS)
    assert isinstance(leaves, LeafRegions)
    assert stems == list(leaves.maps)
    return leaves


def test_they_come_back_as_they_were(study: Study, tmp_path: Path) -> None:
    leaves = leaves_of(study)
    stem = next(iter(leaves.maps))
    leaves = leaves.rename(stem, 1, "the “oldest” leaf, ä")
    path = leaves_path(tmp_path / "s.dgc.json")
    assert load_leaves(path) is None
    save_leaves(leaves, path)
    with pytest.raises(InputError, match="exists already"):
        save_leaves(leaves, path)
    again = load_leaves(path)
    assert again is not None
    assert (again.model, again.tissue) == (leaves.model, leaves.tissue)
    assert (again.settings, again.names) == (SETTINGS, leaves.names)
    for one, regions in leaves.maps.items():
        np.testing.assert_array_equal(again.maps[one], regions)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="is damaged"):
        load_leaves(path)


def test_roles_make_them_stale_and_merging_does_not(study: Study) -> None:
    leaves = leaves_of(study)
    assert leaves.tissue == (1, 2, 3, 4, 5)
    assert not leaves.is_stale(study)
    study.merge([3, 4], 1)
    assert not leaves.is_stale(study)
    study.set_role(2, "background")
    assert leaves.is_stale(study)
    study.undo()
    assert not leaves.is_stale(study)
    study.set_role(2, "healthy")  # tissue before and after
    assert not leaves.is_stale(study)


def test_without_roles_there_are_none(tmp_path: Path) -> None:
    study = make_study(tmp_path)
    assert study.grouping is not None
    assert tissue_clusters(study.grouping) == ()
    with pytest.raises(InputError, match="no group has the role"):
        list(find_leaves(study))
    with pytest.raises(InputError, match="no group has the role"):
        list(Report.of(study).write(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_the_report_counts_what_the_study_holds(study: Study, tmp_path: Path) -> None:
    leaves = leaves_of(study)
    report = replace(Report.of(study, pixel_mm2=0.5), min_lesion=1)
    report = report.with_leaves(leaves)
    out = tmp_path / "out"
    written = list(report.write(out))
    assert sorted(written) == sorted(report.paths(out)) == sorted(out.iterdir())
    rows = read(out / "severity.csv")
    assert [row["cube"] for row in rows] == ["leaf 1", "叶 2"]
    for index, row in enumerate(rows):
        labels = study.group_map(index)
        assert int(row["lesion_px"]) == (labels == 2).sum()
        assert int(row["valid_px"]) == (labels > 0).sum()
        assert float(row["lesion_mm2"]) == pytest.approx(0.5 * (labels == 2).sum())
        share = float(row["lesion_%_of_tissue"])
        assert float(row["lesion_%_low"]) <= share <= float(row["lesion_%_high"])
    counts = [leaves.maps[stem].max() for stem in leaves.maps]
    assert len(read(out / "leaves.csv")) == sum(counts)
    library = spectral.io.envi.open(str(out / "spectra.hdr"))
    table = [row for row in read(out / "spectra.csv") if row["band"] == "3"]
    np.testing.assert_allclose(
        library.spectra[:, 3], [float(row["mean"]) for row in table], rtol=1e-6
    )
    deviations = spectral.io.envi.open(str(out / "spectra_sd.hdr"))
    np.testing.assert_allclose(
        deviations.spectra[:, 3], [float(row["sd"]) for row in table], rtol=1e-6
    )
    assert library.metadata["spectra pixels"] == [row["n"] for row in table]
    with pytest.raises(InputError, match="exists already"):
        list(report.write(out))


def test_an_export_that_fails_or_is_stopped_leaves_nothing(
    study: Study, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run = study.export(out, formats=("tif", "envi")).run()
    next(run)
    run.close()
    assert not out.exists()
    export = study.export(out, formats=("npy", "overlay"))
    with pytest.raises(InputError, match="an overlay shows it"):
        list(replace(export, cubes={}).run())
    assert not out.exists()
    written = list(export.run())
    assert sorted(written) == sorted(out.iterdir()) == sorted(export.paths())
