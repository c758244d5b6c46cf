"""A grouping as a file, for the one model it was made with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_dgc.cubes.checks import read_regular
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole
from napari_dgc.merging.fields import Fields
from napari_dgc.merging.group_json import group_from_json, group_to_json
from napari_dgc.merging.grouping import Group, Grouping
from napari_dgc.merging.splits import Split

FORMAT = "napari-dgc recipe"
VERSION = 2  # 2: splits
_WITHOUT_SPLITS = 1  # what older programs read too


@dataclass(frozen=True, slots=True)
class Recipe:
    """Merges, names, colours, roles and locks, tied to a model.

    Parameters
    ----------
    model : str
        The model's fingerprint.
    centroids : tuple of (int, str)
        Cluster id and centroid fingerprint, by ascending id.
    groups : tuple of Group
        In table order.
    next_id : int
        The lowest group id never given away.
    splits : tuple of Split
        By which the model's map is refined first, in this order.
    source : str
        The file it was read from, for errors; no part of its content.
    """

    model: str
    centroids: tuple[tuple[int, str], ...]
    groups: tuple[Group, ...]
    next_id: int
    splits: tuple[Split, ...] = ()
    source: str = field(default="recipe", compare=False)

    @classmethod
    def of(
        cls,
        grouping: Grouping,
        model_fingerprint: str,
        centroid_fingerprints: Mapping[int, str],
        splits: Iterable[Split] = (),
    ) -> Recipe:
        """Take down a grouping.

        Parameters
        ----------
        grouping : Grouping
        model_fingerprint : str
        centroid_fingerprints : mapping of int to str
            By cluster id.
        splits : iterable of Split
            `History.splits`.
        """
        return cls(
            model_fingerprint,
            tuple(sorted(centroid_fingerprints.items())),
            grouping.groups,
            grouping.next_id,
            # The groups say where the parts are now.
            tuple(replace(split, new_groups=()) for split in splits),
        )

    def grouping(
        self,
        model_fingerprint: str,
        centroid_fingerprints: Mapping[int, str] | None = None,
    ) -> Grouping:
        """Give the grouping back, for the model it was made with.

        Parameters
        ----------
        model_fingerprint : str
            Of the model at hand.
        centroid_fingerprints : mapping of int to str, optional
            Of the model at hand, by cluster id; compared too where given.

        Raises
        ------
        InputError
            If the recipe was made with another model.
        """
        centroids = self.centroids
        if centroid_fingerprints is not None:
            centroids = tuple(sorted(centroid_fingerprints.items()))
        if model_fingerprint != self.model or centroids != self.centroids:
            raise InputError(
                self.source,
                f"was made with the model {self.model}, not with {model_fingerprint}",
                "load that model, or merge anew and save a recipe for this one",
            )
        return Grouping(self.groups, self.next_id)

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        splits = [split.to_json() for split in self.splits]
        return {
            "format": FORMAT,
            "version": VERSION if splits else _WITHOUT_SPLITS,
            "model": self.model,
            "centroids": {str(id): print_ for id, print_ in self.centroids},
            "groups": [group_to_json(group) for group in self.groups],
            "next_id": self.next_id,
            **({"splits": splits} if splits else {}),
        }

    @classmethod
    def from_json(cls, data: object, source: str | Path = "recipe") -> Recipe:
        """Read what `to_json` gave.

        Raises
        ------
        InputError
            If it is no recipe of a version known here; names `source`.
        """
        remedy = "save the recipe again, or take an intact copy"
        try:
            fields = Fields(data, "the recipe")
            if fields.text("format") != FORMAT:
                raise ValueError(f"it says {fields.text('format')!r}")
        except ValueError as error:
            raise InputError(
                source, f"is no recipe of napari-dgc: {error}", "choose a recipe file"
            ) from error
        try:
            fields.require_version(VERSION, source)
            prints = Fields(fields.value("centroids"), "the table of centroids")
            recipe = cls(
                model=fields.text("model"),
                centroids=tuple(
                    (id, prints.text(str(id))) for id in prints.cluster_ids()
                ),
                groups=tuple(group_from_json(item) for item in fields.items("groups")),
                next_id=fields.integer("next_id"),
                splits=tuple(map(Split.from_json, fields.optional_items("splits"))),
                source=str(source),
            )
            grouping = Grouping(recipe.groups, recipe.next_id)  # finds contradictions
            known = {id for id, _ in recipe.centroids}
            for split in recipe.splits:
                if split.cluster not in known or known.intersection(split.parts):
                    raise ValueError(f"cluster {split.cluster} cannot be split so")
                known.update(split.parts)
            if not set(grouping.clusters) <= known:
                raise ValueError("a group holds a cluster that has no centroid")
            if len(grouping.clusters) < len(known):
                raise ValueError("a cluster is in no group")
        except InputError:
            raise
        except ValueError as error:
            raise InputError(source, f"is damaged: {error}", remedy) from error
        return recipe

    def write(self, path: str | Path, *, force: bool = False) -> None:
        """Write the recipe as JSON: whole or not at all, equal content equal bytes.

        Raises
        ------
        InputError
            If the file exists and `force` is False, or cannot be written.
        """
        text = json.dumps(self.to_json(), sort_keys=True, indent=2, ensure_ascii=False)
        content = f"{text}\n".encode()
        write_whole(Path(path), lambda file: file.write(content), force=force)

    @classmethod
    def read(cls, path: str | Path) -> Recipe:
        """Read a recipe.

        Raises
        ------
        InputError
            If the file cannot be read, is no recipe or is damaged.
        """
        try:
            data = json.loads(read_regular(path))
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(
                path, f"cannot be read ({reason})", "check the path"
            ) from error
        except (ValueError, RecursionError) as error:
            raise InputError(
                path,
                f"is damaged or no JSON: {error}",
                "save the recipe again, or take an intact copy",
            ) from error
        return cls.from_json(data, path)
