"""Where the numbers are crunched, and what to do when there is no room there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from napari_dgc.cubes.errors import InputError

_SMALLEST_CROP = 16  # as in `Config`


def find_device(name: str = "auto") -> torch.device:
    """Turn a device's name into a device that is there.

    Parameters
    ----------
    name : str
        ``"auto"``: CUDA, else MPS, else CPU; or a torch device name.

    Raises
    ------
    InputError
        If there is no such device on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        if torch.backends.mps.is_available():
            return torch.device("mps")
        return torch.device("cpu")
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda", "mps"):
            raise RuntimeError("not one that we compute on")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"device {name!r}",
            "it cannot be used on this machine",
            "use auto, cpu, cuda or mps",
        ) from error
    return device


def describe_devices() -> Iterator[dict[str, Any]]:
    """What torch finds on this machine, as plain values for `napari-dgc doctor`.

    Yields
    ------
    dict
        ``torch`` (its version) and ``built_for`` (its CUDA version or None); then
        ``cuda``: name and memory in bytes of each card; then ``mps`` (bool).
    """
    yield {"torch": str(torch.__version__), "built_for": torch.version.cuda}
    cards = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        card = torch.cuda.get_device_properties(index)
        cards.append([str(card.name), int(card.total_memory)])
    yield {"cuda": cards}
    yield {"mps": bool(torch.backends.mps.is_available())}


def limit_threads() -> int:
    """Leave one core to the screen; returns the number of torch threads."""
    threads = max(1, (os.cpu_count() or 2) - 1)
    torch.set_num_threads(threads)
    return threads


@dataclass(frozen=True, slots=True)
class StepSize:
    """How much one training step asks of the device.

    Attributes
    ----------
    pairs : int
        Crop pairs.
    crop : int
        The most pixels along a crop's side.
    """

    pairs: int
    crop: int

    def halved(self) -> StepSize | None:
        """Half the pairs, else half the side; None where there is nothing to spare."""
        if self.pairs > 1:
            return StepSize(self.pairs // 2, self.crop)
        if self.crop >= 2 * _SMALLEST_CROP:
            return StepSize(1, self.crop // 2)
        return None

    def notice(self, device: torch.device) -> str:
        """What the user should know where a step had to become this small."""
        return (
            f"The {device.type} device ran out of memory: training goes on with "
            f"{self.pairs} crop pair(s) of {self.crop} pixels a step"
        )


def out_of_memory(error: RuntimeError) -> bool:
    """Whether an error says that the device has no room left.

    CUDA has a type for that; MPS says it in words.
    """
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    return "MPS backend out of memory" in str(error)


def in_room(
    work: Callable[[Tensor, Tensor], Tensor], x: Tensor, valid: Tensor, halo: int
) -> Tensor:
    """Work on images, in overlapping halves where the device has no room.

    Parameters
    ----------
    work : callable
        Takes `x` and `valid`; returns a vector for each pixel, (B, D, H, W),
        which depends on nothing further away than `halo` pixels.
    x : Tensor, shape (B, C, H, W)
    valid : Tensor of bool, shape (B, H, W)
    halo : int
        The smallest piece is about twice as wide.

    Returns
    -------
    Tensor, shape (B, D, H, W)
    """
    dim = -1 if valid.shape[-1] >= valid.shape[-2] else -2
    size = valid.shape[dim]
    try:
        return work(x, valid)
    except RuntimeError as error:
        if size < 2 * halo + 2 or not out_of_memory(error):
            raise
    # Out here, where nothing holds what the failed attempt had computed.
    half = size // 2
    spans = ((0, half + halo, 0, half), (half - halo, size, halo, size - half))
    parts = []
    for start, stop, skipped, wanted in spans:
        x_part = x.narrow(dim, start, stop - start)
        valid_part = valid.narrow(dim, start, stop - start)
        part = in_room(work, x_part, valid_part, halo)
        parts.append(part.narrow(dim, skipped, wanted))
    return torch.cat(parts, dim)


def half_precision(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 for matrix products and convolutions on CUDA, where it is fast.

    For what the encoder *adds* alone, which is in noise units: eight bits of
    mantissa would lose the lesion in the front-end, the distances of
    mean-shift, and the cosines to the centroids.
    """
    if device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8:
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()
