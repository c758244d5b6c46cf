"""How a study is looked at: kept with it, but no step to undo."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """A pixel whose spectrum stays on show.

    Attributes
    ----------
    cube : int
        Its cube's place in the study.
    row, col : int
    """

    cube: int
    row: int
    col: int


@dataclass(frozen=True, slots=True)
class View:
    """What is shown, and how.

    Attributes
    ----------
    shown : int
        Place of the cube on show; -1 for none.
    hidden : frozenset of int
        Ids of groups that are not drawn. An id that is in no grouping any more
        does no harm: ids are never reused, and undo may bring it back.
    pins : tuple of Pin
        In the order they were set.
    false_color : tuple of three float, optional
        Wavelengths in nm (band numbers where the cubes have none) shown as
        red, green and blue; None for the natural colours.
    """

    shown: int = -1
    hidden: frozenset[int] = frozenset()
    pins: tuple[Pin, ...] = ()
    false_color: tuple[float, float, float] | None = None

    def without_cube(self, index: int) -> View:
        """Follow the removal of a cube; which one is shown then is not ours to say."""
        kept = (pin for pin in self.pins if pin.cube != index)
        pins = tuple(replace(p, cube=p.cube - (p.cube > index)) for p in kept)
        return replace(self, pins=pins)
