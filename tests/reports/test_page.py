"""What the page says where there is much, or nothing, to say."""

from __future__ import annotations

import numpy as np

from napari_dgc.reports.classes import MapClass
from napari_dgc.reports.doubt import Interval
from napari_dgc.reports.page import cube_part
from napari_dgc.reports.page_severity import SeverityTable, nice_scale
from napari_dgc.reports.page_tables import activation_tables, legend_entries
from napari_dgc.reports.severity import ROLES, SeverityRow

CLASSES = [
    MapClass(1, "Cloth", (90, 90, 90), "background"),
    MapClass(2, "lesion", (200, 0, 0), "lesion"),
    MapClass(9, "Unseen", (0, 0, 200)),
]


def row(lesion: int, healthy: int, region: int = 0, **more) -> SeverityRow:
    pixels = {**dict.fromkeys(ROLES, 0), "lesion": lesion, "healthy": healthy}
    return SeverityRow("c", pixels, region=region, **more)


def test_bars_end_at_a_scale_that_holds_bounds_too() -> None:
    rows = [row(1, 99, interval=Interval(0.5, 12.0)), row(0, 0)]
    assert nice_scale(rows) == 15
    assert nice_scale([row(0, 5)]) == 1
    assert nice_scale([]) == 1
    table = SeverityTable.of(rows, "Cube", 10)
    first, empty = table.lines
    assert (first.percent, first.bar, first.bounds) == (
        "1.00",
        "10.00",
        "0.50 to 12.00",
    )
    assert first.ends == ("5.00", "95.00")
    assert (empty.percent, empty.bar, empty.ends) == ("–", "0.00", None)
    assert (table.days, table.bounds, table.areas) == (False, True, False)


def test_a_leaf_goes_by_the_number_on_the_picture() -> None:
    rows = [row(1, 9, 1, leaf="Leaf 1"), row(1, 9, 2, leaf="Flag leaf")]
    names = [line.name for line in SeverityTable.of(rows, "Leaf", 10).lines]
    assert names == ["Leaf 1", "2 Flag leaf"]


def test_a_cube_of_many_leaves_lists_some() -> None:
    leaves = [row(1, 9, n, leaf=f"Leaf {n}") for n in range(1, 101)]
    labels = np.ones((4, 4), np.uint8)
    part = cube_part("c", labels, None, CLASSES, leaves, of=1, scale=10)
    assert len(part.leaves.lines) + part.left_out == 100
    assert 0 < part.left_out < 100
    assert "Cloth 100.0 %" in part.groups.alt


def test_a_legend_tells_what_is_there_by_its_share() -> None:
    labels = np.ones((100, 100), np.uint8)
    labels[0, 0], labels[1] = 2, 0
    cloth, spot = legend_entries(labels, CLASSES)
    assert (cloth.name, cloth.role, cloth.color) == ("Cloth", "background", "#5a5a5a")
    assert (spot.name, spot.role, spot.share) == ("lesion", None, "less than 0.1 %")


def test_wide_activation_is_cut_into_tables_that_hold_it_all() -> None:
    rng = np.random.default_rng(0)
    shares = rng.random((3, 40))
    cubes = [f"cube {n}" for n in range(40)]
    (tall,) = activation_tables(CLASSES, cubes, shares)
    assert [line.name for line in tall.rows] == cubes
    cells = [[float(cell.text) for cell in line.cells] for line in tall.rows]
    np.testing.assert_allclose(cells, 100 * shares.T, atol=0.006)
    groups = [MapClass(n, f"g{n}", (n, n, n)) for n in range(1, 31)]
    parts = activation_tables(groups, cubes[:20], rng.random((30, 20)))
    assert [h.name for part in parts for h in part.columns] == cubes[:20]
    kinds = activation_tables(CLASSES, ["a"], np.array([[0.9], [0.0011], [0.001]]))
    assert [line.cells[0].kind for line in kinds[0].rows] == ["on", "on", "off"]
