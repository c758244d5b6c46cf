"""Label TIFF and coloured PNG, read back exactly."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.masks import paint, read_label_tiff, write_label_tiff, write_png

COLORS = {value: (value, 255 - value, (7 * value) % 256) for value in range(1, 256)}


@pytest.fixture(params=[(1, 1), (3, 5), (257, 300)])
def label_map(request):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, request.param).astype(np.uint8)


def test_tiff_there_and_back(tmp_path, label_map):
    path = write_label_tiff(tmp_path / "leaf_groups.tif", label_map)
    np.testing.assert_array_equal(read_label_tiff(path), label_map)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), label_map)
    again = write_label_tiff(tmp_path / "again.tif", label_map)
    assert again.read_bytes() == path.read_bytes()


def test_a_view_is_written_as_it_looks(tmp_path):
    label_map = np.arange(60, dtype=np.uint8).reshape(6, 10)[::-1, ::2].T
    path = write_label_tiff(tmp_path / "a.tif", label_map)
    np.testing.assert_array_equal(read_label_tiff(path), label_map)


def test_png_has_the_colours_and_no_data_is_transparent(tmp_path, label_map):
    path = write_png(tmp_path / "leaf_groups.png", label_map, COLORS)
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        pixels = np.asarray(image)
    np.testing.assert_array_equal(pixels, paint(label_map, COLORS))
    assert (pixels[label_map == 0] == 0).all()
    for value in np.unique(label_map[label_map > 0])[:5]:
        assert (pixels[label_map == value] == (*COLORS[int(value)], 255)).all()


def test_zero_stays_transparent_whatever_colour_it_is_given():
    assert paint(np.zeros((1, 1), np.uint8), {0: (9, 9, 9)}).tolist() == [[[0] * 4]]


def test_what_is_refused(tmp_path, label_map):
    path = tmp_path / "a.tif"
    for wrong in (
        label_map.astype(np.int64),
        label_map[None],
        np.zeros((0, 4), np.uint8),
    ):
        with pytest.raises(ValueError, match="a label map is uint8"):
            write_label_tiff(path, wrong)
        with pytest.raises(ValueError, match="a label map is uint8"):
            write_png(path, wrong, COLORS)
    with pytest.raises(ValueError, match=r"no colour for the label values \[2, 9\]"):
        write_png(path, np.array([[0, 1, 9, 2]], np.uint8), {1: (0, 0, 0)})
    assert not path.exists()
    write_label_tiff(path, label_map)
    with pytest.raises(InputError, match="exists already"):
        write_label_tiff(path, label_map)
    write_label_tiff(path, label_map, force=True)


def test_files_that_are_no_label_map(tmp_path):
    path = tmp_path / "a.tif"
    with pytest.raises(InputError, match="cannot be read as TIFF"):
        read_label_tiff(path)
    path.write_bytes(b"not a tiff")
    with pytest.raises(InputError, match="is not a TIFF file that can be read"):
        read_label_tiff(path)
    tifffile.imwrite(path, np.zeros((3, 4), np.float32))
    with pytest.raises(InputError, match=r"holds float32 of shape \(3, 4\)"):
        read_label_tiff(path)
