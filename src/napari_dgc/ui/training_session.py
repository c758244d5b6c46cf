"""A run of training or mapping, and what becomes of its result.

Holds the rules of the house: only a finished run replaces the model in use,
and only where the user has not gone on with its groups meanwhile; the best model
of a stopped one does where there is none yet; a failed one never.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Grouping
from napari_dgc.study import Study
from napari_dgc.study.mapping import (
    Finished,
    Preview,
    Progress,
    map_cubes,
    train_and_map,
)
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.training_record import TrainingRecord, are_one_map, is_last
from napari_dgc.ui.wording import word_offer, word_stop
from napari_dgc.ui.worker import Job, Runner

if TYPE_CHECKING:
    from napari_dgc.clustering.config import Config
    from napari_dgc.clustering.model import Model

_READY = "The map is ready."
_HOW = (
    "Click on the map to select a cluster; drag rows onto a row, or press M and drag "
    "on the image, to merge."
)
_SAME = "Your groups stay as they are."
_KEPT = "Your groups are kept; “Use new model” takes the new clusters instead."


class TrainingSession(QObject):
    """Starts runs, shows their snapshots, takes their models into use.

    Signals
    -------
    progressed : str, float
        What is being done, and how much of it is (0..1; -1 for unknown).
    stepped : Step
        A training step, at most some ten a second.
    said : str, str
        A line for the user and its level (see `StatusLine.say`).
    failed : Exception
        The run ended with this error; nothing was replaced.
    ended : ()
        Any end: finished, stopped, failed.
    """

    progressed = Signal(str, float)
    stepped = Signal(object)
    said = Signal(str, str)
    failed = Signal(object)
    ended = Signal()

    def __init__(self, study: Study, display: CubeDisplay, parent: QObject) -> None:
        super().__init__(parent)
        self._study = study
        self._display = display
        self._cubes: tuple[Cube, ...] = ()
        self._latest: Model | None = None
        self._training = False
        self._fresh = True
        self._grouping: Grouping | None = None  # when the run began
        self._record = TrainingRecord()
        self._same = False  # the run's first map is the one in use already
        self._device = "auto"
        self._shown = 0
        self._follow = True
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_run_yielded)
        self.runner.failed.connect(self._on_run_failed)
        self.runner.stopped.connect(self._on_run_stopped)
        self.runner.succeeded.connect(self._on_run_succeeded)

    @property
    def unused_model(self) -> Model | None:
        """The latest model of a run that is not in use and fits the cubes."""
        model = None if self.runner.running else self._latest
        if model is None or not all(_fits(model, c) for c in self._study.cubes):
            return None
        return model

    @property
    def unmapped(self) -> tuple[int, ...]:
        """Indices of cubes that the model in use can map and has not yet."""
        model = self._study.model
        if model is None:
            return ()
        return tuple(
            i
            for i, cube in enumerate(self._study.cubes)
            if self._study.cluster_map(i) is None and _fits(model, cube)
        )

    def train(self, config: Config) -> None:
        """Train on all cubes of the study, then map them."""
        self._record = TrainingRecord()
        self._begin(self._study.cubes, training=True, fresh=True)
        self._device = config.device
        job = partial(train_and_map, self._cubes, config, shown=lambda: self._shown)
        name = "training clusters" if config.steps else "making the first map"
        self.runner.start(Job(name, partial(with_threads, job), _must_arrive))

    def map_unmapped(self) -> None:
        """Map the cubes that were added after the model was made."""
        model = self._study.model
        cubes = tuple(self._study.cubes[i] for i in self.unmapped)
        if model is not None and cubes:
            self._record = TrainingRecord()
            self._map(model, cubes, fresh=False)

    def use_unused(self) -> None:
        """Map all cubes with the unused model and take it into use."""
        if self._latest is not None:
            self._record = TrainingRecord()
            self._map(self._latest, self._study.cubes, fresh=True)

    def stop(self) -> None:
        """End the run before its next piece of work."""
        self.runner.stop()

    def forget(self) -> None:
        """Know of no earlier run: the study is another one."""
        self._cubes, self._latest, self._record = (), None, TrainingRecord()
        self.ended.emit()

    def set_shown(self, index: int) -> None:
        """Say which cube of the study the next preview shall be of."""
        cubes = self._study.cubes
        if 0 <= index < len(cubes):
            places = [i for i, c in enumerate(self._cubes) if c is cubes[index]]
            self._shown = places[0] if places else 0

    def set_follow(self, on: bool) -> None:
        """Show snapshots on the image from now on, or no longer."""
        self._follow = on
        if not on:
            self._display.end_previews()

    def _map(self, model: Model, cubes: Sequence[Cube], *, fresh: bool) -> None:
        self._begin(cubes, training=False, fresh=fresh)
        if fresh:
            self._latest = model
        splits = () if fresh else self._study.splits_on_record
        job = partial(map_cubes, model, self._cubes, device=self._device, splits=splits)
        self.runner.start(
            Job("mapping cubes", partial(with_threads, job), _must_arrive)
        )

    def _begin(self, cubes: Sequence[Cube], *, training: bool, fresh: bool) -> None:
        self._cubes = tuple(cubes)
        self._training, self._fresh = training, fresh
        self._grouping = self._study.grouping
        if fresh:  # else the unused model stays: it may have taken minutes
            self._latest = None
        self._same = False
        self.set_shown(self._display.shown)
        # The first step waits for torch, which takes seconds to load.
        self.progressed.emit("Starting", -1.0)

    def _on_run_yielded(self, piece: Any) -> None:
        if isinstance(piece, Preview):
            if self._follow:
                cube = self._cubes[piece.index]
                ids = piece.model.cluster_ids.tolist()
                self._display.preview(cube, piece.clusters, ids)
        elif isinstance(piece, Progress):
            self._warn(self._record.note(piece.notice))
            self.progressed.emit(piece.text, piece.done)
        elif isinstance(piece, Finished):
            self._accept(piece)
        else:
            self._on_step_made(piece)

    def _on_step_made(self, step: Any) -> None:
        self._warn(self._record.take(step))
        self._latest = self._record.model
        last = is_last(step)
        if last:
            level = "warning" if self._record.collapsed else "info"
            self.said.emit(self._record.word_outcome(), level)
        # Whoever waits for the end has it before him now, however few the steps.
        done = 1.0 if last else step.done
        self.progressed.emit(self._record.word_stage(step), done)
        self.stepped.emit(step)

    def _warn(self, notice: str) -> None:
        if notice:
            self.said.emit(notice, "warning")

    def _accept(self, result: Finished) -> None:
        self._display.end_previews()
        if self._fresh:
            self._same = self._record.scored and are_one_map(
                result.model, self._study.model
            )
            if self._same:
                self._latest = None  # nothing new: the groups can stay
            elif self._study.grouping != self._grouping:
                # Steps taken meanwhile would be lost: the user shall decide.
                self._latest = result.model
                return
            else:
                self._latest = None
                self._study.accept_model(result.model)
        for done in result.maps:
            index = self._display.index_of(self._cubes[done.index])
            # Where the clusters in use stay and are split, so do the maps; a cube
            # without one is mapped, and split, by `map_unmapped`.
            split = self._same and bool(self._study.splits_on_record)
            if index >= 0 and not split:
                self._study.set_map(
                    index,
                    done.clusters,
                    done.statistics,
                    done.confidence,
                    splits=done.splits,
                )

    def _on_run_succeeded(self) -> None:
        self._display.end_previews()
        record = self._record
        outcome = record.word_outcome()
        if self._fresh and self._latest is not None:
            lines, level = [outcome or "Training is done.", _KEPT], "info"
        elif self._same:
            lines, level = [outcome or _READY, _SAME], "good"
        else:
            lines, level = [outcome or _READY, _HOW], "good"
        if record.notices or record.collapsed:
            level = "warning"
        self.said.emit(" ".join((*lines, *record.notices)), level)
        self.ended.emit()

    def _on_run_stopped(self) -> None:
        latest, used = self._latest, self._study.model
        if latest is not None and self._training and used is None:
            self._record.stopped = True
            self.said.emit("Stopped. Mapping with the best clusters so far…", "info")
            self._map(latest, self._cubes, fresh=True)
            return
        self._display.end_previews()
        if latest is None or not self._fresh:
            text = "Stopped. Nothing has changed."
        elif used is None:
            text = "Stopped. “Use new model” maps with its model."
        elif are_one_map(latest, used):
            self._latest = None
            text = f"{word_stop(0)} {_SAME}"
        else:
            text = word_offer(latest.steps_done)
        self.said.emit(text, "info")
        self.ended.emit()

    def _on_run_failed(self, error: Exception) -> None:
        self._display.end_previews()
        if self._fresh:
            self._latest = None
        self.failed.emit(error)
        self.ended.emit()


def _fits(model: Model, cube: Cube) -> bool:
    """Whether a cube has the bands of a model."""
    try:
        model.require_bands(cube)
    except InputError:
        return False
    return True


def with_threads(job: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Leave one core to the screen, then do the job; in the worker's thread."""
    from napari_dgc.clustering.devices import limit_threads

    limit_threads()
    return job()


def _must_arrive(piece: Any) -> bool:
    """Whether the screen needs this piece, however many others there are."""
    if isinstance(piece, Progress):
        return bool(piece.notice)
    if isinstance(piece, Preview | Finished):
        return True
    scored = piece.score is not None
    return scored or bool(piece.snapshot or piece.model or piece.notice)
