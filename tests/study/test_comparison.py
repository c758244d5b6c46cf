"""Labels beside the groups of a study: files matched, scores, differences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from scipy.io import savemat

from napari_dgc.cli import main
from napari_dgc.cubes.annotations import Labels, write_labelme
from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.masks import write_label_tiff
from napari_dgc.study.evaluating.comparison import (
    ELSEWHERE,
    FALSE,
    MISSED,
    NOT_SCORED,
    RIGHT,
    WRONG,
    GroupMap,
    Truth,
    compare,
    read_truths,
)
from napari_dgc.study.evaluating.label_files import find_label_files, match_labels

NAMES = ("background", "healthy", "lesion")
TRUTH = np.zeros((20, 30), np.uint8)
TRUTH[4:16, 4:26] = 1
TRUTH[7:11, 8:14] = 2
CLUSTERS = np.array([1, 2, 3], np.uint8)[TRUTH]
CLUSTERS[:2] = 4
CLUSTERS[10] = 2  # of the lesion's row this part is missed
CLUSTERS[14, 20:24] = 3  # and here it is found where it is not
CLUSTERS[19] = 0
LUT = np.arange(256, dtype=np.uint8)
LUT[4] = 1  # clusters 1 and 4 are one group


def write_all(folder: Path) -> None:
    """Write labels of every kind, and what is none."""
    write_labelme(folder / "a.json", TRUTH, NAMES, "a.mat")
    tifffile.imwrite(folder / "b_labels.tif", TRUTH)
    savemat(folder / "c.mat", {"labels": TRUTH})
    torch.save(torch.from_numpy(TRUTH).long(), folder / "d.pth")
    savemat(folder / "cube.mat", {"cube": np.zeros((3, 20, 30))})
    tifffile.imwrite(folder / "picture.tif", TRUTH)
    (folder / "study.dgc.json").write_text("{}")
    (folder / "broken.mat").write_bytes(b"no MATLAB")


def test_label_files_are_told_from_others(tmp_path: Path) -> None:
    write_all(tmp_path)
    files = sorted(tmp_path.iterdir())
    labels, others = find_label_files(files)
    assert [p.name for p in labels] == ["a.json", "b_labels.tif", "c.mat", "d.pth"]
    assert len(labels) + len(others) == len(files)
    # A folder stands for its labels and its cubes, but for those that are open.
    found, cubes = find_label_files([tmp_path])
    assert found == labels
    assert [p.name for p in cubes] == ["broken.mat", "cube.mat"]
    known = [tmp_path / "." / "cube.mat", tmp_path / "broken.hdr"]
    assert find_label_files([tmp_path], known) == (labels, [])
    for cube in cubes:
        cube.unlink()
    assert find_label_files([tmp_path]) == (labels, [])
    assert find_label_files([tmp_path / "gone.mat"])[0] == []


def test_files_find_their_cubes_by_stem() -> None:
    paths = [Path(n) for n in ("b_labels.tif", "b.json", "a_labels.pth", "x.json")]
    matched, faults = match_labels([*paths, Path("a.docx")], ["a", "b", "a_labels"])
    assert matched == {1: Path("b.json"), 2: Path("a_labels.pth")}
    assert [Path(f.source).name for f in faults] == ["x.json", "a.docx"]
    assert "a, b" in faults[0].remedy


def test_one_bad_file_keeps_no_other_away(tmp_path: Path) -> None:
    write_all(tmp_path)
    tifffile.imwrite(tmp_path / "b_labels.tif", TRUTH[:5])
    wanted = {0: tmp_path / "a.json", 1: tmp_path / "b_labels.tif"}
    shape = TRUTH.shape
    first, second = read_truths(wanted, ["a", "b"], [shape, shape])
    assert isinstance(first, Truth)
    np.testing.assert_array_equal(first.labels.data, TRUTH)
    assert isinstance(second, InputError)
    assert "5 x 30 pixels, the cube has 20 x 30" in second.fault


@pytest.mark.parametrize(
    "alignment",
    ["hungarian", "majority", {"background": [1], "lesion": [3], "healthy": [2]}],
)
def test_numbers_are_those_of_the_command(
    alignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_all(tmp_path)
    shape = TRUTH.shape
    wanted = {0: tmp_path / "a.json", 1: tmp_path / "b_labels.tif"}
    truths = list(read_truths(wanted, ["a", "b"], [shape, shape]))
    other = CLUSTERS[::-1].copy()
    maps = [
        GroupMap(stem, clusters, LUT, truth.labels)
        for stem, clusters, truth in zip("ab", (CLUSTERS, other), truths, strict=True)
    ]
    (found,) = compare(maps, alignment)
    for one in maps:
        path = tmp_path / "maps" / f"{one.stem}_groups.tif"
        write_label_tiff(path, LUT[one.clusters])
    how = ["--align", alignment]
    if not isinstance(alignment, str):
        how = ["--mapping", json.dumps(alignment)]
    command = ["evaluate", str(tmp_path / "maps"), "--labels", str(tmp_path), *how]
    assert main(command) == 0
    assert found.scores == json.loads(capsys.readouterr().out)
    assert found.members["lesion"] == (3,)


def test_differences_are_those_of_each_pixel() -> None:
    labels = Labels(TRUTH, NAMES)
    one = GroupMap("a", CLUSTERS, LUT, labels)
    (found,) = compare([one], "majority")
    ids = LUT[CLUSTERS]
    expected = np.where(ids == TRUTH + 1, RIGHT, WRONG)
    expected[ids == 0] = NOT_SCORED
    np.testing.assert_array_equal(found.differences(one, None), expected)
    lesion = found.differences(one, "lesion")
    is_it, said = (TRUTH == 2) & (ids > 0), ids == 3
    assert (lesion == RIGHT).sum() == (is_it & said).sum() == 18
    assert (lesion == MISSED).sum() == (is_it & ~said).sum() == 6
    assert (lesion == FALSE).sum() == (~is_it & said).sum() == 4
    assert (lesion[19] == NOT_SCORED).all()
    assert lesion[0, 0] == ELSEWHERE
    iou = found.scores["classes"]["lesion"]["iou"]
    assert iou == pytest.approx(18 / 28)


def test_a_group_of_no_class_is_wrong_and_a_class_can_be_left_out() -> None:
    one = GroupMap("a", CLUSTERS, LUT, Labels(TRUTH, NAMES))
    by_hand = {"lesion": [3], "no such class": [1]}
    (found,) = compare([one], by_hand, ignored="background")
    assert "background" not in found.scores["classes"]
    drawn = found.differences(one, None)
    assert (drawn[TRUTH == 0] == NOT_SCORED).all()
    assert (drawn[(TRUTH == 1) & (CLUSTERS > 0)] == WRONG).all()
    (whole,) = compare([one], "majority", ignored="of another study")
    assert whole.ignored is None
