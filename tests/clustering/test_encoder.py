from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.embedding import Embedder
from napari_dgc.clustering.frontend import Moments, fit_front_end, gather_moments
from napari_dgc.clustering.networks import build_embedder, take_weights
from napari_dgc.cubes.cube import Cube


def make_embedder(bands: int, *, trained: bool = True, shuffle: bool = False):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(4, bands)).cumsum(1)
    data = np.moveaxis(rng.normal(size=(40, 40, 4)) @ base, -1, 0)
    data += rng.normal(size=data.shape) * 0.1
    wavelengths = np.linspace(400, 1000, bands)
    if shuffle:
        wavelengths = rng.permutation(wavelengths)
    *_, moments = gather_moments([Cube(data.astype(np.float32))])
    assert isinstance(moments, Moments)
    front_end = fit_front_end(moments, 6)
    embedder = build_embedder(
        front_end, wavelengths, Config(), offset=3.0, trained=trained
    )
    x = torch.from_numpy(data.astype(np.float32))[None]
    return embedder, x, wavelengths


@pytest.mark.parametrize("bands", [2, 5, 20, 50, 72, 301, 600])
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


def test_spectral_filters_slide_along_the_wavelengths_not_the_files_order() -> None:
    """A permuted band list, with its wavelengths, gives the same embedding."""
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
    embedder, x, _ = make_embedder(50)
    weights = take_weights(_stirred(embedder))
    fresh, _, _ = make_embedder(50)
    fresh.load_state_dict({n: torch.from_numpy(w) for n, w in weights.items()}, False)
    valid = torch.ones(1, 40, 40, dtype=torch.bool)
    assert torch.equal(fresh(x, valid), embedder(x, valid))
