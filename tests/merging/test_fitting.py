"""A role brings its colour, in the same step and on the record."""

from __future__ import annotations

import pytest

from napari_dgc.merging import (
    Grouping,
    History,
    Merge,
    Recipe,
    Recolor,
    Rename,
    SetRole,
    cluster_color,
    operation_from_json,
)
from napari_dgc.merging.fitting import fitting_color
from napari_dgc.merging.palette import role_shades

START = Grouping.start(range(1, 17))


def give(history, group, role):
    color = fitting_color(history.current, group, role, history.operations)
    return history.do(SetRole(group, role, color))


def color(history, group):
    return history.current.group(group).color


def test_a_role_brings_a_colour_of_its_family_in_one_step():
    history = History(START)
    give(history, 2, "lesion")
    give(history, 3, "healthy")
    assert color(history, 2) == role_shades("lesion")[0]
    assert color(history, 3) == role_shades("healthy")[0]
    assert color(history, 4) == cluster_color(4)
    history.undo()
    history.undo()
    assert history.current == START
    history.redo()
    assert color(history, 2) == role_shades("lesion")[0]


def test_groups_of_one_role_get_different_shades_as_long_as_there_are_some():
    history = History(START)
    family = role_shades("lesion")
    for group in range(1, 17):
        give(history, group, "lesion")
    worn = [color(history, group) for group in range(1, 17)]
    assert worn[: len(family)] == list(family)
    assert worn[len(family) :] == list(family[: 16 - len(family)])  # evenly again


def test_another_role_another_colour_and_none_gives_the_clusters_own_back():
    history = History(START)
    for role in ("lesion", "background", "healthy", "ignore"):
        give(history, 5, role)
        assert color(history, 5) == role_shades(role)[0]
    give(history, 5, None)
    assert history.current == START


def test_the_same_role_again_changes_nothing():
    history = History(START)
    give(history, 5, "lesion")
    give(history, 6, "lesion")
    history.do(Merge((5,), 1))  # the first shade is free again
    assert not give(history, 6, "lesion").changed


@pytest.mark.parametrize("by_hand", [(1, 2, 3), cluster_color(9)])
def test_a_colour_given_by_hand_stays(by_hand):
    history = History(START)
    history.do(Recolor(2, by_hand))
    give(history, 2, "lesion")
    give(history, 2, None)
    assert color(history, 2) == by_hand
    history.undo()
    history.undo()
    history.undo()
    give(history, 2, "lesion")
    assert color(history, 2) == role_shades("lesion")[0]


def test_a_colour_from_a_recipe_that_no_group_gets_by_itself_stays():
    painted = History(START)
    painted.do(Recolor(2, (1, 2, 3)))
    recipe = Recipe.of(painted.current, "m", {})
    history = History(recipe.grouping("m"))
    give(history, 2, "lesion")
    assert color(history, 2) == (1, 2, 3)


def test_the_log_holds_the_colour_and_replays_to_it():
    history = History(START)
    give(history, 2, "lesion")
    give(history, 3, "lesion")
    written = [step.to_json() for step in history.steps]
    assert [step["color"] for step in written] == ["#c30f00", "#d28700"]
    steps = [operation_from_json(step) for step in written]
    assert History.replay(START, steps).current == history.current


def test_steps_of_older_studies_leave_the_colour_as_it_was():
    old = {"step": "set role", "group": 2, "role": "lesion"}
    step = operation_from_json(old)
    assert step.to_json() == old
    again = History.restore(START, [step], 1, 17).current.group(2)
    assert (again.role, again.color) == ("lesion", cluster_color(2))


def test_an_older_study_whose_name_is_a_default_by_now_opens():
    """Groups used to begin as "Cluster 5": some may have been renamed to this."""
    steps = [Rename(5, "Group 5"), Merge((1,), 5)]
    history = History.restore(START, steps, 1, 17)
    assert history.steps == tuple(steps)
    assert history.current == START
    history.redo()
    assert history.current.group(5).clusters == (1, 5)
