"""Raw counts that become reflectance as they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari_dgc.cubes.calibration import Calibration
    from napari_dgc.cubes.cube import CubeArray


class CalibratedArray:
    """Reflectance, computed for what is asked for and kept nowhere.

    Parameters
    ----------
    source : array-like, shape (C, H, W)
        Raw counts: an array, a memory map or one read by blocks. Kept under
        this name.
    calibration : Calibration
        Must fit; `napari_dgc.cubes.calibrating.calibrate` sees to that.
    saturation, ignore_value : float, optional
        As of `Cube`, in the units of `source`.

    Notes
    -----
    Float32 throughout and value by value, so that a window read alone equals
    the same window of the whole, to the bit. NaN where the white reference is
    not above the dark one, where the sensor saturates and where the file says
    "no data".
    """

    def __init__(
        self,
        source: CubeArray,
        calibration: Calibration,
        saturation: float | None = None,
        ignore_value: float | None = None,
    ) -> None:
        self.source = source
        self.calibration = calibration
        self.saturation = saturation
        self.ignore_value = ignore_value
        self.shape: tuple[int, ...] = source.shape
        self.ndim = 3
        self.dtype: np.dtype[Any] = np.dtype(np.float32)

    def __getitem__(self, key: Any, /) -> Any:
        with np.errstate(over="ignore"):
            values = np.array(self.source[key], dtype=np.float32)
        with np.errstate(invalid="ignore"):
            lost = np.zeros(values.shape, bool)
            if self.saturation is not None:
                lost |= values >= np.float32(self.saturation)
            # A 0 in one band may be an honest reading; see `Cube`.
            if self.ignore_value:
                lost |= values == np.float32(self.ignore_value)
        values = np.asarray(self.calibrate(values, key))
        values[lost] = np.nan
        return values if values.ndim else values[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)

    def calibrate(self, values: NDArray[np.float32], key: Any) -> NDArray[np.float32]:
        """Turn what `source` holds at `key` into reflectance, in place where possible.

        Parameters
        ----------
        values : ndarray of float32
            ``source[key]``.
        key
            Any NumPy index.

        Returns
        -------
        ndarray of float32, shape as of `values`
        """
        dark, span = self.calibration.at(key, self.shape)
        with np.errstate(invalid="ignore", over="ignore"):
            values -= dark
            values /= span
        return values
