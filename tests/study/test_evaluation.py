from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as reference

from napari_dgc.cubes.errors import InputError
from napari_dgc.study.evaluating.evaluation import LabelledMap, evaluate

TRUTH = np.array([[0, 0, 1, 1], [0, 0, 2, 2]])
CLASSES = ("background", "healthy", "lesion")


def labelled(ids: list[list[int]], stem: str = "a", classes=CLASSES, truth=TRUTH):
    return LabelledMap(stem, np.array(ids, np.uint8), np.asarray(truth), classes)


PERFECT = [[3, 3, 1, 1], [4, 4, 2, 2]]


def test_a_perfect_map_scores_one_in_the_form_of_the_contract() -> None:
    scores = evaluate([labelled(PERFECT)], "majority")
    assert set(scores) == {
        "classes", "mean_iou", "mapping", "cubes", "nmi", "ari", "vi",
    }  # fmt: skip
    assert scores["mapping"] == {"0": [3, 4], "1": [1], "2": [2]}
    assert scores["mean_iou"] == 1
    assert scores["cubes"] == {"a": 1}
    assert scores["classes"]["lesion"] == {"iou": 1, "dice": 1, "area_rmse": 0}


def test_hungarian_leaves_the_surplus_id_out() -> None:
    scores = evaluate([labelled(PERFECT)], "hungarian")
    assert scores["mapping"]["1"] == [1]
    assert scores["classes"]["background"]["iou"] == 0.5


def test_a_mapping_is_class_to_ids() -> None:
    scores = evaluate([labelled(PERFECT)], {0: [3, 4], 1: [2], 2: [1]})
    assert scores["classes"]["background"]["iou"] == 1
    assert scores["classes"]["lesion"]["iou"] == 0


def test_classes_are_matched_by_name_over_cubes() -> None:
    # Value 0 is "lesion" in its own list; read by value it would all be wrong.
    swapped = labelled(
        [[2, 2, 3, 3], [2, 2, 3, 3]], "b", ("lesion", "background"), TRUTH.clip(max=1)
    )
    scores = evaluate([labelled(PERFECT), swapped], "majority")
    assert list(scores["classes"]) == list(CLASSES)
    assert scores["mapping"] == {"0": [3, 4], "1": [1], "2": [2]}
    assert scores["cubes"] == {"a": 1, "b": 1}


def test_the_ignored_label_is_left_out_even_where_it_has_no_name() -> None:
    truth = np.where(TRUTH == 0, 255, TRUTH)
    item = labelled(PERFECT, truth=truth)
    scores = evaluate([item], "majority", ignore_label=255)
    assert scores["mean_iou"] == 1
    assert "background" not in scores["classes"]


def test_the_ignored_class_is_no_class_even_where_it_is_predicted() -> None:
    # Ids 3 and 4 stand for it; two of their pixels lie on healthy ones.
    item = labelled([[3, 3, 3, 1], [4, 4, 2, 2]])
    scores = evaluate([item], {0: [3, 4], 1: [1], 2: [2]}, ignore_label=0)
    assert set(scores["classes"]) == {"healthy", "lesion"}
    assert scores["classes"]["healthy"]["iou"] == 0.5
    assert scores["mean_iou"] == scores["cubes"]["a"] == 0.75


def test_unlabelled_and_no_data_pixels_change_nothing() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 6, (20, 30)).astype(np.uint8)
    truth = rng.integers(0, 3, ids.shape)
    hidden = rng.random(ids.shape) < 0.5
    ids[rng.random(ids.shape) < 0.2] = 0
    seen = ~hidden & (ids > 0)
    for method in ("hungarian", "majority", {0: [1, 2], 2: [5]}):
        one = LabelledMap("a", ids, np.where(hidden, -7, truth), CLASSES)
        all_seen = LabelledMap("a", ids[seen][None], truth[seen][None], CLASSES)
        assert evaluate([one], method, ignore_label=-7) == evaluate([all_seen], method)


def test_scores_equal_scikit_learns_on_the_mapped_pixels() -> None:
    rng = np.random.default_rng(1)
    maps = []
    for stem in "abc":
        truth = rng.integers(0, 3, (30, 20))
        ids = np.where(rng.random(truth.shape) < 0.3, 4, truth + 1).astype(np.uint8)
        maps.append(LabelledMap(stem, ids, truth, CLASSES))
    scores = evaluate(maps, {0: [1], 1: [2, 4], 2: [3]})
    guess = np.array([-1, 0, 1, 2, 1])[np.stack([m.ids for m in maps])]
    truth = np.stack([m.labels for m in maps])
    ious = reference.jaccard_score(truth.ravel(), guess.ravel(), average=None)
    assert [c["iou"] for c in scores["classes"].values()] == pytest.approx(ious)
    assert scores["mean_iou"] == pytest.approx(ious.mean())
    for number, item in enumerate(maps):
        own = reference.jaccard_score(
            truth[number].ravel(), guess[number].ravel(), average="macro"
        )
        assert scores["cubes"][item.stem] == pytest.approx(own)
    for number, name in enumerate(CLASSES):
        shares = [
            (g == number).mean() - (t == number).mean()
            for g, t in zip(guess, truth, strict=True)
        ]
        assert scores["classes"][name]["area_rmse"] == pytest.approx(
            np.sqrt(np.mean(np.square(shares)))
        )
    ids = np.stack([m.ids for m in maps]).ravel()
    assert scores["ari"] == pytest.approx(
        reference.adjusted_rand_score(truth.ravel(), ids)
    )


def test_a_cube_without_labelled_pixels_has_no_score_and_harms_none() -> None:
    blank = labelled([[0] * 4] * 2, "b")
    scores = evaluate([labelled(PERFECT), blank], "majority")
    assert scores["cubes"] == {"a": 1, "b": None}
    assert scores["mean_iou"] == 1
    json.dumps(scores, allow_nan=False)


def test_a_mapping_may_name_classes() -> None:
    by_number = evaluate([labelled(PERFECT)], {0: [3, 4], 2: [2]})
    by_name = evaluate([labelled(PERFECT)], {"background": [3, 4], "lesion": [2]})
    assert by_name == by_number
    with pytest.raises(InputError, match="no class 'rust'; the classes are 0 back"):
        evaluate([labelled(PERFECT)], {"rust": [1]})


SWAPPED = LabelledMap(
    "b", np.array(PERFECT, np.uint8), np.array([0, 2, 1])[TRUTH],
    ("background", "lesion", "healthy"),
)  # fmt: skip


def test_numbers_that_mean_two_classes_are_refused() -> None:
    maps = [labelled(PERFECT), SWAPPED]
    assert evaluate(maps, "majority")["mean_iou"] == 1
    by_name = {"background": [3, 4], "healthy": [1], "lesion": [2]}
    assert evaluate(maps, by_name)["mean_iou"] == 1
    # The class both agree on may be spoken of by number.
    assert evaluate(maps, {0: [3, 4]})["mapping"] == {"0": [3, 4]}
    assert evaluate(maps, "majority", ignore_label=0)["mean_iou"] == 1
    says = "b: class 1 is 'lesion' here, and class 1 is 'healthy' in the labels before"
    with pytest.raises(InputError, match=says):
        evaluate(maps, {1: [1]})
    with pytest.raises(InputError, match=says):
        evaluate(maps, "majority", ignore_label=1)
    raster = LabelledMap("c", SWAPPED.ids, TRUTH, ("class 0", "class 1"), named=False)
    with pytest.raises(InputError, match=says):
        evaluate([*maps, raster], "majority")
    short = LabelledMap("b", SWAPPED.ids, TRUTH > 1, ("background", "lesion"))
    with pytest.raises(InputError, match="class 1 is 'lesion' here"):
        evaluate([maps[0], short], {1: [1]})
    with pytest.raises(InputError, match="'lesion' is class 1 here, and class 2 is"):
        evaluate([maps[0], short], {2: [1]})


def test_rasters_speak_in_the_numbers_of_named_labels() -> None:
    numbers = ("class 0", "class 1", "class 2", "class 3")
    beyond = np.where(TRUTH == 1, 3, TRUTH)
    raster = LabelledMap("a", np.array(PERFECT, np.uint8), beyond, numbers, False)
    scores = evaluate([raster, labelled(PERFECT, "b")], "majority")
    assert set(scores["classes"]) == {*CLASSES, "class 3"}
    assert scores["classes"]["lesion"]["iou"] == 1
    alone = evaluate([raster], "majority")
    assert list(alone["classes"]) == ["class 0", "class 2", "class 3"]


def test_a_label_without_a_class_is_said() -> None:
    with pytest.raises(InputError, match="hold 5, a value without a class"):
        evaluate([labelled(PERFECT, truth=np.full((2, 4), 5))], "majority")
    with pytest.raises(InputError, match="hold -1"):
        evaluate([labelled(PERFECT, truth=np.full((2, 4), -1))], "majority")


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        ({9: [1]}, "class 9 does not exist.*0 background, 1 healthy, 2 lesion"),
        ({0: [1], 1: [1]}, "id 1 stands in two classes"),
        ({0: [0]}, "id 0 .* does not exist"),
        ({0: [256]}, "id 256 .* does not exist"),
    ],
)
def test_bad_mappings_are_refused(mapping: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        evaluate([labelled(PERFECT)], mapping)


def test_nothing_to_score_is_said() -> None:
    with pytest.raises(InputError, match="no map"):
        evaluate([], "majority")
    with pytest.raises(InputError, match="no pixel"):
        evaluate([labelled([[0] * 4] * 2)], "majority")
