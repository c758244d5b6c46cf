"""A merge foretold, against the pixels and against the merge itself."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.merging import (
    Grouping,
    History,
    Merge,
    MergeError,
    SetRole,
    StatisticsBuilder,
    group_statistics,
)
from napari_dgc.merging.preview import preview_merge, role_changes

K, C = 6, 9


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    ids = rng.integers(0, K, (40, 30)).astype(np.uint8)  # cluster K is nowhere
    spectra = rng.random((K + 1, C))[ids].transpose(2, 0, 1)
    return ids, (spectra + 0.1 * rng.normal(size=spectra.shape)).astype(np.float32)


def gather(ids: np.ndarray, spectra: np.ndarray):
    builder = StatisticsBuilder(K, C)
    builder.add(ids, np.ones(ids.shape), spectra)
    return builder.finish(ids)


def scatter(pixels: np.ndarray) -> float:
    if not pixels.size:
        return 0.0
    return float(((pixels - pixels.mean(1, keepdims=True)) ** 2).sum())


def test_it_equals_the_merge_and_the_pixels(scene) -> None:
    ids, spectra = scene
    statistics = gather(ids, spectra)
    history = History(Grouping.start(range(1, K + 1)))
    history.do(Merge((2,), 1))
    before = history.current
    foretold = preview_merge(statistics, before, (3, 5), 1)
    history.do(Merge((3, 5), 1))
    made = group_statistics(statistics, history.current)
    row = made.ids.index(1)
    assert foretold.count == made.count[row]
    np.testing.assert_allclose(foretold.mean, made.mean[row])
    np.testing.assert_allclose(foretold.std, made.std[row])
    exact = spectra.astype(np.float64)

    def spread(grouping: Grouping) -> float:
        return sum(
            scatter(exact[:, np.isin(ids, group.clusters)]) for group in grouping.groups
        )

    old = spread(before)
    grown = (spread(history.current) - old) / old
    assert foretold.variance_change == pytest.approx(grown, rel=1e-4)


def test_roles_that_win_and_lose_are_told(scene) -> None:
    ids, spectra = scene
    statistics = gather(ids, spectra)
    history = History(Grouping.start(range(1, K + 1)))
    history.do(SetRole(1, "healthy"))
    history.do(SetRole(2, "lesion"))
    valid = (ids > 0).sum()
    share = 100 * (ids == 2).sum() / valid
    plain = 100 * (ids == 3).sum() / valid
    changes = dict(role_changes(statistics, history.current, (2, 3), 1))
    assert changes["lesion"] == pytest.approx(-share)
    assert changes[None] == pytest.approx(-plain)
    assert changes["healthy"] == pytest.approx(share + plain)
    assert role_changes(statistics, history.current, (4,), 5) == ()
    assert role_changes(statistics, history.current, (1,), 1) == ()


def test_empty_groups_and_wrong_ids(scene) -> None:
    statistics = gather(*scene)
    grouping = Grouping.start(range(1, K + 1))
    nothing = preview_merge(statistics, grouping, (K,), 1)
    assert nothing.variance_change == 0
    itself = preview_merge(statistics, grouping, (1,), 1)
    assert itself.variance_change == 0
    assert itself.count == statistics.count[1]
    with pytest.raises(MergeError, match="no group 99"):
        preview_merge(statistics, grouping, (99,), 1)
