"""The film of a training: scrubbed, taken into use, closed while it works."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from acting import add_cube, answer, brute_force, settle, shown_labels, wait_until
from napari.utils.theme import get_theme
from qtpy.QtCore import QPoint, Qt, QThreadPool
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton, QStyle, QStyleOptionSlider

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.devices import limit_threads
from napari_dgc.clustering.step import Step
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.merging.carrying import carry, count_overlap
from napari_dgc.merging.grouping import default_name
from napari_dgc.study.film import Film, Warned
from napari_dgc.study.mapping import map_cubes, train_and_map
from napari_dgc.ui.film_wording import word_frame, word_taken

# All steps are taken, and each second one leaves a snapshot that is another one.
CONFIG = Config(
    k=6, steps=6, crop=16, batch=1, snapshot_every=2, patience=0, device="cpu",
    learning_rate=5e-3, centroid_rate=0.1,
)  # fmt: skip
LONG = replace(CONFIG, steps=5000)
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="session")
def second_leaf() -> Cube:
    return make_scene(SceneConfig(size=48, bands=40, leaves=1), 1, "second").cube


FOUR = np.arange(16, dtype=np.uint8) % 4 + 1


def finish(dock, seconds=120):
    wait_until(lambda: not dock.workspace.session.runner.running, seconds)
    settle()


@pytest.fixture(scope="session")
def pieces(leaf: Cube) -> list:
    """All that a real training of four frames tells."""
    limit_threads()
    return list(train_and_map([leaf], CONFIG))


@pytest.fixture
def filmed(leaf_dock, pieces):
    """A dock after that training, as its worker leaves it, the film unfolded."""
    session = leaf_dock.workspace.session
    session._begin(leaf_dock.study.cubes, training=True, fresh=True)
    session.began.emit(CONFIG)
    for piece in pieces:
        session.runner.yielded.emit(piece)
    session.runner.succeeded.emit()
    settle()
    assert [f.step for f in frames(leaf_dock)] == [0, 2, 4, 6]
    unfold(leaf_dock)
    assert "not saved with the study" in leaf_dock.status.text()
    return leaf_dock


def unfold(dock):
    QTest.mouseClick(dock.film.fold, LEFT)
    settle()
    assert dock.film.body.isVisible()


def frames(dock):
    return dock.film.session.film.frames


def map_by(frame, cube) -> np.ndarray:
    """What a frame's model makes of a cube that is no larger than a thumbnail."""
    *_, finished = map_cubes(frame.model, [cube], device="cpu")
    return finished.maps[0].clusters


def drag_slider(dock, step, on_the_way=lambda: None):
    """Drag the handle to where a step is."""
    slider = dock.film.slider
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    handle = slider.style().subControlRect(
        QStyle.ComplexControl.CC_Slider, option,
        QStyle.SubControl.SC_SliderHandle, slider,
    )  # fmt: skip
    start = handle.center()
    span = slider.width() - handle.width()
    low, high = slider.minimum(), slider.maximum()
    x = handle.width() / 2 + span * (step - low) / (high - low)
    end = QPoint(round(x), start.y())
    QTest.mousePress(slider, LEFT, NO_KEY, start)
    for share in (0.5, 0.8, 1.0):
        QTest.mouseMove(slider, start + (end - start) * share)
        settle(0.01)
    on_the_way()
    QTest.mouseRelease(slider, LEFT, NO_KEY, end)
    settle()


def click_plot(dock, step):
    plot = dock.film.plot
    place = QPoint(plot.place_of(step), plot.height() // 2)
    QTest.mouseClick(plot.viewport(), LEFT, NO_KEY, place)
    settle()


def press(dock, key):
    dock.film.slider.setFocus()
    QTest.keyClick(dock.film.slider, key)
    settle()


def test_there_is_no_film_before_a_training(mapped):
    assert not mapped.film.isVisible()
    mapped.film.session.show(0)
    assert mapped.film.session.index == -1
    assert not mapped.film.session.leave()


def test_a_frame_is_shown_by_dragging_and_left_by_escape(filmed, leaf):
    own = shown_labels(filmed).copy()
    drag_slider(filmed, 5.6)
    assert filmed.film.session.index == 3
    assert filmed.film.slider.value() == 6
    np.testing.assert_array_equal(shown_labels(filmed), map_by(frames(filmed)[3], leaf))
    assert filmed.status.text().startswith("Step 6 of 6: score ")
    overlay = filmed._viewer.canvas.overlays.text
    assert overlay.visible
    assert "Step 6 of the training" in overlay.text
    assert not filmed.groups.isEnabled()
    drag_slider(filmed, 0)
    assert filmed.film.session.index == 0
    np.testing.assert_array_equal(shown_labels(filmed), map_by(frames(filmed)[0], leaf))
    assert filmed.status.text().startswith("First map: ")
    press(filmed, Qt.Key.Key_Escape)
    assert filmed.film.session.index == -1
    assert filmed.groups.isEnabled()
    assert not overlay.visible
    np.testing.assert_array_equal(shown_labels(filmed), own)
    np.testing.assert_array_equal(shown_labels(filmed), brute_force(filmed))
    # Escape does what it did before.
    filmed.workspace.selection.set({filmed.study.grouping.ids[0]})
    press(filmed, Qt.Key.Key_Escape)
    assert not filmed.workspace.selection.ids


def test_keys_go_from_frame_to_frame_and_the_plot_can_be_clicked(filmed):
    seen = []
    filmed.film.session.moved.connect(seen.append)
    click_plot(filmed, 3.9)
    assert filmed.film.session.index == 2
    assert filmed.film.slider.value() == 4
    press(filmed, Qt.Key.Key_Right)
    press(filmed, Qt.Key.Key_Right)  # there is none further on
    press(filmed, Qt.Key.Key_Left)
    press(filmed, Qt.Key.Key_Home)
    assert seen == [2, 3, 2, 0]
    assert filmed.film.slider.value() == 0
    QTest.mouseClick(filmed.film.back_button, LEFT)
    assert seen[-1] == -1
    assert not filmed.display.previewing


def test_escape_on_the_image_and_folding_leave_too(filmed):
    click_plot(filmed, 4)
    layer = filmed.display.entry.groups.layer
    filmed._viewer.layers.selection.active = layer
    canvas = filmed._viewer.window._qt_viewer.canvas.native
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    settle()
    assert filmed.film.session.index == -1
    click_plot(filmed, 4)
    QTest.mouseClick(filmed.film.fold, LEFT)
    settle()
    assert filmed.film.session.index == -1
    assert not filmed.film.body.isVisible()
    assert "4 snapshots, best: " in filmed.film.fold.toolTip()


def test_nothing_is_merged_on_a_frame_and_it_is_said_why(filmed):
    click_plot(filmed, 2)
    grouping = filmed.study.grouping
    filmed.workspace.gestures.set_merging(True)
    assert not filmed.workspace.gestures.merging
    assert "Use this one" in filmed.status.text()
    filmed.workspace.undo()
    assert "Use this one" in filmed.status.text()
    assert filmed.study.grouping is grouping
    filmed.film.session.leave()
    filmed.workspace.gestures.set_merging(True)
    assert filmed.workspace.gestures.merging
    click_plot(filmed, 2)  # Merge mode ends, and its banner with it
    assert not filmed.workspace.gestures.merging
    text = filmed._viewer.canvas.overlays.text
    assert "Step 2" in text.text
    filmed.film.session.leave()
    assert not text.visible


def test_a_frame_taken_into_use_keeps_the_merges(filmed, leaf):
    """Against the rule applied to the maps, pixel by pixel."""
    study = filmed.study
    counts = study.counts(0)
    a, b, c, *_ = sorted(study.grouping.clusters, key=lambda id: -counts[id])
    study.merge((b,), a)
    study.rename(a, "Leaf")
    study.set_role(a, "healthy")
    study.rename(c, "Spot")
    grouping, old = study.grouping, study.cluster_map(0).copy()
    target = next(i for i in (3, 2, 1, 0) if i != filmed.film.session.in_use)
    click_plot(filmed, frames(filmed)[target].step)
    frame = frames(filmed)[target]
    seen: list[str] = []
    name = f"Use step {frame.step}" if frame.step else "Use the first map"
    answer(name, seen)
    QTest.mouseClick(filmed.film.use_button, LEFT)
    finish(filmed)
    assert "4 steps" in seen[0]
    new = map_by(frame, leaf)
    np.testing.assert_array_equal(study.cluster_map(0), new)
    expected = carry(
        grouping, count_overlap(old, new), frame.model.cluster_ids.tolist()
    )
    assert [(g.name, g.role, g.clusters) for g in study.grouping.groups] == [
        (g.name, g.role, g.clusters) for g in expected.groups
    ]
    assert expected.kept >= 1
    np.testing.assert_array_equal(shown_labels(filmed), brute_force(filmed))
    text, level = word_taken(frame.step, expected)
    assert filmed.status.text() == text
    assert filmed.status.level == level
    assert filmed.film.session.index == -1
    assert filmed.film.session.in_use == target
    assert not filmed.training.use_button.isVisible()
    # Undone, by the button, all is what it was before; and it can be done again.
    undo, redo = filmed.groups.undo_button, filmed.groups.redo_button
    assert "use the clusters of" in undo.toolTip()
    taken = study.grouping
    QTest.mouseClick(undo, LEFT)
    settle()
    assert study.grouping.groups == grouping.groups
    np.testing.assert_array_equal(study.cluster_map(0), old)
    np.testing.assert_array_equal(shown_labels(filmed), brute_force(filmed))
    assert filmed.film.session.in_use != target
    assert "as they were" in filmed.status.text()
    assert "use the clusters of" in redo.toolTip()
    QTest.mouseClick(redo, LEFT)
    settle()
    assert study.grouping == taken
    np.testing.assert_array_equal(shown_labels(filmed), brute_force(filmed))
    assert filmed.film.session.in_use == target


def test_what_would_be_lost_is_said_before(filmed):
    """A group whose pixels the frame gives to another one, by the frame's own map."""
    study, session = filmed.study, filmed.film.session
    old = study.cluster_map(0)
    counts = study.counts(0)
    large, *_, rare = sorted(study.grouping.clusters, key=lambda id: -counts[id])
    study.rename(rare, "Spot")
    target = 3 if session.in_use != 3 else 2
    eaten = np.where(old == rare, large, old).astype(np.uint8)
    held = list(frames(filmed))
    held[target] = held[target].with_preview(0, eaten)
    session.film = replace(session.film, frames=tuple(held))
    click_plot(filmed, held[target].step)
    assert session.foresee() == carry(
        study.grouping,
        count_overlap(old, eaten),
        held[target].model.cluster_ids.tolist(),
    )
    seen: list[str] = []
    answer("Keep my groups", seen)
    QTest.mouseClick(filmed.film.use_button, LEFT)
    settle()
    assert "this group matches no cluster and would be lost: Spot." in seen[0]
    session.leave()
    assert session.foresee() is None


def test_the_frame_in_use_cannot_be_taken_again(filmed):
    index = filmed.film.session.in_use
    assert index == filmed.film.session.film.best_frame
    click_plot(filmed, frames(filmed)[index].step)
    assert not filmed.film.use_button.isEnabled()
    assert "already" in filmed.film.use_button.toolTip()
    assert filmed.film.back_button.isEnabled()


def test_who_keeps_the_groups_keeps_the_model(filmed):
    filmed.study.merge((1,), 2)
    model, grouping = filmed.study.model, filmed.study.grouping
    click_plot(filmed, 6 if filmed.film.session.in_use != 3 else 4)
    seen: list[str] = []
    answer("Keep my groups", seen)
    QTest.mouseClick(filmed.film.use_button, LEFT)
    settle()
    assert seen
    assert not filmed.workspace.session.runner.running
    assert filmed.study.model is model
    assert filmed.study.grouping is grouping
    assert filmed.film.session.index >= 0  # and still looks at it


def test_stop_while_a_frame_is_mapped_changes_nothing(filmed, monkeypatch):
    model, grouping = filmed.study.model, filmed.study.grouping
    click_plot(filmed, 6 if filmed.film.session.in_use != 3 else 4)
    filmed.film.session.use()
    filmed.workspace.session.stop()
    assert filmed.workspace.session.taking
    assert filmed.film.session.leave()  # Escape waits for Stop
    assert "Stop ends that" in filmed.status.text()
    finish(filmed)
    assert filmed.study.model is model
    assert filmed.study.grouping is grouping
    assert "Nothing has changed" in filmed.status.text()
    assert filmed.film.session.index == -1
    np.testing.assert_array_equal(shown_labels(filmed), brute_force(filmed))


def test_stop_after_use_ends_what_use_would_have_begun(leaf_dock):
    session = leaf_dock.workspace.session
    session.train(LONG)
    wait_until(lambda: len(frames(leaf_dock)) >= 2, 60)
    leaf_dock.film.session.show(0)
    leaf_dock.film.session.use()
    assert session.taking
    session.stop()
    assert not session.taking
    finish(leaf_dock)
    assert leaf_dock.status.text().startswith("Stopped. The ")


def test_scrubbing_while_training_holds_the_image_still(leaf_dock, leaf):
    session = leaf_dock.workspace.session
    session.train(LONG)
    wait_until(lambda: len(frames(leaf_dock)) >= 4, 60)
    unfold(leaf_dock)
    click_plot(leaf_dock, 2)
    shown = leaf_dock.film.session.index
    frame = frames(leaf_dock)[shown]
    count = len(frames(leaf_dock))
    wait_until(lambda: len(frames(leaf_dock)) >= count + 2, 60)
    settle()
    np.testing.assert_array_equal(shown_labels(leaf_dock), map_by(frame, leaf))
    press(leaf_dock, Qt.Key.Key_Escape)
    assert leaf_dock.display.previewing  # the training's own again
    leaf_dock.film.session.show(1)
    leaf_dock.training.stop_button.click()
    finish(leaf_dock)
    assert leaf_dock.film.session.index == -1
    assert leaf_dock.status.text().startswith("Stopped.")
    np.testing.assert_array_equal(shown_labels(leaf_dock), brute_force(leaf_dock))


def test_a_frame_used_while_training_ends_it(leaf_dock, leaf):
    session = leaf_dock.workspace.session
    session.train(LONG)
    wait_until(lambda: len(frames(leaf_dock)) >= 3, 60)
    unfold(leaf_dock)
    click_plot(leaf_dock, 2)
    frame = frames(leaf_dock)[leaf_dock.film.session.index]
    QTest.mouseClick(leaf_dock.film.use_button, LEFT)
    wait_until(lambda: leaf_dock.study.model is not None, 60)
    finish(leaf_dock)
    assert leaf_dock.study.model.steps_done == frame.step == 2
    np.testing.assert_array_equal(leaf_dock.study.cluster_map(0), map_by(frame, leaf))
    assert leaf_dock.status.text().startswith("The clusters of step 2 are in use.")
    assert not leaf_dock.training.use_button.isVisible()


def test_a_cube_that_was_not_on_show_is_mapped_when_it_is(leaf_dock, second_leaf, leaf):
    add_cube(leaf_dock, second_leaf)
    leaf_dock.display.show(0)
    leaf_dock.workspace.session.train(CONFIG)
    finish(leaf_dock)
    unfold(leaf_dock)
    click_plot(leaf_dock, 4)
    np.testing.assert_array_equal(
        shown_labels(leaf_dock), map_by(frames(leaf_dock)[2], leaf)
    )
    leaf_dock.display.show(1)
    session = leaf_dock.film.session
    assert not leaf_dock.groups.isEnabled()
    assert "next snapshot" not in leaf_dock.status.text()
    wait_until(lambda: all(1 in frame.previews for frame in frames(leaf_dock)), 60)
    settle()
    for index in (2, 0):
        session.show(index)
        np.testing.assert_array_equal(
            shown_labels(leaf_dock), map_by(frames(leaf_dock)[index], second_leaf)
        )
    leaf_dock.display.remove(1)
    settle()
    assert session.index == 0
    np.testing.assert_array_equal(
        shown_labels(leaf_dock), map_by(frames(leaf_dock)[0], leaf)
    )
    leaf_dock.display.remove(0)
    settle()
    assert session.index == -1


def test_a_cube_that_cannot_be_read_any_more_is_told_of(leaf_dock, second_leaf):
    class Gone:
        shape, dtype, ndim = second_leaf.data.shape, second_leaf.data.dtype, 3
        gone, tries = False, 0

        def __getitem__(self, key):
            if self.gone and threading.current_thread() is not threading.main_thread():
                self.tries += 1
                raise OSError("the drive was pulled out")
            return second_leaf.data[key]

        def __array__(self, dtype=None, copy=None):
            return np.asarray(second_leaf.data, dtype)

    data = Gone()
    add_cube(leaf_dock, Cube(data, second_leaf.wavelengths, "gone"))
    leaf_dock.display.show(0)
    leaf_dock.workspace.session.train(CONFIG)
    finish(leaf_dock)
    data.gone = True
    leaf_dock.film.session.show(1)
    leaf_dock.display.show(1)
    wait_until(lambda: leaf_dock.status.level == "error", 20)
    assert "pulled out" in leaf_dock.status.text()
    settle(0.2)
    assert not leaf_dock.film.session.maps.running
    assert data.tries == 1  # not again and again
    assert leaf_dock.film.session.leave()


def test_another_training_has_a_film_of_its_own_and_a_first_map_has_none(filmed):
    film = filmed.film.session.film
    filmed.film.session.show(1)
    filmed.workspace.session.train(replace(CONFIG, steps=0))
    assert filmed.film.session.index == -1
    finish(filmed)
    assert filmed.film.session.film is film
    filmed.workspace.session.train(replace(CONFIG, steps=2))
    finish(filmed)
    assert [frame.step for frame in frames(filmed)] == [0, 2]


def test_another_study_has_no_film(filmed):
    filmed.film.session.show(1)
    filmed.workspace.studies.begin()
    settle()
    assert not frames(filmed)
    assert not filmed.film.isVisible()
    assert filmed.film.session.index == -1


@pytest.mark.parametrize("part", ["window", "dock"])
def test_closed_while_it_works(filmed, second_leaf, part):
    add_cube(filmed, second_leaf)
    filmed.film.session.show(1)
    assert filmed.film.session.maps.running  # maps the new cube
    filmed.film.session.use()
    viewer, layer = filmed._viewer, filmed.display.entry.groups.layer
    overlay = viewer.canvas.overlays.text
    if part == "window":
        viewer.close()
    else:
        viewer.window.remove_dock_widget(filmed)
    began = time.monotonic()
    assert QThreadPool.globalInstance().waitForDone(10_000)
    assert time.monotonic() - began < 5
    settle()
    if part == "dock":
        assert not layer.keymap
        assert not overlay.visible
        viewer.layers.clear()
        settle()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_curves_marks_and_buttons_can_be_seen(filmed, theme):
    filmed._viewer.theme = theme
    strip, session = filmed.film, filmed.film.session
    session.film = replace(
        session.film, best=4, warnings=(Warned(2, "Step 2: few pixels"),)
    )
    strip.refresh()
    settle(0.2)
    plot = strip.plot
    colors = picture_colors(plot)
    for item in ("_score", "_active"):
        curve = getattr(plot, item)
        pen = curve.opts["pen"]
        assert pen.color().name() in colors
    assert plot._warned.opts["brush"].color().name() in colors
    assert get_theme(theme).text.as_hex("long") in colors
    legend = strip.legend
    assert legend.width() >= legend.sizeHint().width()
    for curve, name in ((plot._score, "score"), (plot._active, "clusters")):
        named = f'{curve.opts["pen"].color().name()}">━</span>&nbsp;{name}'
        assert named in legend.text()
    for step in (0, 2, 4, 6):  # the slider's places are those of the curves
        x = plot.mapTo(strip, QPoint(plot.place_of(step), 0)).x()
        assert abs(x - slider_place(strip, step)) <= 3
    for button in strip.findChildren(QPushButton):
        assert button.width() >= button.sizeHint().width()
        right = button.mapTo(filmed, button.rect().bottomRight()).x()
        assert right < filmed.width()
    place = QPoint(plot.place_of(2) + 2, plot.height() // 2)
    QTest.mouseMove(plot.viewport(), place)
    wait_until(lambda: plot.toolTip() == "Step 2: few pixels", 5)
    QTest.mouseMove(plot.viewport(), QPoint(plot.place_of(5), 20))
    wait_until(lambda: plot.toolTip().startswith("The film"), 5)
    click_plot(filmed, 2)
    assert filmed.status.level == "warning"
    assert "few pixels" in filmed.status.text()


def picture_colors(widget) -> set[str]:
    image = widget.grab().toImage()
    return {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
    }


def slider_place(strip, step) -> float:
    """Where the slider's handle has its middle at a step, in the strip."""
    slider = strip.slider
    slider.blockSignals(True)
    before = slider.value()
    slider.setValue(step)
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    handle = slider.style().subControlRect(
        QStyle.ComplexControl.CC_Slider, option,
        QStyle.SubControl.SC_SliderHandle, slider,
    )  # fmt: skip
    slider.setValue(before)
    slider.blockSignals(False)
    return slider.mapTo(strip, handle.center()).x()


def test_a_crowded_film_scrubs_without_a_step_of_the_worker(filmed, leaf):
    """60 frames: each position shows its own map at once, from the film alone."""
    session = filmed.film.session
    base, film = frames(filmed)[0], Film()
    for step in range(0, 1500, 25):
        film = film.take(
            Step("training", step, 1500, active=9, snapshot=replace(base.model))
        )
        small = np.full((64, 64), 1 + step // 25 % 6, np.uint8)
        film = replace(
            film,
            frames=(*film.frames[:-1], film.frames[-1].with_preview(0, small)),
        )
    session.film = film
    session.changed.emit()
    settle()
    assert len(film.frames) == 60
    for step in (1475, 700, 26, 0):
        drag_slider(filmed, step)
        frame = film.frames[session.index]
        assert abs(frame.step - step) <= 25
        assert (shown_labels(filmed) == frame.previews[0][0, 0]).all()
        assert not session.maps.running
    QApplication.processEvents()


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (0, "First map: score 1.00, 3 clusters active, the best so far."),
        (1, "Step 5 of 9: 1 cluster active."),
    ],
)
def test_frames_in_words(first_map, index, words):
    model = first_map.model
    film = Film().take(Step("training", 0, 9, active=3, snapshot=model))
    film = film.take(Step("training", 0, 9, score=1.0, best=model))
    film = film.take(Step("training", 5, 9, active=1, snapshot=model))
    assert word_frame(film, index) == words


def test_what_was_taken_in_words(mapped):
    study, clusters = mapped.study, mapped.study.cluster_map(0)
    counts = study.counts(0)
    a, b, c, *rest = sorted(study.grouping.clusters, key=lambda id: -counts[id])
    nothing = carry(study.grouping, count_overlap(clusters, clusters), range(1, 7))
    assert word_taken(0, None)[0].startswith(
        "The clusters of the first map are in use."
    )
    assert word_taken(7, nothing)[1] == "good"
    assert "Press A to begin" in word_taken(7, nothing, study.model)[0]
    few = replace(
        study.model, cluster_ids=np.array([1, 2, 3, 4], np.uint8), owners=FOUR
    )
    assert "use M; N suggests" in word_taken(7, nothing, few)[0]
    study.merge((b,), a)
    study.rename(a, "Leaf")
    study.rename(c, "Spot")
    eaten = np.where(clusters == c, a, clusters)
    split = np.where((clusters == rest[0]) & (np.arange(64) % 2 == 0), 9, eaten)
    carried = carry(study.grouping, count_overlap(clusters, split), [*range(1, 7), 9])
    text, level = word_taken(7, carried)
    assert level == "warning"
    assert "Your groups are kept, matched by overlap: Leaf." in text
    assert "Lost, as no cluster matches: Spot (now in Leaf)." in text
    (lone,) = carried.unmatched
    assert f"Not matched: cluster {lone}, a group of its own." in text
    assert default_name(c) not in text
