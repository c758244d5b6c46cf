"""Another model in the place of the one in use, with the groups kept.

`map_anew` may run in a worker; `take_over` is for the thread that owns the study.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.carrying import Carried, carry, count_overlap
from napari_dgc.study.mapping import Finished, MappedCube, Progress, map_cubes
from napari_dgc.study.study import Study

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model


def map_anew(
    model: Model,
    cubes: Sequence[Cube],
    former: Sequence[NDArray[np.uint8] | None],
    *,
    described: bool = False,
    device: str = "auto",
) -> Iterator[Progress | Finished]:
    """Map every cube with a model, and count what its clusters share with the old.

    Parameters
    ----------
    model : Model
    cubes : sequence of Cube
    former : sequence of ndarray of uint8, shape (H, W), or None
        Each cube's present cluster map, if it has one.
    described : bool
        Whether the model's mean spectra are its own clusters' (see `Frame`); else
        they are taken from the maps.
    device : str

    Yields
    ------
    Progress
        Over all cubes together.
    Finished
        Last, with the overlap.
    """
    for piece in map_cubes(model, cubes, device=device):
        if isinstance(piece, Progress):
            yield piece
            continue
        overlap = np.zeros((256, 256), np.int64)
        for done in piece.maps:
            old = former[done.index]
            if old is not None:
                overlap += count_overlap(old, done.clusters)
        model = model if described else describe_by(model, piece.maps)
        yield replace(piece, model=model, overlap=overlap)


def describe_by(model: Model, maps: Sequence[MappedCube]) -> Model:
    """Give a model the mean spectra and counts of its own maps.

    A cluster that holds no pixel keeps its spectrum.
    """
    if not maps:
        return model
    pooled = reduce(add, (done.statistics for done in maps))
    counts = pooled.count[model.cluster_ids]
    means = pooled.mean()[model.cluster_ids]
    spectra = np.where(counts[:, None] > 0, means, model.mean_spectra)
    return replace(model, mean_spectra=spectra.astype(np.float32), counts=counts)


def take_over(
    study: Study,
    finished: Finished,
    places: Sequence[int] | None = None,
    text: str = "use other clusters",
) -> Carried | None:
    """Take a model and its maps into use; the groups go on with its clusters.

    One step: undo brings the model before, its maps, groups and steps back exactly.

    Parameters
    ----------
    study : Study
    finished : Finished
        What `map_anew` gave last.
    places : sequence of int, optional
        Where the cubes that were mapped are in the study, -1 for those that are no
        longer there; by default in the same order.
    text : str
        What is done, for undo.

    Returns
    -------
    Carried or None
        What was matched and what could not be; None where there were no groups.
    """
    grouping, hidden = study.grouping, study.view.hidden
    carried = None
    if grouping is not None and finished.overlap is not None:
        ids = finished.model.cluster_ids.tolist()
        carried = carry(grouping, finished.overlap, ids)
    groups = () if carried is None else carried.groups
    maps = {
        done.index if places is None else places[done.index]: done
        for done in finished.maps
    }
    maps.pop(-1, None)
    after = study.replace_model(finished.model, text, groups, maps)
    if carried is not None:
        # A group whose id is taken in the new history has got another one.
        now = zip(carried.groups[: carried.kept], after.groups, strict=False)
        kept = frozenset(new.id for old, new in now if old.id in hidden)
        study.set_view(replace(study.view, hidden=kept))
    return carried
