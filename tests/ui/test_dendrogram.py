"""The tree above the slider: seen, hovered, clicked, cut."""

from __future__ import annotations

import numpy as np
import pytest
from acting import brute_force, settle, shown_labels, undo_all, wait_until
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_dgc.ui.dendrogram_places import Spot

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def tree(mapped):
    return mapped.groups.dendrogram


def at(tree, node):
    """Where to click for a node: a join's bar, the middle of a leaf."""
    if node < tree.places.picture.k:
        return tree.places.swatch(node).center().toPoint()
    return tree.places.node(node).toPoint()


def hover(tree, place):
    QTest.mouseMove(tree, place + QPoint(3, 9))
    QTest.mouseMove(tree, place)
    settle(0.15)


def click(tree, node, modifiers=NONE):
    QTest.mouseClick(tree, LEFT, modifiers, at(tree, node))
    settle()


def lowest(tree):
    return tree.places.picture.k


def groups_below(tree, node):
    return tree.groups_at(Spot("join", node))


def a_click_on_a_join_merges_all_below_into_the_largest(mapped, tree):
    study, node = mapped.study, lowest(tree) + 3
    below = groups_below(tree, node)
    assert len(below) > 1
    heir = study.tree.heir(below)
    click(tree, node)
    merged = study.grouping.group(heir.id)
    assert set(merged.clusters) == set(tree.places.picture.clusters[node])
    assert (merged.name, merged.color) == (heir.name, heir.color)
    assert len(study.history.operations) == 1
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))
    mapped.workspace.undo()
    assert len(study.grouping.groups) == 6


def a_named_group_keeps_its_name_over_a_larger_one(mapped, tree):
    node = lowest(tree)
    below = groups_below(tree, node)
    small = next(g for g in below if g is not mapped.study.tree.heir(below))
    mapped.study.rename(small.id, "Vein")
    hover(tree, at(tree, node))
    assert tree.caption().endswith("into Vein")
    click(tree, node)
    assert mapped.study.grouping.group(small.id).name == "Vein"


def a_locked_group_refuses_and_says_so(mapped, tree):
    node = lowest(tree)
    mapped.study.set_lock(groups_below(tree, node)[0].id, True)
    before = mapped.study.grouping
    hover(tree, at(tree, node))
    assert tree.caption().startswith("No merge here: ")
    assert tree.cursor().shape() == Qt.CursorShape.ForbiddenCursor
    click(tree, node)
    assert mapped.study.grouping is before
    assert "locked" in mapped.status.text()
    assert mapped.status.level == "warning"


def hovering_names_what_would_merge_and_highlights_it(mapped, tree):
    node = lowest(tree)
    names = {group.name for group in groups_below(tree, node)}
    hover(tree, at(tree, node))
    assert all(name in tree.caption() for name in names)
    ids = frozenset(group.id for group in groups_below(tree, node))
    assert mapped.display._looks.highlighted == ids
    tint = tree.grab().toImage()
    hover(tree, QPoint(tree.width() // 2, 2))
    assert tree.caption() == "6 clusters: click a fork to merge what is below"
    assert mapped.display._looks.highlighted == mapped.workspace.selection.ids
    assert tree.grab().toImage() != tint


def a_press_that_moves_away_merges_nothing(mapped, tree):
    before, place = mapped.study.grouping, at(tree, lowest(tree))
    QTest.mousePress(tree, LEFT, NONE, place)
    QTest.mouseMove(tree, place + QPoint(30, 0))
    QTest.mouseMove(tree, place)
    QTest.mouseRelease(tree, LEFT, NONE, place)
    assert mapped.study.grouping is before


def a_click_on_a_leaf_selects_its_group(mapped, tree):
    mapped.study.merge((1,), 2)
    click(tree, 0)  # cluster 1
    assert mapped.workspace.selection.ids == {2}
    marked = tree.grab().toImage()
    click(tree, 4, CONTROL)
    assert mapped.workspace.selection.ids == {2, 5}
    assert tree.grab().toImage() != marked
    click(tree, 4, CONTROL)
    assert mapped.workspace.selection.ids == {2}
    selected = mapped.groups.table.selectionModel().selectedRows()
    assert [mapped.groups.model.group_at(row).id for row in selected] == [2]


def a_join_within_one_group_selects_it(mapped, tree):
    node = lowest(tree)
    click(tree, node)
    (group,) = groups_below(tree, node)
    click(tree, node)
    assert mapped.workspace.selection.ids == {group.id}
    assert len(mapped.study.history.operations) == 1


def dragging_the_line_is_one_slide(mapped, tree):
    start = mapped.study.grouping
    counts = []
    place = tree.places.handle(tree.line_height).toPoint() + QPoint(5, 0)
    QTest.mouseMove(tree, place)
    QTest.mousePress(tree, LEFT, NONE, place)
    for y in range(place.y(), tree.places.top - 6, -4):
        QTest.mouseMove(tree, QPoint(place.x(), y))
        settle(0.01)
        counts.append(len(mapped.study.grouping.groups))
    assert counts[-1] == 1
    assert sorted(counts, reverse=True) == counts
    assert set(counts) == {1, 2, 3, 4, 5, 6}
    QTest.mouseMove(tree, tree.places.handle(tree._levels[3]).toPoint())
    QTest.mouseRelease(tree, LEFT, NONE, tree.places.handle(tree._levels[3]).toPoint())
    settle()
    assert len(mapped.study.grouping.groups) == 3
    assert mapped.groups.granularity.slider.value() == 3
    assert len(mapped.study.history.operations) == 1
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))
    mapped.workspace.undo()
    assert mapped.study.grouping == start


def leaves_stay_in_place_and_the_line_follows_the_slider(mapped, tree):
    places = [at(tree, leaf) for leaf in range(6)]
    heights = []
    for count in (5, 4, 3, 2, 1):
        mapped.groups.granularity.slider.setValue(count)
        settle(0.01)
        heights.append(tree.line_height)
        assert [at(tree, leaf) for leaf in range(6)] == places
    assert heights == sorted(heights)
    joins = tree.places.picture.y[6:]
    assert [int((joins < h).sum()) for h in heights] == [1, 2, 3, 4, 5]


def it_is_drawn_in_the_groups_colours(mapped, tree, theme):
    mapped._viewer.theme = theme
    mapped.study.cut(2)
    settle(0.2)
    image = tree.grab().toImage()
    shown = {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
    }
    for group in mapped.study.grouping.groups:
        assert QColor(*group.color).name() in shown
    assert "#808080" in shown  # above the cut
    swatch = tree.places.swatch(0).center().toPoint()
    color = QColor(*mapped.study.grouping.group_of(1).color)
    assert image.pixelColor(swatch * image.devicePixelRatio()) == color


def test_without_a_map_there_is_no_tree(leaf_dock):
    tree = leaf_dock.groups.dendrogram
    assert not tree.isVisible()
    assert tree.places is None
    assert tree.caption() == ""


def all_locked_there_is_nothing_to_cut(mapped, tree):
    for group in mapped.study.grouping.groups:
        mapped.study.set_lock(group.id, True)
    assert tree.line_height is None
    before = mapped.study.grouping
    QTest.mouseClick(tree, LEFT, NONE, QPoint(tree.width() - 4, tree.places.floor - 5))
    QTest.keyClick(tree, Qt.Key.Key_BracketLeft)
    assert mapped.study.grouping is before


def activate(dock):
    dock._viewer.window._qt_window.activateWindow()
    dock.groups.table.setFocus()
    wait_until(lambda: QApplication.focusWidget() is dock.groups.table, 5)


def brackets_in_the_dock_are_one_step(mapped):
    activate(mapped)
    for _ in range(4):
        QTest.keyClick(mapped.groups.table, Qt.Key.Key_BracketLeft)
    assert len(mapped.study.grouping.groups) == 2
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_BracketRight)
    assert len(mapped.study.grouping.groups) == 3
    assert len(mapped.study.history.operations) == 1
    settle(0.9)
    QTest.keyClick(mapped.groups.table, Qt.Key.Key_BracketLeft)
    assert len(mapped.study.history.operations) == 2


def brackets_on_the_canvas_and_at_the_ends(mapped):
    native = mapped._viewer.window._qt_viewer.canvas.native
    native.setFocus()
    brush = mapped.display.entry.groups.layer.brush_size
    QTest.keyClick(native, Qt.Key.Key_BracketLeft)
    assert len(mapped.study.grouping.groups) == 5
    assert mapped.display.entry.groups.layer.brush_size == brush  # napari's [
    QTest.keyClick(native, Qt.Key.Key_BracketRight)
    QTest.keyClick(native, Qt.Key.Key_BracketRight)
    assert len(mapped.study.grouping.groups) == 6
    assert mapped.status.text().startswith("There can be no more groups")


def test_the_tree(mapped, tree):
    for story in (
        hovering_names_what_would_merge_and_highlights_it,
        a_click_on_a_join_merges_all_below_into_the_largest,
        a_named_group_keeps_its_name_over_a_larger_one,
        a_locked_group_refuses_and_says_so,
        a_press_that_moves_away_merges_nothing,
        a_click_on_a_leaf_selects_its_group,
        a_join_within_one_group_selects_it,
        dragging_the_line_is_one_slide,
        leaves_stay_in_place_and_the_line_follows_the_slider,
        all_locked_there_is_nothing_to_cut,
    ):
        story(mapped, tree)
        undo_all(mapped)
    it_is_drawn_in_the_groups_colours(mapped, tree, "light")
    it_is_drawn_in_the_groups_colours(mapped, tree, "dark")


def test_brackets(mapped):
    brackets_in_the_dock_are_one_step(mapped)
    undo_all(mapped)
    settle(0.9)  # what follows within 0.8 s would be the same step
    brackets_on_the_canvas_and_at_the_ends(mapped)
