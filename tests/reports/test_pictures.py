"""Panels with a legend, drawn without a screen."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.pictures import map_with_legend, side_by_side

RED, GREEN, BLUE = (200, 30, 20), (20, 160, 60), (10, 20, 220)


def solid(color, height=60, width=80):
    return np.full((height, width, len(color)), color, np.uint8)


def colours(path):
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    found, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    return {tuple(map(int, c)): int(n) for c, n in zip(found, counts, strict=True)}


def test_panels_and_legend_show_their_colours(tmp_path):
    path = side_by_side(
        tmp_path / "new" / "a.png",
        [("cube", solid(RED)), ("groups", solid((*GREEN, 255)))],
        legend=[("Lesion", BLUE)],
    )
    shown = colours(path)
    assert shown[RED] > 100_000
    assert shown[GREEN] == pytest.approx(shown[RED], rel=0.02)
    assert 100 < shown[BLUE] < 5_000, "the legend's swatch"
    assert shown[255, 255, 255] > 10_000


def test_transparent_is_white(tmp_path):
    path = side_by_side(tmp_path / "a.png", [("no data", solid((9, 9, 9, 0)))])
    assert (9, 9, 9) not in colours(path)


def test_labels_have_no_colours_in_between(tmp_path):
    image = np.where(np.eye(64, dtype=bool)[..., None], RED, GREEN).astype(np.uint8)
    path = side_by_side(tmp_path / "a.png", [("", image)])
    assert {c for c in colours(path) if len(set(c)) == 3} == {RED, GREEN}


@pytest.mark.parametrize("name", ["_hidden", "$x^$ $", "葉", "a" * 80, "50 % <b>&\\"])
def test_any_name_is_drawn(tmp_path, name):
    path = side_by_side(
        tmp_path / "a.png", [(name, solid(RED))], legend=[(name, BLUE)] * 3
    )
    assert colours(path)[BLUE] > 300


def test_shapes_may_differ_and_many_go_into_rows(tmp_path):
    panels = [(str(i), solid(RED, 20 + 30 * i, 50)) for i in range(6)]
    path = side_by_side(tmp_path / "a.png", panels, legend=[("Red", RED)] * 20)
    with Image.open(path) as image:
        assert image.width < 4 * 420
        assert image.height > 2 * 420


def test_equal_pictures_give_equal_bytes(tmp_path):
    one, other = (
        side_by_side(tmp_path / name, [("x", solid(RED))], legend=[("x", RED)])
        for name in ("a.png", "b.png")
    )
    assert one.read_bytes() == other.read_bytes()


def test_what_is_refused(tmp_path):
    path = tmp_path / "a.png"
    with pytest.raises(ValueError, match="at least one panel"):
        side_by_side(path, [])
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3))):
        with pytest.raises(ValueError, match="panel 'x' is"):
            side_by_side(path, [("x", wrong)])
    path.write_text("old")
    with pytest.raises(InputError, match="exists already"):
        side_by_side(path, [("x", solid(RED))])
    side_by_side(path, [("x", solid(RED))], force=True)


def test_pyplot_is_never_loaded():
    code = (
        "import sys, napari_dgc.reports.pictures; "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_a_map_stands_above_the_names_of_the_groups_it_holds(tmp_path):
    labels = np.zeros((40, 50), np.uint8)
    labels[:20], labels[20:30] = 3, 7
    legend = {3: ("Leaf", GREEN), 7: ("n" * 80, RED), 9: ("not there", BLUE)}
    shown = colours(map_with_legend(tmp_path / "a.png", "leaf", labels, legend))
    assert shown[GREEN] == pytest.approx(2 * shown[RED], rel=0.02)
    assert BLUE not in shown
    with pytest.raises(ValueError, match="no colour"):
        map_with_legend(tmp_path / "b.png", "leaf", labels, {3: ("Leaf", GREEN)})
