"""Leaves frozen beside a study, and the report made of it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spectral.io.envi
from small_study import K, make_study

from napari_dgc.cli import main
from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.regions import RegionSettings
from napari_dgc.study import Study
from napari_dgc.study.leaves import (
    LeafRegions,
    find_leaves,
    tissue_clusters,
)
from napari_dgc.study.measures import Measures
from napari_dgc.study.reporting.leaf_counts import (
    count_leaves,
    count_lesions,
    leaf_rows,
    lesion_clusters,
)
from napari_dgc.study.reporting.reporting import Report
from napari_dgc.study.splitting import Divided, Whole, split_by_pieces
from napari_dgc.study.storing.leaf_file import leaves_path, load_leaves, save_leaves
from napari_dgc.study.storing.loading import load_study
from napari_dgc.study.storing.study_file import open_study, save_study
from napari_dgc.study.view import View, view_from_json, view_to_json

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
    written = [p for p in report.write(out) if isinstance(p, Path)]
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


def test_a_split_does_not_make_them_stale_but_a_role_of_a_part_does(
    study: Study,
) -> None:
    clusters = np.full((9, 7), 6, np.uint8)
    clusters[:3, :5] = clusters[5:, :5] = 3
    study.set_map(0, clusters)
    leaves = leaves_of(study)
    *_, divided = split_by_pieces(Whole.of(study, 3), 0)
    assert isinstance(divided, Divided)
    study.take_split(divided)
    (part,) = divided.split.parts
    assert study.grouping is not None
    group = study.grouping.group_of(part)
    assert group.role is None
    assert not leaves.is_stale(study)
    study.set_role(group.id, "lesion")
    assert not leaves.is_stale(study)
    study.set_role(group.id, "background")
    assert leaves.is_stale(study)
    later = leaves_of(study)  # found with the part, and without its pixels
    assert later.maps["leaf 1"].astype(bool).sum() == (clusters == 3).sum() - 15
    assert not later.is_stale(study)
    for _ in range(3):
        study.undo()
    assert not leaves.is_stale(study)
    assert later.is_stale(study)  # all of cluster 3 is tissue again
    older = replace(leaves, clusters=None)  # by a program that did not note them
    assert not older.is_stale(study)
    study.redo()
    assert not older.is_stale(study)


def test_leaves_areas_and_measures_are_kept_with_the_study(
    study: Study, tmp_path: Path
) -> None:
    path = tmp_path / "s.dgc.json"
    save_study(study, path)
    assert not leaves_path(path).exists()
    leaves = leaves_of(study)
    area = np.zeros((9, 7), bool)
    area[:6] = True
    hand = np.zeros((9, 7), int)
    hand[1:5, 1:3], hand[7:, 5:] = 9, 4
    leaves = leaves.put("leaf 1", hand, {9: "Flag"}).look_at("leaf 1", area)
    assert leaves.names["leaf 1"] == ("Flag",)  # the other lay outside
    assert leaves.edited == {"leaf 1"}
    study.set_leaves(leaves)
    measures = Measures(0.25, 3, (("leaf 1", "A", 2.5),), "days.csv")
    study.set_view(replace(study.view, measures=measures))
    save_study(study, path)
    again = open_study(path)
    assert again.view.measures == measures
    assert again.leaves is not None
    assert again.leaves.names == leaves.names
    assert again.leaves.clusters == leaves.clusters
    assert again.leaves.edited == {"leaf 1"}
    np.testing.assert_array_equal(again.leaves.areas["leaf 1"], area)
    np.testing.assert_array_equal(
        again.leaves.maps["leaf 1"], leaves.maps["leaf 1"], strict=True
    )
    before = leaves_path(path).stat().st_mtime_ns
    again.rename(1, "Vein")
    save_study(again, path)
    assert leaves_path(path).stat().st_mtime_ns == before  # they are there already
    again.remove_cube(1)
    assert again.leaves is not None
    assert set(again.leaves.maps) == {"leaf 1"}
    other = tmp_path / "other.dgc.json"
    save_study(again, other)
    kept = load_leaves(leaves_path(other))
    assert kept is not None
    assert set(kept.maps) == {"leaf 1"}
    save_study(make_study(tmp_path), other)  # another study takes its place
    assert not leaves_path(other).exists()


def test_pixels_outside_the_area_are_no_data_in_screen_and_command_line(
    study: Study, tmp_path: Path
) -> None:
    area = np.zeros((9, 7), bool)
    area[2:, 1:] = True
    study.set_leaves(LeafRegions.none_yet(study).look_at("leaf 1", area))
    days = (("leaf 1", "A", 2.0), ("叶 2", "A", 3.0))
    measures = Measures(0.5, 2, days, "days.csv")
    study.set_view(replace(study.view, measures=measures))
    path = tmp_path / "s.dgc.json"
    save_study(study, path)
    list(Report.of(study).write(tmp_path / "screen"))
    assert main(["report", str(path), "-q", "-o", str(tmp_path / "line")]) == 0
    for file in (tmp_path / "line").iterdir():
        mine = (tmp_path / "screen" / file.name).read_bytes()
        assert mine == file.read_bytes(), file.name
    assert (tmp_path / "line" / "severity_by_day.csv").exists()
    first, second = read(tmp_path / "line" / "severity.csv")
    labels = study.group_map(0)
    assert labels is not None
    assert int(first["valid_px"]) == (labels[area] > 0).sum()
    assert int(first["lesion_px"]) == (labels[area] == 2).sum()
    assert first["day"] == "2"
    assert float(first["lesion_mm2"]) == pytest.approx(0.25 * int(first["lesion_px"]))
    assert int(second["valid_px"]) == (study.group_map(1) > 0).sum()
    found = main(["study", "leaves", str(path), "--min-leaf", "2", "--force", "-q"])
    assert found == 0
    leaves = load_leaves(leaves_path(path))
    assert leaves is not None
    np.testing.assert_array_equal(leaves.areas["leaf 1"], area)
    assert not leaves.maps["leaf 1"][~area].any()


def test_found_anew_names_stay_and_edited_cubes_may(study: Study) -> None:
    study.set_leaves(leaves_of(study).rename("leaf 1", 1, "Flag"))
    assert study.leaves is not None
    again = leaves_of(study)
    assert again.names == study.leaves.names
    study.set_leaves(study.leaves.put("leaf 1", np.eye(9, 7, dtype=int)))
    *stems, kept = find_leaves(study, SETTINGS, keep_edited=True)
    assert stems == ["叶 2"]
    assert isinstance(kept, LeafRegions)
    assert (kept.maps["leaf 1"] > 0).sum() == 7
    assert kept.edited == {"leaf 1"}
    assert leaves_of(study).edited == frozenset()


def test_older_programs_read_what_they_can_and_refuse_the_rest(
    study: Study, tmp_path: Path
) -> None:
    def version(leaves: LeafRegions) -> int:
        save_leaves(leaves, tmp_path / "leaves.npz", force=True)
        with np.load(tmp_path / "leaves.npz") as file:
            about = json.loads(file["about"].tobytes())
        assert isinstance(about["version"], int)
        return about["version"]

    leaves = leaves_of(study)
    assert version(leaves.put("leaf 1", np.eye(9, 7, dtype=int))) == 1
    assert version(leaves.look_at("leaf 1", np.ones((9, 7), bool))) == 2
    # What they do not know in the view they pass over; without it nothing is new.
    assert "measures" not in view_to_json(View())
    kept = View(measures=Measures(0.1, 4, (("a", "b", 1.0),), "c"))
    assert view_from_json(json.loads(json.dumps(view_to_json(kept)))) == kept
    for wrong in ({"pixel_mm": -1.0}, {"min_lesion": 0}, {"days": [["a", 1]]}):
        data = view_to_json(kept)
        data["measures"] |= wrong
        with pytest.raises(ValueError, match=r"pixel|lesion|day"):
            view_from_json(data)


def test_counted_once_they_give_the_rows_of_the_report(study: Study) -> None:
    study.set_leaves(leaves_of(study).rename("leaf 1", 1, "Flag"))
    for role in ("lesion", "healthy"):
        study.set_role(3, role)
        report = Report.of(study)
        assert study.grouping is not None
        for stem, cube in report.cubes.items():
            lesions = count_lesions(cube, lesion_clusters(study.grouping), 1)
            counts = count_leaves(cube)
            rows = leaf_rows(stem, cube, counts, study.grouping, lesions)
            expected = [row for row in report.rows() if row.cube == stem]
            assert [replace(row, interval=None) for row in expected] == rows
            regions = cube.regions
            assert regions is not None
            for number, (row, column) in enumerate(counts.places, 1):
                assert regions[row, column] == number


def test_damaged_leaves_are_told_and_left_alone_until_others_are_found(
    study: Study, tmp_path: Path
) -> None:
    path = tmp_path / "s.dgc.json"
    study.set_leaves(leaves_of(study))
    save_study(study, path)
    file = leaves_path(path)
    file.write_bytes(b"no leaves")
    loaded = load_study(path)
    assert "leaves.npz" in str(loaded.faults[0])
    study = Study()
    study.adopt(loaded)
    assert study.leaves is None
    study.rename(1, "Vein")
    save_study(study, path)
    assert file.read_bytes() == b"no leaves"
    study.set_leaves(leaves_of(study))
    save_study(study, path)
    assert load_leaves(file) is not None
