"""Labels: polygons there and back, rasters, MATLAB arrays."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.ndimage
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_dgc.cubes.annotations import read_labels, write_labelme
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.outlines import fill_polygon, paint, trace_outlines

NAMES = ("background", "healthy", "lesion")


def box(label, left, top, right, bottom, **more):
    points = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return {"label": label, "points": points, "shape_type": "polygon", **more}


def write_json(folder, *shapes, stem="leaf", size=(10, 12), **more):
    path = folder / f"{stem}.json"
    content = {"shapes": list(shapes), "imageHeight": size[0], "imageWidth": size[1]}
    path.write_text(json.dumps(content | more))
    return path


def read(path, shape=(10, 12), **options):
    return read_labels(path, "leaf", shape, **options)


def blobs(seed: int, shape=(60, 70), scale=2.5) -> np.ndarray:
    """Draw a map of nested blobs with holes, islands and touching corners."""
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = scipy.ndimage.gaussian_filter(noise, scale)
    edges = np.quantile(smooth, [0.4, 0.6, 0.8])
    return np.digitize(smooth, edges).astype(np.uint8)


def test_a_pixel_belongs_where_its_centre_lies(tmp_path):
    labels = read(write_json(tmp_path, box("healthy", 2, 3, 6, 5)))
    expected = np.zeros((10, 12), np.uint8)
    expected[3:5, 2:6] = 1
    np.testing.assert_array_equal(labels.data, expected)
    assert labels.data.dtype == np.uint8
    assert labels.classes == NAMES
    shifted = read(write_json(tmp_path, box("healthy", 1.6, 3.4, 5.4, 5.6)))
    expected[:] = 0
    expected[3:6, 2:5] = 1
    np.testing.assert_array_equal(shifted.data, expected)


def test_lesion_first_or_alone_still_reads_two(tmp_path):
    path = write_json(tmp_path, box("lesion", 0, 0, 3, 3), box("healthy", 5, 5, 8, 8))
    assert set(np.unique(read(path).data)) == {0, 1, 2}
    assert read(path).data[0, 0] == 2
    assert read(write_json(tmp_path, box("lesion", 0, 0, 3, 3))).data.max() == 2


def test_later_shapes_lie_over_earlier_ones(tmp_path):
    under, over = box("healthy", 0, 0, 8, 8), box("lesion", 4, 4, 10, 10)
    assert read(write_json(tmp_path, under, over)).data[5, 5] == 2
    assert read(write_json(tmp_path, over, under)).data[5, 5] == 1
    hole = box("_background_", 2, 2, 4, 4)
    assert read(write_json(tmp_path, under, hole)).data[3, 3] == 0


def test_own_classes_come_in_order_of_appearance_or_as_told(tmp_path):
    path = write_json(
        tmp_path,
        box("rust", 0, 0, 3, 3),
        box("leaf", 4, 0, 6, 3),
        box("rust", 0, 5, 3, 8),
    )
    labels = read(path)
    assert labels.classes == ("background", "rust", "leaf")
    assert labels.data[0, 0] == labels.data[6, 1] == 1
    told = read(path, classes=("background", "leaf", "rust"))
    assert told.data[0, 0] == 2
    with pytest.raises(InputError, match="'rust', known are background, leaf"):
        read(path, classes=("background", "leaf"))


def test_a_missing_class_keeps_its_place_in_files_written_here(tmp_path):
    labels = np.zeros((10, 12), int)
    labels[2:4, 2:4] = 3
    classes = ("ground", "a", "b", "c")
    write_labelme(tmp_path / "leaf.json", labels, classes, "leaf.mat")
    back = read(tmp_path)
    np.testing.assert_array_equal(back.data, labels)
    assert back.classes == classes


def test_rectangles_and_circles_are_shapes_too(tmp_path):
    rectangle = {"label": "a", "points": [[6, 5], [2, 3]], "shape_type": "rectangle"}
    np.testing.assert_array_equal(
        read(write_json(tmp_path, rectangle)).data,
        read(write_json(tmp_path, box("a", 2, 3, 6, 5))).data,
    )
    circle = {"label": "a", "points": [[6, 5], [6, 2]], "shape_type": "circle"}
    y, x = np.mgrid[:10, :12] + 0.5
    np.testing.assert_array_equal(
        read(write_json(tmp_path, circle)).data, np.hypot(x - 6, y - 5) < 3
    )


def test_shapes_reaching_outside_are_cut_off(tmp_path):
    data = read(write_json(tmp_path, box("a", -5, -5, 100, 4))).data
    assert data[:4].all()
    assert not data[4:].any()
    assert not read(write_json(tmp_path, box("a", 20, 20, 30, 30))).data.any()


@pytest.mark.parametrize(
    ("shapes", "more", "says"),
    [
        ([], {"imageHeight": 9}, "9 x 12 pixels, the cube has 10 x 12"),
        ([{"label": "a", "points": [[1, 1], [2, 2]]}], {}, "no area"),
        ([{"label": "a", "points": [[1, 1]], "shape_type": "point"}], {}, "no area"),
        ([{"label": "a", "points": [[1, "b"], [2, 2], [3, 1]]}], {}, "LabelMe"),
        ([{"points": []}], {}, "LabelMe"),
        ([box("a", float("nan"), 0, 1, 1)], {}, "no number"),
        ([], {"shapes": None}, "LabelMe"),
    ],
)
def test_faulty_labelme_files_are_refused(tmp_path, shapes, more, says):
    path = write_json(tmp_path, *shapes, **more)
    with pytest.raises(InputError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"version": "5"}', "\x00\xff"])
def test_a_file_that_is_no_labelme_is_refused(tmp_path, text):
    (tmp_path / "leaf.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError):
        read(tmp_path)


@pytest.mark.parametrize("seed", range(6))
def test_outlines_give_blobs_back_exactly(tmp_path, seed):
    labels = blobs(seed)
    holes = scipy.ndimage.binary_fill_holes(labels > 0) & (labels == 0)
    assert holes.any()
    write_labelme(tmp_path / "leaf.json", labels, ("0", "1", "2", "3"), "leaf.mat")
    back = read(tmp_path / "leaf.json", labels.shape)
    np.testing.assert_array_equal(back.data, labels)


@settings(max_examples=150, deadline=None)
@given(
    arrays(
        np.uint8,
        array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
        elements=st.integers(0, 3),
    )
)
def test_outlines_give_any_map_back_exactly(labels):
    outlines = [(o.value, o.points) for o in trace_outlines(labels)]
    np.testing.assert_array_equal(paint(outlines, labels.shape), labels)


def test_an_outline_is_short_and_runs_along_the_edges():
    labels = np.zeros((6, 7), int)
    labels[1:4, 2:6] = 1
    (outline,) = trace_outlines(labels)
    assert sorted(map(tuple, outline.points.tolist())) == [
        (2, 1),
        (2, 4),
        (6, 1),
        (6, 4),
    ]


def test_filling_follows_the_even_odd_rule():
    # A square with a square hole, joined by a bridge walked both ways.
    points = [(0, 0), (8, 0), (8, 8), (0, 8), (0, 0),
              (2, 2), (6, 2), (6, 6), (2, 6), (2, 2)]  # fmt: skip
    inside, window = fill_polygon(points, (8, 8))
    expected = np.ones((8, 8), bool)
    expected[2:6, 2:6] = False
    np.testing.assert_array_equal(inside, expected)
    assert window == (slice(0, 8), slice(0, 8))


def test_labels_without_a_name_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="0 to 2"):
        write_labelme(tmp_path / "a.json", np.array([[3]]), NAMES, "a.mat")


def test_what_is_written_is_labelme(tmp_path):
    write_labelme(tmp_path / "a.json", blobs(1), tuple("abcd"), tmp_path / "a.mat")
    content = json.loads((tmp_path / "a.json").read_text())
    assert (content["imageHeight"], content["imageWidth"]) == (60, 70)
    assert content["imageData"] is None
    for shape in content["shapes"]:
        assert shape.keys() >= {"label", "points", "group_id", "shape_type", "flags"}
        assert shape["shape_type"] == "polygon"
        assert len(shape["points"]) >= 4


def test_a_folder_is_searched_in_the_order_settled(tmp_path):
    tif, mat, drawn = (np.full((10, 12), value, np.uint8) for value in (7, 5, 1))
    with pytest.raises(InputError, match="no labels of 'leaf'"):
        read(tmp_path)
    tifffile.imwrite(tmp_path / "leaf_labels.tif", tif)
    assert (read(tmp_path).data == 7).all()
    scipy.io.savemat(
        tmp_path / "leaf.mat", {"cube": np.ones((3, 10, 12)), "w": [[1, 2]]}
    )
    assert (read(tmp_path).data == 7).all(), "a cube's own file holds no labels"
    scipy.io.savemat(tmp_path / "leaf.mat", {"gt": mat})
    assert (read(tmp_path).data == 5).all()
    write_labelme(tmp_path / "leaf.json", drawn, NAMES, "leaf.mat")
    assert (read(tmp_path).data == 1).all()


def test_rasters_name_their_classes_by_number(tmp_path):
    labels = np.zeros((10, 12), np.uint16)
    labels[0, 0] = 2
    tifffile.imwrite(tmp_path / "a.tif", labels)
    read_back = read(tmp_path / "a.tif")
    assert read_back.data.dtype == np.uint8
    assert read_back.classes == ("class 0", "class 1", "class 2")
    assert read(tmp_path / "a.tif", classes=NAMES).classes == NAMES
    labels[0, 0] = 300
    np.save(tmp_path / "a.npy", labels)
    np.testing.assert_array_equal(read(tmp_path / "a.npy").data, labels)


@pytest.mark.parametrize("by_matlab", [False, True])
def test_labels_in_hdf5_are_turned_as_cubes_are(tmp_path, by_matlab):
    labels = np.arange(120).reshape(10, 12) % 3
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["map"] = labels.T if by_matlab else labels
        if by_matlab:
            file["map"].attrs["MATLAB_class"] = np.bytes_("int64")
    np.testing.assert_array_equal(read(tmp_path / "a.mat").data, labels)


def test_of_several_matlab_maps_the_name_or_the_size_tells(tmp_path):
    path = tmp_path / "a.mat"
    one, two = np.ones((10, 12)), np.full((10, 12), 2.0)
    scipy.io.savemat(path, {"gt": one, "other": np.ones((3, 4))})
    assert (read(path).data == 1).all()
    scipy.io.savemat(path, {"gt": one, "labels": two})
    assert (read(path).data == 2).all()
    scipy.io.savemat(path, {"gt": one, "mask": two})
    with pytest.raises(InputError, match="several arrays that may be labels"):
        read(path)


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.mat"])
@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.ones((9, 12), np.uint8), "9 x 12 pixels, the cube has 10 x 12"),
        (np.full((10, 12), 0.5, np.float32), "no labels"),
        (np.full((10, 12), np.nan, np.float32), "no labels"),
        (np.full((10, 12), -1, np.int16), "no labels"),
    ],
)
def test_rasters_that_do_not_fit_are_refused(tmp_path, name, array, says):
    path = tmp_path / name
    if name == "a.tif":
        tifffile.imwrite(path, array)
    elif name == "a.npy":
        np.save(path, array)
    else:
        scipy.io.savemat(path, {"labels": array})
    with pytest.raises(InputError, match=says):
        read(path)


def test_unknown_and_missing_label_files_are_refused(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(InputError, match="no label file known"):
        read(tmp_path / "a.txt")
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "none.json")
