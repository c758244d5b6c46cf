"""What a study's file says of the models before the one in use, and after it.

``taking`` (``text``, ``own``, ``after``; see `Taking`), and the lists ``earlier`` and
``later``, each model with ``model``, ``maps`` (by cube; null, or four files),
``operations``, ``index``, ``next_id``, ``hidden``, ``rejected`` and its own ``taking``.
None of them is there where no model was replaced; older programs leave them out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_dgc.merging.fields import Fields
from napari_dgc.merging.steps import Operation, operation_from_json
from napari_dgc.study.modelled import Taking
from napari_dgc.study.view import Rejected, View, view_from_json, view_to_json


@dataclass(frozen=True, slots=True)
class FormerRecord:
    """A `Former` in references and plain values.

    Attributes
    ----------
    model : FileReference
    maps : tuple
        For each cube None, or its files as in `CubeRecord.files`.
    steps, index, next_id
        As in `StudyRecord`.
    hidden, rejected, taking
        As in `Former`.
    """

    model: Any
    maps: tuple[tuple[Any, ...] | None, ...]
    steps: tuple[Operation, ...]
    index: int
    next_id: int
    hidden: frozenset[int]
    rejected: tuple[Rejected, ...]
    taking: Taking | None


def former_to_json(former: FormerRecord, file: Callable[[Any], Any]) -> dict[str, Any]:
    """Give plain JSON values; `file` gives those of a file."""
    view = view_to_json(View(hidden=former.hidden, rejected=former.rejected))
    return {
        "model": file(former.model),
        "maps": [None if one is None else [*map(file, one)] for one in former.maps],
        "operations": [step.to_json() for step in former.steps],
        "index": former.index,
        "next_id": former.next_id,
        "view": view,
        "taking": taking_to_json(former.taking),
    }


def former_from_json(data: object, file: Callable[[object], Any]) -> FormerRecord:
    """Read what `former_to_json` gave; ValueError says what is wrong."""
    fields = Fields(data, "an earlier model")
    view = view_from_json(fields.value("view"))
    maps: list[tuple[Any, ...] | None] = []
    for item in fields.items("maps"):
        if item is not None and not (isinstance(item, list) and len(item) == 4):
            raise ValueError("maps of an earlier model should be four files")
        maps.append(None if item is None else tuple(map(file, item)))
    return FormerRecord(
        file(fields.value("model")),
        tuple(maps),
        tuple(map(operation_from_json, fields.items("operations"))),
        fields.integer("index"),
        fields.integer("next_id"),
        view.hidden,
        view.rejected,
        taking_from_json(fields.value("taking")),
    )


def taking_to_json(taking: Taking | None) -> dict[str, Any] | None:
    """Give plain JSON values."""
    if taking is None:
        return None
    return {"text": taking.text, "own": taking.own, "after": taking.after}


def taking_from_json(data: object) -> Taking | None:
    """Read what `taking_to_json` gave; ValueError says what is wrong."""
    if data is None:
        return None
    fields = Fields(data, "how a model came into use")
    return Taking(fields.text("text"), fields.integer("own"), fields.integer("after"))
