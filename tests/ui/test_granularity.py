"""The slider: one slide is one step, and the map follows."""

from __future__ import annotations

import numpy as np
from acting import brute_force, settle, shown_labels, wait_until
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest


def slide(dock, *counts):
    """Press, move to each count, release: what the mouse makes the slider emit."""
    slider = dock.groups.granularity.slider
    slider._slider.setSliderDown(True)
    for count in counts:
        slider.setValue(count)
        settle(0.01)
    slider._slider.setSliderDown(False)
    settle()


def test_one_slide_is_one_step(mapped):
    start = mapped.study.grouping
    slide(mapped, 5, 4, 3, 2)
    assert len(mapped.study.grouping.groups) == 2
    assert len(mapped.study.history.operations) == 1
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))
    mapped.workspace.undo()
    assert mapped.study.grouping == start
    assert mapped.groups.granularity.slider.value() == 6
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def test_two_slides_are_two_steps(mapped):
    slide(mapped, 5, 4)
    slide(mapped, 3)
    mapped.workspace.undo()
    assert len(mapped.study.grouping.groups) == 4
    mapped.workspace.redo()
    assert len(mapped.study.grouping.groups) == 3


def test_a_slide_back_to_where_it_began_leaves_earlier_steps_alone(mapped):
    mapped.study.rename(1, "Mine")
    slide(mapped, 5, 4, 6, 5, 6)
    assert len(mapped.study.grouping.groups) == 6
    assert mapped.study.grouping.group(1).name == "Mine"
    mapped.workspace.undo()
    assert mapped.study.grouping.group(1).name == "Cluster 1"


def test_arrow_keys_in_quick_succession_are_one_step(mapped):
    slider = mapped.groups.granularity.slider._slider
    for _ in range(3):
        QTest.keyClick(slider, Qt.Key.Key_Left)
    assert len(mapped.study.grouping.groups) == 3
    assert len(mapped.study.history.operations) == 1
    settle(0.9)
    QTest.keyClick(slider, Qt.Key.Key_Left)
    assert len(mapped.study.history.operations) == 2


def test_merges_by_hand_and_locks_are_kept_and_bound_the_slider(mapped):
    mapped.study.merge((1,), 2)
    mapped.study.set_lock(3, True)
    slider = mapped.groups.granularity.slider
    assert (slider.minimum(), slider.maximum()) == (2, 5)
    assert mapped.groups.granularity.most.text() == "of 5"
    slide(mapped, 2)
    grouping = mapped.study.grouping
    assert grouping.group(3).clusters == (3,)
    assert grouping.group_of(1) is grouping.group_of(2)
    wait_until(lambda: slider.value() == len(grouping.groups), 1)
