"""The leaves of a study as a user changes them: each change is one step back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.errors import InputError
from napari_dgc.reports.region_edits import (
    cut_regions,
    delete_regions,
    merge_regions,
)
from napari_dgc.reports.regions import RegionSettings
from napari_dgc.study.exports import file_stems
from napari_dgc.study.leaves import LeafRegions, find_leaves
from napari_dgc.ui.leaves_wording import word_found, word_leaves
from napari_dgc.ui.worker import Job, Runner
from napari_dgc.ui.workspace import Workspace

_MOST = 50  # steps that can be taken back
_NO_CUT = "Not cut: the line must go right across a leaf, from side to side."
_OTHERS = "The groups changed meanwhile: find the leaves once more."


class LeavesSession(QObject):
    """Finds the leaves in the worker, and takes what hands do to them.

    Signals
    -------
    changed : ()
        Leaves, or what can be done with them, are others.
    begun : int, int
        A cube that leaves are looked for in, and of how many: from 1.
    """

    changed = Signal()
    begun = Signal(int, int)

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._before: list[tuple[LeafRegions | None, str]] = []
        self._own = False  # a change that is ours
        self._count = self._total = 0  # cubes begun, and all
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_yielded)
        self.runner.failed.connect(workspace.status.report)
        self.runner.stopped.connect(self._on_stopped)
        self.runner.running_changed.connect(lambda _: self.changed.emit())
        workspace.study.leaves_changed.connect(self._on_leaves_changed)

    # -- what there is ------------------------------------------------------------

    @property
    def stem(self) -> str:
        """File stem of the cube on show; "" for none."""
        index, stems = self._workspace.display.shown, self._stems
        return stems[index] if 0 <= index < len(stems) else ""

    @property
    def _stems(self) -> list[str]:
        return file_stems([cube.name for cube in self._workspace.study.cubes])

    @property
    def regions(self) -> NDArray[np.uint16] | None:
        """Leaves of the cube on show, (H, W); None where none fit it."""
        leaves, stem = self._workspace.study.leaves, self.stem
        if leaves is None or stem not in leaves.maps:
            return None
        regions = leaves.maps[stem]
        index = self._workspace.display.shown
        fits = regions.shape == self._workspace.study.cubes[index].shape[1:]
        return regions if fits else None

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        leaves = self._workspace.study.leaves
        return () if leaves is None else tuple(leaves.names.get(self.stem, ()))

    @property
    def area(self) -> NDArray[np.bool_] | None:
        """Where the cube on show is looked at; None for all of it."""
        leaves = self._workspace.study.leaves
        return None if leaves is None else leaves.areas.get(self.stem)

    @property
    def stale(self) -> bool:
        """Whether other clusters are tissue than when the leaves were found."""
        study = self._workspace.study
        return study.leaves is not None and study.leaves.is_stale(study)

    @property
    def edited(self) -> int:
        """Cubes whose leaves were changed by hand."""
        leaves = self._workspace.study.leaves
        return 0 if leaves is None else len(leaves.edited)

    @property
    def undo_text(self) -> str:
        """What `undo` would take back; "" for nothing."""
        return self._before[-1][1] if self._before else ""

    # -- what the user can do -------------------------------------------------------

    def find(self, settings: RegionSettings, *, keep_edited: bool = False) -> None:
        """Find the leaves of all mapped cubes, or all but edited ones."""
        if self.runner.running:
            return
        study = self._workspace.study
        try:
            pieces = find_leaves(study, settings, keep_edited=keep_edited)
        except InputError as error:
            self._workspace.status.report(error)
            return
        kept = study.leaves.edited if keep_edited and study.leaves else frozenset()
        mapped = [
            s for i, s in enumerate(self._stems) if study.finest_map(i) is not None
        ]
        self._count, self._total = 0, len(set(mapped) - kept)
        self.runner.start(Job("finding leaves", lambda: pieces, _must_arrive))
        self._workspace.status.say("Finding the leaves…")

    def stop(self) -> None:
        """Find no further: what there was stays."""
        self.runner.stop()

    def rename(self, number: int, name: str) -> None:
        """Name a leaf of the cube on show."""
        leaves = self._workspace.study.leaves
        if leaves is None:
            return
        try:
            named = leaves.rename(self.stem, number, name)
        except ValueError as error:
            self._workspace.status.say(f"Not renamed: {error}.", "warning")
            self.changed.emit()
            return
        if named.names != leaves.names:
            self._take(named, "the new name", f"Leaf {number} is {name.strip()}.")

    def merge(self, numbers: Collection[int]) -> None:
        """Make one leaf of several."""
        said = f"{len(numbers)} leaves are one now."
        self._edit(lambda regions: merge_regions(regions, numbers), "the merge", said)

    def delete(self, numbers: Collection[int]) -> None:
        """Take leaves away; their tissue is in no leaf then."""
        said = f"{word_leaves(len(numbers))} deleted: the tissue is in no leaf now."
        self._edit(lambda regions: delete_regions(regions, numbers), "the loss", said)

    def cut(self, line: Sequence[Sequence[float]]) -> None:
        """Cut leaves along a line of (row, column)."""
        self._edit(
            lambda regions: cut_regions(regions, line), "the cut", "Cut.", _NO_CUT
        )

    def paint(self, stem: str, regions: NDArray[np.integer]) -> None:
        """Take leaves as they were painted over a cube, on show or not."""
        leaves, status = self._leaves(), self._workspace.status
        if leaves is None or stem not in self._stems:
            return
        before = leaves.maps.get(stem)
        if before is None:
            before = np.zeros(regions.shape, np.uint16)
        if np.array_equal(before, regions):
            status.say("Nothing was painted: the leaves are the same.")
            return
        leaves = leaves.put(stem, regions)
        count = word_leaves(len(leaves.names[stem]))
        self._take(leaves, "the painting", f"Kept as painted: {count} in {stem}.")

    def take(self, regions: NDArray[np.integer], names: Mapping[int, str]) -> None:
        """Have the leaves of a layer, (H, W), for the cube on show."""
        leaves = self._leaves()
        if leaves is not None:
            leaves = leaves.put(self.stem, regions, names)
            count = word_leaves(len(leaves.names[self.stem]))
            self._take(leaves, "the layer's leaves", f"{count} taken from the layer.")

    def look_at(self, area: NDArray[np.bool_] | None) -> None:
        """Look at a part of the cube on show; None: at all of it."""
        leaves = self._leaves()
        if leaves is None:
            return
        said = "All of the cube counts again. Leaves that were cut off: find them anew."
        if area is not None:
            share = 100 * float(area.mean())
            said = (
                f"{share:.1f} % of the cube is looked at: pixels outside count as no "
                "data in the severity. Kept with the study's leaves."
            )
        self._take(leaves.look_at(self.stem, area), "the area", said)

    def undo(self) -> None:
        """Take the last change of the leaves back."""
        if not self._before:
            self._workspace.status.say("No change of the leaves to take back.")
            return
        leaves, text = self._before.pop()
        self._set(leaves)
        self._workspace.status.say(f"Taken back: {text}.")

    # -- inside -----------------------------------------------------------------------

    def _leaves(self) -> LeafRegions | None:
        study = self._workspace.study
        if study.leaves is not None:
            return study.leaves
        try:
            return LeafRegions.none_yet(study)
        except InputError as error:
            self._workspace.status.report(error)
            return None

    def _edit(
        self,
        change: Callable[[NDArray[np.uint16]], NDArray[np.integer] | None],
        text: str,
        said: str,
        otherwise: str = "",
    ) -> None:
        leaves, regions = self._leaves(), self.regions
        if leaves is None:
            return
        if regions is None:
            index = self._workspace.display.shown
            _, H, W = self._workspace.study.cubes[index].shape
            regions = np.zeros((H, W), np.uint16)
        changed = change(regions)
        if changed is None:
            self._workspace.status.say(otherwise, "warning")
            self.changed.emit()
            return
        leaves = leaves.put(self.stem, changed)
        count = word_leaves(len(leaves.names[self.stem]))
        self._take(leaves, text, f"{said} {count} in this cube. Take back undoes it.")

    def _take(self, leaves: LeafRegions, text: str, said: str) -> None:
        self._before.append((self._workspace.study.leaves, text))
        del self._before[:-_MOST]
        self._set(leaves)
        self._workspace.status.say(said, "good")

    def _set(self, leaves: LeafRegions | None) -> None:
        self._own = True
        try:
            self._workspace.study.set_leaves(leaves)
        finally:
            self._own = False

    def _on_leaves_changed(self, leaves: LeafRegions | None) -> None:
        if not self._own:  # another study, or a cube that went
            self._before.clear()
        self.changed.emit()

    def _on_yielded(self, piece: Any) -> None:
        if isinstance(piece, str):
            self._workspace.status.say(f"Finding the leaves of {piece}…")
            self._count += 1
            self.begun.emit(self._count, self._total)
            return
        study = self._workspace.study
        if piece.is_stale(study):
            self._workspace.status.say(_OTHERS, "warning")
            return
        self._take(piece, "the leaves found", word_found(piece))

    def _on_stopped(self) -> None:
        self._workspace.status.say("Stopped. The leaves are as they were.")


def _must_arrive(piece: Any) -> bool:
    return isinstance(piece, LeafRegions)
