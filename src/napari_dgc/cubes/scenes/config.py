"""What a sample scene shall be like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_dgc.cubes.errors import InputError

LesionKind = Literal["near-black", "brown", "mixed"]
LESION_KINDS: tuple[LesionKind, ...] = ("near-black", "brown", "mixed")
SMALLEST_SIDE = 32
_STRENGTHS = (
    "tilt", "glint", "noise", "stripes", "shadow", "drift", "gradient", "blur",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SceneConfig:
    """The wish list of one simulated scene.

    Parameters
    ----------
    size : int or (int, int)
        Side, or height and width, in pixels; 32 at least.
    bands : int
        Number of bands, evenly spaced over 400–1000 nm.
    leaves : int
        How many leaves lie on the cloth.
    lesion : {"near-black", "brown", "mixed"} or None
        Kind of lesion; "mixed" alternates from leaf to leaf, None is healthy.
    lesion_size : float
        Diameter of a lesion in leaf lengths.
    lesions_per_leaf : int
        Lesions on every infected leaf.
    tilt, glint, noise, stripes, shadow, drift, gradient : float
        Strengths, 1 as in the pictures the scenes are modelled on, 0 for none:
        slopes of the leaf surface, specular reflection, sensor noise,
        push-broom stripes, length of cast shadows, smooth spectral gain of
        the scene, uneven lighting of the whole scene.
    blur : float
        Standard deviation of the point spread, in pixels.

    Raises
    ------
    InputError
        Where a value is out of range.

    Notes
    -----
    The strengths change nothing else: with one seed, leaves and lesions stay
    where they are whatever `tilt`, `noise` or `lesion_size` say.
    """

    size: int | tuple[int, int] = 256
    bands: int = 301
    leaves: int = 3
    lesion: LesionKind | None = "near-black"
    lesion_size: float = 0.2
    lesions_per_leaf: int = 1
    tilt: float = 1.0
    glint: float = 1.0
    noise: float = 1.0
    stripes: float = 1.0
    shadow: float = 1.0
    drift: float = 1.0
    gradient: float = 1.0
    blur: float = 0.7

    def __post_init__(self) -> None:
        if min(self.shape) < SMALLEST_SIDE:
            raise InputError(
                "size",
                f"{self.shape[0]} x {self.shape[1]} pixels cannot show a leaf",
                f"give {SMALLEST_SIDE} at least",
            )
        for name, least in (("bands", 4), ("leaves", 1), ("lesions_per_leaf", 1)):
            if getattr(self, name) < least:
                raise InputError(
                    name, f"{getattr(self, name)} is too few", f"give {least} or more"
                )
        if self.lesion is not None and self.lesion not in LESION_KINDS:
            raise InputError(
                "lesion",
                f"there is no kind {self.lesion!r}",
                f"take one of {', '.join(LESION_KINDS)}, or None for healthy leaves",
            )
        if not 0.02 <= self.lesion_size <= 0.6:
            raise InputError(
                "lesion_size",
                f"{self.lesion_size} leaf lengths is out of range",
                "give a diameter from 0.02 to 0.6",
            )
        for name in _STRENGTHS:
            if not 0 <= getattr(self, name) < 100:
                raise InputError(
                    name,
                    f"{getattr(self, name)} is out of range",
                    "give a strength from 0 (none) over 1 (as in the pictures) up",
                )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size
