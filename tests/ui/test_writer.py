"""Label layers as files: what is read back is what was on the screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.utils.colormaps import DirectLabelColormap
from PIL import Image

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.palette import cluster_color
from napari_dgc.ui.writer import write_labels


@pytest.fixture
def labels() -> np.ndarray:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, (40, 30)).astype(np.uint8)
    labels[0, :6] = range(6)
    return labels


@pytest.fixture
def colormap() -> DirectLabelColormap:
    colors = {None: "black", 0: "transparent"}
    colors |= {i: np.array([*cluster_color(i), 255]) / 255 for i in range(1, 6)}
    return DirectLabelColormap(color_dict=colors)


def test_tiff_is_lossless_and_small(tmp_path: Path, labels: np.ndarray) -> None:
    path = tmp_path / "map.tif"
    assert write_labels(str(path), labels.astype(np.int64), {}) == [str(path)]
    back = tifffile.imread(path)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, labels)


def test_many_labels_take_sixteen_bits(tmp_path: Path) -> None:
    labels = np.arange(1200, dtype=np.int32).reshape(40, 30) * 54
    path = tmp_path / "map.tiff"
    write_labels(str(path), labels, {})
    back = tifffile.imread(path)
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, labels)


def test_png_has_the_layer_s_colours(
    tmp_path: Path, labels: np.ndarray, colormap: DirectLabelColormap
) -> None:
    path = tmp_path / "map.png"
    assert write_labels(str(path), labels, {"colormap": colormap}) == [str(path)]
    picture = np.asarray(Image.open(path).convert("RGBA"))
    for value in range(1, 6):
        seen = np.unique(picture[labels == value], axis=0)
        assert seen.tolist() == [[*cluster_color(value), 255]]
    assert not picture[labels == 0, 3].any()


def test_png_of_many_labels_keeps_napari_s_colours(
    tmp_path: Path, make_napari_viewer
) -> None:
    data = np.arange(1200, dtype=np.int32).reshape(40, 30)
    layer = make_napari_viewer().add_labels(data)
    path = tmp_path / "map.png"
    assert layer.save(str(path)) == [str(path)]
    picture = np.asarray(Image.open(path).convert("RGBA")).astype(int)
    for value in (1, 255, 256, 1199):
        expected = 255 * np.asarray(layer.get_color(value))[:3]
        assert np.abs(picture.reshape(-1, 4)[value, :3] - expected).max() <= 1
    assert picture[0, 0, 3] == 0


def test_writing_over_a_file_replaces_it(tmp_path: Path, labels: np.ndarray) -> None:
    for name in ("map.tif", "map.png"):
        path = tmp_path / name
        path.write_bytes(b"old")
        write_labels(str(path), labels, {})
        assert path.stat().st_size > 3
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "map.tif"), labels)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (np.zeros((2, 4, 5), np.uint8), "3 axes"),
        (np.full((4, 5), -1, np.int16), "-1"),
        (np.full((4, 5), 70_000, np.int32), "70000"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, data: np.ndarray, fault: str
) -> None:
    path = tmp_path / "map.tif"
    with pytest.raises(InputError) as caught:
        write_labels(str(path), data, {})
    line = str(caught.value)
    assert "map.tif" in line
    assert fault in line
    assert "\n" not in line
    assert not path.exists()


@pytest.mark.screen
def test_save_layer_as_png_uses_our_writer(
    tmp_path: Path,
    make_napari_viewer,
    labels: np.ndarray,
    colormap: DirectLabelColormap,
) -> None:
    viewer = make_napari_viewer()
    layer = viewer.add_labels(labels, colormap=colormap)
    path = tmp_path / "groups.png"
    assert layer.save(str(path)) == [str(path)]
    picture = np.asarray(Image.open(path).convert("RGBA"))
    assert picture[0, 3].tolist() == [*cluster_color(3), 255]
    tif = tmp_path / "groups.tif"
    assert viewer.layers.save(str(tif), plugin="napari-dgc") == [str(tif)]
    np.testing.assert_array_equal(tifffile.imread(tif), labels)
