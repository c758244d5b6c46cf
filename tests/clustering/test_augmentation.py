from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_dgc.clustering.augmentation import Augmenter
from napari_dgc.clustering.config import Config
from napari_dgc.clustering.frontend import FrontEnd

BANDS = 40
QUIET = {"augment_noise": 0.0, "augment_gain": 0.0, "augment_shift": 0.0}


def augmenter(
    bands: int = BANDS,
    wavelengths: np.ndarray | None = None,
    bad: slice | None = None,
    **strengths: float,
) -> Augmenter:
    noise = np.linspace(0.1, 0.4, bands, dtype=np.float32)
    mean = np.full(bands, 0.5, np.float32)
    if bad is not None:
        noise[bad], mean[bad] = 0, 0
    front_end = FrontEnd(
        mean=mean,
        band_std=np.ones(bands, np.float32),
        band_noise=noise,
        projection=np.zeros((1, bands), np.float32),
        noise_std=np.ones(1, np.float32),
        noise_method="regression",
    )
    generator = torch.Generator().manual_seed(0)
    config = Config(**(QUIET | strengths))
    return Augmenter(front_end, wavelengths, config, generator, torch.device("cpu"))


def test_noise_is_as_strong_as_estimated_in_every_band() -> None:
    x = torch.zeros(2, 40, 64, 64)
    noise = augmenter(augment_noise=2.0)(x)
    spread = noise.std(dim=(0, 2, 3))
    torch.testing.assert_close(spread, torch.linspace(0.2, 0.8, 40), rtol=0.05, atol=0)


def test_noise_of_different_bands_and_crops_is_unlike() -> None:
    """Also where all bands together need more numbers than are kept."""
    noise = augmenter(70, augment_noise=1.0)(torch.zeros(2, 70, 256, 256))
    noise = noise.flatten(2).flatten(0, 1)
    unit = noise / noise.norm(dim=1, keepdim=True)
    alike = (unit @ unit.T).abs() - torch.eye(len(unit))
    assert float(alike.max()) < 0.05


def test_gain_is_smooth_and_as_strong_as_asked_at_every_wavelength() -> None:
    x = torch.ones(1, 40, 1, 1)
    augment = augmenter(augment_gain=0.02)
    gains = torch.stack([augment(x).flatten() for _ in range(4000)])
    torch.testing.assert_close(gains.mean(0), torch.ones(40), rtol=0.01, atol=0)
    spread = gains.std(0)
    torch.testing.assert_close(spread, torch.full((40,), 0.02), rtol=0.06, atol=0)
    steps = (gains[:, 1:] - gains[:, :-1]).abs().mean()
    assert steps < 0.15 * gains.std()


def test_without_strengths_a_crop_stays_as_it_is() -> None:
    x = torch.rand(3, BANDS, 8, 8)
    assert torch.equal(augmenter()(x), x)


# ---- wavelength shift ------------------------------------------------------------


def irregular(bands: int = BANDS) -> np.ndarray:
    """Wavelengths of uneven spacing, in no order; steps of 1.5 to 12 nm."""
    rng = np.random.default_rng(0)
    return rng.permutation(400 + rng.uniform(1.5, 12, bands).cumsum())


@pytest.mark.parametrize("wavelengths", [np.linspace(400, 1000, BANDS), irregular()])
@pytest.mark.parametrize("nm", [4.0, -4.0, 0.3, 0.0, 11.0])
def test_a_shift_is_linear_interpolation_held_at_the_ends(
    wavelengths: np.ndarray, nm: float
) -> None:
    rng = np.random.default_rng(1)
    x = rng.random((1, BANDS, 2, 3)).astype(np.float32)
    got = augmenter(wavelengths=wavelengths).shifted(
        torch.from_numpy(x), torch.tensor([nm])
    )
    order = np.argsort(wavelengths)
    for row, col in np.ndindex(2, 3):
        spectrum = x[0, order, row, col]
        expected = np.interp(wavelengths + nm, wavelengths[order], spectrum)
        np.testing.assert_allclose(got[0, :, row, col], expected, atol=1e-5)


def test_nothing_wraps_from_one_end_of_the_spectrum_to_the_other() -> None:
    """The reference code's shift is circular: it turns 1000 nm into 400 nm."""
    wavelengths = np.linspace(1000, 400, BANDS)  # falling: band 0 is the longest
    x = torch.zeros(2, BANDS, 1, 1)
    x[:, :3] = 9.0  # the three longest
    shift = augmenter(wavelengths=wavelengths).shifted
    got = shift(x, torch.tensor([10.0, -10.0]))
    assert (got[:, 4:] == 0).all()
    assert (got[0, :3] == 9).all()  # at the end its own value goes on
    assert (got[1, :2] == 9).all()


def test_bad_bands_neither_give_nor_take() -> None:
    x = torch.rand(1, BANDS, 2, 2)
    x[:, 10:13] = 1e6
    shift = augmenter(bad=slice(10, 13)).shifted
    got = shift(x, torch.tensor([0.5]))
    assert torch.equal(got[:, 10:13], x[:, 10:13])
    rest = torch.cat([got[:, :10], got[:, 13:]], 1)
    assert float(rest.max()) <= 1
    # The band below the gap is read on the line to the one above it.
    expected = x[0, 9] + 0.5 / 4 * (x[0, 13] - x[0, 9])
    torch.testing.assert_close(got[0, 9], expected)


def test_shifts_are_below_a_band_and_as_wide_as_asked() -> None:
    """A spectrum that is its own wavelength tells by how much it was shifted."""
    wavelengths = np.linspace(400, 1000, 61)  # 10 nm
    x = torch.from_numpy(wavelengths).float()[None, :, None, None].expand(500, -1, 1, 1)
    moved = augmenter(61, wavelengths, augment_shift=0.25)(x) - x
    by = moved[:, 30, 0, 0] / 10
    torch.testing.assert_close(
        moved[:, 1:-1],
        (by * 10)[:, None, None, None].expand(-1, 59, 1, 1),
        atol=2e-3,
        rtol=0,
    )
    assert float(by.std()) == pytest.approx(0.25, rel=0.1)
    assert float(by.mean()) == pytest.approx(0, abs=0.03)
    wide = augmenter(61, wavelengths, augment_shift=1.0)(x) - x
    assert float(wide.abs().max()) <= 10.01


def test_a_narrow_feature_stays() -> None:
    x = torch.ones(400, BANDS, 1, 1)
    x[:, 20] = 0.0
    depth = 1 - augmenter(augment_shift=Config().augment_shift)(x)[:, :, 0, 0]
    assert float(depth[:, 20].median()) > 0.75
    assert (depth[:, 19:22].argmax(1) == 1).float().mean() > 0.9


def test_bands_without_a_spacing_are_not_shifted() -> None:
    x = torch.rand(2, BANDS, 4, 4)
    same = augmenter(wavelengths=np.full(BANDS, 500.0), augment_shift=0.5)
    assert torch.equal(same(x), x)


# ---- illumination ----------------------------------------------------------------

X = torch.linspace(0.2, 0.9, BANDS)[None, :, None, None].expand(300, -1, 32, 32)


def test_brightness_is_one_log_normal_gain_for_a_crop() -> None:
    log_gain = (augmenter(augment_brightness=0.3)(X) / X).log()
    assert float(log_gain.std((1, 2, 3)).max()) < 1e-5
    assert float(log_gain.mean((1, 2, 3)).std()) == pytest.approx(0.3, rel=0.15)


def test_tilt_is_a_smooth_field_flat_over_the_spectrum() -> None:
    log_gain = (augmenter(augment_tilt=0.3)(X) / X).log()
    assert float(log_gain.std(1).max()) < 1e-5
    field = log_gain[:, 0]
    assert float(field.std(0).mean()) == pytest.approx(0.3, rel=0.1)
    assert float(field.std((1, 2)).median()) > 0.05  # it differs within a crop
    assert float(field.diff(dim=1).abs().max()) < 0.3  # and has no edges


def test_glint_is_a_flat_offset_that_only_adds() -> None:
    offset = augmenter(augment_glint=0.4, bad=slice(3, 5))(X) - X
    assert float(offset[:, 3:5].abs().max()) == 0
    offset = torch.cat([offset[:, :3], offset[:, 5:]], 1)
    assert float(offset.min()) >= 0
    assert float(offset.std(1).max()) < 1e-6
    assert float((offset > 0).float().mean()) == pytest.approx(0.5, abs=0.1)
    # 0.4 of a mean spectrum of 0.5, squared, over the half where it is.
    assert float(offset.square().mean()) == pytest.approx(0.5 * 0.2**2, rel=0.2)


def test_shadow_takes_light_and_less_of_the_blue() -> None:
    gain = augmenter(augment_shadow=0.8)(X) / X
    assert float(gain.max()) <= 1 + 1e-6
    assert float(gain.min()) > 0
    assert (gain.diff(dim=1) <= 1e-6).all()
    dark = gain[:, -1] < 0.5
    assert dark.any()
    assert float(gain[:, 0][dark].mean()) > float(gain[:, -1][dark].mean()) + 0.05
    assert float((gain == 1).all(1).float().mean()) == pytest.approx(0.5, abs=0.1)


def test_one_seed_one_view_and_every_crop_its_own() -> None:
    strengths = dict.fromkeys(
        ("augment_brightness", "augment_tilt", "augment_glint", "augment_shadow"), 0.3
    ) | {"augment_shift": 0.3, "augment_noise": 1.0}
    first, again = augmenter(**strengths)(X[:4]), augmenter(**strengths)(X[:4])
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1])
