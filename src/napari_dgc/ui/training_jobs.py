"""What a worker is given to do: train, map, take a frame of the film."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.merging.splits import Split
from napari_dgc.study import Study
from napari_dgc.study.film import Frame
from napari_dgc.study.mapping import Finished, Progress, map_cubes, train_and_map
from napari_dgc.study.previews import Preview
from napari_dgc.study.taking import map_anew
from napari_dgc.ui.worker import Job

if TYPE_CHECKING:
    from napari_dgc.clustering.config import Config
    from napari_dgc.clustering.model import Model


def training_job(
    cubes: Sequence[Cube], config: Config, shown: Callable[[], int]
) -> Job:
    """Train over cubes, then map them; see `train_and_map`."""
    job = partial(train_and_map, cubes, config, shown=shown)
    name = "training clusters" if config.steps else "making the first map"
    return Job(name, partial(with_threads, job), _must_arrive)


def mapping_job(
    model: Model, cubes: Sequence[Cube], device: str, splits: tuple[Split, ...]
) -> Job:
    """Map cubes with a model, and with clusters split since."""
    job = partial(map_cubes, model, cubes, device=device, splits=splits)
    return Job("mapping cubes", partial(with_threads, job), _must_arrive)


def taking_job(
    frame: Frame,
    cubes: Sequence[Cube],
    former: Sequence[NDArray[np.uint8] | None],
    device: str,
) -> Job:
    """Map cubes with a frame's model, to take it into use; see `map_anew`."""
    job = partial(
        map_anew, frame.model, cubes, former, described=frame.described, device=device
    )
    return Job("mapping cubes", partial(with_threads, job), _must_arrive)


def fits(model: Model, cube: Cube) -> bool:
    """Whether a cube has the bands of a model."""
    try:
        model.require_bands(cube)
    except InputError:
        return False
    return True


def unmapped(study: Study) -> tuple[int, ...]:
    """Indices of cubes that the model in use can map and has not yet."""
    model = study.model
    if model is None:
        return ()
    return tuple(
        i
        for i, cube in enumerate(study.cubes)
        if study.cluster_map(i) is None and fits(model, cube)
    )


def word_added(study: Study, cubes: Sequence[Cube]) -> str:
    """Say what is so once cubes are mapped that came to a study with groups."""
    they, are = ("it", "is") if len(cubes) == 1 else ("them", "are")
    names = cubes[0].name if len(cubes) == 1 else f"{len(cubes)} new cubes"
    text = f"{names} {are} mapped; your groups hold for {they} too."
    if any(study.moved(index) for index in range(len(study.cubes))):
        text += " Stability: not measured there yet (More > Measure stability)."
    return text


def keep_maps(
    study: Study, result: Finished, places: Sequence[int], *, same: bool
) -> None:
    """Take over finished maps.

    Parameters
    ----------
    study : Study
    result : Finished
    places : sequence of int
        Index in the study of each cube that was mapped; -1 where it is gone.
    same : bool
        Whether the clusters in use stay: maps that are split stay then, too.
    """
    if same and study.splits_on_record:
        return  # a cube without a map is mapped, and split, by `mapping_job`
    for done in result.maps:
        index = places[done.index]
        if index >= 0:
            study.set_map(
                index,
                done.clusters,
                done.statistics,
                done.confidence,
                splits=done.splits,
            )


def with_threads(job: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Leave one core to the screen, then do the job; in the worker's thread."""
    from napari_dgc.clustering.devices import limit_threads

    limit_threads()
    return job()


def _must_arrive(piece: Any) -> bool:
    """Whether the screen needs this piece, however many others there are."""
    if isinstance(piece, Progress):
        return bool(piece.notice)
    if isinstance(piece, Preview | Finished):
        return True
    scored = piece.score is not None
    return scored or bool(piece.snapshot or piece.model or piece.notice)
