"""Affine maps of pixel positions: how a student's view lies in its region."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

_SCALE = 1.25  # region pixels per pixel of a view: 1/1.25 to 1.25
_MOVE = 0.125  # of the view's side, either way

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A map of positions (row, column) in pixels; pixel centres are whole numbers.

    Attributes
    ----------
    matrix : ndarray of float64, shape (2, 3)
        ``position = matrix[:, :2] @ (row, column) + matrix[:, 2]``.
    """

    matrix: Floats

    @classmethod
    def moved(cls, down: float, right: float) -> Affine:
        """A translation."""
        return cls(np.array([[1.0, 0.0, down], [0.0, 1.0, right]]))

    @classmethod
    def turned(cls, angle: float) -> Affine:
        """A rotation about the origin, from rows towards columns; `angle` in rad."""
        c, s = math.cos(angle), math.sin(angle)
        return cls(np.array([[c, -s, 0.0], [s, c, 0.0]]))

    @classmethod
    def scaled(cls, rows: float, cols: float) -> Affine:
        """A stretch about the origin; a negative factor flips that axis."""
        return cls(np.array([[rows, 0.0, 0.0], [0.0, cols, 0.0]]))

    def __matmul__(self, first: Affine) -> Affine:
        """The map that applies `first`, then this one."""
        matrix = self.matrix[:, :2] @ first.matrix
        matrix[:, 2] += self.matrix[:, 2]
        return Affine(matrix)

    def inverse(self) -> Affine:
        """The map back; `numpy.linalg.LinAlgError` where there is none."""
        back = np.linalg.inv(self.matrix[:, :2])
        return Affine(np.column_stack([back, -back @ self.matrix[:, 2]]))

    def apply(self, rows: ArrayLike, cols: ArrayLike) -> tuple[Floats, Floats]:
        """Map positions; `rows` and `cols` broadcast against each other."""
        r, c = np.asarray(rows, np.float64), np.asarray(cols, np.float64)
        (a, b, down), (d, e, right) = self.matrix
        return a * r + b * c + down, d * r + e * c + right


def draw_affine(
    side: int, centre: tuple[float, float], generator: torch.Generator
) -> Affine:
    """A random map from a view of `side` pixels into the region about `centre`.

    Any rotation, a scale of 0.8 to 1.25 (log-uniform), a flip in every other
    draw, and a translation of up to an eighth of the side.
    """
    draws = torch.rand(5, generator=generator, dtype=torch.float64).tolist()
    turn, size, flip, down, right = draws
    scale = _SCALE ** (2 * size - 1)
    moves = [_MOVE * side * (2 * move - 1) for move in (down, right)]
    middle = (side - 1) / 2
    return (
        Affine.moved(centre[0] + moves[0], centre[1] + moves[1])
        @ Affine.turned(2 * math.pi * turn)
        @ Affine.scaled(scale, scale if flip < 0.5 else -scale)
        @ Affine.moved(-middle, -middle)
    )
