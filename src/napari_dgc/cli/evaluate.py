"""`evaluate`: scores of maps against labels, as JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_dgc.cli.commands import find_maps
from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cubes.errors import InputError

if TYPE_CHECKING:
    from napari_dgc.study.evaluating.evaluation import LabelledMap


def evaluate_maps(options: argparse.Namespace) -> None:
    """`evaluate`: scores as JSON on standard output."""
    mapping = None if options.mapping is None else _parse_mapping(options.mapping)
    from napari_dgc.study.evaluating.evaluation import evaluate, scores_json
    from napari_dgc.study.evaluating.labels import MAP_ENDINGS, read_labelled_maps

    maps = read_labelled_maps(
        find_maps(options.maps, *MAP_ENDINGS),
        options.labels,
        ignore_label=options.ignore_label,
    )
    scores = evaluate(
        maps,
        options.align if mapping is None else mapping,
        ignore_label=options.ignore_label,
    )
    if mapping is not None:
        _tell_of_unseen_ids(maps, mapping, options.quiet)
    print(scores_json(scores), end="")


def _parse_mapping(text: str) -> Any:
    """Read --mapping: class number, or name, → ids."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a class stands in it twice")
        return dict(pairs)

    try:
        data = json.loads(text, object_pairs_hook=once)
        for members in data.values():
            if type(members) is not list or any(type(p) is not int for p in members):
                raise TypeError(f"{members!r} is no list of ids")
        mapping = {int(t) if t.isdecimal() else t: m for t, m in data.items()}
        if len(mapping) < len(data):
            raise ValueError("a class stands in it twice")
        if not any(mapping.values()):
            raise ValueError("it names no id")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            "--mapping",
            f"{text[:200]!r} is not a JSON object of class → ids ({error})",
            'write it such as \'{"0":[1,2],"1":[3]}\'',
        ) from error
    return mapping


def _tell_of_unseen_ids(
    maps: Sequence[LabelledMap], mapping: Mapping[Any, Sequence[int]], quiet: bool
) -> None:
    """Say which ids no map holds: idle clusters, or slips of the pen."""
    held = {int(i) for item in maps for i in np.unique(item.ids)}
    unseen = sorted({p for members in mapping.values() for p in members} - held)
    if unseen:
        listed = ", ".join(map(str, unseen))
        ProgressLine(quiet).say(f"No map holds the ids {listed} of --mapping")
