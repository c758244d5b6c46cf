"""Group spectra from sums, against the pixels themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_study import C, small_model

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.operations import Merge, apply
from napari_dgc.merging.statistics import StatisticsBuilder
from napari_dgc.study.reporting.spectra import good_in_all, group_spectra


def scene():
    rng = np.random.default_rng(1)
    clusters = rng.integers(0, 4, (9, 8)).astype(np.uint8)
    spectra = rng.random((5, 9, 8)).astype(np.float32)
    builder = StatisticsBuilder(4, 5)
    builder.add(clusters, np.ones((9, 8)), spectra)
    return clusters, spectra, builder.finish(clusters)


def test_a_groups_spectrum_is_that_of_its_pixels():
    clusters, spectra, statistics = scene()
    grouping = apply(Grouping.start([1, 2, 3, 4]), Merge((1,), 3)).after
    found = group_spectra(statistics, grouping, cube="leaf")
    assert list(found) == [2, 3]  # cluster 4 has no pixel here
    pixels = spectra[:, np.isin(clusters, (1, 3))].astype(float)
    np.testing.assert_allclose(found[3].mean, pixels.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(found[3].std, pixels.std(axis=1), rtol=1e-5)
    assert found[3].n == pixels.shape[1]
    assert (found[3].cube, found[3].name) == ("leaf", "Group 3")


def test_bad_bands_have_no_value():
    _, _, statistics = scene()
    good = np.array([True, False, True, True, True])
    cubes = [
        Cube(np.zeros((5, 2, 2)), good_bands=good),
        Cube(np.zeros((5, 2, 2))),
        Cube(np.zeros((5, 2, 2)), good_bands=good[::-1]),
    ]
    both = good_in_all(cubes)
    np.testing.assert_array_equal(both, good & good[::-1])
    assert good_in_all(cubes[1:2]) is None
    found = group_spectra(statistics, Grouping.start([1, 2, 3]), good_bands=both)
    np.testing.assert_array_equal(np.isfinite(found[1].mean), both)
    np.testing.assert_array_equal(np.isfinite(found[1].std), both)


def test_bands_that_the_model_leaves_out_have_no_value():
    cubes = [Cube(np.zeros((C, 2, 2)))]
    model = small_model()
    assert good_in_all(cubes, model) is None
    good = np.arange(C) != 2
    fewer = replace(model, good_bands=good)
    np.testing.assert_array_equal(good_in_all(cubes, fewer), good)
