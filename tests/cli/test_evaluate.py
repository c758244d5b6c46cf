"""`napari-dgc evaluate`: maps and labels in, JSON or one line out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tifffile
import torch

from napari_dgc.cli import main
from napari_dgc.cubes.annotations import write_labelme
from napari_dgc.reports.masks import write_label_tiff

TRUTH = np.zeros((12, 14), np.uint8)
TRUTH[2:10, 2:12] = 1
TRUTH[4:6, 4:7] = 2
#: Clusters 1 and 4 are background, 2 healthy, 3 lesion.
IDS = np.array([1, 2, 3], np.uint8)[TRUTH]
IDS[0] = 4
NAMES = ("background", "healthy", "lesion")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Maps of two cubes, the labels of one drawn, of the other a tensor."""
    maps, labels = tmp_path / "maps", tmp_path / "labels"
    labels.mkdir()
    write_label_tiff(maps / "a_clusters.tif", IDS)
    write_label_tiff(maps / "b_clusters.tif", IDS)
    write_labelme(labels / "a.json", TRUTH, NAMES, "a.mat")
    torch.save(torch.from_numpy(TRUTH).long(), labels / "b.pth")
    return maps, labels


def scores(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    capsys.readouterr()
    assert main(["evaluate", *map(str, arguments)]) == 0
    return json.loads(capsys.readouterr().out)


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main(["evaluate", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_json_is_as_the_contract_has_it(folders, capsys) -> None:
    maps, labels = folders
    found = scores(capsys, maps, "--labels", labels, "--align", "majority")
    assert list(found) == [
        "classes", "mean_iou", "mapping", "cubes", "nmi", "ari", "vi",
    ]  # fmt: skip
    perfect = {"iou": 1, "dice": 1, "area_rmse": 0}
    assert found["classes"] == dict.fromkeys(NAMES, perfect)
    assert found["mean_iou"] == 1
    assert found["mapping"] == {"0": [1, 4], "1": [2], "2": [3]}
    assert found["cubes"] == {"a": 1, "b": 1}
    assert 0 < found["nmi"] < 1
    assert 0 < found["ari"] < 1
    assert found["vi"] > 0


def test_each_way_of_aligning(folders, capsys) -> None:
    maps, labels = folders
    found = scores(capsys, maps, "--labels", labels, "--align", "hungarian")
    assert found["mapping"] == {"0": [1], "1": [2], "2": [3]}
    assert found["classes"]["background"]["iou"] < 1
    by_number, by_name = '{"0":[1,4],"2":[3]}', '{"background":[1,4],"lesion":[3]}'
    for mapping in (by_number, by_name):
        found = scores(capsys, maps, "--labels", labels, "--mapping", mapping)
        assert found["mapping"] == {"0": [1, 4], "2": [3]}
        assert found["classes"]["healthy"]["iou"] == 0
        assert found["classes"]["lesion"]["iou"] == 1
        assert found["mean_iou"] == pytest.approx(2 / 3)


def test_group_maps_and_one_label_file_for_one_map(folders, capsys, tmp_path) -> None:
    _, labels = folders
    groups = np.where(IDS == 4, 1, IDS).astype(np.uint8)
    groups[-1] = 0  # no data
    write_label_tiff(tmp_path / "groups" / "a_groups.tif", groups)
    arguments = (tmp_path / "groups", "--labels", labels / "a.json")
    found = scores(capsys, *arguments, "--align", "hungarian")
    assert found["mean_iou"] == found["nmi"] == found["ari"] == 1
    assert found["vi"] == 0


def test_the_ignored_label_is_left_out_of_every_kind(folders, capsys) -> None:
    maps, labels = folders
    arguments = (maps, "--labels", labels, "--align", "majority", "--ignore-label")
    found = scores(capsys, *arguments, 0)
    assert list(found["classes"]) == ["healthy", "lesion"]
    assert found["mapping"]["0"] == []
    assert found["ari"] == 1
    signed = TRUTH.astype(np.int64)
    signed[TRUTH == 0] = -1
    for suffix in (".pth", ".mat", "_labels.tif"):
        for path in labels.iterdir():
            path.unlink()
        for stem in "ab":
            path = labels / f"{stem}{suffix}"
            if suffix == ".pth":
                torch.save(torch.from_numpy(signed), path)
            elif suffix == ".mat":
                scipy.io.savemat(path, {"label": signed})
            else:
                tifffile.imwrite(path, signed.astype(np.int16))
        found = scores(capsys, *arguments, -1)
        assert list(found["classes"]) == ["class 1", "class 2"]
        assert found["mean_iou"] == 1


def test_ids_no_map_holds_are_told_of(folders, capsys) -> None:
    maps, labels = folders
    arguments = ["evaluate", str(maps), "--labels", str(labels), "--mapping"]
    assert main([*arguments, '{"0":[1,4,7],"2":[200,3]}']) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["mapping"]["2"] == [3, 200]
    assert err == "No map holds the ids 7, 200 of --mapping\n"
    assert main([*arguments, '{"0":[7]}', "-q"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ("{}", "it names no id"),
        ('{"0":[]}', "it names no id"),
        ('{"0":1}', "1 is no list of ids"),
        ('{"0":["1"]}', "is no list of ids"),
        ('{"0":[1.5]}', "is no list of ids"),
        ('{"0":[1],"0":[2]}', "stands in it twice"),
        ('{"0":[1],"00":[2]}', "stands in it twice"),
        ('{"0":[1],"background":[2]}', "class 0 stands twice"),
        ('{"0":[1],"1":[1]}', "id 1 stands in two classes, 0 and 1"),
        ('{"0":[1,1]}', "id 1 stands twice in class 0"),
        ('{"0":[0]}', "id 0 of class 0 does not exist; ids are 1..255"),
        ('{"0":[256]}', "id 256 of class 0 does not exist"),
        ('{"3":[1]}', "class 3 does not exist"),
        ('{"-1":[1]}', "no class '-1'"),
        ('{"rust":[1]}', "no class 'rust'; the classes are 0 background, 1 healthy"),
        ("[" * 100_000, "not a JSON object"),
    ],
)
def test_impossible_mappings_are_one_line(folders, capsys, mapping, says) -> None:
    maps, labels = folders
    assert says in fails(capsys, maps, "--labels", labels, "--mapping", mapping)


def test_every_misuse_is_one_line_naming_its_cause(folders, capsys, tmp_path) -> None:
    maps, labels = folders
    align = ("--align", "majority")
    assert "required" in fails(capsys, maps, "--labels", labels)
    assert "--labels" in fails(capsys, maps, *align)
    assert "not allowed with" in fails(
        capsys, maps, "--labels", labels, *align, "--mapping", '{"0":[1]}'
    )
    for value in ("one", "1e3", "99999999999"):
        given = ("--ignore-label", value)
        assert "--ignore-label" in fails(
            capsys, maps, "--labels", labels, *align, *given
        )
    nowhere = tmp_path / "nowhere"
    assert "no such folder" in fails(capsys, nowhere, "--labels", labels, *align)
    file = maps / "a_clusters.tif"
    assert "is no folder" in fails(capsys, file, "--labels", labels, *align)
    assert "holds no *_clusters.tif" in fails(
        capsys, labels, "--labels", labels, *align
    )
    assert "no such file" in fails(capsys, maps, "--labels", nowhere, *align)
    assert "one file for 2 maps" in fails(
        capsys, maps, "--labels", labels / "a.json", *align
    )
    assert "no pixel has both" in fails(
        capsys, maps, "--labels", labels, "--align", "hungarian", *_ignore_all(labels)
    )


def _ignore_all(labels: Path) -> tuple[str, str]:
    for stem in "ab":
        torch.save(torch.full(TRUTH.shape, 9), labels / f"{stem}.pth")
    (labels / "a.json").unlink()
    return "--ignore-label", "9"


def test_bad_maps_and_labels_are_one_line_naming_the_file(folders, capsys) -> None:
    maps, labels = folders
    arguments = (maps, "--labels", labels, "--align", "majority")
    torch.save({"labels": torch.from_numpy(TRUTH)}, labels / "b.pth")
    assert "b.pth: holds a dict" in fails(capsys, *arguments)
    torch.save(torch.zeros(3, 4), labels / "b.pth")
    assert "b.pth: is 3 x 4 pixels, the cube has 12 x 14" in fails(capsys, *arguments)
    (labels / "b.pth").write_bytes(b"PK")
    assert "b.pth: is cut short" in fails(capsys, *arguments)
    (labels / "b.pth").unlink()
    assert "holds no labels of 'b'" in fails(capsys, *arguments)
    scipy.io.savemat(labels / "b.mat", {"gt": np.ones((3, 4))})
    assert "b.mat: is 3 x 4 pixels, the cube has 12 x 14" in fails(capsys, *arguments)
    (labels / "b.mat").unlink()
    tifffile.imwrite(labels / "b_labels.tif", np.zeros((3, 4), np.uint8))
    assert "b_labels.tif: is 3 x 4 pixels" in fails(capsys, *arguments)
    tifffile.imwrite(labels / "b_labels.tif", TRUTH)
    write_label_tiff(maps / "b_groups.tif", IDS)
    assert "another map of b" in fails(capsys, *arguments)
    tifffile.imwrite(maps / "b_groups.tif", IDS.astype(np.uint16))
    (maps / "b_clusters.tif").unlink()
    assert "b_groups.tif: holds uint16" in fails(capsys, *arguments)
    (maps / "b_groups.tif").write_bytes(b"II*\0")
    assert "b_groups.tif: is not a TIFF" in fails(capsys, *arguments)


def test_labels_that_number_their_classes_differently(folders, capsys) -> None:
    maps, labels = folders
    (labels / "b.pth").unlink()
    other = ("background", "lesion", "healthy")
    write_labelme(labels / "b.json", np.array([0, 2, 1])[TRUTH], other, "b.mat")
    arguments = (maps, "--labels", labels)
    assert scores(capsys, *arguments, "--align", "majority")["mean_iou"] == 1
    by_name = '{"healthy":[2],"lesion":[3],"background":[1,4]}'
    assert scores(capsys, *arguments, "--mapping", by_name)["mean_iou"] == 1
    line = fails(capsys, *arguments, "--mapping", '{"1":[2]}')
    assert "b: class 1 is 'lesion' here, and class 1 is 'healthy'" in line
    assert "name the classes in --mapping" in line
