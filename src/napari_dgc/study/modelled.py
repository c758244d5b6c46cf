"""The model in use, and the way back to those that were in use before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.merging.history import History
from napari_dgc.merging.operations import Change
from napari_dgc.merging.steps import Adopt, Operation
from napari_dgc.merging.tree import ClusterTree
from napari_dgc.study.grouped import tree_of
from napari_dgc.study.mapped import Mapped
from napari_dgc.study.maps import CubeMaps
from napari_dgc.study.view import Rejected, View

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.mapping import MappedCube

_MOST_BYTES = 256 << 20  # of maps that are not in use; the last model's stay anyhow


@dataclass(frozen=True, slots=True)
class Taking:
    """How a model came into use in the place of another one.

    Attributes
    ----------
    text : str
        Such as "use the clusters of step 50".
    own : int
        The first steps of the new history that belong to it.
    after : int
        How many steps counted under the model before.
    """

    text: str
    own: int
    after: int


@dataclass(frozen=True, slots=True, eq=False)
class Former:
    """All that a study was under another model; nothing of it changes meanwhile.

    Attributes
    ----------
    model : Model
    tree : ClusterTree
    history : History
    maps : CubeMaps
    hidden : frozenset of int
    rejected : tuple of Rejected
        As in `View`.
    taking : Taking, optional
        How it came into use itself.
    """

    model: Model
    tree: ClusterTree
    history: History
    maps: CubeMaps
    hidden: frozenset[int] = frozenset()
    rejected: tuple[Rejected, ...] = ()
    taking: Taking | None = None


class Modelled(Mapped):
    """One model; where it took another's place, undo takes that back exactly.

    Its signals carry the new `Model` and the new `View`.
    """

    model_changed = Signal(object)
    view_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._view = View()
        self._model: Model | None = None
        self._taking: Taking | None = None
        self._earlier: list[Former] = []  # the last one is the model before
        self._later: list[Former] = []  # the last one is what redo leads to
        self._tip: tuple[Operation, ...] = ()  # the steps that `_later` follows

    @property
    def model(self) -> Model | None:
        """The model in use."""
        return self._model

    @property
    def view(self) -> View:
        """How the study is looked at."""
        return self._view

    def set_view(self, view: View) -> None:
        """Look at the study another way; no step to undo."""
        if view != self._view:
            self._view = view
            self.view_changed.emit(view)

    def accept_model(self, model: Model) -> None:
        """Take a model into use: maps are cleared, each cluster is a group.

        There is no way back to the one before.
        """
        self._earlier.clear()
        self._take(model, None, ())
        self._tell_of_model()

    def replace_model(
        self,
        model: Model,
        text: str,
        groups: Sequence[Group] = (),
        maps: Mapping[int, MappedCube] | None = None,
    ) -> Grouping:
        """Take a model into use as a step that undo takes back, maps and all.

        Parameters
        ----------
        model : Model
        text : str
            What is done, such as "use the clusters of step 50".
        groups : sequence of Group
            All its clusters, grouped; each is a group of its own if not given.
        maps : mapping of int to MappedCube, optional
            What it makes of the cubes, by their place: on disk with the step, so that
            nothing is amiss where the program is killed.

        Returns
        -------
        Grouping
            A group whose id is taken in the new history has got another one.
        """
        former, taking = self._former(), None
        if former is not None:
            self._ready_history()
            self._earlier.append(former)
            while len(self._earlier) > 1 and _nbytes(self._earlier) > _MOST_BYTES:
                del self._earlier[0]
            taking = Taking(text, 0, former.history.index)
        self._take(model, taking, groups)
        for index, one in (maps or {}).items():
            self._maps.put(index, one.clusters, one.statistics, one.confidence)
        self._tell_of_model()
        for index in maps or {}:
            self.map_changed.emit(index)
        return self._require_history().current

    # -- back and forth -----------------------------------------------------------

    @property
    def earlier(self) -> tuple[Former, ...]:
        """Models that undo leads back to, the last of them first."""
        return tuple(reversed(self._earlier))

    @property
    def later(self) -> tuple[Former, ...]:
        """Models that redo leads to again, the next one first."""
        history = self._history
        if history is None or history.steps != self._tip:
            return ()  # another step was taken meanwhile
        return tuple(reversed(self._later))

    @property
    def taking(self) -> Taking | None:
        """How the model in use came in the place of another one."""
        return self._taking

    @property
    def undo_replaces(self) -> bool:
        """Whether `undo` would bring another model, and its maps, back."""
        own = 0 if self._taking is None else self._taking.own
        history = self._history
        return bool(self._earlier) and history is not None and history.index <= own

    @property
    def redo_replaces(self) -> bool:
        """Whether `redo` would."""
        later, history = self.later, self._history
        if not later or history is None or later[0].taking is None:
            return False
        return history.index == later[0].taking.after

    def undo(self) -> Change | None:
        """Take the last step back; None at the start."""
        if not self.undo_replaces or self._taking is None:
            return super().undo()
        text = f"undo {self._taking.text}"
        return self._go(self._earlier, self._later, text)

    def redo(self) -> Change | None:
        """Take the step undone last again; None at the end."""
        if not self.redo_replaces or (taking := self._later[-1].taking) is None:
            return super().redo()
        return self._go(self._later, self._earlier, f"redo {taking.text}")

    def _go(self, origin: list[Former], into: list[Former], text: str) -> Change:
        before, here = self._ready_history().current, self._former()
        if here is None:
            raise RuntimeError("a study with a history has a model")
        into.append(here)
        there = origin.pop()
        self._model, self._maps = there.model, there.maps
        self._taking = there.taking
        self._begin(there.history, there.tree)
        self._follow_splits()
        self._tip = there.history.steps
        view = replace(
            self._view,
            hidden=there.hidden,
            rejected=there.rejected,
            cut_rejected=False,
        )
        changed, self._view = view != self._view, view
        self._tell_of_model()
        for index in sorted(self._maps.finest):
            self.map_changed.emit(index)
        if changed:
            self.view_changed.emit(view)
        after = there.history.current
        return Change(Adopt(after.groups), before, after, text)

    def _former(self) -> Former | None:
        """Give what is in use now, to come back to."""
        if self._model is None or self._history is None or self._tree is None:
            return None
        return Former(
            self._model,
            self._tree,
            self._history,
            self._maps,
            self._view.hidden,
            self._view.rejected,
            self._taking,
        )

    def _take(
        self, model: Model, taking: Taking | None, groups: Sequence[Group]
    ) -> None:
        """Begin anew with a model; whoever calls this tells of it."""
        self._model, self._maps = model, CubeMaps()
        history = History(Grouping.start(model.cluster_ids.tolist()))
        if groups:
            history.do(Adopt(tuple(groups)))
        self._taking = taking and replace(taking, own=history.index)
        self._later.clear()
        self._begin(history, tree_of(model))
        # Ids begin anew with a model: those hidden or rejected meant other groups.
        self.set_view(
            replace(self._view, hidden=frozenset(), rejected=(), cut_rejected=False)
        )

    def _tell_of_model(self) -> None:
        self.model_changed.emit(self._model)
        self.grouping_changed.emit(None)


def _nbytes(formers: Sequence[Former]) -> int:
    return sum(former.maps.nbytes for former in formers)
