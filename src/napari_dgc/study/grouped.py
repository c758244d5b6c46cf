"""A grouping with its history, its tree and the steps that change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_dgc.clustering.gathering import centers
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.fitting import fitting_color
from napari_dgc.merging.grouping import Grouping, Role
from napari_dgc.merging.history import History
from napari_dgc.merging.operations import Change
from napari_dgc.merging.split_tree import with_splits
from napari_dgc.merging.splits import Split
from napari_dgc.merging.steps import (
    Merge,
    Move,
    Operation,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeApart,
    TakeOut,
)
from napari_dgc.merging.tree import ClusterTree, build_tree

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model


class Grouped:
    """What a study does with its clusters.

    Its signal carries the `Change` after a step, an undo or a redo, or None where
    the whole history is new. There is no grouping before the first model. `stepping`
    comes before a step, an undo or a redo (not while a slider moves): what has to be
    done with the last one is done then.
    """

    grouping_changed = Signal(object)
    stepping = Signal()

    def __init__(self) -> None:
        self._tree: ClusterTree | None = None
        # What it is with the splits that count: made once for each number of them.
        self._grown: tuple[ClusterTree, tuple[Split, ...], ClusterTree] | None = None
        self._history: History | None = None

    @property
    def tree(self) -> ClusterTree | None:
        """The tree of the model's clusters, and of those they are split into."""
        splits = () if self._history is None else self._history.splits
        if self._tree is None or not splits:
            return self._tree
        if self._grown is None or self._grown[:2] != (self._tree, splits):
            self._grown = self._tree, splits, with_splits(self._tree, splits)
        return self._grown[2]

    @property
    def history(self) -> History | None:
        """Every grouping so far, and which one is current."""
        return self._history

    @property
    def grouping(self) -> Grouping | None:
        """The current grouping."""
        return None if self._history is None else self._history.current

    def do(self, operation: Operation) -> Change:
        """Take one step; a refused one raises MergeError and changes nothing."""
        return self._told(self._ready_history().do(operation))

    def undo(self) -> Change | None:
        """Take the last step back; None at the start."""
        change = self._ready_history().undo()
        return None if change is None else self._told(change)

    def redo(self) -> Change | None:
        """Take the step undone last again; None at the end."""
        change = self._ready_history().redo()
        return None if change is None else self._told(change)

    def merge(self, sources: Sequence[int], target: int) -> Change:
        """Put groups into `target`, which keeps its id, name and colour."""
        return self.do(Merge(tuple(sources), target))

    def take_out(self, cluster: int) -> Change:
        """Take one cluster out of its group."""
        return self.do(TakeOut(cluster))

    def take_apart(self, clusters: Sequence[int]) -> Change:
        """Make each of these clusters a group of its own."""
        if len(clusters) == 1:
            return self.take_out(clusters[0])
        return self.do(TakeApart(tuple(clusters)))

    def move(self, clusters: Sequence[int], target: int) -> Change:
        """Put single clusters into another group than theirs."""
        return self.do(Move(tuple(clusters), target))

    def rename(self, group: int, name: str) -> Change:
        """Name a group."""
        return self.do(Rename(group, name))

    def recolor(self, group: int, color: tuple[int, int, int]) -> Change:
        """Give a group a colour, 0..255 each."""
        return self.do(Recolor(group, color))

    def set_role(self, group: int, role: Role | None) -> Change:
        """Say what a group is; unless recoloured by hand it takes a fitting colour."""
        history = self._require_history()
        color = fitting_color(history.current, group, role, history.operations)
        return self.do(SetRole(group, role, color))

    def set_lock(self, group: int, locked: bool) -> Change:
        """Protect a group from merging, or free it."""
        return self.do(SetLock(group, locked))

    def cut(self, granularity: int, *, amend: bool = False) -> Change:
        """Cut the tree of clusters so that there are `granularity` groups.

        Parameters
        ----------
        granularity : int
        amend : bool
            Take the place of the last step, which was a cut: a slider on the
            move is one step to undo.
        """
        history = self._require_history()
        tree = self.tree
        if tree is None:
            raise RuntimeError("a study with a history has a tree")
        origins = history.origins(amend=amend)
        if amend:
            cut = tree.cut(history.base, granularity, origins)
            return self._told(history.amend(cut))
        return self.do(tree.cut(history.current, granularity, origins))

    def _told(self, change: Change) -> Change:
        if change.changed:
            self.grouping_changed.emit(change)
        return change

    def _begin(self, history: History, tree: ClusterTree) -> None:
        """Go on from another history; whoever calls this tells of it."""
        self._history, self._tree = history, tree

    def _ready_history(self) -> History:
        """Give the history when all is ready for the next step."""
        history = self._require_history()
        self.stepping.emit()
        return history

    def _require_history(self) -> History:
        if self._history is None:
            raise InputError(
                "study", "there is no model yet", "train or load a model first"
            )
        return self._history


def tree_of(model: Model) -> ClusterTree:
    """The tree of a model's clusters: the one it brings, or that of their spectra."""
    ids = model.cluster_ids.tolist()
    if len(model.linkage):
        return ClusterTree(tuple(ids), model.linkage, model.counts)
    return build_tree(model.mean_spectra, model.counts, centers(model), cluster_ids=ids)
