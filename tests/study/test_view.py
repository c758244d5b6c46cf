"""What is shown follows the cubes, and is never a step to undo."""

from __future__ import annotations

import numpy as np
import pytest
from small_study import small_model

from napari_dgc.study.maps import CubeMaps, as_bytes
from napari_dgc.study.study import Study
from napari_dgc.study.view import Pin, View, view_from_json, view_to_json


def test_a_change_of_view_is_told_once() -> None:
    study, told = Study(), []
    study.view_changed.connect(told.append)
    view = View(hidden=frozenset({3}))
    study.set_view(view)
    study.set_view(View(hidden=frozenset({3})))
    assert told == [view]
    assert study.history is None


def test_pins_follow_the_removal_of_a_cube() -> None:
    view = View(pins=(Pin(2, 5, 6), Pin(0, 1, 2), Pin(1, 3, 4)))
    assert view.without_cube(1).pins == (Pin(1, 5, 6), Pin(0, 1, 2))


def test_a_rejection_is_kept_once_whichever_way_round() -> None:
    view = View().rejecting((7, 2), (5,)).rejecting((1,), (3,)).rejecting((5,), (2, 7))
    assert view.rejected == (((1,), (3,)), ((2, 7), (5,)))
    assert view_from_json(view_to_json(view)) == view
    refused = View(cut_rejected=True)
    assert view_from_json(view_to_json(refused)) == refused


def test_a_view_from_before_rejections_has_none() -> None:
    old = view_to_json(View(shown=2))
    del old["rejected"]
    assert "cut_rejected" not in old
    assert view_from_json(old) == View(shown=2)


@pytest.mark.parametrize("pair", [[[1], []], [[1]], [[1], ["2"]], {"1": 2}, [[1], 2]])
def test_a_rejection_that_is_none_is_refused(pair: object) -> None:
    data = {**view_to_json(View()), "rejected": [pair]}
    with pytest.raises(ValueError, match="rejected pair"):
        view_from_json(data)


def test_another_model_forgets_rejections() -> None:
    study = Study()
    study.set_view(View(shown=1, hidden=frozenset({3})).rejecting((1,), (2,)))
    study.accept_model(small_model())
    assert study.view == View(shown=1)


@pytest.mark.parametrize("values", [[0.0, 0.5, 1.0, -0.2, 1.2]])
def test_confidence_is_kept_in_255ths(values: list[float]) -> None:
    kept = as_bytes(np.array([values], np.float32))
    assert kept.tolist() == [[0, 128, 255, 0, 255]]
    assert as_bytes(kept) is kept


def test_maps_move_up_with_their_cubes() -> None:
    maps = CubeMaps()
    for index in range(3):
        one = np.full((2, 2), index + 1, np.uint8)
        maps.put(index, one, None, one)
    maps.put(2, maps.finest[2], None, None)
    maps.remove(0)
    assert {i: int(m[0, 0]) for i, m in maps.finest.items()} == {0: 2, 1: 3}
    assert list(maps.confidence) == [0]
    maps.clear()
    assert maps.pooled is None
    assert not maps.finest
