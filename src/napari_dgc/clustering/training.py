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
from napari_dgc.clustering.learner import Learner
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import take_weights
from napari_dgc.clustering.state import TrainingState
from napari_dgc.clustering.step import Step
from napari_dgc.clustering.warmstart import (
    Beginning,
    Sample,
    begin,
    common_good_bands,
    draw_sample,
    with_description,
)
from napari_dgc.cubes.agreement import check_same_bands
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
        Closing the generator stops training at once.

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
    model = replace(begun.model, cubes=prints, config=config)
    active = int((model.counts > 1e-3 * model.counts.sum()).sum())
    if total == 0:
        step = Step("training", 0, 0, active=active, notice=begun.notice)
        yield replace(step, snapshot=model)
        yield Step("finished", 0, 0, 1.0, active=active, model=model)
        return

    with closing(
        Learner(cubes, config, model, begun.rarity, device, prefetch=prefetch)
    ) as learner:

        def state(index: int) -> TrainingState | None:
            if not keep_state:
                return None
            parts = {"learner": learner.state()}
            return TrainingState(model, begun.rarity, index, begun.valid_share, parts)

        first, snapshot = 0, model
        if resume is not None:
            learner.load_state(resume.parts["learner"])
            first, active = resume.index, learner.active()
            snapshot = _with_learned(model, learner, first)
        yield Step(
            "training",
            first,
            total,
            first / total,
            active=active,
            notice=begun.notice,
            snapshot=snapshot,
            state=state(first),
        )
        for index in range(first + 1, total + 1):
            losses = learner.step()
            notices = [learner.take_notice()]
            due = index % config.snapshot_every == 0
            if due and learner.dictionary.due:
                model, notice = yield from _review(
                    model, learner, cubes, config, begun.valid_share, index
                )
                notices.append(notice)
            yield Step(
                "training",
                index,
                total,
                index / total,
                losses,
                learner.active(),
                "; ".join(filter(None, notices)),
                _with_learned(model, learner, index) if due and index < total else None,
                norms=learner.norms(),
                state=state(index) if due or index == total else None,
            )
        learner.close()  # the reader's work is done
        model = _with_learned(model, learner, total)
        active = learner.active()
        for part in draw_sample(learner.teacher, cubes, config, begun.valid_share):
            if isinstance(part, Sample):
                model = with_description(model, part)
            else:
                yield Step("clustering", total, total, part, active=active)
    yield Step("finished", total, total, 1.0, active=active, model=model)


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
    cubes: Sequence[Cube],
    config: Config,
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
    total, dictionary = config.steps, learner.dictionary
    pruned: tuple[int, ...] = ()
    new: tuple[int, ...] = ()
    for part in draw_sample(learner.teacher, cubes, config, valid_share):
        if not isinstance(part, Sample):
            yield Step("clustering", index, total, part, active=learner.active())
            continue
        z = learner.teacher.lift(part.y)
        pruned, new = dictionary.prune(z), dictionary.reseed(z)
        if pruned or new:
            model = with_description(_with_learned(model, learner, index), part)
    said = []
    for ids, what in (
        (pruned, "clusters held no pixel and were taken out"),
        (new, "clusters were put where pixels were poorly explained"),
    ):
        if ids:
            said.append(f"{what}: {', '.join(map(str, ids))}")
    return model, f"Step {index}: {'; '.join(said)}" if said else ""
