"""A recipe from a file becomes the groups; its splits are worked out in a worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.recipe import Recipe
from napari_dgc.study.adopting import Refined, Wanted, refine_maps
from napari_dgc.study.mapping import Progress
from napari_dgc.ui.training_jobs import with_threads
from napari_dgc.ui.worker import Job, Runner

if TYPE_CHECKING:
    from napari_dgc.ui.workspace import Workspace

_BUSY = "Wait until the training or mapping is done, or press Stop, then apply it."
_AT_WORK = "A recipe is being applied already."
_STOPPED = "Stopped. Nothing has changed."


class RecipeApplying(QObject):
    """Applies recipes to the study of a workspace.

    Parameters
    ----------
    workspace : Workspace
    parent : QObject
        Owns the worker.
    """

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._shared = workspace
        self._name = ""
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_yielded)
        self.runner.failed.connect(workspace.status.report)
        self.runner.stopped.connect(self._on_stopped)

    @property
    def action(self) -> str:
        """What pressing the menu's entry does now."""
        return "Stop applying the recipe" if self.runner.running else "Apply recipe…"

    def apply(self, path: str | Path) -> None:
        """Apply a recipe; where it splits clusters, after the maps are refined."""
        shared = self._shared
        if self.runner.running or shared.session.runner.running:
            busy = _AT_WORK if self.runner.running else _BUSY
            shared.status.say(busy, "warning")
            return
        try:
            wanted = Wanted.of(shared.study, Recipe.read(path))
        except InputError as error:
            shared.status.report(error)
            return
        self._name = Path(path).name
        shared.status.say(f"Applying {self._name}…")
        job = partial(refine_maps, wanted)
        self.runner.start(
            Job("applying a recipe", partial(with_threads, job), _must_arrive)
        )

    def stop(self) -> None:
        """End the work before its next piece; nothing has changed then."""
        self.runner.stop()

    def _on_yielded(self, piece: Progress | Refined) -> None:
        shared = self._shared
        if isinstance(piece, Progress):
            shared.status.say(f"{piece.text}: {piece.done:.0%}")
            return
        if shared.session.runner.running:  # begun while this was worked out
            shared.status.say(f"Not applied. {_BUSY}", "warning")
            return
        change = shared.attempt(lambda: shared.study.take_recipe(piece))
        if change is not None:
            steps = len(piece.wanted.splits)
            more = f", {steps} split{'s' * (steps != 1)}" if steps else ""
            text = f"{self._name} is applied: {len(change.after.groups)} groups{more}."
            shared.status.say(text, "good")

    def _on_stopped(self) -> None:
        self._shared.status.say(_STOPPED)


def _must_arrive(piece: object) -> bool:
    return isinstance(piece, Refined)
