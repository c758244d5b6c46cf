"""A map laid over the picture of its cube."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_dgc.reports.classes import MapClass
from napari_dgc.reports.masks import check_label_map, paint

_CLEAR = ("background", "ignore")
_STRENGTH = 0.45  # share of the class's colour


def overlay(
    picture: NDArray[np.uint8],
    label_map: NDArray[np.uint8],
    classes: Sequence[MapClass],
) -> NDArray[np.uint8]:
    """Tint a picture with the classes' colours.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
    label_map : ndarray of uint8, shape (H, W)
    classes : sequence of MapClass
        Background and what shall be ignored is left as it is.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        Outlines in the full colour, one pixel wide, inside the class.
    """
    check_label_map(label_map)
    if picture.shape != (*label_map.shape, 3) or picture.dtype != np.uint8:
        raise ValueError(
            f"a picture is uint8 of {(*label_map.shape, 3)}, not {picture.dtype} of "
            f"{picture.shape}"
        )
    clear = [one.value for one in classes if one.role in _CLEAR]
    shown = np.where(np.isin(label_map, clear), np.uint8(0), label_map)
    colors = paint(shown, {one.value: one.color for one in classes})[..., :3]
    share = np.where(_outlines(shown), 1.0, _STRENGTH) * (shown > 0)
    mixed = picture * (1 - share[..., None]) + colors * share[..., None]
    result: NDArray[np.uint8] = np.rint(mixed).astype(np.uint8)
    return result


def _outlines(label_map: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels with a 4-neighbour of another value."""
    edge = np.zeros(label_map.shape, bool)
    down = label_map[:-1] != label_map[1:]
    right = label_map[:, :-1] != label_map[:, 1:]
    edge[:-1] |= down
    edge[1:] |= down
    edge[:, :-1] |= right
    edge[:, 1:] |= right
    return edge
