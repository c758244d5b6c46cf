"""Groups on the screen beside labels: scores and differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.annotations import Labels
from napari_dgc.cubes.errors import InputError
from napari_dgc.study.evaluating.evaluation import (
    Alignment,
    LabelledMap,
    evaluate,
    pool_classes,
    renumber,
)
from napari_dgc.study.evaluating.labels import load_labels

NOT_SCORED, RIGHT, MISSED, FALSE, ELSEWHERE, WRONG = range(6)
"""Values of `Comparison.differences`."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The labels of one cube.

    Attributes
    ----------
    index : int
        The cube's place when they were asked for.
    path : pathlib.Path
    labels : Labels
    """

    index: int
    path: Path
    labels: Labels


def read_truths(
    wanted: Mapping[int, Path],
    stems: Sequence[str],
    shapes: Sequence[tuple[int, int]],
) -> Iterator[Truth | InputError]:
    """Read the labels of cubes; a file at fault keeps none of the others away.

    Parameters
    ----------
    wanted : mapping of int to pathlib.Path
        As `match_labels` gives them.
    stems : sequence of str
    shapes : sequence of (int, int)
        (H, W) of each cube.
    """
    for index, path in wanted.items():
        try:
            labels = load_labels(path, stems[index], shapes[index])
        except InputError as error:
            yield error
        else:
            yield Truth(index, path, labels)


@dataclass(frozen=True, slots=True, eq=False)
class GroupMap:
    """A cube's map as a study holds it, with its labels.

    Attributes
    ----------
    stem : str
    clusters : ndarray of uint8, shape (H, W)
    lut : ndarray of uint8, shape (256,)
        Cluster id → label value of its group.
    labels : Labels
    """

    stem: str
    clusters: NDArray[np.uint8]
    lut: NDArray[np.uint8]
    labels: Labels

    def labelled(self) -> LabelledMap:
        """Give what `evaluate` takes: the map that would be exported."""
        ids = np.take(self.lut, self.clusters)
        own = self.labels
        return LabelledMap(self.stem, ids, own.data, own.classes, own.named)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Scores, and what is needed to draw the differences.

    Attributes
    ----------
    scores : dict
        As `napari_dgc.study.evaluating.evaluation.evaluate` gives it.
    names : tuple of str
        Classes by number, those that are nowhere among them.
    ignored : int or None
        The class that was left out.
    """

    scores: dict[str, Any]
    names: tuple[str, ...]
    ignored: int | None

    @property
    def members(self) -> dict[str, tuple[int, ...]]:
        """Label values of the groups of each class that is scored."""
        mapping = self.scores["mapping"]
        numbers = {name: str(t) for t, name in enumerate(self.names)}
        return {
            name: tuple(mapping.get(numbers[name], ()))
            for name in self.scores["classes"]
        }

    def differences(self, one: GroupMap, name: str | None) -> NDArray[np.uint8]:
        """Say of each pixel whether its group is of its class.

        Parameters
        ----------
        one : GroupMap
            One of those compared.
        name : str, optional
            A class: its pixels are RIGHT, MISSED (its own in another class's group)
            or FALSE (another's in its group), all others ELSEWHERE. Without it
            pixels are RIGHT or WRONG.

        Returns
        -------
        ndarray of uint8, shape (H, W)
            NOT_SCORED where there is no data, or no label that counts.
        """
        item = one.labelled()
        truth = renumber(item.labels, item, self.names)
        lut = np.full(256, len(self.names), np.int32)
        for t, ids in self.scores["mapping"].items():
            lut[list(ids)] = int(t)
        predicted = np.take(lut, item.ids)
        if name is None:
            found = np.where(predicted == truth, np.uint8(RIGHT), np.uint8(WRONG))
        else:
            t = self.names.index(name)
            # By two bits: whether the class is found here, whether it is here.
            table = np.array([ELSEWHERE, MISSED, FALSE, RIGHT], np.uint8)
            bits = 2 * (predicted == t).astype(np.uint8) + (truth == t)
            found = np.take(table, bits)
        found[item.ids == 0] = NOT_SCORED
        if self.ignored is not None:
            found[truth == self.ignored] = NOT_SCORED
        return found


def compare(
    maps: Sequence[GroupMap],
    alignment: Alignment | Mapping[str, Sequence[int]],
    ignored: str | None = None,
) -> Iterator[Comparison]:
    """Score maps against labels; the body of a worker, which yields one value.

    Parameters
    ----------
    maps : sequence of GroupMap
    alignment : {"hungarian", "majority"} or mapping of class name to label values
        As for `evaluate`; classes that no label file names are passed over.
    ignored : str, optional
        The class that is left out of all scores; passed over where it is nowhere.

    Raises
    ------
    InputError
        As `evaluate`.
    """
    items = [one.labelled() for one in maps]
    names = pool_classes(items)
    number = names.index(ignored) if ignored in names else None
    if not isinstance(alignment, str):
        alignment = {name: ids for name, ids in alignment.items() if name in names}
    scores = evaluate(items, alignment, ignore_label=number)
    yield Comparison(scores, names, number)
