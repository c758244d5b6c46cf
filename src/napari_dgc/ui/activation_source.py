"""Where the activation matrix has its rows, columns and numbers from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.activation import (
    Activation,
    cluster_activation,
    date_order,
    group_activation,
)
from napari_dgc.merging.grouping import Grouping
from napari_dgc.merging.palette import Color
from napari_dgc.study import Study
from napari_dgc.ui.wording import word_clusters

ALIKE, DATE, LISTED = "alike", "date", "listed"
"""Orders: likes side by side, by the date in the name, as listed elsewhere."""

NO_CUBE = "Open a cube first: press Add files… under Cubes."
NO_MAP = (
    "Make a map first: press First map. Then this shows which clusters are in which "
    "cubes."
)


@dataclass(frozen=True, slots=True)
class Head:
    """What a row is of: a group, or a single cluster.

    Attributes
    ----------
    id : int
        The group's id, or the cluster's.
    group : int
        Id of the group, or of the one that the cluster is in.
    """

    id: int
    group: int
    name: str
    color: Color
    role: str | None
    clusters: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Rows and columns in the order they are shown in.

    Attributes
    ----------
    heads : tuple of Head, length R
    cubes : tuple of int, length N
        Places in the study; those with a map.
    names : tuple of str, length N
    shares : ndarray of float64, shape (R, N)
        Of the cube's valid pixels, 0..1.
    active : ndarray of bool, shape (R, N)
        Where that is more than 0.1 %.
    valid : tuple of int, length N
        Valid pixels.
    """

    heads: tuple[Head, ...]
    cubes: tuple[int, ...]
    names: tuple[str, ...]
    shares: NDArray[np.float64]
    active: NDArray[np.bool_]
    valid: tuple[int, ...]

    def pixels(self, row: int, column: int) -> int:
        """Pixels of a row in a cube."""
        return round(float(self.shares[row, column]) * self.valid[column])

    def firing(self, row: int) -> tuple[str, ...]:
        """Names of the cubes in which a row is active."""
        return tuple(self.names[i] for i in np.flatnonzero(self.active[row]))


class ActivationSource:
    """Makes matrices of a study, and keeps rows where they are from step to step."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._order: list[int] = []  # ids of groups, also of those merged away
        self._homes: dict[int, int] = {}  # each cluster's group when last seen
        self._clusters: list[int] = []  # rows of clusters, likes side by side
        self._columns: dict[str, list[int]] = {}

    def forget(self) -> None:
        """Order all anew: maps or cubes are others."""
        self._order, self._homes = [], {}
        self._clusters, self._columns = [], {}

    @property
    def fault(self) -> str:
        """What to do where there is nothing to show; empty where there is."""
        if not self._study.cubes:
            return NO_CUBE
        return "" if self._study.grouping is not None and self._mapped() else NO_MAP

    @property
    def unmapped(self) -> int:
        """Cubes without a map."""
        return len(self._study.cubes) - len(self._mapped())

    @property
    def dated(self) -> bool:
        """Whether the cubes' names hold dates, or days, to sort by."""
        return date_order([cube.name for cube in self._study.cubes]) is not None

    def matrix(self, *, clusters: bool, rows: str, columns: str) -> Matrix | None:
        """Make the matrix of the present grouping.

        Parameters
        ----------
        clusters : bool
            Rows are clusters rather than groups.
        rows : {ALIKE, LISTED}
            A group keeps its place from step to step; one that a step makes comes
            below the one that it comes from.
        columns : {DATE, ALIKE, LISTED}
            By date: as listed where the names hold none.
        """
        study, grouping = self._study, self._study.grouping
        if self.fault or grouping is None:
            return None
        cubes = self._mapped()
        counts = [one for i in cubes if (one := study.counts(i)) is not None]
        if clusters:
            heads = _cluster_heads(grouping)
            found = cluster_activation(counts, [head.id for head in heads])
        else:
            heads = _group_heads(grouping)
            found = group_activation(counts, grouping)
        down = self._row_order(found, grouping, clusters, rows)
        across = self._column_order(grouping, columns, cubes, counts)
        return Matrix(
            tuple(heads[i] for i in down),
            tuple(cubes[i] for i in across),
            tuple(study.cubes[cubes[i]].name for i in across),
            found.shares[np.ix_(down, across)],
            found.active[np.ix_(down, across)],
            tuple(int(counts[i][1:].sum()) for i in across),
        )

    def _mapped(self) -> list[int]:
        places = range(len(self._study.cubes))
        return [i for i in places if self._study.cluster_map(i) is not None]

    def _column_order(
        self,
        grouping: Grouping,
        columns: str,
        cubes: Sequence[int],
        counts: Sequence[NDArray[np.int64]],
    ) -> list[int]:
        """Order the cubes; of clusters, so that no merge moves a column."""
        if columns not in self._columns:
            order: Iterable[int] = range(len(cubes))
            if columns == ALIKE:
                found = cluster_activation(counts, grouping.clusters)
                order = found.cube_order().tolist()
            elif columns == DATE:
                dated = date_order([self._study.cubes[i].name for i in cubes])
                order = order if dated is None else dated.tolist()
            self._columns[columns] = list(order)
        return self._columns[columns]

    def _row_order(
        self, found: Activation, grouping: Grouping, clusters: bool, rows: str
    ) -> list[int]:
        if rows != ALIKE:
            return list(range(len(found.ids)))
        if clusters:
            if not self._clusters:
                self._clusters = found.row_order().tolist()
            return self._clusters
        if not self._order:
            self._order = [found.ids[i] for i in found.row_order()]
        for group in grouping.groups:
            if group.id not in self._order:
                before = {self._homes.get(c) for c in group.clusters}
                places = [i for i, id in enumerate(self._order) if id in before]
                at = max(places, default=len(self._order) - 1) + 1
                self._order.insert(at, group.id)
        self._homes = {c: g.id for g in grouping.groups for c in g.clusters}
        place = {id: at for at, id in enumerate(self._order)}
        return sorted(range(len(found.ids)), key=lambda i: place[found.ids[i]])


def _group_heads(grouping: Grouping) -> list[Head]:
    return [
        Head(g.id, g.id, g.name, g.color, g.role, g.clusters) for g in grouping.groups
    ]


def _cluster_heads(grouping: Grouping) -> list[Head]:
    """Name clusters; the group that a cluster is in lends it its colour and role."""
    heads = []
    for cluster in grouping.clusters:
        group = grouping.group_of(cluster)
        name = group.name
        if len(group.clusters) > 1:
            name = f"{word_clusters((cluster,)).capitalize()} ({group.name})"
        heads.append(Head(cluster, group.id, name, group.color, group.role, (cluster,)))
    return heads
