"""Splits: how one cluster becomes several, as data that works on other maps.

A split refines the cluster map: some pixels of a cluster get new ids, the others
keep theirs. So the cluster, its group and its label value stay what they are, and
taking a split back is a look-up: each new id becomes the old one again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, TypeAlias

from napari_dgc.merging.fields import Fields
from napari_dgc.merging.frozen import set_fields
from napari_dgc.merging.grouping import MergeError
from napari_dgc.merging.palette import MAX_CLUSTER


@dataclass(frozen=True, slots=True)
class Centers:
    """Each pixel goes to the nearest of these in the model's embedding.

    Attributes
    ----------
    values : tuple of tuple of float
        Unit vectors (D + 1), float32 as numbers; the first is of the pixels that
        keep their cluster's id.
    """

    values: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        values = tuple(tuple(map(float, row)) for row in self.values)
        if len(values) < 2 or len({len(row) for row in values}) != 1 or not values[0]:
            raise MergeError("a split needs two centroids or more, of one length")
        set_fields(self, values=values)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The largest connected pieces of the cluster in one cube get ids of their own.

    Attributes
    ----------
    cube : str
        Its name, for the user.
    mask : str
        `refining.mask_digest` of the cluster's pixels there: only a map that has
        just these pixels is split.
    keeps_largest : bool
        Whether the largest piece keeps the cluster's id: so where there are no
        small ones that would.
    """

    cube: str
    mask: str
    keeps_largest: bool


Rule: TypeAlias = Centers | Pieces


@dataclass(frozen=True, slots=True)
class Split:
    """One cluster's pixels are divided: some get new ids, the rest keep its id.

    Where the cluster is alone in its group, each new one is a group of its own
    right below, and the group stays; in a larger group they stay members of it,
    tied to what the cluster is tied to by hand.

    Attributes
    ----------
    cluster : int
    parts : tuple of int
        The new cluster ids, none of them in use.
    pixels : tuple of int, length len(parts) + 1
        How many pixels kept the id, and how many each part got, when it was split.
    rule : Centers or Pieces
    new_groups : tuple of int, optional
        Ids of the new groups; None for the next ones free, which the operation of
        the resulting `Change` then states. Empty where the parts stay members.
    """

    cluster: int
    parts: tuple[int, ...]
    pixels: tuple[int, ...]
    rule: Rule
    new_groups: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        new = self.new_groups
        set_fields(
            self,
            cluster=index(self.cluster),
            parts=tuple(map(index, self.parts)),
            pixels=tuple(map(index, self.pixels)),
            new_groups=None if new is None else tuple(map(index, new)),
        )
        ids = (self.cluster, *self.parts)
        if not self.parts or len(set(ids)) < len(ids):
            raise MergeError(f"cluster {self.cluster} cannot be split into {ids}")
        if not all(1 <= id <= MAX_CLUSTER for id in ids):
            raise MergeError(f"cluster ids go from 1 to {MAX_CLUSTER}, not {ids}")
        if len(self.pixels) != len(ids) or min(self.pixels) < 0:
            raise MergeError("a split says how many pixels each part has")
        if isinstance(self.rule, Centers) and len(self.rule.values) != len(ids):
            raise MergeError("a split has one centroid for each part")

    @property
    def ids(self) -> tuple[int, ...]:
        """The cluster, then its parts."""
        return self.cluster, *self.parts

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        new = None if self.new_groups is None else list(self.new_groups)
        data: dict[str, Any] = {
            "step": "split",
            "cluster": self.cluster,
            "parts": list(self.parts),
            "pixels": list(self.pixels),
            "new_groups": new,
        }
        match self.rule:
            case Centers(values):
                data["centers"] = [list(row) for row in values]
            case Pieces(cube, mask, keeps_largest):
                data["pieces"] = {
                    "cube": cube,
                    "mask": mask,
                    "keeps_largest": keeps_largest,
                }
        return data

    @classmethod
    def from_json(cls, data: object) -> Split:
        """Read what `to_json` wrote; ValueError says which field is at fault."""
        fields = Fields(data, "a split")
        rule: Rule
        if fields.has("centers"):
            rule = Centers(tuple(map(_numbers, fields.items("centers"))))
        else:
            pieces = Fields(fields.value("pieces"), "the pieces of a split")
            rule = Pieces(
                pieces.text("cube"), pieces.text("mask"), pieces.flag("keeps_largest")
            )
        return cls(
            fields.integer("cluster"),
            fields.integers("parts"),
            fields.integers("pixels"),
            rule,
            fields.optional_integers("new_groups"),
        )


def free_ids(used: Iterable[int], most: int) -> tuple[int, ...]:
    """Give the lowest cluster ids above those in use, then gaps; `most` at most.

    Raises
    ------
    MergeError
        If there is none left.
    """
    taken = set(used)
    highest = max(taken, default=0)
    order = [*range(highest + 1, MAX_CLUSTER + 1), *range(1, highest + 1)]
    ids = [id for id in order if id not in taken]
    if not ids:
        raise MergeError(
            f"all {MAX_CLUSTER} cluster ids are in use, so nothing can be split; take "
            "a split back first"
        )
    return tuple(ids[:most])


def _numbers(row: object) -> tuple[float, ...]:
    if not isinstance(row, list):
        raise ValueError("a centroid of a split should be a list of numbers")
    if not all(type(value) in (int, float) for value in row):
        raise ValueError("a centroid of a split holds something that is no number")
    return tuple(float(value) for value in row)
