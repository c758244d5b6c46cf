"""Where the numbers are crunched."""

from __future__ import annotations

import os

import torch

from napari_dgc.cubes.errors import InputError


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


def limit_threads() -> int:
    """Leave one core to the screen; returns the number of torch threads."""
    threads = max(1, (os.cpu_count() or 2) - 1)
    torch.set_num_threads(threads)
    return threads
