from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
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


@pytest.mark.parametrize(("ids", "classes"), [(5, 3), (3, 5), (4, 4), (1, 4), (4, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_hungarian_finds_the_pairing_with_most_pixels(
    ids: int, classes: int, seed: int
) -> None:
    """Against every pairing there is, K below, at and above the classes."""
    rng = np.random.default_rng(seed)
    p, t = rng.integers(1, ids + 1, 60), rng.integers(0, classes, 60)
    table = metrics.confusion(p, t, ids=ids, classes=classes)
    counts = table[1:].numpy()
    if ids > classes:
        counts = counts.T
    best = max(
        sum(counts[row, col] for row, col in enumerate(cols))
        for cols in itertools.permutations(range(counts.shape[1]), counts.shape[0])
    )
    mapped = metrics.apply_mapping(table, metrics.align_hungarian(table))
    assert int(mapped.diagonal().sum()) == best


def test_hungarian_counts_pixels_and_not_iou() -> None:
    # Id 2 meets the rare class in more pixels, id 3 is the better outline of it.
    table = torch.tensor([[0, 0], [900, 0], [800, 10], [0, 9]])
    assert metrics.align_hungarian(table) == {0: [1], 1: [2]}
    assert metrics.align_majority(table) == {0: [1, 2], 1: [3]}


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
    [
        ({7: [1]}, "class 7"),
        ({-1: [1]}, "class -1"),
        ({0: [0]}, "id 0 of class 0 does not exist; ids are 1..255"),
        ({0: [256]}, "id 256"),
        ({0: [1], 1: [1]}, "id 1 stands in two classes, 0 and 1"),
        ({0: [200], 1: [200]}, "id 200 stands in two classes"),
        ({0: [1, 1]}, "id 1 stands twice in class 0"),
    ],
)
def test_impossible_mappings_are_refused(mapping: dict, word: str) -> None:
    table = torch.ones((3, 2), dtype=torch.long)
    with pytest.raises(ValueError, match=word):
        metrics.apply_mapping(table, mapping)


def test_values_out_of_range_and_shapes_apart_are_refused() -> None:
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        metrics.confusion([1, 1], [0, 5], ids=1, classes=2)
    with pytest.raises(ValueError, match=r"\(2,\) predicted and \(1,\) true"):
        metrics.confusion([1, 1], [0], ids=1, classes=2)


def test_floats_are_no_ids() -> None:
    for wrong in ([1.5, 1.0], torch.ones(2)):
        with pytest.raises(ValueError, match="whole numbers"):
            metrics.confusion(wrong, [0, 0], ids=1, classes=1)


def test_a_mapping_may_name_clusters_that_are_not_active_here() -> None:
    table = torch.tensor([[0, 0], [3, 0], [0, 4]])
    mapped = metrics.apply_mapping(table, {0: [1, 7], 1: [2, 255]})
    assert mapped.tolist() == [[3, 0], [0, 4], [0, 0]]


def test_read_only_and_small_types_are_counted_as_they_are() -> None:
    p, t = np.array([1, 2], np.uint8), np.array([0, 1], np.uint16)
    p.flags.writeable = False  # as a memory map's: torch would warn
    assert metrics.confusion(p, t, ids=2, classes=2).tolist() == [
        [0, 0], [1, 0], [0, 1],
    ]  # fmt: skip
    # Products of small types must not wrap round.
    p, t = np.full(3, 255, np.uint8), np.full(3, 200, np.uint8)
    assert int(metrics.confusion(p, t, ids=255, classes=201)[255, 200]) == 3


DEGENERATE = {
    "one cluster": ([1, 1, 1, 1], [0, 1, 2, 2]),
    "one class": ([1, 2, 3, 3], [0, 0, 0, 0]),
    "one of both": ([1, 1, 1], [0, 0, 0]),
    "each pixel its own": ([1, 2, 3], [0, 1, 2]),
    "fewer ids": ([1, 1, 2, 2, 2, 1], [0, 1, 2, 3, 3, 0]),
    "more ids": ([1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 1, 0]),
    "independent": ([1, 1, 2, 2], [0, 1, 0, 1]),
    "one pixel": ([2], [1]),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_partitions_score_as_scikit_learn_has_it(case: str) -> None:
    p, t = DEGENERATE[case]
    table = metrics.confusion(p, t, ids=6, classes=4)
    assert metrics.nmi(table) == pytest.approx(
        reference.normalized_mutual_info_score(t, p), abs=1e-12
    )
    assert metrics.ari(table) == pytest.approx(reference.adjusted_rand_score(t, p))
    h, c, v = reference.homogeneity_completeness_v_measure(t, p)
    assert metrics.nmi(table) == pytest.approx(v, abs=1e-12)
    assert metrics.vi(table) >= 0
    assert (metrics.vi(table) == pytest.approx(0, abs=1e-12)) == (h == c == 1)
    for align in (metrics.align_hungarian, metrics.align_majority):
        mapped = metrics.apply_mapping(table, align(table))
        assert int(mapped.sum()) == len(p)
        owner = {i: c for c, members in align(table).items() for i in members}
        guess = [owner.get(i, 4) for i in p]
        for own, theirs in (
            (metrics.iou, reference.jaccard_score),
            (metrics.dice, reference.f1_score),
        ):
            scores = own(mapped).numpy()
            there = [c for c in range(4) if c in t or c in guess]
            assert np.isnan(np.delete(scores, there)).all()
            np.testing.assert_allclose(
                scores[there],
                theirs(t, guess, labels=there, average=None, zero_division=0),
            )


@pytest.mark.parametrize("maps", [([], []), ([0, 0, 0], [0, 1, 2])])
def test_nothing_to_score_gives_no_score_and_no_crash(maps) -> None:
    table = metrics.confusion(*maps, ids=3, classes=3)
    assert table.shape == (4, 3)
    assert int(table.sum()) == 0
    nothing = {0: [], 1: [], 2: []}
    assert metrics.align_hungarian(table) == metrics.align_majority(table) == nothing
    mapped = metrics.apply_mapping(table, nothing)
    assert torch.isnan(metrics.iou(mapped)).all()
    assert torch.isnan(metrics.dice(mapped)).all()
    assert torch.isnan(metrics.area_rmse([mapped])).all()
    # As scikit-learn: two empty partitions are equal.
    assert metrics.nmi(table) == metrics.ari(table) == 1
    assert metrics.vi(table) == 0


def test_agreement_holds_for_as_many_pixels_as_a_study_has() -> None:
    rng = np.random.default_rng(0)
    table = torch.from_numpy(rng.integers(0, 10**7, (5, 3)))
    table[0] = 0
    counts = table[1:].double().numpy()
    n = counts.sum()
    joint = counts / n
    outer = joint.sum(1, keepdims=True) * joint.sum(0)
    mutual = (joint * np.log(joint / outer)).sum()
    h = [-(q * np.log(q)).sum() for q in (joint.sum(1), joint.sum(0))]
    assert metrics.nmi(table) == pytest.approx(2 * mutual / sum(h))
    assert metrics.vi(table) == pytest.approx(sum(h) - 2 * mutual)
    pairs = [int(c) * (int(c) - 1) // 2 for c in counts.ravel()]
    rows, cols = (
        [int(c) * (int(c) - 1) // 2 for c in counts.sum(axis)] for axis in (1, 0)
    )
    expected = sum(rows) * sum(cols) / (int(n) * (int(n) - 1) // 2)
    best = (sum(rows) + sum(cols)) / 2
    assert metrics.ari(table) == pytest.approx(
        (sum(pairs) - expected) / (best - expected), rel=1e-6
    )


def test_area_error_against_the_maps_themselves() -> None:
    tables, errors = [], []
    for seed in range(4):
        p, t = random_maps(seed, ids=4)
        p[:5] = 0  # no data: of neither share
        tables.append(
            metrics.apply_mapping(
                metrics.confusion(p, t, ids=4, classes=4), {0: [1, 2], 1: [], 3: [4]}
            )
        )
        seen = p > 0
        guess = np.array([-1, 0, 0, -1, 3])[p]  # id 3 is in no class
        errors.append(
            [(guess[seen] == c).mean() - (t[seen] == c).mean() for c in range(4)]
        )
    expected = np.sqrt((np.array(errors) ** 2).mean(axis=0))
    np.testing.assert_allclose(metrics.area_rmse(tables), expected)


def test_a_cube_without_labels_does_not_dilute_the_area_error() -> None:
    one = torch.tensor([[6, 2], [0, 2], [0, 0]])
    np.testing.assert_allclose(
        metrics.area_rmse([one, torch.zeros_like(one)]), metrics.area_rmse([one])
    )


def test_entropy_is_zero_for_one_cluster_and_log_k_for_even_use() -> None:
    assert float(metrics.entropy(torch.tensor([7, 0, 0]))) == 0
    assert str(float(metrics.entropy(torch.tensor([7])))) == "0.0", "not -0.0"
    assert float(metrics.entropy(torch.tensor([0, 0]))) == 0
    assert float(metrics.entropy(torch.tensor([5, 5, 5, 5]))) == pytest.approx(
        np.log(4)
    )
    counts = np.random.default_rng(0).integers(0, 99, 12)
    assert float(metrics.entropy(torch.from_numpy(counts))) == pytest.approx(
        scipy.stats.entropy(counts)
    )
