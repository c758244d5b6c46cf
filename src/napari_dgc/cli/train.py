"""`napari-dgc train`: one model over all cubes, its logs, and going on with it."""

from __future__ import annotations

import argparse
import tomllib
from contextlib import ExitStack, closing
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dgc.cli.progress import ProgressLine
from napari_dgc.cubes.checks import read_regular
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import check_free

if TYPE_CHECKING:
    from napari_dgc.clustering.config import Config
    from napari_dgc.clustering.logs import TensorBoardLog
    from napari_dgc.clustering.model import Model
    from napari_dgc.clustering.state import TrainingState
    from napari_dgc.clustering.step import Step
    from napari_dgc.cubes.cube import Cube

_LONGEST = 2**14  # bytes of settings: some thirty lines have one


def train_model(options: argparse.Namespace) -> None:
    """`train`: one model over all cubes."""
    from napari_dgc.cli.commands import print_paths
    from napari_dgc.cli.reading import read_cubes

    output: Path = options.output
    kept, table = _beside(output, "resume.safetensors"), _beside(output, "log.csv")
    state = _find_state(output, kept) if options.resume else None
    if state is None:
        _check_unused(output, kept, table, force=options.force)
    config = _read_config(options, state)
    notices: list[str] = []
    cubes = read_cubes(options, notices)
    model = _train(options, cubes, notices, config, state, kept, table)
    # Asked about beforehand; while a training is unfinished its model is, too.
    model.save(output, force=options.force or options.resume)
    kept.unlink(missing_ok=True)
    print_paths([output])


def _train(
    options: argparse.Namespace,
    cubes: list[Cube],
    notices: list[str],
    config: Config,
    state: TrainingState | None,
    kept: Path,
    table: Path,
) -> Model:
    """Train, log each step, and keep the training's state in a file."""
    from napari_dgc.clustering.logs import CsvLog, TensorBoardLog, scalars
    from napari_dgc.clustering.training import train

    model = None
    resumed = None if state is None else state.index
    with ExitStack() as stack:
        log = stack.enter_context(CsvLog(table, resumed))
        board = None
        if options.tensorboard is not None:
            board = stack.enter_context(TensorBoardLog(options.tensorboard, resumed))
            picture = _Picture(cubes[0], config.device)
        progress = stack.enter_context(ProgressLine(options.quiet))
        steps = train(
            cubes, config, prefetch=options.prefetch, resume=state, keep_state=True
        )
        for step in stack.enter_context(closing(steps)):
            while notices:  # not before: bad input leaves one line, its own
                progress.say(notices.pop(0))
            if step.notice:
                progress.say(step.notice)
            if step.stage == "training" and step.ended:
                progress.say(_word_end(step))
            first = state is None and step.score is not None  # the first map's
            if step.norms or first:  # neither what comes before nor a pass
                values = scalars(step)
                log.add(step.index, values)
                if board is not None:
                    board.add(step.index, values)
            new = state is None or step.norms  # else its picture is there already
            if board is not None and step.snapshot is not None and new:
                picture.log(board, step.snapshot, step.index)
            if step.state is not None:
                if board is not None:
                    board.flush()  # the logs reach at least as far as the state
                step.state.save(kept)
            progress.show(_in_words(step))
            model = step.model
    if model is None:
        raise RuntimeError("training ended without a model")
    return model


class _Picture:
    """The map of a thumbnail of one cube, in the clusters' colours."""

    def __init__(self, cube: Cube, device: str) -> None:
        from napari_dgc.study.previews import thumbnail

        self._small, _ = thumbnail(cube)
        self._device = device

    def log(self, board: TensorBoardLog, model: Model, index: int) -> None:
        from napari_dgc.clustering.inference import segment
        from napari_dgc.merging.palette import MAX_CLUSTER, cluster_color
        from napari_dgc.reports.masks import paint

        clusters = segment(model, self._small, device=self._device).clusters
        colors = {id: cluster_color(id) for id in range(1, MAX_CLUSTER + 1)}
        painted = paint(clusters, colors)[..., :3]  # no data: black
        board.add_picture(f"clusters/{self._small.name}", painted, index)


def _in_words(step: Step) -> str:
    if step.stage != "training" or not step.losses:
        return f"{step.stage} {step.done:.0%}"
    return (
        f"step {step.index}/{step.total}  "
        f"loss {step.losses['total']:.3f}  {step.active} active clusters"
    )


def _word_end(step: Step) -> str:
    """Say why training ends by itself and what is kept; "" where all steps are done."""
    why = {
        "guard": "the score rises no more",
        "collapse": f"the clusters are collapsing (score {step.score:.2f})",
    }.get(step.ended)
    if why is None or step.best is None:
        return ""
    kept = step.best.steps_done
    what = f"the model of step {kept} is kept" if kept else "the first map is kept"
    return f"Step {step.index}: {why}; training has stopped, {what}"


def _beside(output: Path, ending: str) -> Path:
    """M.safetensors, M.resume.safetensors, M.log.csv."""
    return output.with_name(f"{output.name.removesuffix('.safetensors')}.{ending}")


def _check_unused(output: Path, kept: Path, table: Path, *, force: bool) -> None:
    """Refuse to train where a model or an unfinished training is."""
    check_free(output, force=force)
    if kept.exists() and not force:
        raise InputError(
            kept,
            "an unfinished training is here already",
            "go on with it by --resume, or start anew with --force",
        )
    check_free(kept, force=True)
    check_free(table, force=force)


def _find_state(output: Path, kept: Path) -> TrainingState:
    """The training to go on with."""
    from napari_dgc.clustering.state import TrainingState

    if kept.exists():
        return TrainingState.load(kept)
    if output.exists():
        raise InputError(
            output,
            "its training is finished already",
            "use it, or train anew with --force and without --resume",
        )
    raise InputError(
        kept, "there is no training to go on with", "train without --resume"
    )


def _read_config(options: argparse.Namespace, state: TrainingState | None) -> Config:
    """Defaults, or what was begun; then --config, then the command line."""
    from napari_dgc.clustering.config import Config

    values: dict[str, Any] = {}
    if state is not None:
        values = {f.name: getattr(state.config, f.name) for f in fields(Config)}
    path: Path | None = options.config
    if path is not None:
        values |= _read_toml(path, {field.name for field in fields(Config)})
    values |= {
        name: getattr(options, name)
        for name in ("k", "steps", "seed", "device")
        if getattr(options, name) is not None
    }
    try:
        return Config(**values)
    except ValueError as error:
        raise InputError(
            path or "train", str(error), "see napari-dgc train --help"
        ) from error


def _read_toml(path: Path, known: set[str]) -> dict[str, Any]:
    try:
        values = tomllib.loads(read_regular(path, _LONGEST).decode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(path, reason, "check the path") from error
    except (ValueError, RecursionError) as error:
        # Not only TOMLDecodeError: of text of other encodings, of endless numbers.
        raise InputError(path, f"it is not TOML: {error}", "mend it") from error
    for name in values:
        if name not in known:
            raise InputError(
                path,
                f"{name!r} is no field of Config",
                f"use {', '.join(sorted(known))}",
            )
    return values
