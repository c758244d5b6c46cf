"""The slider: one slide is one step, and the map follows."""

from __future__ import annotations

import numpy as np
from acting import brute_force, settle, shown_labels, undo_all, wait_until
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QSlider, QStyle, QStyleOptionSlider


def slide(dock, *counts):
    """Press, move to each count, release: what the mouse makes the slider emit."""
    slider = dock.groups.granularity.slider
    slider._slider.setSliderDown(True)
    for count in counts:
        slider.setValue(count)
        settle(0.01)
    slider._slider.setSliderDown(False)
    settle()


def one_slide_is_one_step(mapped):
    start = mapped.study.grouping
    slide(mapped, 5, 4, 3, 2)
    assert len(mapped.study.grouping.groups) == 2
    assert len(mapped.study.history.operations) == 1
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))
    mapped.workspace.undo()
    assert mapped.study.grouping == start
    assert mapped.groups.granularity.slider.value() == 6
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def two_slides_are_two_steps(mapped):
    slide(mapped, 5, 4)
    slide(mapped, 3)
    mapped.workspace.undo()
    assert len(mapped.study.grouping.groups) == 4
    mapped.workspace.redo()
    assert len(mapped.study.grouping.groups) == 3


def a_slide_back_to_where_it_began_leaves_earlier_steps_alone(mapped):
    mapped.study.rename(1, "Mine")
    slide(mapped, 5, 4, 6, 5, 6)
    assert len(mapped.study.grouping.groups) == 6
    assert mapped.study.grouping.group(1).name == "Mine"
    mapped.workspace.undo()
    assert mapped.study.grouping.group(1).name == "Group 1"


def arrow_keys_in_quick_succession_are_one_step(mapped):
    slider = mapped.groups.granularity.slider._slider
    for _ in range(3):
        QTest.keyClick(slider, Qt.Key.Key_Left)
    assert len(mapped.study.grouping.groups) == 3
    assert len(mapped.study.history.operations) == 1
    settle(0.9)
    QTest.keyClick(slider, Qt.Key.Key_Left)
    assert len(mapped.study.history.operations) == 2


def merges_by_hand_and_locks_are_kept_and_bound_the_slider(mapped):
    mapped.study.merge((1,), 2)
    mapped.study.set_lock(3, True)
    slider = mapped.groups.granularity.slider
    assert (slider.minimum(), slider.maximum()) == (2, 5)
    unit = mapped.groups.granularity.unit
    assert unit.text() == "groups"
    assert unit.toolTip().startswith("6 clusters in 5 groups. From 2 to 5 groups now")
    slide(mapped, 2)
    grouping = mapped.study.grouping
    assert grouping.group(3).clusters == (3,)
    assert grouping.group_of(1) is grouping.group_of(2)
    wait_until(lambda: slider.value() == len(grouping.groups), 1)


def bare(dock):
    return dock.groups.granularity.slider.findChild(QSlider)


def handle(slider):
    """Where the handle is."""
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    part = QStyle.SubControl.SC_SliderHandle
    kind = QStyle.ComplexControl.CC_Slider
    return slider.style().subControlRect(kind, option, part, slider).center()


def turn_wheel(widget, notches):
    place = QPointF(widget.rect().center())
    event = QWheelEvent(
        place, QPointF(widget.mapToGlobal(place.toPoint())), QPoint(),
        QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    settle(0.02)
    return event


def mark(dock):
    """What no slide may lose: a merge by hand, names, a role, a lock."""
    study = dock.study
    study.merge((1,), 2)
    study.rename(2, "Leaf")
    study.rename(3, "Lesion")
    study.set_role(3, "lesion")
    study.set_lock(4, True)
    return study.grouping


def the_mouse_drags_the_handle_as_one_step(mapped):
    marked = mark(mapped)
    steps = len(mapped.study.history.operations)
    slider = bare(mapped)
    none, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    place = handle(slider)
    QTest.mousePress(slider, button, none, place)
    seen = []
    for x in [*range(place.x(), 0, -15), *range(0, place.x() + 15, 15)]:
        QTest.mouseMove(slider, QPoint(x, place.y()))
        settle(0.01)
        seen.append(mapped.study.grouping)
    QTest.mouseRelease(slider, button, none, QPoint(place.x() + 15, place.y()))
    settle()
    assert {len(grouping.groups) for grouping in seen} == {2, 3, 4, 5}
    for grouping in seen:
        assert grouping.group(4) == marked.group(4)
        assert grouping.group_of(1) is grouping.group_of(2)
        assert {"Leaf", "Lesion"} & {group.name for group in grouping.groups}
    assert mapped.study.grouping == marked
    assert len(mapped.study.history.operations) == steps


def names_and_roles_come_back_after_several_slides(mapped):
    marked = mark(mapped)
    for count in (3, 2, 4, 2, 5):
        slide(mapped, count)
        grouping = mapped.study.grouping
        assert grouping.group(4) == marked.group(4)
        rows = [group.id for group in grouping.groups if group.id in marked]
        assert rows == [id for id in marked.ids if id in rows], "no row is moved"
    looks = [(g.clusters, g.name, g.color, g.role) for g in grouping.groups]
    wanted = [(g.clusters, g.name, g.color, g.role) for g in marked.groups]
    assert sorted(looks) == sorted(wanted)
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def a_group_with_a_name_wins_over_larger_ones_without(mapped):
    study = mapped.study
    least = int(np.argmin(study.tree.counts)) + 1
    study.rename(least, "Vein")
    slide(mapped, 1)
    assert [group.name for group in study.grouping.groups] == ["Vein"]
    slide(mapped, 6)
    assert study.grouping.group(least).clusters == (least,)
    assert study.grouping.group(least).name == "Vein"


def colours_stay_while_the_slider_moves(mapped):
    slider = mapped.groups.granularity.slider
    for count in (5, 4, 3, 2, 3, 4, 5, 6):
        before = {group.id: group.color for group in mapped.study.grouping.groups}
        slider.setValue(count)
        settle(0.01)
        for group in mapped.study.grouping.groups:
            assert before.get(group.id, group.color) == group.color


def the_wheel_slides_only_where_the_slider_has_the_focus(mapped):
    slider = bare(mapped)
    mapped._viewer.window._qt_window.activateWindow()
    mapped.groups.table.setFocus()
    wait_until(lambda: QApplication.focusWidget() is mapped.groups.table, 5)
    assert not turn_wheel(slider, -1).isAccepted()
    assert len(mapped.study.grouping.groups) == 6
    slider.setFocus()
    wait_until(slider.hasFocus, 5)
    for _ in range(2):
        turn_wheel(slider, -1)
    fewer = len(mapped.study.grouping.groups)
    assert fewer < 6
    assert len(mapped.study.history.operations) == 1
    settle(0.9)
    turn_wheel(slider, 1)
    assert len(mapped.study.grouping.groups) > fewer
    assert len(mapped.study.history.operations) == 2


def a_number_is_typed(mapped):
    field = mapped.groups.granularity.slider.findChild(QLineEdit)
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "2")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert len(mapped.study.grouping.groups) == 2
    assert len(mapped.study.history.operations) == 1


def test_slides(mapped):
    for story in (
        one_slide_is_one_step,
        two_slides_are_two_steps,
        a_slide_back_to_where_it_began_leaves_earlier_steps_alone,
        arrow_keys_in_quick_succession_are_one_step,
        merges_by_hand_and_locks_are_kept_and_bound_the_slider,
        the_mouse_drags_the_handle_as_one_step,
        names_and_roles_come_back_after_several_slides,
        a_group_with_a_name_wins_over_larger_ones_without,
        colours_stay_while_the_slider_moves,
        the_wheel_slides_only_where_the_slider_has_the_focus,
        a_number_is_typed,
    ):
        story(mapped)
        undo_all(mapped)
        settle(0.9)  # what follows within 0.8 s would be the same slide
