"""How a study is looked at: kept with it, but no step to undo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from napari_dgc.merging.fields import Fields
from napari_dgc.study.measures import (
    Measures,
    measures_from_json,
    measures_to_json,
)

Rejected = tuple[tuple[int, ...], tuple[int, ...]]
"""Two groups that shall not be suggested to go together: their clusters, sorted."""


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
    rejected : tuple of Rejected
        Suggestions refused, in that order; each with its lower side first.
    measures : Measures
        What severity is reckoned with.
    cut_rejected : bool
        The cut that suggestions would begin with was refused.
    """

    shown: int = -1
    hidden: frozenset[int] = frozenset()
    pins: tuple[Pin, ...] = ()
    false_color: tuple[float, float, float] | None = None
    rejected: tuple[Rejected, ...] = ()
    measures: Measures = field(default_factory=Measures)
    cut_rejected: bool = False

    def without_cube(self, index: int) -> View:
        """Follow the removal of a cube; which one is shown then is not ours to say."""
        kept = (pin for pin in self.pins if pin.cube != index)
        pins = tuple(replace(p, cube=p.cube - (p.cube > index)) for p in kept)
        return replace(self, pins=pins)

    def rejecting(self, one: Iterable[int], other: Iterable[int]) -> View:
        """Remember that the groups of these clusters do not belong together."""
        a, b = sorted((tuple(sorted(one)), tuple(sorted(other))))
        kept = tuple(pair for pair in self.rejected if pair != (a, b))
        return replace(self, rejected=(*kept, (a, b)))


def view_to_json(view: View) -> dict[str, Any]:
    """Give plain JSON values."""
    color = view.false_color
    data: dict[str, Any] = {
        "shown": view.shown,
        "hidden": sorted(view.hidden),
        "pins": [[pin.cube, pin.row, pin.col] for pin in view.pins],
        "false_color": None if color is None else [float(nm) for nm in color],
        "rejected": [[list(side) for side in pair] for pair in view.rejected],
    }
    if view.cut_rejected:
        data["cut_rejected"] = True
    if view.measures != Measures():
        data["measures"] = measures_to_json(view.measures)
    return data


def view_from_json(data: object) -> View:
    """Read what `view_to_json` gave.

    Raises
    ------
    ValueError
        If it is no view; says which field is at fault.
    """
    fields = Fields(data, "the view")
    color = fields.value("false_color")
    if color is not None:
        numbers = isinstance(color, list) and all(type(nm) is float for nm in color)
        if not numbers or len(color) != 3:
            raise ValueError("'false_color' of the view should be three numbers")
        color = color[0], color[1], color[2]
    return View(
        shown=fields.integer("shown"),
        hidden=frozenset(fields.integers("hidden")),
        pins=tuple(_pin_from_json(item) for item in fields.items("pins")),
        false_color=color,
        rejected=tuple(map(_rejected_from_json, fields.optional_items("rejected"))),
        measures=measures_from_json(fields.value("measures"))
        if fields.has("measures")
        else Measures(),
        cut_rejected=fields.has("cut_rejected") and fields.flag("cut_rejected"),
    )


def _pin_from_json(data: object) -> Pin:
    whole = isinstance(data, list) and all(type(number) is int for number in data)
    if not isinstance(data, list) or not whole or len(data) != 3:
        raise ValueError("a pin of the view should be three whole numbers")
    return Pin(*data)


def _rejected_from_json(data: object) -> Rejected:
    sides = data if isinstance(data, list) else []
    whole = all(
        isinstance(side, list) and side and all(type(c) is int for c in side)
        for side in sides
    )
    if len(sides) != 2 or not whole:
        raise ValueError(
            "a rejected pair of the view should be two lists of cluster ids"
        )
    a, b = sorted(tuple(sorted(side)) for side in sides)
    return a, b
