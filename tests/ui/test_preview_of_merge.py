"""What a merge would do, said and drawn before the mouse is let go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acting import pixel_in, settle
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent

from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.merging.preview import preview_merge, role_changes
from napari_dgc.merging.ranking import Reasons
from napari_dgc.merging.statistics import group_statistics
from napari_dgc.ui.merge_wording import explain_reasons, word_reasons, word_release

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def spectra(mapped):
    mapped.groups.spectra_button.click()
    settle()
    return mapped.spectra.dock


class Drag:
    """A drag of rows in the table, event by event."""

    def __init__(self, dock, *ids):
        self.table, self.model = dock.groups.table, dock.groups.model
        self.mime = self.model.mimeData([self.model.index_of(id) for id in ids])
        self.place = self.table.viewport().rect().center()
        self._send(QDragEnterEvent, self.table.dragEnterEvent)

    def _send(self, kind, handle):
        place = QPointF(self.place) if kind is QDropEvent else self.place
        event = kind(place, Qt.DropAction.MoveAction, self.mime, LEFT, NONE)
        event.setDropAction(Qt.DropAction.MoveAction)
        handle(event)
        settle()

    def over(self, id):
        self.place = self.table.visualRect(self.model.index_of(id)).center()
        self._send(QDragMoveEvent, self.table.dragMoveEvent)

    def leave(self):
        self.table.dragLeaveEvent(QDragLeaveEvent())
        settle()

    def drop(self):
        self._send(QDropEvent, self.table.dropEvent)


def test_rows_over_a_row_say_what_a_release_would_change(mapped):
    study = mapped.study
    study.set_role(3, "lesion")
    expected = preview_merge(study.pooled_statistics, study.grouping, (1, 2), 3)
    angle = mapped.groups.angle((1, 2), 3)
    drag = Drag(mapped, 1, 2)
    drag.over(3)
    said = mapped.status.text()
    assert said.startswith("Release: Group 1, Group 2 go into Group 3 · ")
    assert f" · {angle:.0f}° apart" in said
    assert f" · spread +{100 * expected.variance_change:.1f} %" in said
    changes = role_changes(study.statistics(0), study.grouping, (1, 2), 3)
    ((_, lost), (role, won)) = sorted(changes, key=lambda c: c[1])
    assert (role, lost) == ("lesion", pytest.approx(-won))
    assert said.endswith(f" · lesion +{won:.1f} points")
    drag.leave()
    assert "Release" not in mapped.status.text()
    assert len(study.history.operations) == 1, "the role alone"


def test_the_ghost_is_the_merged_spectrum_to_be(mapped, spectra):
    drag = Drag(mapped, 1)
    assert spectra.ghost.curve is None
    drag.over(4)
    ghost = spectra.ghost.curve
    assert ghost.line.opts["pen"].style() == Qt.PenStyle.DashLine
    assert ghost.line.opts["pen"].color().getRgb()[:3] == (
        mapped.study.grouping.group(4).color
    )
    _, drawn = ghost.line.getData()
    assert ghost.shade.isVisible()
    assert spectra.plot._selected == {1, 4}
    drag.drop()
    assert 1 not in mapped.study.grouping
    assert spectra.ghost.curve is None
    assert not spectra.plot._selected
    pooled = group_statistics(mapped.study.statistics(0), mapped.study.grouping)
    row = mapped.study.grouping.ids.index(4)
    np.testing.assert_allclose(drawn, pooled.mean[row])


def test_the_ghost_goes_when_the_rows_leave_or_are_over_themselves(mapped, spectra):
    drag = Drag(mapped, 1)
    drag.over(2)
    assert spectra.ghost.curve is not None
    drag.over(1)
    assert spectra.ghost.curve is None
    drag.over(2)
    assert spectra.ghost.curve is not None
    drag.leave()
    assert spectra.ghost.curve is None
    again = Drag(mapped, 1)
    again.over(2)  # the same once more: it is said once more
    assert mapped.status.text().startswith("Release: Group 1 goes into Group 2 ·")


def test_a_locked_target_says_so_and_has_no_ghost(mapped, spectra):
    mapped.study.set_lock(2, True)
    settle()
    drag = Drag(mapped, 1)
    drag.over(2)
    assert mapped.status.text() == "Group 2 is locked: it takes nothing."
    assert spectra.ghost.curve is None
    Drag(mapped, 2).over(3)
    assert mapped.status.text() == "Group 2 is locked: it goes nowhere."


def test_a_drag_on_the_image_is_previewed_until_it_ends(mapped, mouse, spectra):
    mapped.workspace.gestures.set_merging(True)
    seen = []

    def look():
        seen.append((mapped.status.text(), spectra.ghost.curve is not None))

    mouse.drag(pixel_in(mapped, 1), pixel_in(mapped, 4), look)
    (said, ghost), = seen  # fmt: skip
    assert said.startswith("Release: Group 1 goes into Group 4 · ")
    assert "° apart · spread +" in said
    assert ghost
    assert spectra.ghost.curve is None
    assert mapped.status.text().startswith("Merged")


def test_a_suggestion_looked_at_has_its_ghost(mapped, spectra):
    suggestions = mapped.groups.suggestions
    suggestions.pass_on()
    assert spectra.ghost.curve is None, "a cut is no pair"
    suggestions.pass_on()
    pair = suggestions.queue.current
    Drag(mapped, pair.source).over(pair.target)
    told = f"{pair.reasons.angle:.1f}° apart"
    assert told in mapped.status.text(), "one pair, one angle"
    assert told in suggestions.reasons.text()
    assert spectra.ghost.curve is not None
    mapped.groups.suggestions.let_go()
    assert spectra.ghost.curve is None


def test_all_cubes_or_this_one_the_ghost_is_of_the_same_pixels(mapped, spectra):
    mapped.study.merge((1,), 2)  # any: the source keeps nothing stale
    spectra.show_ghost((3,), 4)
    _, own = spectra.ghost.curve.line.getData()
    merged = spectra._source.merged(None, (3,), 4)
    np.testing.assert_allclose(merged.mean, own)
    assert merged.n == sum(
        int(mapped.study.statistics(0).count[[3, 4]][i]) for i in (0, 1)
    )


def test_small_changes_keep_their_sign_and_a_digit(mapped):
    study = mapped.study
    preview = preview_merge(study.statistics(0), study.grouping, (1,), 2)
    grouping = Grouping.start((1, 2, 3))
    assert word_release(grouping, (1,), 2, None) == (
        "Release: Group 1 goes into Group 2."
    )
    tiny = replace(preview, variance_change=0.0001)
    roles = (("lesion", -0.2), ("healthy", 0.031), (None, 0.169))
    said = word_release(grouping, (1, 3), 2, tiny, angle=1.84, roles=roles)
    assert said == (
        "Release: Group 1, Group 3 go into Group 2 · 1.8° apart · spread "
        "+0.01 % · lesion −0.2 points · healthy +0.03 points"
    )
    said = word_release(grouping, (1,), 2, tiny, angle=18.4, roles=roles[:1], cubes=6)
    assert said == (
        "Release: Group 1 goes into Group 2 · 18° apart · spread +0.01 % (all cubes) "
        "· lesion −0.2 points (this cube)"
    )
    long = Group(2, ((2,),), "Necrotic tissue at the margin, day 5", (1, 2, 3))
    named = Grouping((grouping.groups[0], long), 4)
    assert "into Necrotic tissu…rgin, day 5 ·" in word_release(named, (1,), 2, tiny)
    assert word_release(grouping, (1,), 2, tiny) == (
        "Release: Group 1 goes into Group 2 · one side without a pixel"
    )


def test_reasons_say_only_what_is_known():
    reasons = Reasons(2.14, float("nan"), 0.636, 0.968)
    assert word_reasons(reasons, 0) == "2.1° apart"
    assert word_reasons(reasons, 2) == (
        "2.1° apart · outline 64 % shared · same cubes 0.97"
    )
    assert (
        word_reasons(Reasons(12.34, 3, 1, 1), 1) == "12° apart · outline 100 % shared"
    )
    assert "model" not in explain_reasons(reasons, 2)
    assert "model" in explain_reasons(Reasons(2, 5, 0, 1), 2)
    assert "Outline" not in explain_reasons(reasons, 0)
