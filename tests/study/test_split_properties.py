"""Random steps with splits among them: copies of the maps, made the slow way, agree."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from small_study import C, make_study

from napari_dgc.merging import (
    Centers,
    MergeError,
    Pieces,
    Split,
    StatisticsBuilder,
)
from napari_dgc.merging.splits import free_ids
from napari_dgc.study import Study
from napari_dgc.study.dividing import DividedMap
from napari_dgc.study.splitting import Divided, Whole
from napari_dgc.study.storing.loading import load_study
from napari_dgc.study.storing.study_file import save_study

STEPS = 60


def sums_of(study: Study, index: int, clusters: np.ndarray):
    """Sums over a map, from the cube's pixels; confidence aside."""
    rows = max(int(clusters.max()), *study.grouping.clusters)
    builder = StatisticsBuilder(rows, C)
    cube = np.asarray(study.cubes[index].data)
    builder.add(clusters, np.zeros(clusters.shape), cube)
    return builder.finish(clusters)


class Run:
    """A study, and beside it whole copies of the maps at every step."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = np.random.default_rng(seed)
        self.folder = folder
        self.study = make_study(folder / "cubes", seed=seed)
        self.cubes = self.study.cubes
        self.maps = [[self.study.cluster_map(i).copy() for i in range(2)]]
        self.at = 0
        self.splits = 0  # taken, undone later or not

    def one_of(self, items):
        return items[int(self.rng.integers(len(items)))]

    def step(self) -> None:
        kind = self.one_of(
            ["split", "split", "merge", "take out", "cut", "undo", "undo", "redo",
             "lock", "save"]
        )  # fmt: skip
        study, before = self.study, self.study.history.index
        maps = self.maps[self.at]
        with suppress(MergeError):
            match kind:
                case "split":
                    maps = self.split()
                case "merge":
                    study.merge([self.one_of(study.grouping.ids)],
                                self.one_of(study.grouping.ids))  # fmt: skip
                case "take out":
                    study.take_out(self.one_of(study.grouping.clusters))
                case "lock":
                    id = self.one_of(study.grouping.ids)
                    study.set_lock(id, bool(self.rng.integers(4) == 0))
                case "cut":
                    study.cut(int(self.rng.integers(1, 12)))
                case "save":
                    self.reload()
                case "undo":
                    for _ in range(int(self.rng.integers(1, 5))):
                        study.undo()
                case "redo":
                    study.redo()
        index = study.history.index
        if kind not in ("undo", "redo") and index > before:
            self.maps[self.at + 1 :] = [maps]
        self.at = index
        self.check()

    def split(self) -> list[np.ndarray]:
        """Divide a cluster's pixels at random."""
        study = self.study
        cluster = self.one_of(study.grouping.clusters)
        if study.splits and self.rng.random() < 0.6:  # a part of a part
            cluster = self.one_of(study.splits[-1].ids)
        whole = Whole.of(study, cluster)
        parts = free_ids(whole.used, int(self.rng.integers(1, 4)))
        ids = np.array([cluster, *parts], np.uint8)
        maps, new = {}, [clusters.copy() for clusters in self.maps[self.at]]
        for i in range(2):
            mask = new[i] == cluster
            new[i][mask] = self.rng.choice(ids, int(mask.sum()))
            if mask.any():
                maps[i] = DividedMap(
                    study.cluster_map(i), new[i].copy(), sums_of(study, i, new[i])
                )
        pixels = [sum(int((m == id).sum()) for m in new) for id in ids]
        rows = self.rng.random((len(ids), 3))
        rule = Centers(tuple(map(tuple, rows)))
        if self.rng.random() < 0.5:
            rule = Pieces("leaf", f"{self.rng.integers(1 << 30):x}", True)
        study.take_split(Divided(Split(cluster, parts, tuple(pixels), rule), maps))
        self.splits += 1
        return new

    def reload(self) -> None:
        """Save, and go on with what is read; no pixel of a cube is needed."""
        path = self.folder / "s.dgc.json"
        save_study(self.study, path)
        again = Study()
        loaded = load_study(path, pixels=False)
        assert not loaded.faults
        again.adopt(loaded)
        assert again.history.steps == self.study.history.steps
        again._cubes = list(self.cubes)
        self.study = again

    def check(self) -> None:
        study = self.study
        grouping, maps = study.grouping, self.maps[self.at]
        assert sorted(study.tree.cluster_ids) == list(grouping.clusters)
        heights = study.tree.linkage[:, 2]
        assert (np.diff(heights) >= 0).all()
        assert study.tree.counts.sum() == study.model.counts.sum()
        for i, expected in enumerate(maps):
            np.testing.assert_array_equal(study.cluster_map(i), expected)
            labels = np.zeros_like(expected)
            for group in grouping.groups:
                labels[np.isin(expected, group.clusters)] = min(group.clusters)
            np.testing.assert_array_equal(study.group_map(i), labels)
            sums, ours = sums_of(study, i, expected), study.statistics(i)
            rows = min(len(sums.count), len(ours.count))
            for name in ("count", "sum", "sum_squares"):
                a, b = getattr(ours, name), getattr(sums, name)
                np.testing.assert_allclose(a[:rows], b[:rows], rtol=1e-5, atol=1e-5)
                assert not a[rows:].any()
                assert not b[rows:].any()
            np.testing.assert_array_equal(
                ours.boundary[:rows, :rows], sums.boundary[:rows, :rows]
            )


@pytest.mark.parametrize("seed", range(6))
def test_any_steps_show_the_maps_of_that_moment(seed: int, tmp_path: Path) -> None:
    run = Run(seed, tmp_path)
    for number in range(STEPS):
        try:
            run.step()
        except BaseException as error:
            error.add_note(f"seed {seed}, step {number}")
            raise
    assert run.splits >= 5
