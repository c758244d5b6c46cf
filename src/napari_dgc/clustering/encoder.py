"""The encoder: front-end plus what a small network adds to it.

y = U(x - mu) + spectral(x) + spatial(U(x - mu)). Both additions end in a
layer that starts at zero, so an untrained encoder *is* the front-end, and
training can only be asked to improve on it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from napari_dgc.clustering.devices import half_precision
from napari_dgc.clustering.frontend import FrontEnd

_POSITIONS = 37  # of the first spectral filter; at 301 bands it is 16 bands wide
_SPECTRAL, _SPATIAL = 4, 8  # channels
_PIECE = 4_096  # pixels at once, where no gradient is wanted: 5 MB of 301 bands


class Encoder(nn.Module):
    """Spectra (B, C, H, W) to components (B, D, H, W).

    Parameters
    ----------
    front_end : FrontEnd
        Its numbers become buffers; they are not trained.
    order : Tensor of int64, shape (C,)
        Band indices by rising wavelength, so that the spectral filters slide
        along the spectrum even where a file lists its bands otherwise.
    generator : torch.Generator
        Draws the initial weights.

    Notes
    -----
    Paper, section "spectral-spatial encoder": a 1-D CNN along the wavelength
    axis, then a 2-D CNN. 4,900 multiply-adds a pixel at C = 301, D = 12
    (2,300 + 820 + 820 spectral, 960 spatial), beside 3,600 for the front-end;
    3,700 at 50 bands, 4,100 at 204 and 7,200 at 600. The two spectral filters
    run as banded matrix products: 53,000 multiply-adds instead of 3,100, and
    several times faster on a CPU than a convolution with one input channel.
    The reach in space is one pixel.
    """

    mean: Tensor
    projection: Tensor
    noise_std: Tensor
    black: Tensor
    analysis: Tensor

    def __init__(
        self, front_end: FrontEnd, order: Tensor, generator: torch.Generator
    ) -> None:
        super().__init__()
        D, C = front_end.projection.shape
        self.register_buffer("mean", torch.from_numpy(front_end.mean))
        self.register_buffer("projection", torch.from_numpy(front_end.projection))
        self.register_buffer("noise_std", torch.from_numpy(front_end.noise_std))
        self.register_buffer("black", torch.from_numpy(front_end.black))
        # Standardised spectra, bands by wavelength; bad bands read zero.
        good = torch.from_numpy(front_end.band_noise > 0)
        scale = good / torch.from_numpy(front_end.band_std)
        self.register_buffer("analysis", torch.diag(scale)[order])  # (C, C)
        self.stride = max(1, round(C / _POSITIONS))
        width = min(C, max(3, 2 * self.stride))
        positions = (C - width) // self.stride + 1
        narrow = min(3, positions)
        deeper = (positions - narrow) // 2 + 1
        self.wide = _draw((_SPECTRAL, 1, width), generator)
        self.wide_bias = nn.Parameter(torch.zeros(_SPECTRAL))
        self.deep = _draw((_SPECTRAL, _SPECTRAL, narrow), generator)
        self.deep_bias = nn.Parameter(torch.zeros(_SPECTRAL))
        self.spectral_out = nn.Parameter(torch.zeros(D, _SPECTRAL * deeper))
        self.spatial_in = _draw((_SPATIAL, D, 3, 3), generator)
        self.spatial_bias = nn.Parameter(torch.zeros(_SPATIAL))
        self.spatial_out = nn.Parameter(torch.zeros(D, _SPATIAL, 1, 1))

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Parameters
        ----------
        x : Tensor, shape (B, C, H, W)
        valid : Tensor of bool, shape (B, H, W)
            Pixels that are not valid count as the mean spectrum.

        Returns
        -------
        y : Tensor, shape (B, D, H, W)
        linear : Tensor, shape (B, D, H, W)
            The front-end's part of it.
        """
        B, _, H, W = x.shape
        keep = valid[:, None].to(x.dtype)  # (B, 1, H, W)
        linear = self.linear(x) * keep
        with half_precision(x.device):
            spectral = self._spectral(x.flatten(2), keep.flatten(2)).view(B, -1, H, W)
            spatial = F.conv2d(
                linear / self.noise_std[:, None, None],
                self.spatial_in,
                self.spatial_bias,
                padding=1,
            )
            spatial = F.conv2d(F.gelu(spatial), self.spatial_out)
        noise = self.noise_std[:, None, None]  # additions are in noise units
        return linear + (spectral + spatial).float() * noise * keep, linear

    def linear(self, x: Tensor) -> Tensor:
        """U(x - mu) alone, (B, D, H, W)."""
        B, _, H, W = x.shape
        y = self.projection @ x.flatten(2)
        return (y - (self.projection @ self.mean)[:, None]).view(B, -1, H, W)

    def _spectral(self, x: Tensor, keep: Tensor) -> Tensor:
        """What the spectral filters add to each pixel: (B, C, N) to (B, D, N)."""
        first, second = self._wide_matrix(), self._deep_matrix()
        # Pixel by pixel the same: pieces that fit a cache are faster, and spare a
        # copy of the whole window.
        size = x.shape[2] if torch.is_grad_enabled() else _PIECE
        pieces = []
        for spectra, kept in zip(x.split(size, 2), keep.split(size, 2), strict=True):
            centred = (spectra - self.mean[:, None]) * kept  # (B, C, n)
            wide = F.gelu(first @ centred + self._tiled(self.wide_bias, 0))
            deep = F.gelu(second @ wide + self._tiled(self.deep_bias, 1))
            pieces.append(self.spectral_out @ deep)
        return torch.cat(pieces, 2)

    def _wide_matrix(self) -> Tensor:
        """The first filter as a matrix (F·P, C): its response to each band."""
        response = F.conv1d(self.analysis.T[:, None], self.wide, stride=self.stride)
        return response.flatten(1).T  # (C, F, P) -> (F·P, C)

    def _deep_matrix(self) -> Tensor:
        """The second filter as a matrix (F·P2, F·P)."""
        size = self._positions(0) * _SPECTRAL
        units = torch.eye(size, device=self.deep.device).view(size, _SPECTRAL, -1)
        return F.conv1d(units, self.deep, stride=2).flatten(1).T

    def _positions(self, layer: int) -> int:
        """Places a filter of layer 0 or 1 takes along the spectrum."""
        first: int = (len(self.mean) - self.wide.shape[-1]) // self.stride + 1
        if layer == 0:
            return first
        return int((first - self.deep.shape[-1]) // 2 + 1)

    def _tiled(self, bias: Tensor, layer: int) -> Tensor:
        return bias.repeat_interleave(self._positions(layer))[:, None]


def _draw(shape: tuple[int, ...], generator: torch.Generator) -> nn.Parameter:
    """Weights of unit gain: variance 1 / fan-in."""
    fan_in = torch.tensor(shape[1:]).prod().item()
    return nn.Parameter(torch.randn(shape, generator=generator) * fan_in**-0.5)
