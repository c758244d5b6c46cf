"""Training: one loop, read from top to bottom.

`train` yields and does nothing else: no prints, no files, no screen.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from napari_dgc.clustering.centroids import Rarity, find_rarity, start_centroids
from napari_dgc.clustering.config import Config
from napari_dgc.clustering.devices import find_device
from napari_dgc.clustering.embedding import lift
from napari_dgc.clustering.frontend import (
    FrontEnd,
    Moments,
    fit_front_end,
    gather_moments,
)
from napari_dgc.clustering.learner import Learner
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import build_embedder, take_weights
from napari_dgc.clustering.warmstart import Sample, describe_clusters, draw_sample
from napari_dgc.cubes.agreement import check_same_bands, common_wavelengths
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

_NO_LOSSES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Step:
    """A cheap record of where training is.

    Attributes
    ----------
    stage : {"reading", "clustering", "training", "finished"}
    index, total : int
        Training steps done, and wanted.
    done : float
        The share of this stage that is done, 0..1.
    losses : mapping of str to float
        ``total``, ``consistency``, ``compactness``, ``orthogonality``,
        ``balance`` and ``anchor``; empty outside the stage "training".
    active : int
        Clusters that hold more than 0.1 % of the pixels lately seen.
    notice : str
        Something the user should know; mostly empty.
    snapshot : Model or None
        Every so often: the model as it stands, for a preview.
    model : Model or None
        The trained model, in the last step alone.
    """

    stage: str
    index: int
    total: int
    done: float = 0.0
    losses: Mapping[str, float] = field(default_factory=lambda: _NO_LOSSES)
    active: int = 0
    notice: str = ""
    snapshot: Model | None = None
    model: Model | None = None


def train(cubes: Sequence[Cube], config: Config | None = None) -> Iterator[Step]:
    """Learn one set of clusters for all cubes.

    Parameters
    ----------
    cubes : sequence of Cube
        All with the same bands.
    config : Config, optional
        The defaults serve every data set.

    Yields
    ------
    Step
        The first snapshot is the first map (the warm start), after seconds;
        the last step carries the trained model. Closing the generator stops
        training at once.

    Raises
    ------
    InputError
        If the cubes do not fit together or hold no valid pixel.
    """
    config = config or Config()
    if not cubes:
        raise InputError("train", "no cube was given", "give at least one cube")
    check_same_bands(cubes)
    device = find_device(config.device)
    total = config.steps
    prints = tuple(cube.fingerprint for cube in cubes)
    good = _common_good_bands(cubes)
    cubes = [replace(cube, good_bands=good) for cube in cubes]
    moments = None
    for piece in gather_moments(cubes):
        if isinstance(piece, Moments):
            moments = piece
        else:
            yield Step("reading", 0, total, done=piece)
    if moments is None:
        raise RuntimeError("the pass over the cubes gave no moments")
    front_end = fit_front_end(moments, config.components, good)
    model, rarity = yield from _start(cubes, config, front_end, good, moments, device)
    model = replace(model, cubes=prints)
    active = int((model.counts > 1e-3 * model.counts.sum()).sum())
    notice = ""
    if front_end.noise_method == "differences":
        notice = (
            f"Only {moments.count} valid pixels for {cubes[0].bands} bands: the noise "
            "was estimated from neighbouring pixels; more pixels give better clusters"
        )
    yield Step("training", 0, total, active=active, notice=notice, snapshot=model)
    if total == 0:
        yield Step("finished", 0, 0, 1.0, active=active, model=model)
        return

    learner = Learner(cubes, config, model, rarity, device)
    for index in range(1, total + 1):
        losses = learner.step()
        snapshot, notice = None, ""
        if index % config.snapshot_every == 0 and index < total:
            if learner.dictionary.due:
                model, notice = yield from _review(
                    model, learner, cubes, config, moments.valid_share, index
                )
            snapshot = _with_learned(model, learner, index)
        yield Step(
            "training",
            index,
            total,
            index / total,
            losses,
            learner.active(),
            notice,
            snapshot=snapshot,
        )
    model = _with_learned(model, learner, total)
    for part in draw_sample(learner.teacher, cubes, config, moments.valid_share):
        if isinstance(part, Sample):
            model = _with_description(model, part)
        else:
            yield Step("clustering", total, total, part, active=learner.active())
    yield Step("finished", total, total, 1.0, active=learner.active(), model=model)


def _start(
    cubes: Sequence[Cube],
    config: Config,
    front_end: FrontEnd,
    good: NDArray[np.bool_],
    moments: Moments,
    device: torch.device,
) -> Generator[Step, None, tuple[Model, Rarity]]:
    """Embed a sample with the front-end alone and find the first centroids."""
    embedder = build_embedder(
        front_end, common_wavelengths(cubes), config, offset=1.0, trained=False
    ).to(device)
    sample = None
    for piece in draw_sample(embedder, cubes, config, moments.valid_share):
        if isinstance(piece, Sample):
            sample = piece
        else:
            yield Step("clustering", 0, config.steps, done=piece)
    if sample is None or not len(sample.spectra):
        raise InputError("the cubes", "no valid pixel was sampled", "check their masks")
    if not bool(torch.isfinite(sample.y).all()):
        raise InputError(
            "the cubes",
            "they hold values too large to compute with",
            "state them as data ignore value in the header",
        )
    black = torch.from_numpy(front_end.black).to(device)
    offset = sample.offset(black)
    generator = torch.Generator().manual_seed(config.seed)
    z = lift(sample.y, black, offset)
    rarity = find_rarity(z, generator)
    centroids = start_centroids(z, config.k, rarity, generator)
    model = Model(
        front_end=front_end,
        encoder={},
        centroids=centroids.cpu().numpy(),
        offset=offset,
        mean_spectra=np.zeros((config.k, len(good)), np.float32),
        counts=np.zeros(config.k, np.int64),
        wavelengths=common_wavelengths(cubes),
        good_bands=good,
        config=config,
    )
    return _with_description(model, sample), rarity


def _with_description(model: Model, sample: Sample) -> Model:
    """The model with its clusters' mean spectra and counts over a sample."""
    device = sample.y.device
    centroids = torch.from_numpy(model.centroids).to(device)
    black = torch.from_numpy(model.front_end.black).to(device)
    z = lift(sample.y, black, model.offset)
    own = (z @ centroids.T).argmax(1).cpu().numpy()
    spectra, counts = describe_clusters(sample.spectra, own, model.k)
    return replace(model, mean_spectra=spectra, counts=counts)


def _with_learned(model: Model, learner: Learner, steps: int) -> Model:
    """The model with the teacher's weights and the centroids as they stand."""
    return replace(
        model,
        encoder=take_weights(learner.teacher),
        centroids=learner.centroids.cpu().numpy().copy(),
        cluster_ids=learner.dictionary.ids.numpy().astype(np.uint8),
        retired_ids=learner.dictionary.retired,
        steps_done=steps,
    )


def _review(
    model: Model,
    learner: Learner,
    cubes: Sequence[Cube],
    config: Config,
    valid_share: float,
    index: int,
) -> Generator[Step, None, tuple[Model, str]]:
    """Prune and re-seed the centroids from a sample of all cubes.

    Returns
    -------
    model : Model
        Described anew where its clusters changed.
    notice : str
        What changed, in words.
    """
    total, dictionary = config.steps, learner.dictionary
    pruned: tuple[int, ...] = ()
    new: tuple[int, ...] = ()
    for part in draw_sample(learner.teacher, cubes, config, valid_share):
        if not isinstance(part, Sample):
            yield Step("clustering", index, total, part, active=learner.active())
            continue
        z = learner.teacher.lift(part.y)
        pruned, new = dictionary.prune(z), dictionary.reseed(z)
        if pruned or new:
            model = _with_description(_with_learned(model, learner, index), part)
    said = []
    for ids, what in (
        (pruned, "clusters held no pixel and were taken out"),
        (new, "clusters were put where pixels were poorly explained"),
    ):
        if ids:
            said.append(f"{what}: {', '.join(map(str, ids))}")
    return model, f"Step {index}: {'; '.join(said)}" if said else ""


def _common_good_bands(cubes: Sequence[Cube]) -> NDArray[np.bool_]:
    """Bands that no cube's header rules out, (C,)."""
    good = np.ones(cubes[0].bands, bool)
    for cube in cubes:
        if cube.good_bands is not None:
            good &= cube.good_bands
    if good.sum() < 2:
        raise InputError(
            "the cubes",
            "their bad band lists leave fewer than two bands",
            "check bbl in the headers",
        )
    return good
