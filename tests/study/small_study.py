"""A study small enough to be made in milliseconds, on real files; no torch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import scipy.io

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.frontend import FrontEnd
from napari_dgc.clustering.model import Model
from napari_dgc.cubes.readers import read_cube
from napari_dgc.merging.carrying import count_overlap
from napari_dgc.merging.grouping import ROLES, MergeError
from napari_dgc.merging.splits import Centers, Split, free_ids
from napari_dgc.merging.statistics import StatisticsBuilder
from napari_dgc.study import Study
from napari_dgc.study.dividing import DividedMap
from napari_dgc.study.mapping import Finished, MappedCube
from napari_dgc.study.splitting import Divided, Whole
from napari_dgc.study.taking import take_over

K, C, H, W, D = 8, 6, 9, 7, 3


def small_model(seed: int = 0, k: int = K) -> Model:
    rng = np.random.default_rng(seed)
    ones = np.ones(C, np.float32)
    front_end = FrontEnd(
        mean=ones,
        band_std=ones,
        band_noise=ones,
        projection=rng.random((D, C), np.float32),
        noise_std=np.ones(D, np.float32),
        noise_method="regression",
    )
    centroids = rng.normal(size=(k, D + 1)).astype(np.float32)
    return Model(
        front_end=front_end,
        encoder={},
        centroids=centroids / np.linalg.norm(centroids, axis=1, keepdims=True),
        offset=1.0,
        mean_spectra=rng.random((k, C), np.float32),
        counts=rng.integers(1, 99, k),
        wavelengths=None,
        good_bands=np.ones(C, bool),
        config=Config(k=k, steps=0),
    )


def write_cubes(folder: Path, seed: int = 0) -> list[Path]:
    """One .mat with a key of its own, one .npy in another order of axes.

    Those that are there stay: a .mat holds the time it was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    mat, npy = folder / "leaf 1.mat", folder / "叶 2.npy"
    if mat.exists():
        return [mat, npy]
    scipy.io.savemat(mat, {"cube": np.ones((C, 2, 2)), "leaf": rng.random((C, H, W))})
    np.save(npy, rng.random((H, W, C)))
    return [mat, npy]


def make_study(folder: Path, *, mapped: bool = True, seed: int = 0) -> Study:
    """Two cubes, a model, and maps with statistics and confidence."""
    mat, npy = write_cubes(folder, seed)
    study = Study()
    study.add_cubes(
        [read_cube(mat, "leaf", axes="byx"), read_cube(npy, axes="yxb")],
    )
    study.accept_model(small_model(seed))
    if mapped:
        map_all(study, seed)
    return study


def map_all(study: Study, seed: int = 0) -> None:
    rng = np.random.default_rng(seed + 1)
    for index, cube in enumerate(study.cubes):
        clusters = rng.integers(0, K + 1, (H, W)).astype(np.uint8)
        confidence = rng.random((H, W), np.float32)
        builder = StatisticsBuilder(K, C)
        builder.add(clusters, confidence, np.asarray(cube.data))
        study.set_map(index, clusters, builder.finish(clusters), confidence)


def act(study: Study, rng: np.random.Generator) -> None:
    """One action a user could take; some are refused."""
    grouping = study.grouping
    if grouping is None:
        raise RuntimeError("a study with a model has a grouping")
    group = int(rng.choice(grouping.ids))
    other = int(rng.choice(grouping.ids))
    n = int(rng.integers(1, K + 1))
    kind = int(rng.integers(0, 10))
    with suppress(MergeError):
        if kind <= 1:
            study.merge([group], other)
        elif kind == 2:
            study.take_out(n)
        elif kind == 3:
            study.rename(group, f"Läsion {rng.integers(0, 99)} “x”")
        elif kind == 4:
            study.set_role(group, ROLES[int(rng.integers(0, 4))])
        elif kind == 5:
            study.set_lock(group, bool(rng.integers(0, 4) == 0))
        elif kind == 6:
            study.cut(n)
            study.cut(max(1, n - 1), amend=True)
        elif kind == 7:
            study.recolor(group, (n, 2 * n, int(rng.integers(0, 256))))
        elif kind == 8:
            study.undo()
        else:
            study.redo()


def take(study: Study, seed: int) -> None:
    """Take a model whose maps are the old ones, with ids moved round and noise."""
    rng, model = np.random.default_rng(seed), small_model(seed)
    overlap, maps = np.zeros((256, 256), np.int64), []
    for index, cube in enumerate(study.cubes):
        old = study.cluster_map(index)
        new = np.where(old > 0, (np.minimum(old, K) + seed) % K + 1, 0).astype("u1")
        noise = rng.random(new.shape) < 0.1
        new[noise] = rng.integers(1, K + 1, int(noise.sum()))
        overlap += count_overlap(old, new)
        sure = rng.random(new.shape, np.float32)
        builder = StatisticsBuilder(K, model.bands)
        builder.add(new, sure, np.asarray(cube.data))
        maps.append(MappedCube(index, new, sure, builder.finish(new)))
    take_over(study, Finished(model, tuple(maps), overlap), text=f"use model {seed}")


def divide(study: Study, rng: np.random.Generator) -> None:
    """Split a cluster, its pixels dealt at random; refused where it is locked."""
    cluster = int(rng.choice(study.grouping.clusters))
    whole = Whole.of(study, cluster)
    parts = free_ids(whole.used, int(rng.integers(1, 3)))
    ids = np.array([cluster, *parts], np.uint8)
    maps, pixels = {}, np.zeros(len(ids), np.int64)
    for index, one in whole.maps.items():
        mask, new = one.clusters == cluster, one.clusters.copy()
        new[mask] = rng.choice(ids, int(mask.sum()))
        if mask.any():
            sure = one.confidence / np.float32(255)
            builder = StatisticsBuilder(max(*whole.used, *parts), C)
            builder.add(new, sure, np.asarray(one.cube.data))
            maps[index] = DividedMap(one.clusters, new, builder.finish(new))
            pixels += np.bincount(new.ravel(), minlength=256)[ids]
    rows = tuple(map(tuple, rng.random((len(ids), D + 1))))
    split = Split(cluster, parts, tuple(pixels.tolist()), Centers(rows))
    study.take_split(Divided(split, maps))


def state(study: Study) -> object:
    """All of a study that its file keeps, to compare."""
    history = study.history
    steps = None
    if history is not None:
        steps = (
            history.steps,
            history.index,
            history.current.groups,
            history.current.next_id,
            history.undo_text,
            history.redo_text,
        )
    maps = []
    for i, cube in enumerate(study.cubes):
        clusters, confidence = study.cluster_map(i), study.confidence(i)
        sums = study.statistics(i)
        fields = ("count", "sum", "sum_squares", "confidence", "boundary")
        maps.append(
            (
                (cube.name, cube.shape, cube.key, cube.axes),
                None if clusters is None else clusters.tolist(),
                None if confidence is None else confidence.tolist(),
                sums and [getattr(sums, name).tolist() for name in fields],
            )
        )
    model = None if study.model is None else study.model.fingerprint
    return model, steps, maps, study.view
