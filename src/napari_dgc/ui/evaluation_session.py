"""Labels beside the study on the screen: read, compared anew at every step, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.operations import Change
from napari_dgc.study.evaluating.comparison import (
    Comparison,
    GroupMap,
    Truth,
    compare,
    read_truths,
)
from napari_dgc.study.evaluating.label_files import match_labels
from napari_dgc.study.exports import file_stems
from napari_dgc.ui.cube_entry import Entry
from napari_dgc.ui.evaluation_by_hand import ByHand
from napari_dgc.ui.evaluation_layer import DifferenceLayers
from napari_dgc.ui.evaluation_wording import (
    BY_HAND,
    HOW,
    MAJORITY,
    NO_MAP,
    first_of,
    word_faults,
    word_result,
)
from napari_dgc.ui.training_jobs import with_threads
from napari_dgc.ui.worker import Job, Runner
from napari_dgc.ui.workspace import Workspace

_BUSY = "Labels are being read: wait a moment, then drop the next ones."


class EvaluationSession(QObject):
    """Labels of cubes, for as long as these are in the study and the window is open.

    They are not kept with the study, which would hand its truth on to others.

    Signals
    -------
    changed : ()
        Something else is to be shown.
    came : ()
        Labels of at least one cube have come.

    Attributes
    ----------
    alignment : str
        MAJORITY, HUNGARIAN or BY_HAND.
    by_hand : ByHand
    ignored, chosen : str or None
        The class left out of all scores; the one whose differences are drawn.
    comparison : Comparison or None
    counts : ndarray of int64, shape (6,)
        Pixels of the cube on show by kind of difference.
    fault : InputError or None
        Why there is no comparison.
    """

    changed = Signal()
    came = Signal()

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._truths: dict[Entry, Truth] = {}
        self._maps: dict[Entry, GroupMap] = {}
        self._layers = DifferenceLayers(workspace)
        self._asked: tuple[Entry, ...] = ()
        self._faults: list[InputError] = []
        self._told, self._on, self._open = True, True, True
        self.alignment = MAJORITY
        self.by_hand = ByHand()
        self.ignored: str | None = None
        self.chosen: str | None = None
        self.comparison: Comparison | None = None
        self.fault: InputError | None = None
        self.counts = np.zeros(6, np.int64)
        self.reading, self.scoring = Runner(self), Runner(self)
        self._renewal = QTimer(self)  # after the image, never on its path
        self._renewal.setSingleShot(True)
        self._renewal.timeout.connect(self._score)
        self._stale = False
        self._connect()

    def _connect(self) -> None:
        shared = self._workspace
        self.reading.yielded.connect(self._on_read)
        self.reading.succeeded.connect(self._on_reading_done)
        self.reading.failed.connect(shared.status.report)
        self.scoring.yielded.connect(self._on_scored)
        self.scoring.failed.connect(self._on_scoring_failed)
        self.scoring.running_changed.connect(self._on_scoring_changed)
        shared.regrouped.connect(self._on_regrouped)
        shared.study.map_changed.connect(self.renew)
        shared.study.cubes_changed.connect(self.renew)
        shared.display.shown_changed.connect(self._draw)
        shared.display.previewing_changed.connect(self._draw)

    # -- what the user can do ------------------------------------------

    def __len__(self) -> int:
        return len(self._truths)

    @property
    def cubes(self) -> tuple[Cube, ...]:
        """The study's."""
        return self._workspace.study.cubes

    @property
    def drawn(self) -> bool:
        """Whether the differences are drawn, where there are any."""
        return self._on

    def open(self, paths: Sequence[Path]) -> None:
        """Read label files, each for the cube of its name; then compare."""
        shared = self._workspace
        if self.reading.running:
            shared.status.say(_BUSY, "warning")
            return
        cubes = shared.study.cubes
        stems = file_stems([cube.name for cube in cubes])
        wanted, self._faults = match_labels(paths, stems)
        if not wanted:
            self._report_faults()
            return
        self._asked = shared.display.entries
        shapes = [(cube.shape[1], cube.shape[2]) for cube in cubes]
        self.reading.start(
            Job("reading labels", partial(read_truths, wanted, stems, shapes))
        )

    def forget(self) -> None:
        """Drop all labels; the files stay where they are."""
        self._truths.clear()
        self.by_hand.clear()
        self.ignored = self.chosen = None
        self.renew()

    def set_alignment(self, alignment: str) -> None:
        """Map groups to classes in another way; by hand begins with what is on show."""
        if alignment == self.alignment:
            return
        if alignment == BY_HAND and not self.by_hand:
            self.by_hand.begin(self.comparison, self._workspace.study.grouping)
        self.alignment = alignment
        self.renew()

    def assign(self, group: int, name: str | None) -> None:
        """Put a group to a class by hand, or to none."""
        if self.alignment != BY_HAND:
            self.by_hand.begin(self.comparison, self._workspace.study.grouping)
            self.alignment = BY_HAND
        self.by_hand.put(group, name)
        self.renew()

    def ignore(self, name: str | None) -> None:
        """Leave a class out of all scores."""
        if name != self.ignored:
            self.ignored = name
            self.chosen = None if self.chosen == name else self.chosen
            self.renew()

    def choose(self, name: str | None) -> None:
        """Draw the differences of one class; None: right and wrong of all."""
        if name != self.chosen:
            self.chosen = name
            self._draw()

    def set_drawn(self, on: bool) -> None:
        """Draw the differences, or not."""
        self._on = on
        self._draw()

    def set_open(self, on: bool) -> None:
        """Draw nothing while no dock is open that says what the colours mean."""
        if on != self._open:
            self._open = on
            self._draw()

    def stop(self) -> None:
        """Work no further."""
        self._stale = False
        self._renewal.stop()
        self.reading.stop()
        self.scoring.stop()

    # -- reading -------------------------------------------------------

    def _on_read(self, piece: Truth | InputError) -> None:
        if isinstance(piece, InputError):
            self._faults.append(piece)
        elif self._asked[piece.index] in self._workspace.display.entries:
            self._truths[self._asked[piece.index]] = piece

    def _on_reading_done(self) -> None:
        self._asked = ()
        entries = self._workspace.display.entries
        self._truths = {e: t for e, t in self._truths.items() if e in entries}
        if not self._truths:
            self._report_faults()
            return
        self._told = False
        self._on = True
        self._go_to_labels()
        self.came.emit()
        self.renew()

    def _report_faults(self) -> None:
        if self._faults:
            self._workspace.status.report(first_of(self._faults))

    def _go_to_labels(self) -> None:
        """Show a cube that has labels: the differences are looked for at once."""
        display = self._workspace.display
        if display.entry not in self._truths:
            places = (i for i, e in enumerate(display.entries) if e in self._truths)
            display.show(next(places))

    # -- comparing -----------------------------------------------------

    def _on_regrouped(self, change: Change | None) -> None:
        if change is None:  # new groups: their ids mean others now
            self.by_hand.clear()
            if self.alignment == BY_HAND:
                self.alignment = MAJORITY
        self.renew()

    def renew(self, *_: object) -> None:
        """Compare anew, once whatever is going on has been drawn."""
        self._renewal.start(0)

    def _score(self) -> None:
        shared = self._workspace
        study, entries = shared.study, shared.display.entries
        self._truths = {e: t for e, t in self._truths.items() if e in entries}
        if self.scoring.running:
            self._stale = True
            return
        self._stale = False
        maps: dict[Entry, GroupMap] = {}
        grouping = study.grouping
        stems = file_stems([cube.name for cube in study.cubes])
        for index, entry in enumerate(entries):
            clusters, truth = study.cluster_map(index), self._truths.get(entry)
            if truth is not None and clusters is not None and grouping is not None:
                lut = grouping.lut()
                maps[entry] = GroupMap(stems[index], clusters, lut, truth.labels)
        if not maps or grouping is None:
            self._settle(None, None)
            self._tell()
            return
        self._maps = maps
        how = HOW.get(self.alignment) or self.by_hand.mapping(grouping)
        job = partial(compare, list(maps.values()), how, self.ignored)
        self.scoring.start(Job("comparing with labels", partial(with_threads, job)))

    def _on_scored(self, comparison: Comparison) -> None:
        if self.chosen not in comparison.scores["classes"]:
            self.chosen = None
        self._settle(comparison, None)
        self._tell()

    def _on_scoring_failed(self, error: Exception) -> None:
        self._told = True
        if isinstance(error, InputError):
            self._settle(None, error)
        self._workspace.status.report(error)

    def _on_scoring_changed(self, running: bool) -> None:
        if not running and self._stale:
            self.renew()

    def _settle(self, comparison: Comparison | None, fault: InputError | None) -> None:
        self.comparison, self.fault = comparison, fault
        self._draw()

    def _tell(self) -> None:
        """Say once what came of new files; later the dock alone shows it."""
        if self._told:
            return
        self._told = True
        faults = word_faults(self._faults)
        text = NO_MAP if self.comparison is None else word_result(self.comparison)
        level = "warning" if faults or self.comparison is None else "good"
        self._workspace.status.say(f"{text} {faults}".strip(), level)

    def _draw(self, *_: object) -> None:
        maps = self._maps if self._on and self._open else {}
        self.counts = self._layers.draw(maps, self.comparison, self.chosen)
        self.changed.emit()
