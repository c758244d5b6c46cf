"""Severity leaf by leaf, its interval, its lesions and its days."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes import SceneConfig, make_scenes
from napari_dgc.reports.doubt import doubt_levels, lesion_edge, severity_interval
from napari_dgc.reports.leaf_severity import LeafMap, leaf_severity
from napari_dgc.reports.lesions import lesion_sizes
from napari_dgc.reports.regions import find_regions
from napari_dgc.reports.severity import (
    SeverityRow,
    with_days,
    write_lesions_csv,
    write_severity_csv,
)
from napari_dgc.reports.time_series import (
    days_from_names,
    read_days,
    write_series_csv,
    write_series_picture,
)

ROLES = {1: "background", 2: "healthy", 3: "lesion"}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("seed", range(2))
def test_a_map_that_is_the_truth_gives_the_truths_severity(seed: int) -> None:
    for scene in make_scenes(3, 96, seed, config=SceneConfig(size=96, bands=8)):
        labels = scene.labels + np.uint8(1)
        regions = find_regions(scene.labels > 0)
        leaf_map = LeafMap(scene.name, labels, regions, pixel_area=0.04)
        whole, *leaves = leaf_severity(leaf_map, ROLES)
        truth = 100 * (scene.labels == 2).sum() / (scene.labels > 0).sum()
        assert whole.lesion_percent == pytest.approx(truth)
        assert len(leaves) == scene.leaves.max()
        for row in leaves:
            leaf = np.bincount(scene.leaves[regions == row.region]).argmax()
            inside = (scene.leaves == leaf) & (scene.labels > 0)
            truth = 100 * (scene.labels[inside] == 2).mean()
            # A leaf's rim may lie outside its largest piece.
            assert row.lesion_percent == pytest.approx(truth, abs=0.2)
            assert row.leaf == f"Leaf {row.region}"
            # Exactly, of the region itself: shares, mm² and each lesion's size.
            own = scene.labels[regions == row.region]
            sick, well = int((own == 2).sum()), int((own == 1).sum())
            assert row.lesion_percent == pytest.approx(100 * sick / (sick + well))
            assert row.area(row.pixels["lesion"]) == pytest.approx(0.04 * sick)
            assert row.area(row.tissue) == pytest.approx(0.04 * (sick + well))
            spots, count = scipy.ndimage.label(
                (scene.labels == 2) & (regions == row.region), np.ones((3, 3))
            )
            assert row.lesions is not None
            assert row.lesions.count == count
            sizes = np.bincount(spots.ravel())[1:]
            assert sorted(row.lesions.areas) == sorted(sizes.tolist())
        assert sum(row.pixels["lesion"] for row in leaves) == whole.pixels["lesion"]


def test_lesions_are_counted_in_their_leaf(tmp_path: Path) -> None:
    labels = np.ones((12, 20), np.uint8)
    labels[1:11, 1:9] = labels[1:11, 11:19] = 2
    labels[2:4, 2:4] = 3
    labels[4, 4] = 3  # touches by a corner: the same lesion
    labels[8, 2] = 3
    labels[5, 12:16] = 3
    regions = find_regions(labels > 1)
    leaf_map = LeafMap("a", labels, regions, ("left", "right"), pixel_area=0.25)
    whole, left, right = leaf_severity(leaf_map, ROLES)
    assert whole.lesions is not None
    assert left.lesions is not None
    assert right.lesions is not None
    assert left.lesions.areas == (5, 1)
    assert right.lesions.areas == (4,)
    assert whole.lesions.areas == (5, 4, 1)
    assert (left.lesions.mean, left.lesions.median, left.lesions.largest) == (3, 3, 5)
    assert left.lesion_percent == pytest.approx(100 * 6 / 80)
    _, left2, _ = leaf_severity(leaf_map, ROLES, min_lesion=2)
    assert left2.lesions is not None
    assert left2.lesions.areas == (5,)
    assert left2.pixels == left.pixels
    write_severity_csv(tmp_path / "leaves.csv", [left, right])
    one, _ = read(tmp_path / "leaves.csv")
    assert (one["leaf"], one["leaf_name"], one["lesions"]) == ("1", "left", "2")
    assert (one["tissue_mm2"], one["lesion_mm2"]) == ("20", "1.5")
    assert one["lesion_max_mm2"] == "1.25"
    assert one["lesion_%_low"] == ""
    write_lesions_csv(tmp_path / "lesions.csv", [left, right])
    assert [line["area_px"] for line in read(tmp_path / "lesions.csv")] == [
        "5", "1", "4",
    ]  # fmt: skip


def test_no_lesion_has_no_mean() -> None:
    (sizes,) = lesion_sizes(np.zeros((4, 4), bool))
    assert (sizes.count, sizes.mean, sizes.median, sizes.largest) == (0,) + (None,) * 3


def test_doubt_is_a_share_of_each_cluster() -> None:
    clusters = np.repeat(np.array([[1, 2]], np.uint8), 100, axis=0)
    confidence = np.stack([np.arange(100), 100 + np.arange(100)], axis=1)
    levels = doubt_levels([(clusters, confidence.astype(np.uint8))], share=0.1)
    assert levels[1] == 9
    assert levels[2] == 109
    assert levels[3] == -1
    doubtful = confidence <= levels[clusters]
    assert doubtful.sum(axis=0).tolist() == [10, 10]
    interval = severity_interval(clusters == 1, clusters == 2, doubtful)
    assert interval is not None
    assert (interval.low, interval.high) == (45, 55)
    assert severity_interval(clusters == 3, clusters == 3, doubtful) is None


def test_doubt_counts_at_the_edge_of_a_lesion_alone() -> None:
    labels = np.full((12, 12), 2, np.uint8)
    labels[3:8, 3:8] = 3
    edge = lesion_edge(labels == 3)
    assert edge.sum() == 7 * 7 - 3 * 3
    everywhere = np.ones(labels.shape, bool)
    (row,) = leaf_severity(LeafMap("a", labels, doubtful=everywhere), ROLES)
    assert row.interval is not None
    assert row.interval.low == pytest.approx(100 * 9 / 144)
    assert row.interval.high == pytest.approx(100 * 49 / 144)
    (row,) = leaf_severity(LeafMap("a", labels, doubtful=~edge), ROLES)
    assert row.interval is not None
    assert row.interval.low == row.interval.high == row.lesion_percent
    # The edge is the map's, not the leaf's: a leaf that ends there has no other one.
    regions = np.ones(labels.shape, np.uint16)
    regions[:, 5:] = 2
    _, left, _ = leaf_severity(LeafMap("a", labels, regions, doubtful=edge), ROLES)
    assert left.interval is not None
    assert left.interval.low == pytest.approx(100 * 3 / 60)


def test_days_are_read_from_names() -> None:
    assert days_from_names(
        ["leaf_02_day3", "A1-7dpi", "day 10 plant B", "p3.d2.5", "tea_T4_left"]
    ) == {
        "leaf_02_day3": ("leaf_02", 3),
        "A1-7dpi": ("A1", 7),
        "day 10 plant B": ("plant B", 10),
        "p3.d2.5": ("p3", 2.5),
        "tea_T4_left": ("tea_left", 4),
    }
    assert days_from_names(["leaf_02_healthy", "friday3x", "plant3", "today"]) == {}


def test_days_are_read_from_a_table(tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text("Plant;File;Day\nä;raw/a.hdr;1,5\nä;b;3\nx;other;4\n", "utf-8")
    assert read_days(path, ["a", "b"]) == {"a": ("ä", 1.5), "b": ("ä", 3)}
    for text, fault in (
        ("file,day\na,1\n", "no column 'plant'"),
        ("file,plant,day\na,p,monday\n", "'monday' is no number"),
        ("file,plant,day\na,p,1\na,p,2\n", "listed twice"),
        ("file,plant,day\nz,p,1\n", "none of the cubes"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(InputError, match=fault):
            read_days(path, ["a", "b"])
    with pytest.raises(InputError, match="cannot be read"):
        read_days(tmp_path / "none.csv", ["a"])


def test_the_series_is_in_order_and_drawn(tmp_path: Path) -> None:
    def row(cube: str, lesion: int) -> SeverityRow:
        pixels = dict.fromkeys(("background", "ignore", "unset"), 0)
        return SeverityRow(cube, {**pixels, "healthy": 100 - lesion, "lesion": lesion})

    rows = [row("b_day5", 40), row("a_day3", 10), row("b_day3", 20), row("tray", 1)]
    rows = with_days(rows, days_from_names([r.cube for r in rows]))
    write_series_csv(tmp_path / "s.csv", rows)
    lines = read(tmp_path / "s.csv")
    assert [(r["plant"], r["day"], r["lesion_%_of_tissue"]) for r in lines] == [
        ("a", "3", "10.0000"), ("b", "3", "20.0000"), ("b", "5", "40.0000"),
    ]  # fmt: skip
    write_series_picture(tmp_path / "s.png", rows)
    with Image.open(tmp_path / "s.png") as image:
        assert image.size[0] > 800
        assert len(np.unique(np.asarray(image.convert("L")))) > 50
    with pytest.raises(InputError, match="no cube has a day"):
        write_series_picture(tmp_path / "t.png", rows[-1:])
    # A plant in a script that no font has is drawn as boxes, and nothing is said.
    strange = [row("\U00013000$x^_day3", 10), row("\U00013000$x^_day5", 20)]
    strange = with_days(strange, days_from_names([r.cube for r in strange]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_series_picture(tmp_path / "u.png", strange)
