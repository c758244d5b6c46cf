"""Sums against a plain float64 count over pixels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging import (
    ClusterStatistics,
    Grouping,
    Merge,
    StatisticsBuilder,
    apply,
    group_statistics,
)

K, C = 7, 11


def scene(seed, height=70, width=90, *, offset=0.0, spread=1.0, k=K):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, k, (height, width)).astype(np.uint8)  # k itself is absent
    means = offset + rng.random((k + 1, C))
    spectra = means[ids].transpose(2, 0, 1) + spread * rng.normal(size=(C, *ids.shape))
    confidence = rng.random(ids.shape).astype(np.float32)
    return ids, confidence, spectra.astype(np.float32)


def gather(ids, confidence, spectra, k=K, tile=32):
    builder = StatisticsBuilder(k, len(spectra))
    for top in range(0, ids.shape[0], tile):
        for left in range(0, ids.shape[1], tile):
            at = np.s_[top : top + tile, left : left + tile]
            builder.add(ids[at], confidence[at], spectra[:, *at])
    return builder.finish(ids)


@pytest.mark.parametrize(
    ("offset", "spread"), [(0, 1), (0.5, 0.01), (3000, 2), (-40, 1e-3)]
)
def test_sums_are_those_of_float64(offset, spread):
    ids, confidence, spectra = scene(0, offset=offset, spread=spread)
    statistics = gather(ids, confidence, spectra)
    exact = spectra.astype(np.float64)
    mean, std = statistics.mean(), statistics.std()
    for id in range(1, K):
        pixels = exact[:, ids == id]
        assert statistics.count[id] == pixels.shape[1]
        np.testing.assert_allclose(mean[id], pixels.mean(axis=1), rtol=1e-6)
        np.testing.assert_allclose(std[id], pixels.std(axis=1), rtol=1e-5)
        np.testing.assert_allclose(
            statistics.sum_squares[id], (pixels**2).sum(axis=1), rtol=1e-5
        )
        assert statistics.confidence[id] == pytest.approx(
            confidence[ids == id].sum(dtype=np.float64)
        )
    assert statistics.count[0] == (ids == 0).sum()
    assert not statistics.sum[0].any()
    assert statistics.confidence[0] == 0
    assert statistics.count[K] == 0
    assert np.isnan(mean[[0, K]]).all()
    assert np.isnan(std[[0, K]]).all()


def test_tiling_does_not_matter():
    parts = scene(1)
    whole, tiled = gather(*parts, tile=1000), gather(*parts, tile=9)
    np.testing.assert_allclose(whole.sum, tiled.sum, rtol=1e-6, atol=1e-4)
    np.testing.assert_array_equal(whole.count, tiled.count)
    np.testing.assert_array_equal(whole.boundary, tiled.boundary)


def test_windows_larger_than_a_chunk_and_255_clusters():
    ids, confidence, spectra = scene(2, 150, 160, k=255)
    statistics = gather(ids, confidence, spectra, k=255, tile=1000)
    id = int(ids[100, 100])
    np.testing.assert_allclose(
        statistics.sum[id], spectra[:, ids == id].sum(axis=1, dtype=float), rtol=1e-5
    )


def test_ids_may_be_missing():
    """The same map under other ids: the same rows elsewhere, the rest zero."""
    ids, confidence, spectra = scene(8, k=4)
    names = np.array([0, 2, 17, 255], np.uint8)
    plain = gather(ids, confidence, spectra, k=3)
    sparse = gather(names[ids], confidence, spectra, k=255)
    for field in ("count", "sum", "sum_squares", "confidence"):
        here = getattr(sparse, field)
        np.testing.assert_array_equal(here[names], getattr(plain, field))
        assert not np.delete(here, names, axis=0).any()
    np.testing.assert_array_equal(sparse.boundary[np.ix_(names, names)], plain.boundary)
    groups = group_statistics(sparse, Grouping.start([2, 17, 255]))
    np.testing.assert_array_equal(groups.count, plain.count[1:])


def test_no_data_may_hold_anything():
    ids, confidence, spectra = scene(3)
    clean = gather(ids, confidence, spectra)
    spectra[:, ids == 0] = np.nan
    confidence[ids == 0] = np.inf
    dirty = gather(ids, confidence, spectra)
    np.testing.assert_array_equal(clean.sum_squares, dirty.sum_squares)
    np.testing.assert_array_equal(clean.confidence, dirty.confidence)


def test_only_no_data():
    ids = np.zeros((4, 5), np.uint8)
    statistics = gather(ids, np.zeros((4, 5)), np.zeros((C, 4, 5), np.float32))
    assert statistics.count.tolist() == [20] + [0] * K
    assert np.isnan(statistics.mean()).all()


def test_boundary_is_the_count_of_neighbours():
    ids, confidence, spectra = scene(4, 9, 8)
    expected = np.zeros((K + 1, K + 1), int)
    for y in range(9):
        for x in range(8):
            for v, u in ((y + 1, x), (y, x + 1)):
                if v < 9 and u < 8:
                    a, b = sorted((ids[y, x], ids[v, u]))
                    expected[a, b] += 1
                    expected[b, a] += a != b
    np.testing.assert_array_equal(gather(ids, confidence, spectra).boundary, expected)


def test_pooling_cubes_and_groups_is_counting_all_their_pixels():
    one, other = scene(5), scene(6, 40, 50)
    pooled = gather(*one) + gather(*other)
    grouping = apply(Grouping.start(range(1, K + 1)), Merge((2, 5), 4)).after
    groups = group_statistics(pooled, grouping)
    assert groups.ids == grouping.ids == (1, 3, 4, 6, 7)
    lut = grouping.lut()
    for row, group in enumerate(grouping.groups):
        pixels = np.concatenate(
            [s[:, lut[ids] == group.value] for ids, _, s in (one, other)], axis=1
        ).astype(np.float64)
        assert groups.count[row] == pixels.shape[1]
        if group.id == 7:
            assert np.isnan(groups.mean[row]).all()
            assert np.isnan(groups.confidence[row])
            continue
        np.testing.assert_allclose(groups.mean[row], pixels.mean(axis=1), rtol=1e-5)
        np.testing.assert_allclose(groups.std[row], pixels.std(axis=1), rtol=1e-5)
    painted = gather(lut[one[0]], *one[1:]).boundary
    painted += gather(lut[other[0]], *other[1:]).boundary
    values = [group.value for group in grouping.groups]
    np.testing.assert_array_equal(groups.boundary, painted[np.ix_(values, values)])


def test_files_there_and_back_with_equal_bytes(tmp_path):
    statistics = gather(*scene(7))
    statistics.save(tmp_path / "a.npz")
    statistics.save(tmp_path / "deep" / "b.npz")
    again = ClusterStatistics.load(tmp_path / "a.npz")
    for name in ("count", "sum", "sum_squares", "confidence", "boundary"):
        np.testing.assert_array_equal(getattr(again, name), getattr(statistics, name))
    assert (tmp_path / "a.npz").read_bytes() == (
        tmp_path / "deep" / "b.npz"
    ).read_bytes()
    with pytest.raises(InputError, match="exists already"):
        statistics.save(tmp_path / "a.npz")
    statistics.save(tmp_path / "a.npz", force=True)


def test_files_that_are_no_statistics(tmp_path):
    statistics = gather(*scene(8))
    good = tmp_path / "good.npz"
    statistics.save(good)
    content = good.read_bytes()
    damaged = tmp_path / "damaged.npz"
    for broken in (b"", b"text", content[:200], content[: len(content) // 2]):
        damaged.write_bytes(broken)
        with pytest.raises(InputError, match=r"damaged\.npz: holds no cluster"):
            ClusterStatistics.load(damaged)
    np.savez(damaged, count=np.zeros(3))
    with pytest.raises(InputError, match="damaged"):
        ClusterStatistics.load(damaged)
    arrays = dict(np.load(good))
    np.savez(damaged, **{**arrays, "count": arrays["count"][1:]})
    with pytest.raises(InputError, match="damaged"):
        ClusterStatistics.load(damaged)
    np.savez(damaged, **{**arrays, "sum": np.array([object()])}, allow_pickle=True)
    with pytest.raises(InputError, match="damaged"):
        ClusterStatistics.load(damaged)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(InputError, match="damaged"):
        ClusterStatistics.load(tmp_path / "one.npy")
    with pytest.raises(InputError, match="is not there"):
        ClusterStatistics.load(tmp_path / "none.npz")


def test_what_is_refused():
    ids, confidence, spectra = scene(9)
    builder = StatisticsBuilder(K, C)
    with pytest.raises(ValueError, match="do not fit"):
        builder.add(ids, confidence, spectra[1:])
    with pytest.raises(ValueError, match="do not fit"):
        builder.add(ids, confidence[1:], spectra)
    with pytest.raises(ValueError, match="from 0 to 7"):
        builder.add(ids + np.uint8(5), confidence, spectra)
    builder.add(ids, confidence, spectra)
    with pytest.raises(ValueError, match="do not cover"):
        builder.finish(ids[1:])
    with pytest.raises(ValueError, match="2-D"):
        builder.finish(ids.ravel())
    with pytest.raises(ValueError, match="do not add up"):
        builder.finish(ids) + StatisticsBuilder(K, C + 1).finish(ids[:0])
    with pytest.raises(ValueError, match="no statistics"):
        group_statistics(builder.finish(ids), Grouping.start([K + 1]))
    with pytest.raises(ValueError, match="will not do"):
        StatisticsBuilder(256, 3)
