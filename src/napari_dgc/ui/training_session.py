"""A run of training or mapping, and what becomes of its result.

Holds the rules of the house: only a finished run replaces the model in use,
and only where the user has not gone on with its groups meanwhile; the best model
of a stopped one does where there is none yet; a failed one never.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.grouping import Grouping
from napari_dgc.study import Study
from napari_dgc.study.film import Frame
from napari_dgc.study.mapping import Finished, Progress
from napari_dgc.study.previews import Preview
from napari_dgc.study.taking import take_over
from napari_dgc.ui import training_jobs
from napari_dgc.ui.cube_display import CubeDisplay
from napari_dgc.ui.film_wording import word_taken, word_use
from napari_dgc.ui.training_record import SAME, TrainingRecord, are_one_map, is_last
from napari_dgc.ui.wording import word_offer, word_stop
from napari_dgc.ui.worker import Runner

if TYPE_CHECKING:
    from napari_dgc.clustering.config import Config
    from napari_dgc.clustering.model import Model


class TrainingSession(QObject):
    """Starts runs, shows their snapshots, takes their models into use.

    Signals
    -------
    began : Config
        A training was started.
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

    began = Signal(object)
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
        self._held = False  # an earlier snapshot is being looked at
        self._wanted: Frame | None = None  # to be taken once the run has stopped
        self._taken: Frame | None = None  # being mapped, to be taken into use
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_run_yielded)
        self.runner.failed.connect(self._on_run_failed)
        self.runner.stopped.connect(self._on_run_stopped)
        self.runner.succeeded.connect(self._on_run_succeeded)

    @property
    def unused_model(self) -> Model | None:
        """The latest model of a run that is not in use and fits the cubes."""
        model = None if self.runner.running else self._latest
        cubes = self._study.cubes
        fits = model and all(training_jobs.fits(model, c) for c in cubes)
        return model if fits else None

    @property
    def unmapped(self) -> tuple[int, ...]:
        """Indices of cubes that the model in use can map and has not yet."""
        return training_jobs.unmapped(self._study)

    @property
    def cubes(self) -> tuple[Cube, ...]:
        """Those of the latest run."""
        return self._cubes

    @property
    def device(self) -> str:
        """Where to compute, as the latest training was told."""
        return self._device

    @property
    def shows_previews(self) -> bool:
        """Whether a training is at work whose snapshots are wanted on the image."""
        return self.runner.running and self._training and self._follow

    @property
    def taking(self) -> bool:
        """Whether a frame of the film is being mapped, to be taken into use."""
        return self._wanted is not None or (
            self.runner.running and self._taken is not None
        )

    def train(self, config: Config) -> None:
        """Train on all cubes of the study, then map them."""
        self._record = TrainingRecord()
        self._begin(self._study.cubes, training=True, fresh=True)
        self._device = config.device
        self.began.emit(config)
        job = training_jobs.training_job(self._cubes, config, lambda: self._shown)
        self.runner.start(job)

    def map_unmapped(self) -> None:
        """Map the cubes that were added after the model was made."""
        model = self._study.model
        cubes = tuple(self._study.cubes[i] for i in self.unmapped)
        if model is not None and cubes:
            self._record = TrainingRecord(training_jobs.word_added(self._study, cubes))
            self._map(model, cubes, fresh=False)

    def use_unused(self) -> None:
        """Map all cubes with the unused model and take it into use."""
        if self._latest is not None:
            self._record = TrainingRecord()
            self._map(self._latest, self._study.cubes, fresh=True)

    def take_frame(self, frame: Frame) -> None:
        """Map all cubes with a frame's model and take it into use; groups are kept.

        A run at work is stopped for it.
        """
        if self.runner.running:
            self._wanted = frame
            self.runner.stop()
        else:
            self._start_taking(frame)

    def hold_previews(self, on: bool) -> None:
        """Show no snapshot for the time being: an earlier one is looked at."""
        self._held = on

    def stop(self) -> None:
        """End the run before its next piece of work."""
        self._wanted = None
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
        if not on and not self._held:
            self._display.end_previews()

    def _map(self, model: Model, cubes: Sequence[Cube], *, fresh: bool) -> None:
        self._begin(cubes, training=False, fresh=fresh)
        if fresh:
            self._latest = model
        splits = () if fresh else self._study.splits_on_record
        self.runner.start(
            training_jobs.mapping_job(model, self._cubes, self._device, splits)
        )

    def _start_taking(self, frame: Frame) -> None:
        self._record = TrainingRecord()
        self._begin(self._study.cubes, training=False, fresh=False)
        self._taken = frame
        former = [self._study.cluster_map(i) for i in range(len(self._cubes))]
        job = training_jobs.taking_job(frame, self._cubes, former, self._device)
        self.runner.start(job)

    def _begin(self, cubes: Sequence[Cube], *, training: bool, fresh: bool) -> None:
        self._cubes = tuple(cubes)
        self._training, self._fresh = training, fresh
        self._grouping = self._study.grouping
        if fresh:  # else the unused model stays: it may have taken minutes
            self._latest = None
        self._same = False
        self._wanted = self._taken = None
        self.set_shown(self._display.shown)
        # The first step waits for torch, which takes seconds to load.
        self.progressed.emit("Starting", -1.0)

    def _on_run_yielded(self, piece: Any) -> None:
        if isinstance(piece, Preview):
            if self._follow and not self._held:
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
        places = [self._display.index_of(cube) for cube in self._cubes]
        if self._taken is not None:
            step = self._taken.step
            carried = take_over(self._study, result, places, word_use(step))
            self._record.taken = word_taken(step, carried, result.model)
            self._latest = None  # what a stopped run had to offer is in the film
            return
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
        training_jobs.keep_maps(self._study, result, places, same=self._same)

    def _on_run_succeeded(self) -> None:
        if self._wanted is not None:
            self._start_taking(self._wanted)
            return
        self._display.end_previews()
        kept = self._fresh and self._latest is not None
        self.said.emit(*self._record.word_end(kept=kept, same=self._same))
        self.ended.emit()

    def _on_run_stopped(self) -> None:
        if self._wanted is not None:
            self._start_taking(self._wanted)
            return
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
            text = f"{word_stop(0)} {SAME}"
        else:
            text = word_offer(latest.steps_done)
        self.said.emit(text, "info")
        self.ended.emit()

    def _on_run_failed(self, error: Exception) -> None:
        self._wanted = None
        self._display.end_previews()
        if self._fresh:
            self._latest = None
        self.failed.emit(error)
        self.ended.emit()
