from __future__ import annotations

import torch

from napari_dgc.clustering.augmentation import Augmenter


def augmenter(noise: float, gain: float, bands: int = 40) -> Augmenter:
    return Augmenter(
        torch.linspace(0.1, 0.4, bands),
        torch.arange(bands),
        noise=noise,
        gain=gain,
        generator=torch.Generator().manual_seed(0),
    )


def test_noise_is_as_strong_as_estimated_in_every_band() -> None:
    x = torch.zeros(2, 40, 64, 64)
    noise = augmenter(2.0, 0.0)(x)
    spread = noise.std(dim=(0, 2, 3))
    torch.testing.assert_close(spread, torch.linspace(0.2, 0.8, 40), rtol=0.05, atol=0)


def test_noise_of_different_bands_and_crops_is_unlike() -> None:
    """Also where all bands together need more numbers than are kept."""
    noise = (
        augmenter(1.0, 0.0, 70)(torch.zeros(2, 70, 256, 256)).flatten(2).flatten(0, 1)
    )
    unit = noise / noise.norm(dim=1, keepdim=True)
    alike = (unit @ unit.T).abs() - torch.eye(len(unit))
    assert float(alike.max()) < 0.05


def test_gain_is_smooth_and_as_strong_as_asked_at_every_wavelength() -> None:
    x = torch.ones(1, 40, 1, 1)
    augment = augmenter(0.0, 0.02)
    gains = torch.stack([augment(x).flatten() for _ in range(4000)])
    torch.testing.assert_close(gains.mean(0), torch.ones(40), rtol=0.01, atol=0)
    spread = gains.std(0)
    torch.testing.assert_close(spread, torch.full((40,), 0.02), rtol=0.06, atol=0)
    steps = (gains[:, 1:] - gains[:, :-1]).abs().mean()
    assert steps < 0.15 * gains.std()
