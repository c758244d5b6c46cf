"""Suggestions on the screen: what is asked, and what the keys and buttons do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from acting import brute_force, settle, shown_labels, wait_until
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QFontMetrics
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox, QLabel

from napari_dgc.clustering.gathering import centers
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.merging.suggestions import Suggester
from napari_dgc.study import Study
from napari_dgc.ui.group_model import Column
from napari_dgc.ui.merge_wording import word_reasons
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.suggestion_form import fit_names
from napari_dgc.ui.suggestion_queue import SuggestionQueue

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def panel(mapped):
    """The open panel with pairs only: the cut was rejected."""
    panel = mapped.groups.suggestions
    assert not panel.accept_button.isVisible(), "one line until it is asked for"
    mapped.study.set_view(replace(mapped.study.view, cut_rejected=True))
    click(panel.arrow)
    return panel


def ranking(dock, **options):
    """What the core says for the present grouping."""
    study, model = dock.study, dock.study.model
    suggester = Suggester(
        model.cluster_ids.tolist(),
        model.mean_spectra,
        model.counts,
        centers(model),
        [study.statistics(0)],
    )
    return suggester.suggest(study.grouping, **options)


def pair(suggestion):
    return suggestion.source, suggestion.target


def key(dock, which, modifiers=NONE):
    native = dock._viewer.window._qt_viewer.canvas.native
    native.setFocus()
    settle()
    QTest.keyClick(native, which, modifiers)
    settle()


def press(widget, rect):
    """Click in the middle of a part of a widget."""
    QTest.mouseMove(widget, rect.center())
    QTest.mouseClick(widget, LEFT, NONE, rect.center())
    settle(0.1)


def click(widget):
    QTest.mouseClick(widget, LEFT, NONE, widget.rect().center())
    settle()


def marked(dock):
    """Ids of the groups whose rows are marked in the table."""
    model, role = dock.groups.model, Qt.ItemDataRole.BackgroundRole
    return {
        id
        for id in dock.study.grouping.ids
        if model.index_of(id).siblingAtColumn(Column.NAME).data(role) is not None
    }


def lit(dock):
    return dock.display._looks.highlighted


def test_nothing_is_there_before_a_map_and_keys_say_why(leaf_dock):
    panel = leaf_dock.groups.suggestions
    assert not panel.isVisible()
    leaf_dock._viewer.window._qt_window.activateWindow()
    leaf_dock.groups.spectra_button.setFocus()
    wait_until(lambda: leaf_dock.groups.spectra_button.hasFocus(), 5)
    for which in (Qt.Key.Key_N, Qt.Key.Key_A, Qt.Key.Key_R):
        leaf_dock.status.say("")
        QTest.keyClick(leaf_dock.groups.spectra_button, which)
        assert leaf_dock.status.text() == "Make a map first: press First map."


def test_from_first_map_to_the_lesion_s_masks_in_four_actions(mapped, tmp_path, leaf):
    panel, study = mapped.groups.suggestions, mapped.study
    assert panel.question.text() == "Begin with 4 groups? A yes · N why, and more"
    key(mapped, Qt.Key.Key_A)
    assert sorted(len(g.clusters) for g in study.grouping.groups) == [1, 1, 2, 2]
    assert (shown_labels(mapped) == brute_force(mapped)).all()
    assert len(study.history.operations) == 1
    assert mapped.groups.granularity.slider.value() == 4
    # Three kinds of background stay two for now: it is asked about them next.
    assert panel.question.isVisible(), "it is open now, with what comes next"
    assert panel.question.text() == "Merge Group 4 into Group 1?"
    lesion = make_scene(SceneConfig(size=64, bands=40, leaves=1), 0, "leaf").labels == 2
    ids = study.cluster_map(0)
    most = study.grouping.group_of(int(np.bincount(ids[lesion]).argmax())).id
    table, model = mapped.groups.table, mapped.groups.model
    press(
        table.viewport(), table.visualRect(model.index(model.row_of(most), Column.ROLE))
    )
    QTest.qWait(QApplication.doubleClickInterval())
    view = table.findChild(QComboBox).view()
    row = table.findChild(QComboBox).findText("lesion")
    press(view.viewport(), view.visualRect(view.model().index(row, 0)))
    mapped.export.export(tmp_path)
    wait_until(lambda: not mapped.export.runner.running, 20)
    mask = tifffile.imread(tmp_path / f"{leaf.name}_lesion_mask.tif") > 0
    assert (mask & lesion).sum() / (mask | lesion).sum() > 0.9


def test_the_cut_is_asked_first_says_why_and_can_be_rejected(mapped):
    panel, study = mapped.groups.suggestions, mapped.study
    count = len(ranking(mapped)) + 1
    key(mapped, Qt.Key.Key_N)
    assert panel.question.text() == "Begin with 4 groups?"
    assert panel.question.text() in mapped.status.text()
    assert panel.reasons.text() == ("Joins up to 5.9° apart · keeps 18° or more apart")
    assert "merges and locks stay" in panel.reasons.toolTip()
    assert not panel.source_swatch.isVisible()
    assert panel.count.text() == f"1 of {count}"
    assert not lit(mapped)
    key(mapped, Qt.Key.Key_N)
    first = panel.queue.current
    assert panel.count.text() == f"2 of {count}"
    key(mapped, Qt.Key.Key_N, SHIFT)
    assert panel.question.text() == "Begin with 4 groups?"
    key(mapped, Qt.Key.Key_N, SHIFT)
    assert mapped.status.text().startswith("This is the first suggestion")
    key(mapped, Qt.Key.Key_R)
    assert study.view.cut_rejected
    assert not study.history.can_undo
    assert panel.queue.current == first
    assert panel.forget_button.text() == "Unreject (1)"
    click(panel.arrow)
    assert panel.question.text() == "Suggestions: what to merge next (N)"
    study.set_view(replace(study.view, cut_rejected=False))
    settle(0.1)
    assert panel.question.text().startswith("Begin with 4 groups?")
    study.cut(5)
    settle(0.1)
    assert not panel.question.text().startswith("Begin"), "the slider was there"


def test_the_first_of_the_ranking_is_asked_with_its_reasons(mapped, panel):
    first, *others = ranking(mapped)
    groups = mapped.study.grouping
    source, target = groups.group(first.source), groups.group(first.target)
    assert panel.isVisible()
    assert panel.question.text() == f"Merge {source.name} into {target.name}?"
    assert panel.count.text() == f"1 of {len(others) + 1}"
    assert word_reasons(first.reasons, 1) == panel.reasons.text()
    assert "cubes" not in panel.reasons.text(), "with one cube nothing is known"
    assert f"{first.reasons.embedding:.1f}°" in panel.reasons.toolTip()
    swatch = panel.source_swatch.pixmap().toImage().pixelColor(7, 7)
    assert swatch.getRgb()[:3] == source.color
    for label in (panel.question, panel.count, *panel.findChildren(QLabel)):
        if label.isVisible() and not label.wordWrap() and label.text():
            assert label.sizeHint().width() <= label.width() + 1, label.text()


def test_the_table_keeps_its_height_whatever_is_said_below_it(mapped, panel):
    table = mapped.groups.table
    mapped._viewer.window._qt_window.resize(1280, 680)
    settle()
    height = table.height()
    assert height < table.sizeHint().height(), "the window is small"
    for id in mapped.study.grouping.ids:
        mapped.study.set_lock(id, True)
    settle(0.5)
    assert panel.fault.isVisible()
    needed = panel.fault.heightForWidth(panel.fault.width())
    assert panel.fault.height() >= needed, "nothing is cut"
    # Fewer lines may leave it a row, but never its preferred height.
    row = table.visualRect(mapped.groups.model.index(0, 0)).height()
    assert abs(table.height() - height) < 2 * row
    assert table.height() < table.sizeHint().height()


def test_n_lights_the_pair_then_goes_on_and_comes_round(mapped, panel):
    pairs = [pair(s) for s in ranking(mapped)]
    assert not lit(mapped)
    for n, expected in enumerate([*pairs, pairs[0]]):
        key(mapped, Qt.Key.Key_N)
        assert lit(mapped) == marked(mapped) == set(expected)
        assert panel.count.text() == f"{n % len(pairs) + 1} of {len(pairs)}"
        assert panel.question.text() in mapped.status.text()
    for expected in reversed(pairs):
        click(panel.back_button)
        assert lit(mapped) == set(expected)
    assert not mapped.study.history.can_undo
    key(mapped, Qt.Key.Key_Escape)
    assert not lit(mapped)
    assert not marked(mapped)


def test_a_merges_as_one_step_and_goes_on(mapped, panel):
    first = ranking(mapped)[0]
    before = mapped.study.grouping
    key(mapped, Qt.Key.Key_A)
    assert first.source not in mapped.study.grouping
    clusters = set(before.group(first.source).clusters)
    assert clusters <= set(mapped.study.grouping.group(first.target).clusters)
    assert (shown_labels(mapped) == brute_force(mapped)).all()
    assert len(mapped.study.history.operations) == 1
    assert pair(panel.queue.current) == pair(ranking(mapped)[0])
    assert lit(mapped) == set(pair(panel.queue.current))
    # What was made is selected, as by a merge by hand, but is no wish for its like.
    selection = mapped.workspace.selection
    assert selection.ids == {first.target}
    assert panel.queue.like is None
    second = panel.queue.current
    key(mapped, Qt.Key.Key_A)
    assert selection.ids == {second.target}
    assert panel.queue.like is None
    mapped.export.mask.setChecked(True)
    assert mapped.export._is_ready()
    for _ in range(2):
        key(mapped, Qt.Key.Key_Z, CTRL)
        assert selection.ids == {first.target}
    assert mapped.study.grouping == before
    assert pair(panel.queue.current) == pair(first)
    # What the user has selected stays so.
    chosen = set(before.ids) - set(pair(first))
    selection.set(chosen)
    key(mapped, Qt.Key.Key_N)
    key(mapped, Qt.Key.Key_A)
    assert len(mapped.study.grouping.groups) < len(before.groups)
    assert selection.ids == chosen


def test_two_fast_presses_merge_nothing_that_was_not_seen(mapped, panel):
    key(mapped, Qt.Key.Key_N)
    panel.accept()
    panel.accept()  # before the next one could be drawn
    settle()
    assert len(mapped.study.history.operations) == 1


def test_r_is_remembered_in_the_study_and_can_be_forgotten(mapped, panel):
    first, second = ranking(mapped)[:2]
    assert panel.forget_button.text() == "Unreject (1)", "the cut"
    click(panel.reject_button)
    a, b = (mapped.study.grouping.group(id).clusters for id in pair(first))
    assert mapped.study.view.rejected == (tuple(sorted((a, b))),)
    assert not mapped.study.history.can_undo
    assert pair(panel.queue.current) == pair(second)
    assert panel.forget_button.text() == "Unreject (2)"
    key(mapped, Qt.Key.Key_R)
    assert len(mapped.study.view.rejected) == 2
    for _ in range(3):
        key(mapped, Qt.Key.Key_R)
    assert len(mapped.study.view.rejected) == 5
    assert (
        panel.fault.text() == "Nothing more to suggest: the closest pair is 29° apart."
    )
    click(panel.forget_button)
    assert not mapped.study.view.rejected
    assert not panel.forget_button.isVisible()
    assert panel.question.text() == "Begin with 4 groups?"


def test_one_selected_group_asks_what_is_like_it(mapped, panel):
    table, model = mapped.groups.table, mapped.groups.model
    press(table.viewport(), table.visualRect(model.index_of(3)))
    assert mapped.workspace.selection.ids == {3}
    assert panel.question.text() == "Like Group 3: merge Group 6?"
    assert panel.count.text() == "1 of 1"
    assert panel.queue.current.target == 3
    mapped.study.set_lock(3, True)
    settle()
    assert not panel.question.isVisible()
    assert panel.fault.text() == "Group 3 is locked: nothing is suggested for it."
    press(table.viewport(), table.visualRect(model.index_of(6)))
    assert panel.fault.text().startswith("Nothing more is like Group 6: the closest is")


def test_a_group_that_a_step_has_selected_is_not_asked_about(mapped, panel):
    mapped.workspace.selection.set({1})
    settle(0.1)
    assert panel.question.text().startswith("Like Group 1")
    mapped.study.merge((1,), 4)
    settle(0.1)
    assert mapped.workspace.selection.ids == {4}
    assert panel.queue.like is None
    assert panel.question.text() == "Merge Group 2 into Group 4?"
    mapped.workspace.undo()
    settle(0.1)
    mapped.workspace.selection.set({6})
    settle(0.1)
    assert panel.question.text() == "Like Group 6: merge Group 3?"


def test_the_mouse_on_the_panel_lights_the_pair(mapped, panel):
    first = set(pair(ranking(mapped)[0]))
    others = set(mapped.study.grouping.ids) - first
    mapped.workspace.selection.set(others)
    settle()
    window = mapped._viewer.window._qt_window
    QTest.mouseMove(window, QPoint(3, 3))
    settle()
    place = panel.mapTo(window, panel.rect().center())
    QTest.mouseMove(window, place)
    wait_until(lambda: lit(mapped) == first, 5)
    assert marked(mapped) == first
    QTest.mouseMove(window, QPoint(3, 3))
    wait_until(lambda: lit(mapped) == others, 5)
    assert not marked(mapped)


def test_nothing_left_says_why(mapped, panel):
    for id in mapped.study.grouping.ids:
        mapped.study.set_lock(id, True)
    settle()
    assert panel.fault.text().startswith("Nothing left to suggest: what remains is")
    assert not panel.accept_button.isVisible()
    key(mapped, Qt.Key.Key_A)
    assert mapped.status.text() == panel.fault.text()
    for id in mapped.study.grouping.ids:
        mapped.study.set_lock(id, False)
    mapped.study.merge((2, 3, 4, 5, 6), 1)
    settle()
    assert panel.fault.text() == "Nothing left to suggest: all is one group."


def test_folded_in_it_ranks_nothing_and_keys_merge_nothing(mapped, panel):
    click(panel.arrow)
    assert not panel.reasons.isVisible()
    assert not panel.accept_button.isVisible()
    mapped.study.merge((1,), 2)
    settle()
    assert len(panel.queue) == 0
    key(mapped, Qt.Key.Key_A)
    assert len(mapped.study.history.operations) == 1
    assert panel.reasons.isVisible(), "the key has opened it"
    assert lit(mapped) == set(pair(panel.queue.current))


def test_keys_do_without_the_dock_in_sight(mapped, panel):
    frame = mapped.parent()
    frame.hide()
    key(mapped, Qt.Key.Key_A)
    assert not mapped.study.history.can_undo, "it was not seen yet"
    first = pair(panel.queue.current)
    assert lit(mapped) == set(first)
    key(mapped, Qt.Key.Key_A)
    assert first[0] not in mapped.study.grouping
    key(mapped, Qt.Key.Key_Escape)
    assert not lit(mapped)
    frame.show()


def test_a_training_s_live_image_has_no_suggestions(mapped, panel):
    cube = mapped.study.cubes[0]
    mapped.display.preview(cube, mapped.study.cluster_map(0), [1, 2])
    settle()
    for which in (Qt.Key.Key_N, Qt.Key.Key_A, Qt.Key.Key_R):
        key(mapped, which)
    assert not mapped.study.history.can_undo
    assert not mapped.study.view.rejected
    assert not lit(mapped)


def test_long_names_are_cut_in_the_middle_and_fit(mapped, panel):
    name = "Necrotic tissue at the margin of the largest lesion, day 5 x"
    for id in mapped.study.grouping.ids:
        mapped.study.rename(id, f"{id} {name}"[:60])
    settle(0.1)
    text = panel.question.text()
    assert text.count("…") == 2
    assert panel.question.width() > 180
    metrics = panel.question.fontMetrics()
    assert metrics.horizontalAdvance(text) <= panel.question.width()
    assert name[10:30] in panel.question.toolTip()


def test_a_short_name_leaves_its_room_to_the_long_one():
    app = QApplication.instance()
    metrics = QFontMetrics(app.font())
    form, long = "Merge {0} into {1}?", "x" * 80
    room = metrics.horizontalAdvance(form.format("Leaf", "x" * 30))
    short, cut = fit_names(metrics, form, ("Leaf", long), room)
    assert short == "Leaf"
    assert 20 < len(cut) < 40
    assert metrics.horizontalAdvance(form.format(short, cut)) <= room


def test_an_empty_study_has_an_empty_queue():
    queue = SuggestionQueue(Study(), Selection())
    queue.renew()
    queue.pass_on()
    queue.reject()
    assert queue.current is None
    assert len(queue) == 0
