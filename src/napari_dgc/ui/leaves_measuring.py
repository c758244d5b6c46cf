"""The numbers of the table of leaves: pixels by algebra, lesions by the worker."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_dgc.cubes.georeference import pixel_area
from napari_dgc.reports.lesions import LesionSizes
from napari_dgc.reports.severity import SeverityRow
from napari_dgc.study import Study
from napari_dgc.study.reporting.leaf_counts import (
    LeafCounts,
    count_leaves,
    count_lesions,
    leaf_rows,
    lesion_clusters,
)
from napari_dgc.study.reporting.measured_cube import MeasuredCube
from napari_dgc.ui.worker import Job, Runner

Key = tuple[Any, ...]


class LeavesMeasuring(QObject):
    """Counts the leaves of one cube, and again when something is another.

    Pixels are counted once per map and leaves: a change of roles then costs nothing.
    Lesions are counted anew; until then they are not known.

    Signals
    -------
    measured : ()
        `rows` has other numbers.
    """

    measured = Signal()

    def __init__(self, study: Study, parent: QObject) -> None:
        super().__init__(parent)
        self._study = study
        # What they were counted of, kept so that its ids stay its own.
        self._counted: tuple[Key, LeafCounts] | None = None
        self._lesions: tuple[Key, tuple[LesionSizes, ...]] | None = None
        self._wanted: tuple[int, str] = (-1, "")
        self._again = False
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_yielded)
        self.runner.running_changed.connect(self._on_running_changed)

    def rows(self, index: int, stem: str) -> list[SeverityRow]:
        """Rows of a cube, without lesions where they are not counted; [] for none.

        Counting begins if need be: `measured` tells when there is more.
        """
        study, grouping = self._study, self._study.grouping
        clusters = study.cluster_map(index)
        if grouping is None or clusters is None:
            return []
        self._wanted = index, stem
        cube = self._cube(index, stem)
        counted, measured = self._keys(index, stem)
        pixels = _found(self._counted, counted)
        lesions = _found(self._lesions, measured)
        if pixels is None or lesions is None:
            self._start(cube, counted, measured)
        if pixels is None:
            return []
        return leaf_rows(stem, cube, pixels, grouping, lesions)

    def places(self, index: int, stem: str) -> list[tuple[int, int]]:
        """A pixel (row, column) in each leaf; [] while not counted."""
        if self._study.cluster_map(index) is None:
            return []
        counts = _found(self._counted, self._keys(index, stem)[0])
        return [] if counts is None else [(int(r), int(c)) for r, c in counts.places]

    def stop(self) -> None:
        """Count no further."""
        self._wanted = -1, ""
        self.runner.stop()

    def _cube(self, index: int, stem: str) -> MeasuredCube:
        study = self._study
        clusters = study.cluster_map(index)
        if clusters is None:
            raise RuntimeError("a cube without a map is not counted")
        area = study.view.measures.pixel_area
        cube = MeasuredCube(
            clusters, pixel_area=area or pixel_area(study.cubes[index].metadata)
        )
        return cube if study.leaves is None else cube.naming(study.leaves, stem)

    def _keys(self, index: int, stem: str) -> tuple[Key, Key]:
        study, leaves = self._study, self._study.leaves
        regions = area = None
        if leaves is not None:
            regions, area = leaves.maps.get(stem), leaves.areas.get(stem)
        counted: Key = (study.cluster_map(index), regions, area)
        lesion = () if study.grouping is None else lesion_clusters(study.grouping)
        return counted, (*counted, lesion, study.view.measures.min_lesion)

    def _start(self, cube: MeasuredCube, counted: Key, measured: Key) -> None:
        if self.runner.running:
            self._again = True
            return
        leaves, stem = self._study.leaves, self._wanted[1]
        whole = cube if leaves is None else partial(cube.within, leaves, stem)
        known = _found(self._counted, counted)
        *_, lesion, least = measured
        job = partial(_count, whole, counted, measured, known, lesion, least)
        self.runner.start(Job("counting leaves", job))

    def _on_yielded(self, piece: tuple[Key, Any]) -> None:
        key, found = piece
        if isinstance(found, LeafCounts):
            self._counted = key, found
        else:
            self._lesions = key, found
        self.measured.emit()

    def _on_running_changed(self, running: bool) -> None:
        if not running and self._again:
            self._again = False
            self.measured.emit()  # whoever shows it asks again


def _count(
    cube: Any,
    counted: Key,
    measured: Key,
    known: LeafCounts | None,
    lesion: tuple[int, ...],
    least: int,
) -> Iterator[tuple[Key, Any]]:
    if callable(cube):
        cube = cube()
    if known is None:
        yield counted, count_leaves(cube)
    yield measured, count_lesions(cube, lesion, least)


def _found(held: tuple[Key, Any] | None, key: Key) -> Any:
    """What is held for a key: arrays are told by identity, all else by value."""
    if held is None or len(held[0]) != len(key):
        return None
    pairs = zip(held[0], key, strict=True)
    same = all(
        a is b or (isinstance(a, tuple | int) and isinstance(b, tuple | int) and a == b)
        for a, b in pairs
    )
    return held[1] if same else None
