"""Stability on the screen: measured on request, a layer, a column and a warning."""

from __future__ import annotations

import numpy as np
import pytest
from acting import add_cube, pixel_in, settle, shown_labels, undo_all, wait_until
from napari.layers import Image
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest

from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.study.moved import Moved
from napari_dgc.ui.group_cells import Column
from napari_dgc.ui.merge_wording import word_unstable

LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def choose(dock, start):
    """Choose what starts so from the menu "More", by the mouse."""
    tools, chosen = dock.groups.tools, []

    def press():
        actions = [a for a in tools.menu.actions() if a.text().startswith(start)]
        assert actions, [a.text() for a in tools.menu.actions()]
        chosen.append(actions[0].text())
        at = tools.menu.actionGeometry(actions[0]).center()
        QTest.mouseClick(tools.menu, LEFT, NO_KEY, at)

    settle(0.2)  # a second press at once would be taken for a double-click
    QTimer.singleShot(50, press)
    QTest.mouseClick(tools.more_button, LEFT, NO_KEY, QPoint(5, 5))
    wait_until(lambda: chosen, 5)
    settle()
    return chosen[0]


def layers(dock):
    return [x for x in dock._viewer.layers if x.name.endswith("stability")]


def column(dock, group):
    model = dock.groups.model
    return model.index_of(group).siblingAtColumn(Column.STABLE).data()


def hidden(dock, which):
    return dock.groups.table.isColumnHidden(which)


@pytest.fixture
def measured(mapped):
    """A dock whose map's stability was measured."""
    choose(mapped, "Measure")
    wait_until(lambda: not mapped.stability.runner.running)
    settle()
    return mapped


def test_nothing_is_measured_or_shown_unasked(mapped):
    assert hidden(mapped, Column.STABLE)
    assert not hidden(mapped, Column.PIXELS)
    assert not layers(mapped)
    assert not len(mapped.stability.measured)


def the_layer_shows_the_agreement_and_lies_on_the_cube(measured):
    (layer,) = layers(measured)
    assert isinstance(layer, Image)
    assert layer.name == "leaf stability"
    agreement, clusters = (
        measured.stability.measured.agreement(0),
        shown_labels(measured),
    )
    np.testing.assert_allclose(
        layer.data[clusters > 0], agreement[clusters > 0] / 2.55, rtol=1e-5
    )
    assert (agreement < 255).any()
    bands = measured.display.entry.bands
    np.testing.assert_array_equal(layer.scale, bands.scale[-2:])
    assert layer.visible
    # The groups stay what the mouse and the keys are for.
    active = measured._viewer.layers.selection.active
    assert active is measured.display.entry.groups.layer
    said = measured.status.text()
    assert "keep their group under noise" in said
    assert " 100 %" not in said, "some pixels are marked"


def the_column_stands_for_the_pixels_and_follows_merges(measured):
    assert not hidden(measured, Column.STABLE)
    assert hidden(measured, Column.PIXELS)
    agreement, clusters = (
        measured.stability.measured.agreement(0),
        shown_labels(measured),
    )
    for group in measured.study.grouping.ids:
        mean = agreement[clusters == group].mean() / 2.55
        assert float(column(measured, group).rstrip(" %")) == pytest.approx(
            mean, abs=0.7
        )
    ids = measured.study.grouping.ids
    measured.study.merge(ids[1:], ids[0])
    assert column(measured, ids[0]) == "100 %"  # nowhere else to go
    member = measured.groups.model.index_of_member(2).siblingAtColumn(Column.STABLE)
    measured.groups.table.expand(measured.groups.model.index_of(ids[0]))
    mean = agreement[measured.study.cluster_map(0) == 2].mean() / 2.55
    assert float(member.data().rstrip(" %")) == pytest.approx(mean, abs=0.7)


def the_layer_follows_merges_and_undo(measured):
    (layer,) = layers(measured)
    before, ids = layer.data.copy(), measured.study.grouping.ids
    measured.study.merge(ids[1:], ids[0])
    settle()
    assert (layer.data == 100).all()
    measured.workspace.undo()
    settle()
    np.testing.assert_array_equal(layer.data, before)
    assert layers(measured) == [layer]


def the_image_is_clicked_through_the_layer(measured):
    from acting import Mouse

    Mouse(measured._viewer).click(pixel_in(measured, 2))
    assert measured.workspace.selection.ids == {2}


def it_is_hidden_and_shown_again_without_measuring(measured):
    (layer,) = layers(measured)
    assert choose(measured, "Hide") == "Hide stability"
    assert not layer.visible
    assert hidden(measured, Column.STABLE)
    assert not hidden(measured, Column.PIXELS)
    assert choose(measured, "Show") == "Show stability"
    assert layers(measured) == [layer]
    assert layer.visible
    assert not measured.stability.runner.running


def test_all_cubes_in_one_go_each_with_its_layer(mapped):
    other = make_scene(SceneConfig(size=48, bands=40, leaves=1), 3, "other").cube
    add_cube(mapped, other)
    mapped.workspace.session.map_unmapped()
    wait_until(lambda: not mapped.workspace.session.runner.running)
    settle()
    mapped.display.show(1)
    store = mapped.stability.measured
    assert choose(mapped, "Measure") == "Measure stability (2 cubes)"
    wait_until(lambda: len(store) == 1, 20)
    assert store.measured == (1,)  # the one on show comes first
    wait_until(lambda: not mapped.stability.runner.running)
    settle()
    assert "2 cubes" in mapped.status.text()
    assert [x.name for x in layers(mapped)] == ["other stability"]
    # The column is of both; the layer of the one on show.
    tip = mapped.groups.model.index_of(1).siblingAtColumn(Column.STABLE)
    shares = {id: store.pooled((id,)) for id in mapped.study.grouping.ids}
    assert column(mapped, 1) == f"{100 * shares[1]:.0f} %"
    assert "over all measured cubes" in tip.data(Qt.ItemDataRole.ToolTipRole)
    mapped.display.show(0)
    settle()
    assert [(x.name, x.visible) for x in layers(mapped)] == [
        ("other stability", False), ("leaf stability", True)
    ]  # fmt: skip
    assert column(mapped, 1) == f"{100 * shares[1]:.0f} %"
    # A split and its undo ask for no new measurement.
    mapped.splitting.split(1, False)
    wait_until(lambda: not mapped.splitting.runner.running, 30)
    settle()
    assert len(store) == 2
    assert len(mapped.study.splits) == 1, mapped.status.text()
    assert not hidden(mapped, Column.STABLE)
    np.testing.assert_array_equal(
        layers(mapped)[1].data[shown_labels(mapped) > 0],
        store.group_agreement(0, mapped.study.grouping)[shown_labels(mapped) > 0]
        * np.float32(100 / 255),
    )
    mapped.workspace.undo()
    settle()
    assert column(mapped, 1) == f"{100 * shares[1]:.0f} %"
    # A cube that comes later is not measured; the others stay.
    third = make_scene(SceneConfig(size=32, bands=40, leaves=1), 4, "third").cube
    add_cube(mapped, third)
    mapped.workspace.session.map_unmapped()
    wait_until(lambda: not mapped.workspace.session.runner.running)
    settle()
    assert mapped.status.text() == (
        "third is mapped; your groups hold for it too. "
        "Stability: not measured there yet (More > Measure stability)."
    )
    for index in (0, 2):
        mapped.display.show(index)
    settle()
    assert not any(x.visible for x in layers(mapped))
    assert "not measured yet" in mapped.status.text()
    assert mapped.stability.action == "Measure stability"
    mapped.display.remove(0)
    settle()
    assert [x.name for x in layers(mapped)] == ["other stability"]


def a_new_map_ends_it(measured):
    study = measured.study
    study.set_map(0, study.cluster_map(0).copy(), study.statistics(0))
    settle()
    assert not layers(measured)
    assert hidden(measured, Column.STABLE)
    assert not hidden(measured, Column.PIXELS)


def it_does_not_lie_on_the_snapshots_of_a_training(measured):
    (layer,) = layers(measured)
    cube, clusters = measured.study.cubes[0], measured.study.cluster_map(0)
    measured.display.preview(cube, np.roll(clusters, 5, 0), [1, 2, 3, 4, 5, 6])
    assert not layer.visible
    measured.display.end_previews()
    assert layer.visible
    assert layers(measured) == [layer]


def the_users_own_removal_of_the_layer_is_no_end(measured):
    measured._viewer.layers.remove(layers(measured)[0])
    settle()
    choose(measured, "Hide")
    choose(measured, "Show")
    assert len(layers(measured)) == 1


def test_it_can_be_stopped(mapped):
    big = make_scene(SceneConfig(size=200, bands=40, leaves=1), 3, "big").cube
    add_cube(mapped, big)
    mapped.study.set_map(1, np.ones((200, 200), np.uint8))
    mapped.display.show(1)
    settle()
    choose(mapped, "Measure")
    assert mapped.stability.runner.running
    assert mapped.groups.tools.progress.isVisible()
    assert mapped.stability.action == "Stop measuring stability"
    mapped.stability.toggle()
    wait_until(lambda: not mapped.stability.runner.running, 20)
    settle()
    assert not mapped.groups.tools.progress.isVisible()
    assert mapped.groups.tools.label.isVisible()
    assert "Stopped" in mapped.status.text()
    assert not len(mapped.stability.measured)


def test_without_a_map_it_says_what_to_do(leaf_dock):
    leaf_dock.stability.toggle()
    assert "First map" in leaf_dock.status.text()
    assert not leaf_dock.stability.runner.running


def test_suggestions_warn_of_an_unstable_group(measured):
    panel = measured.groups.suggestions
    panel.pass_on()
    panel.pass_on()  # the first is a cut, of no pair
    settle()
    pair = panel.queue.current
    assert "unstable" not in panel.reasons.text()
    name = measured.study.grouping.group(pair.source).name
    # Most pixels of that group go elsewhere in two of five views.
    store, clusters = measured.stability.measured, measured.study.cluster_map(0)
    places = np.flatnonzero(clusters == pair.source)
    ids = np.full((100, len(places)), pair.source, np.uint8)
    ids[:39] = pair.target
    measured.study.set_moved(0, Moved(places, ids))
    settle()
    share = store.pooled((pair.source,))
    assert panel.queue.current == pair
    expected = f"{name} is unstable: 61 % of its pixels keep their group under noise"
    assert word_unstable(name, share) == expected
    assert expected in panel.reasons.text()
    assert word_unstable(name, 0.8) == word_unstable(name, None) == ""


def test_once_measured(measured):
    for story in (
        the_layer_shows_the_agreement_and_lies_on_the_cube,
        the_image_is_clicked_through_the_layer,
        it_is_hidden_and_shown_again_without_measuring,
        the_layer_follows_merges_and_undo,
        the_column_stands_for_the_pixels_and_follows_merges,
        it_does_not_lie_on_the_snapshots_of_a_training,
        the_users_own_removal_of_the_layer_is_no_end,
        a_new_map_ends_it,
    ):
        story(measured)
        undo_all(measured)
