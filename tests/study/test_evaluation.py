from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.study.evaluation import LabelledMap, evaluate

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


@pytest.mark.parametrize(
    ("mapping", "word"), [({9: [1]}, "class 9"), ({0: [1], 1: [1]}, "id 1")]
)
def test_bad_mappings_are_refused(mapping: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        evaluate([labelled(PERFECT)], mapping)


def test_nothing_to_score_is_said() -> None:
    with pytest.raises(InputError, match="no map"):
        evaluate([], "majority")
    with pytest.raises(InputError, match="no pixel"):
        evaluate([labelled([[0] * 4] * 2)], "majority")
