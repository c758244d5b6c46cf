"""Training that ends by itself: which map is kept, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acting import brute_force, settle, shown_labels, wait_until
from napari.utils.theme import get_theme
from qtpy.QtWidgets import QLabel, QWidget

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.step import Step
from napari_dgc.ui.training_record import TrainingRecord

# Nothing moves: no score can be better than the first map's.
STILL = Config(
    k=6, steps=12, crop=16, batch=1, snapshot_every=2, patience=2, device="cpu",
    learning_rate=1e-7, centroid_rate=0.0,
)  # fmt: skip
# Everything moves at once, and melts together.
WILD = replace(
    STILL, patience=0, learning_rate=1.0, teacher_momentum=0.0, centroid_rate=1.0
)
FIRST_MAP = (
    "Training ended by itself at step 4. Training found nothing better than the "
    "first map, which is kept."
)


def run(dock, config):
    dock.workspace.session.train(config)
    wait_until(lambda: not dock.workspace.session.runner.running, 120)
    settle()


def test_it_ends_early_with_the_first_map(leaf_dock):
    seen = []
    leaf_dock.workspace.session.progressed.connect(
        lambda text, done: seen.append((text, done))
    )
    run(leaf_dock, STILL)
    assert leaf_dock.study.model.steps_done == 0
    assert leaf_dock.status.text().startswith(FIRST_MAP)
    assert leaf_dock.status.level == "good"
    ended = seen.index(("Training has ended", 1.0))
    assert all(not text.startswith("Step") for text, _ in seen[ended:])
    assert leaf_dock.training.progress.value() == leaf_dock.training.progress.maximum()
    np.testing.assert_array_equal(shown_labels(leaf_dock), brute_force(leaf_dock))


def test_groups_on_the_first_map_stay_where_nothing_better_is_found(mapped):
    mapped.study.merge((1,), 2)
    model, grouping = mapped.study.model, mapped.study.grouping
    run(mapped, STILL)
    assert mapped.study.model is model
    assert mapped.study.grouping is grouping
    assert mapped.status.text() == f"{FIRST_MAP} Your groups stay as they are."
    assert not mapped.training.use_button.isVisible()
    np.testing.assert_array_equal(shown_labels(mapped), brute_force(mapped))


def test_collapse_is_told(leaf_dock):
    run(leaf_dock, WILD)
    text = leaf_dock.status.text()
    assert text.startswith("Clusters began to melt together, so training was ended.")
    assert leaf_dock.status.level == "warning"
    assert leaf_dock.study.model.k == 6


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_curves_fit_into_the_dock_in_both_themes(leaf_dock, theme):
    leaf_dock._viewer.theme = theme
    plots = leaf_dock.training.plots
    for index, score in ((0, 0.98), (25, 1.05), (50, 1.01)):
        plots.add(Step("training", index, 50, losses={"total": 0.7}, score=score))
    plots.setVisible(True)
    settle(0.2)
    assert plots.score.values == [0.98, 1.05, 1.01]
    for widget in plots.findChildren(QWidget):
        if isinstance(widget, QLabel):
            assert widget.width() >= widget.sizeHint().width()
        right = widget.mapTo(leaf_dock, widget.rect().bottomRight()).x()
        assert right < leaf_dock.width()
    for plot in (plots.loss, plots.score):
        shown = plot.grab().toImage()
        colors = {
            shown.pixelColor(x, y).name()
            for x in range(shown.width())
            for y in range(shown.height())
        }
        assert plot.curve_color in colors
        assert get_theme(theme).text.as_hex("long") in colors  # axes can be read


@pytest.fixture
def models(first_map):
    return [replace(first_map.model, steps_done=steps) for steps in (0, 25, 50, 75)]


def told(record, index, score, best, notice="", ended=""):
    step = Step("training", index, 300, score=score, best=best, notice=notice)
    return record.take(replace(step, ended=ended))


def test_a_record_keeps_the_best_and_not_the_latest(models):
    record = TrainingRecord()
    record.take(Step("training", 0, 300, snapshot=models[0]))
    assert record.model is models[0]
    assert record.word_outcome() == ""  # nothing has been scored
    told(record, 0, 0.98, models[0])
    told(record, 25, 1.05, models[1])
    notice = told(
        record, 50, 0.9, models[1], "3 pixels; Step 50: clusters held none: 4"
    )
    assert notice == "3 pixels; Step 50: clusters held none: 4"
    told(record, 75, 0.9, models[1], ended="guard")
    assert len(record.notices) == 1
    assert record.model is models[1]
    assert record.word_outcome() == (
        "Training ended by itself at step 75. Training has improved the map "
        "(score 1.05, first map 0.98)."
    )


def test_all_steps_done_is_no_early_end(models):
    record = TrainingRecord()
    told(record, 0, 0.98, models[0])
    told(record, 300, 1.05, models[1], ended="steps")
    assert not record.collapsed
    assert record.word_outcome() == (
        "Training has improved the map (score 1.05, first map 0.98)."
    )


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step("training", 9, 300), "Step 9 of 300"),
        (Step("training", 9, 300, ended="guard"), "Training has ended"),
        (Step("training", 9, 9, ended="steps"), "Training has ended"),
        (Step("clustering", 9, 9), "Finding clusters"),
        (Step("finished", 9, 9, ended="steps"), "Mapping"),
    ],
)
def test_stages_in_words(step, words):
    assert TrainingRecord().word_stage(step) == words


def test_a_record_of_a_stopped_run_tells_of_the_best_so_far(models):
    record = TrainingRecord()
    told(record, 0, 0.98, models[0])
    told(record, 25, 1.05, models[1])
    record.stopped = True
    assert record.word_outcome() == (
        "Stopped. The best map so far is kept: that of step 25."
    )
