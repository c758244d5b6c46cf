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


def test_a_group_is_one_shape_with_holes_that_show_what_lies_beneath(tmp_path):
    outer, inner = box("healthy", 1, 1, 9, 9), box("healthy", 3, 3, 7, 7)
    grouped = [shape | {"group_id": 0} for shape in (outer, inner)]
    expected = np.zeros((10, 12), np.uint8)
    expected[1:9, 1:9] = 1
    expected[3:7, 3:7] = 0
    np.testing.assert_array_equal(read(write_json(tmp_path, *grouped)).data, expected)
    under = box("lesion", 0, 0, 5, 5)
    data = read(write_json(tmp_path, under, *grouped)).data
    assert data[4, 4] == 2, "the hole shows the earlier shape"
    assert data[6, 6] == 0
    assert data[2, 2] == 1
    # Without a group, or with two, the second polygon just lies over the first.
    for ids in ((None, None), (1, 2), (1, None)):
        apart = [s | {"group_id": i} for s, i in zip((outer, inner), ids, strict=True)]
        assert (read(write_json(tmp_path, *apart)).data[1:9, 1:9] == 1).all()


def test_a_ring_added_last_does_not_cover_what_was_drawn_meanwhile(tmp_path):
    leaf, hole = (
        box("healthy", 1, 1, 11, 9, group_id=3),
        box("healthy", 8, 2, 10, 4, group_id=3),
    )
    data = read(write_json(tmp_path, leaf, box("lesion", 2, 2, 5, 5), hole)).data
    assert (data[2:5, 2:5] == 2).all()
    assert (data[2:4, 8:10] == 0).all()
    assert data[8, 10] == 1


def test_a_group_is_of_one_label_and_may_have_parts_and_islands(tmp_path):
    # One plant: a leaf with a lesion, both numbered as that plant.
    plant = [box("healthy", 0, 0, 8, 8), box("lesion", 2, 2, 4, 4)]
    data = read(write_json(tmp_path, *(s | {"group_id": 7} for s in plant))).data
    assert (data[2:4, 2:4] == 2).all()
    assert data[1, 1] == 1
    parts = [box("healthy", 0, 0, 6, 6), box("healthy", 1, 1, 5, 5),
             box("healthy", 2, 2, 4, 4), box("healthy", 8, 0, 10, 3)]  # fmt: skip
    data = read(write_json(tmp_path, *(s | {"group_id": 7} for s in parts))).data
    assert data[3, 3] == 1, "an island in the hole"
    assert data[1, 1] == 0
    assert data[0, 8] == data[0, 0] == 1
    assert data.sum() == 36 - 16 + 4 + 6


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_rings_fill_by_the_even_odd_rule_wherever_they_lie(seed, rings):
    rng = np.random.default_rng(seed)
    drawn = [rng.uniform(-6, 18, (rng.integers(3, 7), 2)) for _ in range(rings)]
    expected = np.zeros((9, 11), bool)
    for ring in drawn:
        inside, window = fill_polygon(ring, (9, 11))
        expected[window] ^= inside
    np.testing.assert_array_equal(paint([(1, drawn)], (9, 11)), expected)


def test_a_corner_far_away_cuts_across_the_image():
    ring = [(-1e300, -1), (1e300, -1), (1e300, 4), (-1e300, 4)]
    np.testing.assert_array_equal(
        paint([(1, [ring])], (6, 3))[:, 0], [1, 1, 1, 1, 0, 0]
    )


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
        ([box("a", 0, 0, 3, 3, group_id=[1])], {}, "LabelMe"),
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
    outlines = [(o.value, [o.points]) for o in trace_outlines(labels)]
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
    tif, mat, pth, drawn = (np.full((10, 12), v, np.uint8) for v in (7, 5, 3, 1))
    asked = []

    def read_tensor(path, shape):
        asked.append((path, shape))
        return pth

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
    (tmp_path / "leaf.pth").touch()
    assert (read(tmp_path, read_tensor=read_tensor).data == 3).all()
    assert asked == [(tmp_path / "leaf.pth", (10, 12))]
    with pytest.raises(InputError, match=r"leaf\.pth: is no label file known here"):
        read(tmp_path)
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


def test_the_cubes_own_file_gives_labels_only_where_they_fit(tmp_path):
    path, cube = tmp_path / "leaf.mat", np.ones((3, 10, 12))
    tifffile.imwrite(tmp_path / "leaf_labels.tif", np.full((10, 12), 7, np.uint8))
    scipy.io.savemat(path, {"cube": cube, "white": np.ones((3, 40))})
    assert (read(tmp_path).data == 7).all(), "a 2-D array of another size is no map"
    scipy.io.savemat(path, {"cube": cube, "label": np.full((10, 12), 4.0)})
    assert (read(tmp_path).data == 4).all()
    for content in ({"cube": cube, "labels": np.ones((9, 12))}, {"gt": np.eye(9)}):
        scipy.io.savemat(path, content)
        with pytest.raises(InputError, match=r"9 x .* the cube has 10 x 12"):
            read(tmp_path)


@pytest.mark.parametrize("newer", [False, True])
def test_masks_are_labels_in_matlab_files_too(tmp_path, newer):
    mask = np.zeros((10, 12), bool)
    mask[2:4, 3:6] = True
    path = tmp_path / "leaf.mat"
    if newer:
        with h5py.File(path, "w") as file:
            file["mask"] = mask.T.astype(np.uint8)
            file["mask"].attrs["MATLAB_class"] = np.bytes_("logical")
    else:
        scipy.io.savemat(path, {"mask": mask})
    np.testing.assert_array_equal(read(tmp_path).data, mask)


def test_labels_of_a_line_scan_are_found(tmp_path):
    scipy.io.savemat(tmp_path / "leaf.mat", {"labels": np.ones((1, 12))})
    assert read(tmp_path, (1, 12)).data.shape == (1, 12)


def test_the_unlabelled_value_may_be_any_whole_number(tmp_path):
    labels = np.zeros((10, 12), np.int64)
    labels[0], labels[1] = -100, 2
    np.save(tmp_path / "a.npy", labels)
    with pytest.raises(InputError, match="no labels"):
        read(tmp_path / "a.npy")
    found = read(tmp_path / "a.npy", ignore_label=-100)
    np.testing.assert_array_equal(found.data, labels)
    assert found.classes == ("class 0", "class 1", "class 2")
    assert not found.named
    labels[0] = 255
    np.save(tmp_path / "a.npy", labels)
    assert len(read(tmp_path / "a.npy").classes) == 256
    assert len(read(tmp_path / "a.npy", ignore_label=255).classes) == 3
    assert read(tmp_path / "a.npy", ignore_label=255, classes=NAMES).named
    with pytest.raises(InputError, match="the label 255, known are 0 to 2"):
        read(tmp_path / "a.npy", classes=NAMES)


def test_instance_numbers_are_no_classes(tmp_path):
    labels = np.zeros((10, 12), np.int32)
    labels[0, 0] = 2**31 - 1
    tifffile.imwrite(tmp_path / "a.tif", labels)
    with pytest.raises(InputError, match="2147483647; classes go up to 1023"):
        read(tmp_path / "a.tif")


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
