"""What the student sees of a crop: more noise, another spectral gain."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_BANK = 1 << 22  # normal numbers kept; drawing fresh ones would cost half a step
_WAVES = 4  # cosines that make a smooth gain


class Augmenter:
    """Add noise as it was estimated, and a smooth spectral gain.

    Parameters
    ----------
    band_noise : Tensor, shape (C,)
        Standard deviation of the noise of each band.
    order : Tensor of int64, shape (C,)
        Band indices by rising wavelength; the gain is smooth along it.
    noise : float
        In units of `band_noise`.
    gain : float
        Standard deviation of the gain, 0.02 for two per cent.
    generator : torch.Generator
        On the CPU; the only source of randomness.
    """

    def __init__(
        self,
        band_noise: Tensor,
        order: Tensor,
        *,
        noise: float,
        gain: float,
        generator: torch.Generator,
    ) -> None:
        self._scale = band_noise * noise
        self._gain = gain
        self._generator = generator
        self._bank = torch.randn(_BANK, generator=generator).to(band_noise.device)
        place = torch.empty(len(order))
        place[order] = torch.linspace(0, math.pi, len(order))
        waves = torch.cos(torch.arange(_WAVES)[:, None] * place)  # (waves, C)
        # Of unit strength at every band, so that `gain` is what it says there.
        self._waves = waves / waves.square().sum(0).sqrt()

    def __call__(self, x: Tensor) -> Tensor:
        """Augment crops (B, C, H, W); each has its own gain and noise."""
        B, C, H, W = x.shape
        weights = torch.randn(B, _WAVES, generator=self._generator)
        gain = (1 + self._gain * weights @ self._waves).to(x.device)  # (B, C)
        noise = self._normals(B * C, H * W).view(B, C, H, W)
        out: Tensor = x * gain[..., None, None] + noise * self._scale[:, None, None]
        return out

    def _normals(self, rows: int, count: int) -> Tensor:
        """Numbers from the bank (rows, count), each row from a random place onwards."""
        last = _BANK - count + 1
        starts = torch.randint(last, (rows,), generator=self._generator)
        return self._bank.unfold(0, count, 1)[starts.to(self._bank.device)]
