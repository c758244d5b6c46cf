"""Grouping the slow way: on pixels, from the steps' JSON alone.

It shares nothing with `napari_dgc.merging` but the table of colours. A state is the
group and the atom of every *pixel*; undo is a list of whole copies. What a step
should do is taken from CONTRACTS.md and the steps' docstrings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from napari_dgc.merging.palette import cluster_color

Step = dict[str, object]
Pixels = NDArray[np.int64]
ALL_COLORS = [f"#{bytes(cluster_color(c)).hex()}" for c in range(1, 256)]


class RefusedError(Exception):
    """The step cannot be taken."""


@dataclass
class State:
    """What there is, pixel by pixel; group 0 and atom 0 are "no data"."""

    clusters: Pixels  # cluster id
    owner: Pixels  # group id
    atom: Pixels  # lowest of the clusters tied together
    order: list[int]  # group ids from the table's top to its end
    names: dict[int, str]
    colors: dict[int, str]
    roles: dict[int, str | None]
    locked: dict[int, bool]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, State)
            and np.array_equal(self.clusters, other.clusters)
            and np.array_equal(self.owner, other.owner)
            and np.array_equal(self.atom, other.atom)
            and (self.order, self.names, self.colors, self.roles, self.locked)
            == (other.order, other.names, other.colors, other.roles, other.locked)
        )

    @property
    def ids(self) -> list[int]:
        return [int(c) for c in np.unique(self.clusters) if c]

    def add(self, id: int, name: str, color: str) -> None:
        self.names[id], self.colors[id] = name, color
        self.roles[id], self.locked[id] = None, False

    def forget(self, id: int) -> None:
        self.order.remove(id)
        for kept in (self.names, self.colors, self.roles, self.locked):
            del kept[id]


class PixelModel:
    """All steps on pixels that belong to clusters 0..K.

    Parameters
    ----------
    clusters : ndarray of int, shape (P,)
        Cluster id of every pixel. Each of 1..K has one at least.
    shape : (int, int), optional
        Rows and columns of the first pixels: a map that can be split by pieces.
    embedding : ndarray of float, shape (P, 2), optional
        Of every pixel, to be split in two by.
    spare : int
        How many of the last pixels are one for each id from 0 on, in no map: so a
        part that gets none of the others has a place.
    """

    def __init__(
        self,
        clusters: NDArray[np.integer],
        shape: tuple[int, int] = (0, 0),
        embedding: NDArray[np.float64] | None = None,
        spare: int = 0,
    ) -> None:
        first: Pixels = np.asarray(clusters, np.int64)
        self._shape, self._embedding, self._spare = shape, embedding, spare
        self.state = State(first, first.copy(), first.copy(), [], {}, {}, {}, {})
        self.state.order = self.state.ids
        for c in self.ids:
            self.state.add(c, f"Group {c}", ALL_COLORS[c - 1])
        self.highest = max(self.ids)  # group id given away so far, undone or not
        self.past: list[State] = []
        self.future: list[State] = []

    @property
    def ids(self) -> list[int]:
        """Clusters that are there now."""
        return self.state.ids

    # -- history ------------------------------------------------------------

    def do(self, step: Step, told: Step) -> bool:
        """Take a step; whether it altered anything.

        `told` is the step as it was recorded, with the ids that it gave away: the
        model does not say which ids are given, only which must not be.
        """
        after, highest = self._taken(self.state, step, told)
        if after == self.state:
            return False
        self.past.append(self.state)
        self.future.clear()
        self.state, self.highest = after, highest
        return True

    def amend(self, step: Step, told: Step) -> bool:
        """Take another step in place of the last one; whether it is a step at all."""
        if not self.past:
            raise RefusedError("no step to amend")
        after, highest = self._taken(self.past[-1], step, told)
        if after == self.state:  # it comes to the same: the record stays as it is
            return False
        self.future.clear()
        self.state, self.highest = after, highest
        if after == self.past[-1]:
            self.past.pop()
            return False
        return True

    def undo(self) -> None:
        self.future.append(self.state)
        self.state = self.past.pop()

    def redo(self) -> None:
        self.past.append(self.state)
        self.state = self.future.pop()

    # -- what is seen ---------------------------------------------------------

    def painted(self, state: State | None = None) -> Pixels:
        """Label value of every pixel: the lowest cluster id in its group."""
        state = state or self.state
        values = np.zeros_like(state.clusters)
        for id in state.order:
            inside = state.owner == id
            values[inside] = state.clusters[inside].min()
        return values

    def clusters_of(self, state: State, id: int) -> list[int]:
        return np.unique(state.clusters[state.owner == id]).tolist()

    def atoms_of(self, state: State, id: int) -> list[list[int]]:
        """Clusters of a group, by atom."""
        atoms = np.unique(state.atom[state.owner == id])
        return [np.unique(state.clusters[state.atom == a]).tolist() for a in atoms]

    def described(self, state: State, id: int) -> object:
        """Give all there is to say of a group; None where it is not there."""
        if id not in state.order:
            return None
        looks = state.names[id], state.colors[id], state.roles[id], state.locked[id]
        return self.atoms_of(state, id), looks

    def group_of(self, state: State, cluster: int) -> int:
        return int(state.owner[state.clusters == cluster][0])

    # -- steps ----------------------------------------------------------------

    def _taken(self, state: State, step: Step, told: Step) -> tuple[State, int]:
        after = deepcopy(state)
        act = getattr(self, "_" + str(step["step"]).replace(" ", "_"))
        act(after, step, told)
        for atom in np.unique(after.atom[after.atom > 0]):  # named by its lowest
            inside = after.atom == atom
            after.atom[inside] = -after.clusters[inside].min()
        after.atom = np.abs(after.atom)
        return after, max(self.highest, *after.order)

    def _merge(self, at: State, step: Step, told: Step) -> None:
        sources, target = step["sources"], step["target"]
        everyone = [*sources, target]
        if not sources or target in sources or not set(everyone) <= set(at.order):
            raise RefusedError("no such merge")
        if any(at.locked[id] for id in everyone):
            raise RefusedError("locked")
        inside = np.isin(at.owner, everyone)
        at.owner[inside] = target
        at.atom[inside] = at.atom[inside].min()
        for source in sources:
            at.forget(source)

    def _take_out(self, at: State, step: Step, told: Step) -> None:
        cluster, wanted = step["cluster"], step["new_group"]
        if cluster not in at.ids:
            raise RefusedError("no such cluster")
        home = self.group_of(at, cluster)
        if at.locked[home] or len(self.clusters_of(at, home)) == 1:
            raise RefusedError("locked or alone")
        if wanted is not None and wanted <= self.highest:
            raise RefusedError("id given away")
        new = told["new_group"]
        assert new > self.highest, f"group id {new} is used again"
        assert wanted in (None, new), "another id than the one asked for"
        # A bare number: no atom has it, and it is renamed when the step is done.
        inside = at.clusters == cluster
        at.owner[inside] = new
        at.atom[inside] = 1000
        name, color = self._look(at, [cluster], at.order)
        at.add(new, name, color)
        at.order.insert(at.order.index(home) + 1, new)

    def _take_apart(self, at: State, step: Step, told: Step) -> None:
        chosen, wanted = step["clusters"], step["new_groups"]
        if not chosen or not set(chosen) <= set(at.ids):
            raise RefusedError("no such clusters")
        homes = {c: self.group_of(at, c) for c in chosen}
        if any(at.locked[home] for home in homes.values()):
            raise RefusedError("locked")
        leaving = []
        for c in sorted(chosen):
            members = self.clusters_of(at, homes[c])
            if c != min(members) or not set(members) <= set(chosen):
                leaving.append(c)
        if not leaving:
            raise RefusedError("alone")
        if wanted is not None and (
            len(wanted) != len(leaving)
            or len(set(wanted)) < len(wanted)
            or min(wanted) <= self.highest
        ):
            raise RefusedError("no such ids")
        assert told["clusters"] == leaving
        new = dict(zip(leaving, told["new_groups"], strict=True))
        assert min(new.values()) > self.highest, "a group id is used again"
        assert wanted in (None, told["new_groups"])
        for home in list(at.order):
            below = home
            for c in (c for c in leaving if homes[c] == home):
                inside = at.clusters == c
                at.owner[inside], at.atom[inside] = new[c], 1000 + c
                at.add(new[c], *self._look(at, [c], at.order))
                at.order.insert(at.order.index(below) + 1, new[c])
                below = new[c]

    def _move(self, at: State, step: Step, told: Step) -> None:
        chosen, target = step["clusters"], step["target"]
        if not chosen or target not in at.order or not set(chosen) <= set(at.ids):
            raise RefusedError("no such move")
        homes = {self.group_of(at, c) for c in chosen}
        if homes == {target}:
            raise RefusedError("there already")
        if any(at.locked[id] for id in homes | {target}):
            raise RefusedError("locked")
        at.owner[np.isin(at.clusters, chosen)] = target
        at.atom[at.owner == target] = 1000
        for home in homes - set(np.unique(at.owner).tolist()):
            at.forget(home)

    def _split(self, at: State, step: Step, told: Step) -> None:
        cluster, parts = step["cluster"], step["parts"]
        if cluster not in at.ids or set(parts) & set(at.ids):
            raise RefusedError("no such cluster, or no such part")
        home = self.group_of(at, cluster)
        if at.locked[home]:
            raise RefusedError("locked")
        wanted, new = step["new_groups"], told["new_groups"]
        alone = self.clusters_of(at, home) == [cluster]
        assert len(new) == alone * len(parts)
        assert wanted in (None, new), "other ids than those asked for"
        assert not new or min(new) > self.highest, "a group id is used again"
        tied = len(np.unique(at.clusters[at.atom == self._atom(at, cluster)])) > 1
        inside = np.flatnonzero(at.clusters == cluster)
        if "centers" in step:
            dots = self._embedding[inside] @ np.array(step["centers"]).T
            which = np.array([cluster, *parts])[dots.argmax(axis=1)]
            real = inside < len(at.clusters) - self._spare
            at.clusters[inside[real]] = which[real]
        else:
            pieces = self._pieces_of(at, cluster)
            first = int(step["pieces"]["keeps_largest"])
            for part, piece in zip(parts, pieces[first:], strict=False):
                at.clusters[piece] = part
        spare = len(at.clusters) - self._spare
        for part in parts:
            at.clusters[spare + part] = part
            at.owner[spare + part] = home
            at.atom[spare + part] = self._atom(at, cluster)
        if not tied:
            for part in parts:
                at.atom[at.clusters == part] = 1000 + part
        below = home
        for part, id in zip(parts, new, strict=bool(new)):
            at.owner[at.clusters == part] = id
            at.add(id, *self._look(at, [part], at.order))
            at.order.insert(at.order.index(below) + 1, id)
            below = id

    def _atom(self, at: State, cluster: int) -> int:
        return int(at.atom[at.clusters == cluster][-1])  # the spare pixel's

    def _pieces_of(self, at: State, cluster: int) -> list[list[int]]:
        """Connected pieces on the first map, pixel by pixel, the largest first."""
        H, W = self._shape
        left = {p for p in range(H * W) if at.clusters[p] == cluster}
        pieces = []
        for p in range(H * W):
            if p not in left:
                continue
            left.remove(p)
            piece, waiting = [], [p]
            while waiting:
                here = waiting.pop()
                piece.append(here)
                row, col = divmod(here, W)
                for r in range(max(0, row - 1), min(H, row + 2)):
                    for c in range(max(0, col - 1), min(W, col + 2)):
                        if (there := r * W + c) in left:
                            left.remove(there)
                            waiting.append(there)
            pieces.append(piece)
        return sorted(pieces, key=len, reverse=True)

    def _rename(self, at: State, step: Step, told: Step) -> None:
        at.names[self._there(at, step)] = str(step["name"])

    def _recolor(self, at: State, step: Step, told: Step) -> None:
        at.colors[self._there(at, step)] = str(step["color"])

    def _set_role(self, at: State, step: Step, told: Step) -> None:
        id = self._there(at, step)
        at.roles[id] = step["role"]
        at.colors[id] = str(step.get("color", at.colors[id]))

    def _set_lock(self, at: State, step: Step, told: Step) -> None:
        at.locked[self._there(at, step)] = bool(step["locked"])

    def _there(self, at: State, step: Step) -> int:
        if step["group"] not in at.order:
            raise RefusedError("no such group")
        return step["group"]

    def _cut(self, at: State, step: Step, told: Step) -> None:
        parts = {p["group"]: sorted(chain(*p["atoms"])) for p in step["parts"]}
        free = [id for id in at.order if not at.locked[id]]
        held = sorted(atom for id in free for atom in self.atoms_of(at, id))
        if (
            step["granularity"] < 1
            or len(parts) < len(step["parts"])
            or held != sorted(atom for p in step["parts"] for atom in p["atoms"])
            or any(id not in free and id <= self.highest for id in parts)
        ):
            raise RefusedError("no such cut")
        rows = {id: [] if id in free and id not in parts else [id] for id in at.order}
        looks = [id for id in at.order if rows[id]]
        before = at.owner.copy()
        for id, held in sorted(parts.items(), key=lambda part: part[1][0]):
            at.owner[np.isin(at.clusters, held)] = id
            if id not in free:
                at.add(id, *self._look(at, held, looks))
                looks.append(id)
                # Right below the row that its lowest cluster was in.
                rows[int(before[at.clusters == held[0]][0])].append(id)
        for id in set(free) - set(parts):
            at.forget(id)
        at.order = [id for row in rows.values() for id in row]

    def _adopt(self, at: State, step: Step, told: Step) -> None:
        given = step["groups"]
        ids = [group["id"] for group in given]
        if sorted(c for g in given for c in g["clusters"]) != at.ids:
            raise RefusedError("other clusters")
        if len(set(ids)) < len(ids):
            raise RefusedError("an id comes twice")
        renewed = [group["id"] for group in told["groups"]]
        for asked, got in zip(ids, renewed, strict=True):
            if asked in at.order or asked > self.highest:
                assert got == asked, f"group {asked} need not become {got}"
            else:
                assert got > self.highest, f"group id {got} is used again"
        assert len(set(renewed)) == len(renewed)
        at.order = renewed
        at.names, at.colors, at.roles, at.locked = {}, {}, {}, {}
        for id, group in zip(renewed, given, strict=True):
            at.owner[np.isin(at.clusters, group["clusters"])] = id
            at.add(id, group["name"], group["color"])
            at.roles[id], at.locked[id] = group["role"], group["locked"]
            for atom in group["atoms"]:
                at.atom[np.isin(at.clusters, atom)] = min(atom)

    def _look(
        self, at: State, held: Sequence[int], others: Sequence[int]
    ) -> tuple[str, str]:
        """Name and colour of a new group: such as no other group has."""
        names = {at.names[id] for id in others}
        colors = {at.colors[id] for id in others}
        own = [ALL_COLORS[c - 1] for c in held]
        free = (color for color in own + ALL_COLORS if color not in colors)
        return next(n for n in _names(held[0]) if n not in names), next(free, own[0])


def _names(cluster: int) -> Iterator[str]:
    yield f"Group {cluster}"
    yield from (f"Group {cluster} ({i})" for i in count(2))
