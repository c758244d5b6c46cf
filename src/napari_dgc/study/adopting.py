"""A recipe taken into a study: its splits refine the maps, then its groups follow.

As with a split, `Wanted` is taken on the thread that owns the study, `refine_maps` may
run in a worker, and what comes of it is taken there again by `Study.take_recipe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.grouping import Group, Grouping, MergeError
from napari_dgc.merging.operations import apply
from napari_dgc.merging.recipe import Recipe
from napari_dgc.merging.splits import Split
from napari_dgc.merging.steps import Adopt, Operation
from napari_dgc.study.dividing import CubeMap, DividedMap, mapped_cubes, refine
from napari_dgc.study.mapping import Progress

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.study.study import Study


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What a recipe asks of a study as it is.

    Attributes
    ----------
    model : Model
    before : Grouping
        The study's.
    splits : tuple of Split
        Those of the recipe that the study has not; to be taken in this order.
    groups : tuple of Group
        Its groups; a part of a cluster that the study alone has split goes with it.
    next_id : int
    maps : mapping of int to CubeMap
        Every mapped cube, by its place in the study.
    """

    model: Model
    before: Grouping
    splits: tuple[Split, ...]
    groups: tuple[Group, ...]
    next_id: int
    maps: Mapping[int, CubeMap]

    @classmethod
    def of(cls, study: Study, recipe: Recipe) -> Wanted:
        """Compare a recipe with a study; no pixel is touched.

        Raises
        ------
        InputError
            If the recipe was made with another model, if it and the study split one
            cluster in different ways, or if a locked group stands in the way.
        """
        model, before = study.model, study.grouping
        if model is None or before is None:
            raise InputError(
                "study", "there is no model yet", "train or load a model first"
            )
        grouping = recipe.grouping(model.fingerprint, model.centroid_fingerprints)
        here = [replace(one, new_groups=()) for one in study.splits]
        alike = 0
        for one, other in zip(recipe.splits, here, strict=False):
            if one != other:
                break
            alike += 1
        rest, own = recipe.splits[alike:], here[alike:]
        if rest and own:
            raise InputError(
                recipe.source,
                f"splits cluster {rest[0].cluster}, and cluster {own[0].cluster} is "
                "split here and not there",
                "undo the splits here first, or apply it to a study without them",
            )
        groups = tuple(_with_parts(group, own) for group in grouping.groups)
        after = before
        steps: tuple[Operation, ...] = (*rest, Adopt(groups))
        try:
            for step in steps:
                after = apply(after, step).after
        except MergeError as error:
            fault = f"cannot be applied: {error}"
            raise InputError(recipe.source, fault, "then apply it again") from error
        maps = mapped_cubes(study)
        return cls(model, before, tuple(rest), groups, grouping.next_id, maps)


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """A recipe whose splits were worked out.

    Attributes
    ----------
    wanted : Wanted
    maps : mapping of int to DividedMap
        Of every mapped cube, by its place; none where there was nothing to split.
    """

    wanted: Wanted
    maps: Mapping[int, DividedMap]


def refine_maps(
    wanted: Wanted, *, device: str = "auto"
) -> Iterator[Progress | Refined]:
    """Refine every map by the splits of a recipe.

    Yields
    ------
    Progress
        Over all maps together.
    Refined
        Last.

    Raises
    ------
    InputError
        If a cube that holds pixels of a split cluster cannot be read.
    """
    maps: dict[int, DividedMap] = {}
    count = len(wanted.maps)
    for at, (index, one) in enumerate(wanted.maps.items() if wanted.splits else ()):
        for piece in refine(wanted.model, one, wanted.splits, device=device):
            if isinstance(piece, CubeMap):
                maps[index] = DividedMap(one.clusters, piece.clusters, piece.statistics)
            else:
                yield Progress(piece.text, (at + piece.done) / count)
    yield Refined(wanted, maps)


def _with_parts(group: Group, splits: Iterable[Split]) -> Group:
    """A group with the parts of its clusters, tied to them."""
    atoms = group.atoms
    for split in splits:
        atoms = tuple(
            (*atom, *split.parts) if split.cluster in atom else atom for atom in atoms
        )
    return group if atoms == group.atoms else replace(group, atoms=atoms)
