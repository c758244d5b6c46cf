"""Splitting clusters on the screen: by menu, button and key, with real events."""

from __future__ import annotations

import numpy as np
from acting import brute_force, settle, shown_labels, wait_until
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_dgc.merging.refining import choose_pieces, fold_lut
from napari_dgc.study.mapping import Progress
from napari_dgc.study.splitting import Whole, split_in_two
from napari_dgc.ui.group_model import Column

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


def row(dock, group=None, cluster=None):
    model = dock.groups.model
    index = model.index_of(group) if cluster is None else model.index_of_member(cluster)
    assert index.isValid()
    return index.siblingAtColumn(Column.NAME)


def click_row(dock, index, button=LEFT):
    table = dock.groups.table
    table.scrollTo(index)
    settle()
    rect = table.visualRect(index)
    place = rect.center() + QPoint(10, 0)
    QTest.mouseClick(table.viewport(), button, NONE, place)
    settle()
    return place


def right_click(dock, index, text):
    """Choose from the menu of a row; gives all it offers."""
    model, table = dock.groups.model, dock.groups.table
    menu = table.make_menu(model.group_at(index), index)
    offered = [action.text() for action in menu.actions() if action.isEnabled()]
    next(a for a in menu.actions() if a.text() == text).trigger()
    menu.deleteLater()
    return offered


def done(dock):
    wait_until(lambda: not dock.splitting.runner.running)
    settle()


def key(dock, which, modifiers=NONE):
    native = dock._viewer.window._qt_viewer.canvas.native
    native.setFocus()
    settle()
    QTest.keyClick(native, which, modifiers)
    settle()


def pixels(dock, index):
    return int(index.siblingAtColumn(Column.PIXELS).data().replace(",", ""))


def test_a_group_of_one_is_split_in_two_by_its_menu(mapped):
    before = mapped.study.cluster_map(0).copy()
    was = pixels(mapped, row(mapped, 1))
    offered = right_click(mapped, row(mapped, 1), "Split in two")
    assert {"Split in two", "Split by pieces"} <= set(offered)
    done(mapped)
    (split,) = mapped.study.splits
    new = mapped.study.cluster_map(0)
    assert (fold_lut([split])[new] == before).all()
    (part,) = split.parts
    born = mapped.study.grouping.group_of(part)
    halves = [pixels(mapped, row(mapped, id)) for id in (1, born.id)]
    assert halves == [(new == 1).sum(), (new == part).sum()]
    assert sum(halves) == was
    assert row(mapped, born.id).row() == row(mapped, 1).row() + 1
    assert (shown_labels(mapped) == brute_force(mapped)).all()
    assert mapped.workspace.selection.ids == {1, born.id}
    kept, apart = split.pixels
    said = f"Split cluster 1: {kept:,} pixels stay, cluster {part} has {apart:,}."
    assert mapped.status.text() == said
    assert mapped.groups.dendrogram._tree.cluster_ids[-1] == part


def test_undo_and_redo_by_key_show_the_maps_again(mapped):
    before = mapped.study.cluster_map(0).copy()
    click_row(mapped, row(mapped, 2))
    key(mapped, Qt.Key.Key_D)
    done(mapped)
    after = mapped.study.cluster_map(0).copy()
    assert len(mapped.study.grouping.groups) == 7
    key(mapped, Qt.Key.Key_Z, CTRL)
    assert (mapped.study.cluster_map(0) == before).all()
    assert (shown_labels(mapped) == brute_force(mapped)).all()
    assert mapped.groups.model.rowCount() == 6
    assert pixels(mapped, row(mapped, 2)) == (before == 2).sum()
    assert mapped.workspace.selection.ids == {2}
    assert mapped.status.text().startswith("Undone: split cluster 2")
    key(mapped, Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert (mapped.study.cluster_map(0) == after).all()
    assert (shown_labels(mapped) == brute_force(mapped)).all()
    assert mapped.groups.model.rowCount() == 7


def test_by_pieces_with_the_button(mapped):
    before = mapped.study.cluster_map(0).copy()
    cluster = next(
        c for c in mapped.study.grouping.clusters if choose_pieces(before == c)[0].size
    )
    tools = mapped.groups.tools
    click_row(mapped, row(mapped, cluster))
    assert tools.split_button.isVisible()
    tools.split_button.menu().actions()[1].trigger()
    done(mapped)
    (split,) = mapped.study.splits
    assert split.cluster == cluster
    assert len(split.parts) == len(choose_pieces(before == cluster)[0])
    assert (shown_labels(mapped) == brute_force(mapped)).all()
    assert f"Split cluster {cluster} by pieces in leaf" in mapped.status.text()


def test_a_member_stays_in_its_group_and_can_be_taken_out(mapped):
    mapped.study.merge([3], 2)
    settle()
    table = mapped.groups.table
    table.expand(mapped.groups.model.index_of(2))
    settle()
    right_click(mapped, row(mapped, cluster=3), "Split in two")
    done(mapped)
    ((part,),) = [split.parts for split in mapped.study.splits]
    assert mapped.study.grouping.group(2).clusters == (2, 3, part)
    assert mapped.workspace.selection.members == {3, part}
    assert pixels(mapped, row(mapped, cluster=part)) > 0
    mapped.workspace.selection.set((), {part})
    settle()
    key(mapped, Qt.Key.Key_T)
    assert mapped.study.grouping.group_of(part).clusters == (part,)
    assert (shown_labels(mapped) == brute_force(mapped)).all()


def test_what_is_not_one_cluster_is_told(mapped):
    mapped.workspace.selection.set(())
    settle()
    key(mapped, Qt.Key.Key_D)
    assert mapped.status.text().startswith("Select one cluster to split")
    mapped.study.merge([3], 2)
    mapped.workspace.selection.set({2})
    settle()
    key(mapped, Qt.Key.Key_D)
    assert mapped.status.text().startswith("Select one cluster to split")
    mapped.study.set_lock(4, True)
    mapped.workspace.selection.set({4})
    settle()
    key(mapped, Qt.Key.Key_D)
    assert "locked" in mapped.status.text()
    assert not mapped.study.splits


def test_stop_leaves_all_as_it_was(mapped, monkeypatch):
    """The work takes milliseconds here: held until Stop was pressed."""
    import napari_dgc.ui.splitting as module

    tools = mapped.groups.tools

    def slowly(whole: Whole):
        for piece in split_in_two(whole):
            while not mapped.splitting.runner._worker.abort_requested:
                yield Progress("Splitting cluster 1", 0.5)
            yield piece

    monkeypatch.setattr(module, "split_in_two", slowly)
    before = mapped.study.cluster_map(0)
    click_row(mapped, row(mapped, 1))
    key(mapped, Qt.Key.Key_D)
    wait_until(lambda: "50%" in mapped.status.text())
    assert tools.stop_button.isVisible()
    assert not tools.split_button.isVisible()
    QTest.mouseClick(tools.stop_button, LEFT)
    done(mapped)
    assert mapped.study.cluster_map(0) is before
    assert mapped.status.text() == "Stopped. Nothing has changed."
    assert tools.split_button.isVisible()


def test_suggestions_and_spectra_follow(mapped):
    right_click(mapped, row(mapped, 1), "Split in two")
    done(mapped)
    (split,) = mapped.study.splits
    group = mapped.study.grouping.group_of(split.parts[0]).id
    sums = mapped.study.statistics(0)
    assert np.isfinite(sums.mean()[[1, split.parts[0]]]).all()
    mapped.groups.suggestions.pass_on()
    ranked = mapped.groups.suggestions.queue._ranking
    assert any(group in (s.source, s.target) for s in ranked), "the part is known"
