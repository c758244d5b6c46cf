from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn.functional import conv1d, conv2d
from torch.utils.flop_counter import FlopCounterMode

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.embedding import Embedder
from napari_dgc.clustering.frontend import (
    FrontEnd,
    Moments,
    fit_front_end,
    gather_moments,
)
from napari_dgc.clustering.meanshift import mean_shift
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import build_embedder, take_weights
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError


def make_front_end(
    bands: int, *, components: int = 6, good: np.ndarray | None = None
) -> tuple[FrontEnd, torch.Tensor]:
    """A front-end, and the pixels (1, C, 40, 40) that it was fitted to."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(4, bands)).cumsum(1)
    data = np.moveaxis(rng.normal(size=(40, 40, 4)) @ base, -1, 0)
    data += rng.normal(size=data.shape) * 0.1
    *_, moments = gather_moments([Cube(data.astype(np.float32), good_bands=good)])
    assert isinstance(moments, Moments)
    front_end = fit_front_end(moments, components, good)
    return front_end, torch.from_numpy(data.astype(np.float32))[None]


def make_embedder(bands: int, *, trained: bool = True, shuffle: bool = False):
    front_end, x = make_front_end(bands)
    wavelengths = np.linspace(400, 1000, bands)
    if shuffle:
        wavelengths = np.random.default_rng(0).permutation(wavelengths)
    embedder = build_embedder(
        front_end, wavelengths, Config(), offset=3.0, trained=trained
    )
    return embedder, x, wavelengths


def everywhere(x: torch.Tensor) -> torch.Tensor:
    return torch.ones(len(x), *x.shape[2:], dtype=torch.bool)


@pytest.mark.parametrize("bands", [2, 5, 20, 50, 72, 204, 301, 600])
def test_an_untrained_encoder_is_the_front_end_for_any_number_of_bands(
    bands: int,
) -> None:
    embedder, x, _ = make_embedder(bands)
    valid = torch.ones(1, 40, 40, dtype=torch.bool)
    y, linear = embedder.encoder(x, valid)
    assert torch.equal(y, linear)
    skipping, _, _ = make_embedder(bands, trained=False)
    torch.testing.assert_close(embedder(x, valid), skipping(x, valid))


def test_its_first_step_changes_the_spectral_and_the_spatial_part() -> None:
    embedder, x, _ = make_embedder(301)
    valid = torch.ones(1, 40, 40, dtype=torch.bool)
    embedder.encoder(x, valid)[0].square().sum().backward()
    assert embedder.encoder.spectral_out.grad.abs().sum() > 0
    assert embedder.encoder.spatial_out.grad.abs().sum() > 0


def _stirred(embedder: Embedder) -> Embedder:
    """The same network with output layers that are not zero."""
    g = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for layer in (embedder.encoder.spectral_out, embedder.encoder.spatial_out):
            layer.copy_(torch.randn(layer.shape, generator=g))
    return embedder


@pytest.mark.parametrize("bands", [50, 204, 301, 600])
def test_a_permuted_band_list_gives_the_same_embedding(bands: int) -> None:
    """Irregular wavelengths, in no order: what counts is which follows which."""
    rng = np.random.default_rng(bands)
    front_end, x = make_front_end(bands)
    wavelengths = 400 + rng.uniform(0.5, 9.0, bands).cumsum()
    mixed = rng.permutation(bands)
    permuted = replace(
        front_end,
        mean=front_end.mean[mixed],
        band_std=front_end.band_std[mixed],
        band_noise=front_end.band_noise[mixed],
        projection=front_end.projection[:, mixed],
    )
    plain, other, unaware = (
        _stirred(build_embedder(front, nm, Config(), offset=3.0, trained=True))
        for front, nm in (
            (front_end, wavelengths),
            (permuted, wavelengths[mixed]),
            (permuted, None),
        )
    )
    valid = everywhere(x)
    with torch.no_grad():
        expected, y = plain(x, valid), plain.encoder(x, valid)[0]
        got, without = other(x[:, mixed], valid), unaware(x[:, mixed], valid)
    assert (y - plain.encoder.linear(x)).abs().max() > 0.1  # the filters have a say
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4)
    assert (without - expected).abs().max() > 1e-3


@pytest.mark.parametrize("bands", [50, 301])
def test_bad_bands_have_no_say(bands: int) -> None:
    good = np.ones(bands, bool)
    good[[0, 7, 8, 20, bands - 1]] = False
    front_end, x = make_front_end(bands, good=good)
    build = partial(build_embedder, front_end, None, Config(), offset=3.0)
    valid = everywhere(x)
    embedder = _stirred(build(trained=True))
    garbage = x.clone()
    garbage[:, ~torch.from_numpy(good)] = 1e4
    torch.testing.assert_close(embedder(garbage, valid), embedder(x, valid))
    fresh, skipping = build(trained=True), build(trained=False)
    torch.testing.assert_close(fresh(x, valid), skipping(x, valid))


def multiply_adds(work: Callable[[], object]) -> int:
    """Those of matrix products and convolutions; a bias costs none."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops()) // 2


# What the encoder's docstring states, in full.
@pytest.mark.parametrize(
    ("bands", "filters", "front"),
    [(50, 3744, 600), (204, 4080, 2448), (301, 4896, 3612), (600, 7200, 7200)],
)
def test_multiply_adds_a_pixel_are_as_stated(
    bands: int, filters: int, front: int
) -> None:
    front_end, x = make_front_end(bands, components=12)
    enc = build_embedder(front_end, None, Config(), offset=3.0, trained=True).encoder

    def as_convolutions() -> None:
        wide = conv1d(x[0, :, 0, :1].T[:, None], enc.wide, stride=enc.stride)
        deep = conv1d(wide, enc.deep, stride=2)
        enc.spectral_out @ deep.flatten(1).T
        spatial = conv2d(torch.zeros(1, 12, 3, 3), enc.spatial_in)  # at one pixel
        conv2d(spatial, enc.spatial_out)

    assert multiply_adds(as_convolutions) == filters
    assert f"{round(filters, -2):,}" in (type(enc).__doc__ or "")
    # Of a whole pass, what grows with the pixels; the matrices are made once.
    few, many = (
        multiply_adds(lambda s=s: enc(x[..., :s], everywhere(x[..., :s])))
        for s in (10, 40)
    )
    banded = len(enc._wide_matrix()) * bands + enc._deep_matrix().numel()
    dense = filters + front + banded - (enc.wide.numel() * enc._positions(0))
    dense -= enc.deep.numel() * enc._positions(1)
    assert (many - few) / (40 * 30) == dense
    if bands == 301:
        assert round(banded, -3) == 53_000


def test_spectral_filters_slide_along_the_wavelengths_not_the_files_order() -> None:
    """The bands of one filter follow each other by wavelength."""
    embedder, _, wavelengths = make_embedder(60, shuffle=True)
    order = np.argsort(wavelengths)
    plain, _, _ = make_embedder(60)
    front = embedder.encoder
    for name in ("mean", "noise_std"):
        assert getattr(front, name).shape == getattr(plain.encoder, name).shape
    matrix = front._wide_matrix()
    response = matrix.view(4, -1, 60)[0, 0]
    touched = np.flatnonzero(response.detach().numpy())
    places = np.sort(np.argsort(order)[touched])  # rank of each band by wavelength
    assert (np.diff(places) == 1).all()


def test_the_banded_matrix_equals_a_convolution_along_the_spectrum() -> None:
    embedder, x, _ = make_embedder(301)
    enc = _stirred(embedder).encoder
    pixels = x.flatten(2)[0].T[:50]  # (50, C)
    standard = (pixels - enc.mean) @ enc.analysis.T
    wide = torch.nn.functional.conv1d(standard[:, None], enc.wide, stride=enc.stride)
    banded = ((pixels - enc.mean) @ enc._wide_matrix().T).view(wide.shape)
    torch.testing.assert_close(banded, wide, rtol=1e-3, atol=1e-4)
    deep = torch.nn.functional.conv1d(wide, enc.deep, stride=2)
    matrix = (wide.flatten(1) @ enc._deep_matrix().T).view(deep.shape)
    torch.testing.assert_close(matrix, deep, rtol=1e-3, atol=1e-4)


def test_a_pixels_embedding_reaches_no_further_than_the_halo() -> None:
    embedder, x, _ = make_embedder(50)
    embedder = _stirred(embedder)
    valid = torch.ones(1, 40, 40, dtype=torch.bool)
    changed = x.clone()
    changed[..., 20, 20] += 1.0
    with torch.no_grad():
        apart = (embedder(x, valid) - embedder(changed, valid)).abs().amax(1)[0]
    rows, cols = torch.nonzero(apart > 0, as_tuple=True)
    reach = int(torch.maximum((rows - 20).abs(), (cols - 20).abs()).max())
    assert 0 < reach <= embedder.halo


def test_embeddings_have_unit_length_and_both_signs() -> None:
    embedder, x, _ = make_embedder(50)
    z = embedder(x, torch.ones(1, 40, 40, dtype=torch.bool))
    torch.testing.assert_close(z.norm(dim=1), torch.ones(1, 40, 40))
    assert (z[:, :-1] < 0).any()
    assert (z[:, :-1] > 0).any()


def test_invalid_pixels_count_as_the_mean_spectrum() -> None:
    embedder, x, _ = make_embedder(50)
    embedder = _stirred(embedder)
    valid = torch.ones(1, 40, 40, dtype=torch.bool)
    valid[0, 10:15, 10:15] = False
    garbage = x.clone()
    garbage[:, :, 10:15, 10:15] = 1e6
    a, b = embedder(x, valid), embedder(garbage, valid)
    torch.testing.assert_close(a, b)


def test_weights_round_trip_and_strangers_are_refused() -> None:
    embedder, x, wavelengths = make_embedder(50)
    with torch.no_grad():
        embedder.log_ratio.copy_(torch.tensor([0.7, -0.4, 0.2, 0.0]))
    weights = take_weights(_stirred(embedder))
    front_end, _ = make_front_end(50)
    load = partial(
        build_embedder, front_end, wavelengths, Config(), offset=3.0, trained=True
    )
    valid = everywhere(x)
    assert torch.equal(load(weights=weights)(x, valid), embedder(x, valid))
    for stranger in (
        {n: w for n, w in weights.items() if n != "encoder.wide"},
        weights | {"encoder.more": weights["log_ratio"]},
        weights | {"log_ratio": np.zeros(3, np.float32)},
    ):
        with pytest.raises(InputError, match="does not fit this version; train again"):
            load(weights=stranger)


def test_learned_bandwidths_stay_within_half_and_twice_the_start() -> None:
    """However long training pulls: 0 would switch the mean-shift off."""
    embedder, x, _ = make_embedder(50)
    start = embedder.bandwidth
    assert embedder.bandwidths.tolist() == [pytest.approx(start)] * 4
    with torch.no_grad():
        embedder.log_ratio.copy_(torch.tensor([-50.0, 50.0, 50.0, -50.0]))
    assert embedder.bandwidths.tolist() == pytest.approx(
        [start / 2, start * 2, start * 2, start / 2]
    )
    y = embedder.components(x, everywhere(x))
    expected = y
    for times in (0.5, 2, 2, 0.5):
        contrast = embedder.contrast * times
        expected = mean_shift(
            expected, everywhere(x), start * times, 1, 2, contrast=contrast
        )
    torch.testing.assert_close(embedder.shift(y, everywhere(x)), expected)


def test_training_learns_the_bandwidth_of_every_iteration(trained_model: Model) -> None:
    learned = trained_model.encoder["log_ratio"]
    assert learned.shape == (Config().mean_shift_iterations,)
    assert (learned != 0).all()
    assert (np.abs(learned) < 0.1).all()  # twelve steps are no leap
