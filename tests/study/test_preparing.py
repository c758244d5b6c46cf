"""Cubes of a study calibrated and with other bands: maps stay, sums are renewed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_study import C, make_study

from napari_dgc.cubes.calibrating import calibration_of_spectrum
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.preparing import as_read, left_out
from napari_dgc.study.calibrating.preparing import (
    PreparedCube,
    outdated,
    prepare_cubes,
    take,
    wanted,
)
from napari_dgc.study.storing.study_file import open_study, save_study

NONE = np.zeros(C, bool)


def prepare(study, calibration, out):
    wishes = [wanted(study, i, calibration, out) for i in range(len(study.cubes))]
    pieces = list(prepare_cubes(wishes))
    done = [piece for piece in pieces if isinstance(piece, PreparedCube)]
    take(study, done)
    return done


def means(study, index):
    """Mean spectrum of each cluster, by the cube's own values."""
    cube, clusters = study.cubes[index], study.cluster_map(index)
    data = np.asarray(cube.data)
    return {k: data[:, clusters == k].mean(axis=1) for k in np.unique(clusters) if k}


def assert_sums_are_right(study):
    for index in range(len(study.cubes)):
        found = study.statistics(index).mean()
        for k, mean in means(study, index).items():
            np.testing.assert_allclose(found[k], mean, rtol=1e-5)


def test_calibrating_keeps_maps_and_groups_and_renews_the_sums(tmp_path):
    study = make_study(tmp_path)
    raw = study.cubes
    maps = [study.cluster_map(i).copy() for i in range(2)]
    groups, pooled = study.grouping, study.pooled_statistics.mean()
    heard = []
    study.cubes_changed.connect(lambda cubes: heard.append("cubes"))
    study.map_changed.connect(heard.append)
    white = np.linspace(1, 2, C, dtype=np.float32)
    done = prepare(study, calibration_of_spectrum(white, reflectance=0.5), NONE)
    assert heard == ["cubes", 0, 1]
    for i, cube in enumerate(study.cubes):
        np.testing.assert_allclose(
            np.asarray(cube.data),
            np.asarray(raw[i].data) * 0.5 / white[:, None, None],
            rtol=1e-5,
        )
        np.testing.assert_array_equal(study.cluster_map(i), maps[i])
        assert done[i].counts.valid == done[i].counts.total
    assert study.grouping == groups
    assert_sums_are_right(study)
    assert not np.allclose(study.pooled_statistics.mean(), pooled)
    assert outdated(study) == "calibrated"

    again = open_study(save_study(study, tmp_path / "s.dgc.json"))
    np.testing.assert_array_equal(again.cubes[1].data, study.cubes[1].data)

    prepare(study, None, NONE)
    assert outdated(study) == ""
    np.testing.assert_array_equal(study.cubes[0].data, raw[0].data)
    np.testing.assert_allclose(study.pooled_statistics.mean(), pooled, rtol=1e-5)


def test_bands_are_left_out_and_taken_in_again(tmp_path):
    study = make_study(tmp_path)
    out = NONE.copy()
    out[[0, 4]] = True
    prepare(study, None, out)
    assert outdated(study) == "bands"
    for cube in study.cubes:
        np.testing.assert_array_equal(cube.good_bands, ~out)
        np.testing.assert_array_equal(left_out(cube), out)
    again = open_study(save_study(study, tmp_path / "s.dgc.json"))
    np.testing.assert_array_equal(left_out(again.cubes[0]), out)
    prepare(study, None, NONE)
    assert outdated(study) == ""
    assert study.cubes[0].good_bands is None
    assert_sums_are_right(study)


def test_a_bad_band_list_and_bands_without_range_are_nobodys_choice(tmp_path):
    study = make_study(tmp_path)
    header = {"bbl": ["1", "0", *["1"] * (C - 2)]}
    cube = replace(study.cubes[0], metadata=header)
    assert as_read(cube).good_bands.tolist() == [True, False, *[True] * (C - 2)]
    white = np.ones(C, np.float32)
    white[2] = 0
    chosen = NONE.copy()
    chosen[5] = True
    study.remove_cube(1)
    study.prepare({0: cube})
    prepare(study, calibration_of_spectrum(white), chosen)
    assert np.flatnonzero(~study.cubes[0].good_bands).tolist() == [1, 2, 5]
    np.testing.assert_array_equal(left_out(study.cubes[0]), chosen)


def test_what_does_not_fit_is_refused_before_anything_changes(tmp_path):
    study = make_study(tmp_path)
    before = study.cubes
    with pytest.raises(InputError):
        prepare(study, calibration_of_spectrum(np.ones(C + 1, np.float32)), NONE)
    with pytest.raises(InputError):
        prepare(study, None, ~NONE)
    assert study.cubes == before
