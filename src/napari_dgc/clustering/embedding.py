"""From spectra to points on the sphere: encoder, mean-shift, lift."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.encoder import Encoder
from napari_dgc.clustering.frontend import FrontEnd
from napari_dgc.clustering.meanshift import mean_shift

_MOST = math.log(2)  # that a learned log h² may lie away from where it starts


class Embedder(nn.Module):
    """Spectra (B, C, H, W) to unit vectors (B, D+1, H, W).

    Parameters
    ----------
    front_end : FrontEnd
    order : Tensor of int64, shape (C,)
        Band indices by rising wavelength.
    config : Config
    offset : float
        The constant coordinate s that is appended before normalising.
    trained : bool
        False: the encoder is skipped, the front-end alone embeds. An
        untrained encoder gives the same numbers, more slowly.
    generator : torch.Generator
        Draws the encoder's initial weights.

    Attributes
    ----------
    bandwidth : float
        h² the mean-shift starts with, in noise units: 2 · sum(noise_std²),
        about the squared distance that noise alone makes.
    log_ratio : Parameter, shape (iterations,)
        Learned: the logarithm of each iteration's h² in units of `bandwidth`,
        before `bandwidths` limits it. Zero gives the first map to the bit.
    """

    def __init__(
        self,
        front_end: FrontEnd,
        order: Tensor,
        config: Config,
        *,
        offset: float,
        trained: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.encoder = Encoder(front_end, order, generator)
        self.iterations = config.mean_shift_iterations
        self.radius = config.mean_shift_radius
        self.contrast = config.mean_shift_contrast
        self.offset = offset
        self.trained = trained
        self.bandwidth = float(2 * (front_end.noise_std**2).sum())
        self.log_ratio = nn.Parameter(torch.zeros(self.iterations))

    @property
    def halo(self) -> int:
        """Pixels around a window that its embedding depends on."""
        return self.iterations * self.radius + (1 if self.trained else 0)

    def components(self, x: Tensor, valid: Tensor) -> Tensor:
        """Components y before mean-shift, (B, D, H, W); 0 where not valid."""
        if self.trained:
            y: Tensor = self.encoder(x, valid)[0]
            return y
        return self.encoder.linear(x) * valid[:, None]

    def shift(self, y: Tensor, valid: Tensor) -> Tensor:
        """Mean-shift y over its window, (B, D, H, W)."""
        return mean_shift(
            y,
            valid,
            self.bandwidth,
            self.iterations,
            self.radius,
            self.contrast,
            self._limited(),
        )

    def shifted(self, x: Tensor, valid: Tensor) -> Tensor:
        """Components after mean-shift, (B, D, H, W)."""
        return self.shift(self.components(x, valid), valid)

    @property
    def bandwidths(self) -> Tensor:
        """h² of each iteration as learned, (iterations,); half to twice the start.

        Left alone, training lowers h² step by step, 4 % in 50 steps: a smaller
        one sharpens the assignments for nothing. Far below the start noise no
        longer averages out, far above it the shift is a box mean.
        """
        return self.bandwidth * self._limited().exp()

    def _limited(self) -> Tensor:
        return _MOST * torch.tanh(self.log_ratio / _MOST)

    def lift(self, y: Tensor) -> Tensor:
        """Seen from the black point: (B, D, H, W) to (B, D+1, H, W)."""
        return lift(y, self.encoder.black, self.offset)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Embed; see the class."""
        return self.lift(self.shifted(x, valid))


def lift(y: Tensor, black: Tensor, offset: float) -> Tensor:
    """Look at components from the black point, append s and normalise.

    Parameters
    ----------
    y : Tensor, shape (N, D, ...)
    black : Tensor, shape (D,)
        U(0 - mu): where a spectrum of zeros lies.
    offset : float
        s. Where y lies many s away from black, its direction alone counts: the
        same material in other light. Where it lies nearer, the distance counts
        too: dim pixels, whose directions are noise, stay together.

    Returns
    -------
    Tensor, shape (N, D+1, ...)
        (y - black, s) / its length. On the sphere light becomes an angle that
        saturates; seen from the mean spectrum instead, as the paper's
        ℓ2-normalised embeddings are, a dim leaf lies where no leaf is.
    """
    constant = torch.full_like(y[:, :1], offset)
    lifted = torch.cat([y - black.view(-1, *[1] * (y.ndim - 2)), constant], dim=1)
    z: Tensor = lifted / lifted.norm(dim=1, keepdim=True)
    return z


def noise_temperature(front_end: FrontEnd, offset: float) -> float:
    """Tau: the variance that noise has on the sphere, sum(noise²) / s²."""
    return float((front_end.noise_std**2).sum()) / offset**2
