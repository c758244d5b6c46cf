from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics as reference

from napari_dgc.clustering import metrics


def random_maps(seed: int, ids: int = 6, classes: int = 4):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, (40, 50))
    noisy = np.where(
        rng.random(truth.shape) < 0.4, rng.integers(0, ids, truth.shape), truth
    )
    return noisy + 1, truth


@pytest.mark.parametrize("seed", range(5))
def test_agreement_equals_scikit_learns(seed: int) -> None:
    p, t = random_maps(seed)
    table = metrics.confusion(p, t, ids=6, classes=4)
    p, t = p.ravel(), t.ravel()
    assert metrics.nmi(table) == pytest.approx(
        reference.normalized_mutual_info_score(t, p)
    )
    assert metrics.ari(table) == pytest.approx(reference.adjusted_rand_score(t, p))
    mutual = reference.mutual_info_score(t, p)
    entropies = sum(
        -float((q * np.log(q)).sum())
        for q in (np.unique(v, return_counts=True)[1] / v.size for v in (p, t))
    )
    assert metrics.vi(table) == pytest.approx(entropies - 2 * mutual)


@pytest.mark.parametrize("seed", range(5))
def test_overlap_equals_scikit_learns(seed: int) -> None:
    p, t = random_maps(seed, ids=4)
    table = metrics.confusion(p, t, ids=4, classes=4)
    mapped = metrics.apply_mapping(table, {c: [c + 1] for c in range(4)})
    p, t = p.ravel() - 1, t.ravel()
    np.testing.assert_allclose(
        metrics.iou(mapped), reference.jaccard_score(t, p, average=None)
    )
    np.testing.assert_allclose(
        metrics.dice(mapped), reference.f1_score(t, p, average=None)
    )


def test_a_perfect_result_scores_one() -> None:
    """The reference code gave it a Dice of 2."""
    truth = np.array([0, 0, 1, 2, 2, 2])
    table = metrics.confusion(truth + 1, truth, ids=3, classes=3)
    for align in (metrics.align_hungarian, metrics.align_majority):
        mapping = align(table)
        assert mapping == {0: [1], 1: [2], 2: [3]}
        mapped = metrics.apply_mapping(table, mapping)
        assert metrics.iou(mapped).tolist() == [1, 1, 1]
        assert metrics.dice(mapped).tolist() == [1, 1, 1]
        assert metrics.area_rmse([mapped]).tolist() == [0, 0, 0]
    assert metrics.ari(table) == metrics.nmi(table) == 1
    assert metrics.vi(table) == 0


def test_hungarian_maps_ids_to_classes_and_not_the_other_way_round() -> None:
    """The reference code wrote the inverse permutation; a 3-cycle tells."""
    truth = np.repeat([0, 1, 2], 10)
    ids = np.repeat([2, 3, 1], 10)
    table = metrics.confusion(ids, truth, ids=3, classes=3)
    assert metrics.align_hungarian(table) == {0: [2], 1: [3], 2: [1]}


@pytest.mark.parametrize(("ids", "classes"), [(6, 3), (2, 5), (1, 4)])
def test_hungarian_with_other_numbers_of_ids_than_classes(
    ids: int, classes: int
) -> None:
    rng = np.random.default_rng(0)
    p, t = rng.integers(1, ids + 1, 500), rng.integers(0, classes, 500)
    table = metrics.confusion(p, t, ids=ids, classes=classes)
    mapping = metrics.align_hungarian(table)
    used = [i for members in mapping.values() for i in members]
    assert len(used) == len(set(used)) == min(ids, classes)
    mapped = metrics.apply_mapping(table, mapping)
    assert int(mapped.sum()) == 500


def test_majority_merges_many_ids_into_a_class() -> None:
    truth = np.repeat([0, 0, 1, 1], 10)
    ids = np.repeat([1, 2, 3, 4], 10)
    table = metrics.confusion(ids, truth, ids=4, classes=2)
    assert metrics.align_majority(table) == {0: [1, 2], 1: [3, 4]}


def test_no_data_and_the_ignored_label_are_not_scored() -> None:
    ids, truth = np.array([0, 0, 1, 2]), np.array([0, 1, 0, 9])
    table = metrics.confusion(ids, truth, ids=2, classes=10, ignore_label=9)
    assert int(table.sum()) == 1


def test_area_error_is_a_share_of_the_pixels_over_cubes() -> None:
    first = torch.tensor([[6, 2], [0, 2], [0, 0]])  # one class takes 2 of 10
    second = torch.tensor([[5, 0], [0, 5], [0, 0]])
    expected = np.sqrt((0.2**2 + 0) / 2)
    np.testing.assert_allclose(metrics.area_rmse([first, second]), expected)


def test_a_class_that_is_nowhere_has_no_score() -> None:
    mapped = torch.tensor([[5, 0, 0], [0, 5, 0], [0, 0, 0], [0, 0, 0]])
    assert torch.isnan(metrics.iou(mapped)[2])


@pytest.mark.parametrize(
    ("mapping", "word"),
    [({7: [1]}, "class 7"), ({0: [0]}, "id 0"), ({0: [1], 1: [1]}, "two|classes")],
)
def test_impossible_mappings_are_refused(mapping: dict, word: str) -> None:
    table = torch.ones((3, 2), dtype=torch.long)
    with pytest.raises(ValueError, match=word):
        metrics.apply_mapping(table, mapping)


def test_values_out_of_range_and_shapes_apart_are_refused() -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        metrics.confusion([1, 1], [0, 5], ids=1, classes=2)
    with pytest.raises(ValueError, match="2 predicted"):
        metrics.confusion([1, 1], [0], ids=1, classes=2)
