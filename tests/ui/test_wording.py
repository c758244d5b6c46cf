"""What the status line says of each step, its undoing and its redoing."""

from __future__ import annotations

import pytest

from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.history import History
from napari_dgc.merging.steps import (
    Merge,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeOut,
)
from napari_dgc.ui.wording import word_change, word_names


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Merge((1, 3), 2), "merged Cloth, Cluster 3 into Cluster 2"),
        (Rename(2, "Vein"), "renamed Cluster 2 to Vein"),
        (Recolor(2, (1, 2, 3)), "coloured Cluster 2"),
        (SetRole(2, "lesion"), "Cluster 2 has the role lesion"),
        (SetLock(2, True), "locked Cluster 2"),
        (TakeOut(5), "took cluster 5 out of Cluster 4"),
    ],
)
def test_steps_are_told_by_name(step, said):
    history = History(Grouping.start(range(1, 7), {1: "Cloth"}))
    history.do(Merge((5,), 4))
    assert word_change(history.do(step)) == f"{said[:1].upper()}{said[1:]}."
    assert word_change(history.undo()) == f"Undone: {said}."
    assert word_change(history.redo()) == f"Done again: {said}."


def test_many_names_are_counted():
    assert word_names("abcd") == "a, b, c, d"
    assert word_names("abcde") == "a, b, c and 2 more"
