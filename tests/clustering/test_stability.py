"""Agreement of noisy views, against a loop over views of the whole cube."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_dgc.clustering.inference import segment
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.stability import FULL, Stability, measure_stability
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes import Scene


def stability(model: Model, cube: Cube, *args, **options) -> Stability:
    *shares, last = measure_stability(model, cube, *args, device="cpu", **options)
    assert isinstance(last, Stability)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    return last


def measured(model: Model, cube: Cube, **options) -> np.ndarray:
    return stability(model, cube, **options).agreement


def noisy(model: Model, cube: Cube, seed: int, view: int) -> Cube:
    """The whole cube as one view sees it, drawn row by row."""
    C, H, W = cube.shape
    data = np.array(cube.data, np.float32)
    for row in range(H):
        drawn = np.random.default_rng((seed, view, row)).standard_normal(
            (C, W), dtype=np.float32
        )
        data[:, row] += drawn * model.front_end.band_noise[:, None]
    return replace(cube, data=data)


@pytest.mark.parametrize("which", ["first", "trained"])
def test_agreement_is_the_share_of_views_that_keep_the_id(
    which: str, scenes: list[Scene], first_model: Model, trained_model: Model
) -> None:
    model = first_model if which == "first" else trained_model
    cube = scenes[1].cube
    still = segment(model, cube, device="cpu").clusters
    kept = [
        segment(model, noisy(model, cube, 7, view), device="cpu").clusters == still
        for view in range(2)
    ]
    expected = np.rint(np.mean(kept, axis=0) * FULL)
    assert 0 < (expected < FULL).mean() < 0.9  # some pixels change, most do not
    found = measured(model, cube, views=2, seed=7, tile=(40, 50))
    assert found.dtype == np.uint8
    assert (found == expected).mean() >= 0.999  # but for ties in floating point


def test_the_noise_depends_on_the_seed_and_not_on_the_tile(
    scenes: list[Scene], first_model: Model
) -> None:
    cube = scenes[1].cube
    whole = measured(first_model, cube, views=1)
    assert (measured(first_model, cube, views=1) == whole).all()
    tiled = measured(first_model, cube, views=1, tile=(33, 41))
    assert (tiled == whole).mean() >= 0.999
    assert (measured(first_model, cube, views=1, seed=1) != whole).any()


def test_pixels_without_data_have_no_agreement_and_bad_bands_no_noise(
    scenes: list[Scene], first_model: Model
) -> None:
    cube = scenes[1].cube
    data = np.array(cube.data)
    data[:, 20:24, 30:33] = np.nan
    good = np.ones(cube.bands, bool)
    good[:4] = False
    data[:4] = 1e6
    broken = replace(cube, data=data, good_bands=good)
    mask = np.ones(data.shape[1:], bool)
    mask[:, 90:] = False
    found = measured(first_model, replace(broken, mask=mask), views=2)
    assert not found[20:24, 30:33].any()
    assert not found[:, 90:].any()
    still = segment(first_model, replace(broken, mask=mask), device="cpu").clusters
    assert (found[still > 0] > 0).mean() > 0.9


def test_without_noise_every_pixel_keeps_its_cluster(
    scenes: list[Scene], first_model: Model
) -> None:
    front = first_model.front_end
    quiet = replace(front, band_noise=np.zeros_like(front.band_noise))
    model = replace(first_model, front_end=quiet)
    assert (measured(model, scenes[1].cube, views=1) == FULL).all()


def test_it_can_be_stopped_between_two_views(
    scenes: list[Scene], first_model: Model
) -> None:
    pieces = measure_stability(first_model, scenes[0].cube, device="cpu")
    assert 0 < next(pieces) < 1
    pieces.close()


def test_what_cannot_be_measured_is_refused(
    scenes: list[Scene], first_model: Model
) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        next(measure_stability(first_model, scenes[0].cube, views=0))
    with pytest.raises(InputError, match="bands"):
        next(measure_stability(first_model, Cube(np.ones((5, 8, 8)))))


def test_transitions_are_counted_pixel_by_pixel(
    scenes: list[Scene], first_model: Model
) -> None:
    cube = scenes[1].cube
    still = segment(first_model, cube, device="cpu").clusters
    # The first of two large clusters was split in two since: its left half is 200.
    one, other = np.bincount(still.ravel()).argsort()[::-1][:2]
    refined = still.copy()
    refined[:, :48][refined[:, :48] == one] = 200
    found = stability(first_model, cube, refined, views=2, seed=7)
    assert found.origins[200] == found.origins[one] == one
    assert found.origins[other] == other
    assert found.origins[199] == 0
    expected = np.zeros((256, 256), np.int64)
    for view in range(2):
        ids = segment(first_model, noisy(first_model, cube, 7, view), device="cpu")
        for row, col in np.ndindex(still.shape):
            expected[refined[row, col], ids.clusters[row, col]] += 1
    assert found.transitions.sum() == 2 * still.size
    # And pixel by pixel for those that change.
    assert (np.sort(found.places) == np.flatnonzero(found.agreement < FULL)).all()
    rows, ids = still.ravel()[found.places], found.ids
    kept = np.rint((ids == rows).mean(axis=0) * FULL)
    np.testing.assert_array_equal(kept, found.agreement.ravel()[found.places])
    assert np.abs(found.transitions - expected).sum() <= 2e-3 * still.size
