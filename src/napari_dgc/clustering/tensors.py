"""Maps and labels as .pth tensors, for those whose scripts use them."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_dgc.cubes.annotations import require_size
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole

_REMEDY = "save the labels with torch.save(tensor, path)"
#: What NumPy has too.
_NUMBERS = {
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.uint16, torch.uint32, torch.uint64,
    torch.float16, torch.float32, torch.float64,
}  # fmt: skip


def write_tensor(path: Path, data: NDArray[np.uint8], *, force: bool = False) -> None:
    """Write an array as a tensor that ``torch.load(weights_only=True)`` reads."""
    tensor = torch.from_numpy(data.copy())
    write_whole(path, lambda file: torch.save(tensor, file), force=force)


def read_label_tensor(path: Path, shape: tuple[int, int]) -> NDArray[Any]:
    """Read a label map that ``torch.save`` wrote.

    Parameters
    ----------
    path : pathlib.Path
    shape : (int, int)
        (H, W) the map must have.

    Returns
    -------
    ndarray, shape (H, W)
        In the type it was saved in; whether the values are labels is for
        `napari_dgc.cubes.annotations.read_labels` to judge.

    Raises
    ------
    InputError
        Where the file is cut short, of the format before torch 1.6, packed,
        holds anything but one plain tensor of numbers, or one of another size.

    Notes
    -----
    Nothing in the file is run (``weights_only=True``), and nothing is
    allocated that the file does not hold: first its table of contents is
    checked, then the tensor is built without its values, for its shape.
    """
    _require_plain_archive(path)
    head = _load(path, "meta")
    if not isinstance(head, torch.Tensor):
        raise InputError(path, f"holds a {type(head).__name__}, no tensor", _REMEDY)
    if head.layout != torch.strided or head.dtype not in _NUMBERS:
        kind = f"{head.dtype}, {head.layout}".replace("torch.", "")
        raise InputError(
            path, f"holds a tensor of {kind}, no labels", "save it as plain integers"
        )
    if head.ndim != 2:
        raise InputError(
            path,
            f"holds a tensor of {head.ndim} dimensions {tuple(head.shape)}, labels "
            "have two",
            f"save it as {shape[0]} x {shape[1]}",
        )
    require_size(path, head.shape, shape)
    tensor = _load(path, "cpu")
    if not isinstance(tensor, torch.Tensor) or tensor.device.type != "cpu":
        raise InputError(path, "holds a tensor without values", _REMEDY)
    array: NDArray[Any] = tensor.detach().resolve_neg().numpy()
    return array


def _require_plain_archive(path: Path) -> None:
    """Refuse what is no archive of torch.save's, or says to hold more than it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(
            path,
            "is cut short, or no tensor file of torch 1.6 or later",
            _REMEDY,
        ) from error
    packed = any(part.compress_type != zipfile.ZIP_STORED for part in parts)
    if packed or sum(part.file_size for part in parts) > path.stat().st_size:
        raise InputError(path, "is packed, or its sizes are wrong", _REMEDY)


def _load(path: Path, device: str) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded: object = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        # A damaged file makes torch raise nearly anything, in many lines that
        # advise to trust it.
        raise InputError(
            path, "is damaged, or holds more than tensors (code is never run)", _REMEDY
        ) from error
    return loaded
