"""Training: one loop, read from top to bottom.

`train` yields and does nothing else: no prints, no files, no screen.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.devices import find_device
from napari_dgc.clustering.dictionary import ACTIVE_SHARE
from napari_dgc.clustering.gathering import Gathering
from napari_dgc.clustering.guard import Guard, start_of
from napari_dgc.clustering.learner import Learner
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import load_network, take_weights
from napari_dgc.clustering.state import TrainingState
from napari_dgc.clustering.step import Step
from napari_dgc.clustering.warmstart import (
    Beginning,
    Sample,
    begin,
    draw_sample,
    with_description,
)
from napari_dgc.cubes.agreement import check_same_bands, common_good_bands
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

__all__ = ["Step", "train"]


def train(
    cubes: Sequence[Cube],
    config: Config | None = None,
    *,
    prefetch: int = 0,
    resume: TrainingState | None = None,
    keep_state: bool = False,
) -> Generator[Step, None, None]:
    """Learn one set of clusters for all cubes.

    Parameters
    ----------
    cubes : sequence of Cube
        All with the same bands.
    config : Config, optional
        The defaults serve every data set. When going on with a training: the
        one it was started with, `steps` apart.
    prefetch : int
        Reads of the cubes that a thread has ready, ahead of need. It changes
        when they are read, never which or in what order: on the CPU the model
        is the same to the bit.
    resume : TrainingState, optional
        Go on from there. On the CPU the model is, to the bit, the one that
        training without a break gives.
    keep_state : bool
        Let the steps that carry a snapshot, the first and the last one carry
        a `TrainingState` too.

    Yields
    ------
    Step
        The first snapshot is the first map (the warm start), after seconds,
        or the model as it was left; the last step carries the trained model.
        Closing the generator stops training at once. It stops by itself once
        the guard's score has not risen for `config.patience` snapshots, or has
        fallen by far; the trained model is the one of the best score, the
        first map among them.

    Raises
    ------
    InputError
        If the cubes do not fit together or hold no valid pixel, a file cannot
        be read any more, or `resume` is of another training.
    """
    config = config or (resume.config if resume else Config())
    if not cubes:
        raise InputError("train", "no cube was given", "give at least one cube")
    check_same_bands(cubes)
    device = find_device(config.device)
    total = config.steps
    prints = tuple(cube.fingerprint for cube in cubes)
    good = common_good_bands(cubes)
    cubes = [replace(cube, good_bands=good) for cube in cubes]
    if resume is None:
        begun = yield from begin(cubes, config, good, device)
    else:
        resume.require(config, prints)
        begun = Beginning(resume.model, resume.rarity, resume.valid_share)
    made = {c.calibration.fingerprint for c in cubes if c.calibration is not None}
    model = replace(
        begun.model, cubes=prints, config=config, calibrations=tuple(sorted(made))
    )
    if total == 0:
        model = Gathering.of_first_map(model, config.k).gather(model)
        active = active_clusters(model)
        step = Step("training", 0, 0, active=active, notice=begun.notice)
        yield replace(step, snapshot=model)
        yield Step("finished", 0, 0, 1.0, active=active, model=model, ended="steps")
        return

    with closing(
        Learner(cubes, config, model, begun.rarity, device, prefetch=prefetch)
    ) as learner:
        begun = replace(begun, model=model)
        guard, gathering = yield from _learn(learner, cubes, begun, resume, keep_state)
    active = active_clusters(gathering.gather(guard.kept))
    model, steps = replace(guard.kept, config=config), learner.taken
    if model.encoder:  # the first map is described already
        embedder = load_network(model, device)[0]
        for part in draw_sample(embedder, cubes, config, begun.valid_share):
            if isinstance(part, Sample):
                model = with_description(model, part)
            else:
                yield Step("clustering", steps, total, part, active=active)
    model = gathering.renewed(model).gather(model)
    active = active_clusters(model)
    end = _how_ended(guard, steps, total)
    yield Step("finished", steps, total, 1.0, active=active, model=model, ended=end)


def _learn(
    learner: Learner,
    cubes: Sequence[Cube],
    begun: Beginning,
    resume: TrainingState | None,
    keep_state: bool,
) -> Generator[Step, None, tuple[Guard, Gathering]]:
    """Take the steps; gives the guard, which holds the best model, and who gathers it.

    What learns, what is scored and what is kept has one cluster per centroid; only
    the models that steps carry are gathered.
    """
    model, config = begun.model, begun.model.config
    index, total, every = 0, config.steps, config.snapshot_every
    snapshot, start = model, model
    if resume is not None:
        with resume.refusing():
            learner.load_state(resume.parts["learner"])
            start = replace(start_of(resume.parts["guard"]), config=config)
        index, snapshot = resume.index, _with_learned(model, learner, resume.index)
    gathering = Gathering.of_first_map(start, config.k)
    shown = gathering.gather(snapshot)
    here = Step("training", index, total, index / total, active=active_clusters(shown))
    # The first map first: the user waits for it, the guard takes a second.
    yield replace(here, notice=begun.notice, snapshot=shown)
    guard = Guard(cubes, config, start, learner.device)
    if resume is not None:
        with resume.refusing():
            guard.load_state(resume.parts["guard"])

    def state() -> TrainingState | None:
        if not keep_state:
            return None
        parts = {"learner": learner.state(), "guard": guard.state()}
        return TrainingState(model, begun.rarity, index, begun.valid_share, parts)

    best = gathering.gather(guard.kept)
    yield replace(here, score=guard.best_score, best=best, state=state())
    if index == total and index % every:
        # What was kept is older than the last look, which a longer training skips.
        guard.judge(learner.teacher, learner.centroids, snapshot)
    while index < total and not guard.done:
        index += 1
        step = Step("training", index, total, index / total, learner.step())
        notices = [learner.take_notice()]
        due = index % every == 0
        if due and learner.dictionary.due:
            model, notice = yield from _review(
                model, learner, gathering, cubes, begun.valid_share, index
            )
            notices.append(notice)
        if due or index == total:
            kept = None if due else state()  # a longer training does not look here
            snapshot = _with_learned(model, learner, index)
            score = guard.judge(learner.teacher, learner.centroids, snapshot)
            step = replace(
                step, snapshot=gathering.gather(snapshot), score=score,
                best=gathering.gather(guard.kept),
                ended=_how_ended(guard, index, total), state=kept or state(),
            )  # fmt: skip
        notice = "; ".join(filter(None, notices))
        yield replace(
            step, active=learner.active(gathering), notice=notice, norms=learner.norms()
        )
    return guard, gathering


def _how_ended(guard: Guard, index: int, total: int) -> str:
    """Say how training ends after step `index`; "" if it goes on (see `Step`)."""
    if guard.fallen:
        return "collapse"
    if index == total:
        return "steps"
    return "guard" if guard.done else ""


def active_clusters(model: Model) -> int:
    """Clusters that hold more than 0.1 % of the pixels they were described by."""
    return int((model.counts > ACTIVE_SHARE * model.counts.sum()).sum())


def _with_learned(model: Model, learner: Learner, steps: int) -> Model:
    """The model with the teacher's weights and the centroids as they stand."""
    return replace(
        model,
        encoder=take_weights(learner.teacher),
        centroids=learner.centroids.cpu().numpy().copy(),
        cluster_ids=learner.dictionary.ids.numpy().astype(np.uint8),
        retired_ids=learner.dictionary.retired,
        steps_done=steps,
    )


def _review(
    model: Model,
    learner: Learner,
    gathering: Gathering,
    cubes: Sequence[Cube],
    valid_share: float,
    index: int,
) -> Generator[Step, None, tuple[Model, str]]:
    """Prune and re-seed the centroids from a sample of all cubes.

    Returns
    -------
    model : Model
        Described anew where its clusters changed.
    notice : str
        What changed, in words.
    """
    config, dictionary = model.config, learner.dictionary
    total = config.steps
    before = gathering.gather(model).cluster_ids.tolist()
    for part in draw_sample(learner.teacher, cubes, config, valid_share):
        if not isinstance(part, Sample):
            active = learner.active(gathering)
            yield Step("clustering", index, total, part, active=active)
            continue
        z = learner.teacher.lift(part.y)
        if dictionary.prune(z) + dictionary.reseed(z):
            model = with_description(_with_learned(model, learner, index), part)
    after = gathering.gather(model).cluster_ids.tolist()
    said = []
    for ids, what in (
        (set(before) - set(after), "held no pixel and were taken out"),
        (set(after) - set(before), "were put where pixels were poorly explained"),
    ):
        if ids:
            said.append(f"clusters {what}: {', '.join(map(str, sorted(ids)))}")
    return model, f"Step {index}: {'; '.join(said)}" if said else ""
