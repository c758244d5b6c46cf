"""What the student sees of a crop: other light, another calibration, more noise."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.frontend import FrontEnd

_BANK = 1 << 22  # normal numbers kept; drawing fresh ones would cost half a step
_WAVES = 4  # cosines that make a smooth gain, or a smooth field
_SKY = 0.5  # how much of a shadow skylight may fill at the shortest wavelength


class Augmenter:
    """Change a crop as light, leaf and camera would; all strengths are `Config`'s.

    In this order: the spectrum is read at shifted wavelengths
    (`augment_shift`); a gain for the whole crop (`augment_brightness`) and one
    that is smooth across it (`augment_tilt`); a shadow (`augment_shadow`) and
    a glint (`augment_glint`) on parts of it; a gain that is smooth along the
    spectrum (`augment_gain`); noise as it was estimated (`augment_noise`).
    What has no strength costs nothing and draws nothing.

    Parameters
    ----------
    front_end : FrontEnd
        For the noise of each band, its bad bands (they stay as they are but
        for the gains) and the mean spectrum.
    wavelengths : ndarray of float64, shape (C,), or None
        nm, in any order and at any spacing; None: bands are evenly spaced.
    config : Config
    generator : torch.Generator
        On the CPU; the only source of randomness.
    device : torch.device
        Of the crops.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        wavelengths: NDArray[np.float64] | None,
        config: Config,
        generator: torch.Generator,
        device: torch.device,
    ) -> None:
        C = len(front_end.mean)
        places = np.arange(C, dtype=np.float64) if wavelengths is None else wavelengths
        order = np.argsort(places, kind="stable")
        good = front_end.band_noise > 0
        self._config, self._generator, self._device = config, generator, device
        self._scale = torch.from_numpy(front_end.band_noise).to(device)
        self._scale = self._scale * config.augment_noise
        self._bank = torch.randn(_BANK, generator=generator).to(device)
        rank = torch.empty(C)  # of each band by its wavelength, 0..1
        rank[torch.from_numpy(order)] = torch.linspace(0, 1, C)
        self._rank = rank
        waves = torch.cos(math.pi * torch.arange(_WAVES)[:, None] * rank)  # (waves, C)
        # Of unit strength at every band, so that `gain` is what it says there.
        self._waves = waves / waves.square().sum(0).sqrt()
        self._good = torch.from_numpy(order[good[order]])  # (G,), rising wavelengths
        self._places = torch.from_numpy(places)[self._good]
        self._spacing = float(self._places.diff().median()) if good.sum() > 1 else 0.0
        level = float(np.sqrt(np.square(front_end.mean[good]).mean()))
        self._glint = (torch.from_numpy(good) * level)[:, None, None].to(device)

    def __call__(self, x: Tensor) -> Tensor:
        """Augment crops (B, C, H, W); each has its own shift, light and noise."""
        B, C, H, W = x.shape
        if self._config.augment_shift and self._spacing:
            bands = self._normal(B) * self._config.augment_shift
            x = self.shifted(x, bands.clamp(-1, 1) * self._spacing)
        x = self._lit(x)
        weights = self._normal(B, _WAVES)
        gain = (1 + self._config.augment_gain * weights @ self._waves).to(x.device)
        out = self._from_bank(B * C, H * W).view(B, C, H, W)
        out *= self._scale[:, None, None]
        return out.addcmul_(x, gain[..., None, None])

    def shifted(self, x: Tensor, nm: Tensor) -> Tensor:
        """Crops (B, C, H, W) as a camera calibrated `nm` (B,) too low would see them.

        Each good band becomes what lies `nm` above it on the straight line
        between the two good bands about that wavelength; beyond the last (or
        the first) band the spectrum goes on at that band's value. Nothing
        wraps: the reference code turns 1000 nm into 400 nm.
        """
        out = torch.empty_like(x)
        for at, by in enumerate(nm.tolist()):
            wanted = self._places + by
            above = torch.searchsorted(self._places, wanted)
            above = above.clamp(1, len(self._places) - 1)
            low, high = self._places[above - 1], self._places[above]
            share = (wanted - low) / (high - low).clamp(min=1e-12)
            lower, upper = (torch.arange(x.shape[1]) for _ in range(2))
            weight = torch.zeros(x.shape[1])
            lower[self._good] = self._good[above - 1]
            upper[self._good] = self._good[above]
            weight[self._good] = share.clamp(0, 1).float()
            torch.lerp(
                x[at].index_select(0, lower.to(x.device)),
                x[at].index_select(0, upper.to(x.device)),
                weight[:, None, None].to(x.device),
                out=out[at],
            )
        return out

    def _lit(self, x: Tensor) -> Tensor:
        """Crops under other light."""
        c, B, size = self._config, len(x), x.shape[2:]
        if c.augment_brightness or c.augment_tilt:
            log_gain = torch.zeros(B, 1, *size)
            if c.augment_brightness:
                log_gain += c.augment_brightness * self._normal(B, 1, 1, 1)
            if c.augment_tilt:
                log_gain += c.augment_tilt * self._field(B, *size)
            x = x * log_gain.exp().to(x.device)
        if c.augment_shadow:
            depth = self._field(B, *size).clamp(min=0) * c.augment_shadow
            dark = 1 - torch.exp(-depth)  # (B, 1, H, W), the share of light that lacks
            sky = _SKY * torch.rand(B, 1, generator=self._generator)
            seen = (1 - sky * (1 - self._rank))[..., None, None]  # (B, C, 1, 1)
            x = x * (1 - dark.to(x.device) * seen.to(x.device))
        if c.augment_glint:
            height = self._field(B, *size).clamp(min=0) * c.augment_glint
            x = x + self._glint * height.to(x.device)
        return x

    def _field(self, count: int, height: int, width: int) -> Tensor:
        """Fields (B, 1, H, W), smooth over a crop, of unit variance at each pixel."""
        cycles = torch.rand(2, count, _WAVES, 1, generator=self._generator) * 2 - 1
        phase = torch.rand(count, _WAVES, 1, 1, generator=self._generator)
        down = (cycles[0] * torch.linspace(0, 1, height))[..., None]
        right = (cycles[1] * torch.linspace(0, 1, width))[..., None, :]
        waves = torch.cos(2 * math.pi * (down + right + phase))  # (B, waves, H, W)
        return waves.sum(1, keepdim=True) * math.sqrt(2 / _WAVES)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator)

    def _from_bank(self, rows: int, count: int) -> Tensor:
        """Numbers from the bank (rows, count), each row from a random place onwards."""
        last = _BANK - count + 1
        starts = torch.randint(last, (rows,), generator=self._generator)
        return self._bank.unfold(0, count, 1)[starts.to(self._bank.device)]
