"""Which pixels of a map noise moves, and where to: what is kept of its stability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.archives import read_npz
from napari_dgc.cubes.errors import InputError

_FIELDS = ("places", "ids")


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """The pixels of a map that are not in the same cluster in all noisy views.

    By the model's own clusters: no split and no merge makes it another.

    Attributes
    ----------
    places : ndarray of int64, shape (U,)
        The pixels, as row * W + column.
    ids : ndarray of uint8, shape (views, U)
        The model's ids of those pixels in each view.
    """

    places: NDArray[np.int64]
    ids: NDArray[np.uint8]

    @property
    def views(self) -> int:
        """How many noisy views there were."""
        return len(self.ids)

    def fits(self, shape: tuple[int, int]) -> bool:
        """Whether all pixels lie in a map of this shape."""
        return not self.places.size or int(self.places.max()) < shape[0] * shape[1]

    def write(self, file: BinaryIO) -> None:
        """Write into an open file; equal values, equal bytes."""
        np.savez_compressed(file, places=self.places, ids=self.ids)

    @classmethod
    def load(cls, path: str | Path) -> Moved:
        """Read what `write` wrote; nothing in it is executed.

        Raises
        ------
        InputError
            If the file is missing, damaged or something else.
        """
        try:
            archive = read_npz(path, _FIELDS)
            places, ids = (archive[name] for name in _FIELDS)
            whole = places.dtype == np.int64 and ids.dtype == np.uint8
            if not whole or ids.ndim != 2 or places.shape != ids.shape[1:]:
                raise ValueError(f"{ids.dtype} of {ids.shape} in it")
            if not len(ids) or (places.size and int(places.min()) < 0):
                raise ValueError("it names no pixels of a map")
        except (OSError, ValueError) as error:
            raise InputError(
                path,
                f"holds no stability or is damaged ({error})",
                "measure the stability again to renew it",
            ) from error
        return cls(places, ids)
