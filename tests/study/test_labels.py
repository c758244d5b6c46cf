"""Labels of every kind beside maps, joined where torch may be met."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.io
import tifffile
import torch

from napari_dgc.cubes.annotations import write_labelme
from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.masks import write_label_tiff
from napari_dgc.study.evaluating.labels import load_labels, read_labelled_maps

SHAPE = (6, 7)
NAMES = ("background", "healthy", "lesion")


def full(value: int) -> np.ndarray:
    return np.full(SHAPE, value, np.uint8)


def test_the_order_of_label_files_is_the_contracts(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a_labels.tif", full(4))
    assert (load_labels(tmp_path, "a", SHAPE).data == 4).all()
    scipy.io.savemat(tmp_path / "a.mat", {"labels": full(3)})
    assert (load_labels(tmp_path, "a", SHAPE).data == 3).all()
    torch.save(torch.from_numpy(full(2)).long(), tmp_path / "a.pth")
    found = load_labels(tmp_path, "a", SHAPE)
    assert (found.data == 2).all()
    assert found.data.dtype == np.uint8
    assert found.classes == ("class 0", "class 1", "class 2")
    write_labelme(tmp_path / "a.json", full(1), NAMES, "a.mat")
    found = load_labels(tmp_path, "a", SHAPE)
    assert (found.data == 1).all()
    assert found.classes == NAMES
    assert found.named


def test_labels_in_tensors_are_judged_as_others_are(tmp_path) -> None:
    path = tmp_path / "a.pth"
    for tensor, says in (
        (torch.full(SHAPE, 0.5), "no labels"),
        (torch.full(SHAPE, -1), "no labels"),
        (torch.full(SHAPE, 5000), "up to 1023"),
        (torch.zeros(3, 7), "is 3 x 7 pixels, the cube has 6 x 7"),
    ):
        torch.save(tensor, path)
        with pytest.raises(InputError, match=says) as caught:
            load_labels(tmp_path, "a", SHAPE)
        assert str(path) in str(caught.value)
    torch.save(torch.full(SHAPE, -1), path)
    assert (load_labels(tmp_path, "a", SHAPE, ignore_label=-1).data == -1).all()


def test_torch_is_loaded_only_where_a_tensor_is_met(tmp_path) -> None:
    write_labelme(tmp_path / "a.json", full(1), NAMES, "a.mat")
    code = (
        "import sys; from napari_dgc.study.evaluating.labels import load_labels; "
        f"load_labels({str(tmp_path)!r}, 'a', {SHAPE}); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_maps_find_their_labels_by_stem(tmp_path) -> None:
    maps, labels = tmp_path / "maps", tmp_path / "labels"
    labels.mkdir()
    paths = []
    # A cube may itself be called ..._groups or ..._clusters.
    for name in ("a_clusters", "b_groups", "c_groups_clusters", "d_clusters_groups"):
        paths.append(write_label_tiff(maps / f"{name}.tif", full(1)))
    for value, stem in enumerate(("a", "b", "c_groups", "d_clusters")):
        tifffile.imwrite(labels / f"{stem}_labels.tif", full(value))
    items = read_labelled_maps(paths, labels)
    assert [i.stem for i in items] == ["a", "b", "c_groups", "d_clusters"]
    assert [int(i.labels[0, 0]) for i in items] == [0, 1, 2, 3]
    assert not any(i.named for i in items)


def test_maps_and_labels_that_do_not_pair_up_are_refused(tmp_path) -> None:
    one = write_label_tiff(tmp_path / "a_clusters.tif", full(1))
    two = write_label_tiff(tmp_path / "a_groups.tif", full(1))
    other = write_label_tiff(tmp_path / "b_groups.tif", full(1))
    drawn = tmp_path / "a.json"
    write_labelme(drawn, full(1), NAMES, "a.mat")
    assert len(read_labelled_maps([one], drawn)) == 1
    with pytest.raises(InputError, match="another map of a"):
        read_labelled_maps([one, two], tmp_path)
    with pytest.raises(InputError, match="one file for 2 maps"):
        read_labelled_maps([one, other], drawn)
    with pytest.raises(InputError, match="no labels of 'b'"):
        read_labelled_maps([one, other], tmp_path)
    drawn.write_text(json.dumps({"shapes": [], "imageHeight": 9, "imageWidth": 7}))
    with pytest.raises(InputError, match="9 x 7 pixels, the cube has 6 x 7"):
        read_labelled_maps([one], tmp_path)
