"""Maps as .pth tensors, for those whose scripts read them so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_dgc.cubes.files import write_whole


def write_tensor(path: Path, data: NDArray[np.uint8], *, force: bool = False) -> None:
    """Write an array as a tensor that ``torch.load(weights_only=True)`` reads."""
    tensor = torch.from_numpy(data.copy())
    write_whole(path, lambda file: torch.save(tensor, file), force=force)
