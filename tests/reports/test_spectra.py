"""Spectra as a long table and as a picture."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.spectra import HEADER, Spectrum, shorten, write_spectra_csv
from napari_dgc.reports.spectra_picture import write_spectra_picture

WAVES = np.array([450.0, 550.5, 650.0])
LEAF = Spectrum(
    "leaf, day 1",
    "Lesion",
    np.array([0.125, np.nan, 0.5]),
    np.array([0.25, np.nan, 0.0625]),
    n=1234,
    role="lesion",
    color=(200, 30, 30),
)
PIXEL = Spectrum("leaf, day 1", "1", np.array([1, 2, 3], np.float32), pixel=(7, 9))


def test_one_row_per_spectrum_and_band(tmp_path):
    path = write_spectra_csv(tmp_path / "out" / "s.csv", [LEAF, PIXEL], WAVES)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == HEADER
    head = ["leaf, day 1", "group", "Lesion", "lesion", "", ""]
    assert rows[1] == [*head, "0", "450", "0.125", "0.25", "1234"]
    assert rows[2] == [*head, "1", "550.5", "", "", "1234"]  # a bad band
    pixel = ["leaf, day 1", "pixel", "1", "", "7", "9"]
    assert rows[6] == [*pixel, "2", "650", "3", "", "1"]
    assert len(rows) == 7


def test_without_wavelengths_the_cell_is_empty(tmp_path):
    path = write_spectra_csv(tmp_path / "s.csv", [PIXEL])
    assert path.read_text().splitlines()[1].split('"')[-1].split(",")[6:8] == ["0", ""]


def test_excel_is_told_the_encoding_only_where_it_matters(tmp_path):
    plain = write_spectra_csv(tmp_path / "plain.csv", [LEAF], WAVES)
    assert plain.read_bytes().startswith(b"cube,")
    named = Spectrum("Blätter", "gesund", LEAF.mean, LEAF.std, 5)
    other = write_spectra_csv(tmp_path / "other.csv", [named], WAVES)
    assert other.read_bytes().startswith(b"\xef\xbb\xbfcube,")
    assert "Blätter" in other.read_text("utf-8-sig")


def test_whole_or_not_at_all(tmp_path):
    path = tmp_path / "s.csv"
    write_spectra_csv(path, [LEAF], WAVES)
    before = path.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        write_spectra_csv(path, [PIXEL], WAVES)
    with pytest.raises(ValueError, match="3 values and 3 standard deviations for 2"):
        write_spectra_csv(path, [LEAF], WAVES[:2], force=True)
    assert path.read_bytes() == before
    write_spectra_csv(path, [PIXEL], WAVES, force=True)
    assert path.read_bytes() != before
    assert list(tmp_path.iterdir()) == [path]


def test_the_picture_is_white_and_shows_each_colour(tmp_path):
    path = tmp_path / "s.png"
    flat = Spectrum(
        "leaf", "_$x$", np.full(3, 0.4), np.full(3, 0.1), 9, None, (0, 0, 255)
    )
    write_spectra_picture(path, [LEAF, flat, PIXEL], WAVES, title="leaf_$1$")
    pixels = np.asarray(Image.open(path).convert("RGB"))
    assert (pixels[0] == 255).all()
    assert (pixels == (0, 0, 255)).all(axis=2).any()
    with pytest.raises(InputError, match="exists already"):
        write_spectra_picture(path, [LEAF], WAVES)


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_drawings(tmp_path, ending, start):
    path = write_spectra_picture(tmp_path / f"s.{ending}", [LEAF], None)
    assert path.read_bytes().startswith(start)


def test_what_no_picture_is_made_of(tmp_path):
    with pytest.raises(InputError, match="no ending for a picture"):
        write_spectra_picture(tmp_path / "s.gif", [LEAF])
    with pytest.raises(InputError, match="no spectrum to draw"):
        write_spectra_picture(tmp_path / "s.png", [])


def test_long_names_are_cut_beside_curves():
    assert shorten("x" * 40) == "x" * 40
    assert shorten("x" * 60) == "x" * 39 + "…"
