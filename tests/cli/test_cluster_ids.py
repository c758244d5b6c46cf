"""Ids with gaps, from the model to every file: a pruned id never comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_dgc import Config, Cube, Model, Study, train
from napari_dgc.cli import main
from napari_dgc.cubes.readers import read_cube
from napari_dgc.merging import ClusterStatistics
from napari_dgc.merging.recipe import Recipe
from napari_dgc.study.mapping import Finished, map_cubes

IDS = (1, 2, 4, 17)
RETIRED = 3
LUT = np.array([0, *IDS], np.uint8)  # from the plain model's ids to these


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scenes, one model under the ids 1..4 and under IDS, and both ones' maps."""
    folder = tmp_path_factory.mktemp("ids")
    scenes = folder / "scenes"
    assert main(["sample", str(scenes), "--scenes", "2", "--size", "96", "-q"]) == 0
    cubes = [read_cube(path) for path in sorted(scenes.glob("*.mat"))]
    *_, last = train(cubes, Config(k=4, steps=0, device="cpu"))
    assert last.model is not None
    gaps = replace(
        last.model,
        cluster_ids=np.array(IDS, np.uint8),
        owners=LUT[last.model.owners],
        retired_ids=(RETIRED,),
    )
    for name, model in (("plain", last.model), ("gaps", gaps)):
        path = folder / f"{name}.safetensors"
        model.save(path)
        maps = str(folder / f"{name}_maps")
        assert main(["segment", str(path), str(scenes), "-o", maps, "-q"]) == 0
    return folder


@pytest.fixture
def cubes(work: Path) -> list[Cube]:
    return [read_cube(path) for path in sorted((work / "scenes").glob("*.mat"))]


@pytest.fixture
def study(work: Path, cubes: list[Cube]) -> Study:
    model = Model.load(work / "gaps.safetensors")
    study = Study()
    study.add_cubes(cubes)
    study.accept_model(model)
    *_, finished = map_cubes(model, cubes, device="cpu")
    assert isinstance(finished, Finished)
    for mapped in finished.maps:
        study.set_map(mapped.index, mapped.clusters, mapped.statistics)
    return study


def merge(work: Path, name: str, out: Path, *how: str) -> dict[str, np.ndarray]:
    """Group maps that the command line makes, by stem."""
    model, maps = work / f"{name}.safetensors", work / f"{name}_maps"
    assert main(["merge", str(model), str(maps), *how, "-o", str(out), "-q"]) == 0
    return {
        path.name.removesuffix("_groups.tif"): tifffile.imread(path)
        for path in sorted(out.glob("*_groups.tif"))
    }


def test_maps_and_statistics_are_those_of_1_to_k_under_other_ids(work: Path) -> None:
    paths = sorted((work / "plain_maps").glob("*_clusters.tif"))
    assert len(paths) == 2
    for path in paths:
        here = work / "gaps_maps" / path.name
        np.testing.assert_array_equal(tifffile.imread(here), LUT[tifffile.imread(path)])
        stats = path.name.replace("_clusters.tif", "_stats.npz")
        plain = ClusterStatistics.load(work / "plain_maps" / stats)
        gaps = ClusterStatistics.load(work / "gaps_maps" / stats)
        assert len(gaps.count) == max(IDS) + 1
        np.testing.assert_array_equal(gaps.count[LUT], plain.count)
        np.testing.assert_array_equal(gaps.sum[LUT], plain.sum)
        np.testing.assert_array_equal(gaps.boundary[np.ix_(LUT, LUT)], plain.boundary)
        assert gaps.count.sum() == gaps.count[LUT].sum()
        assert not gaps.count[RETIRED]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_every_granularity_makes_the_same_groups(
    n: int, work: Path, tmp_path: Path
) -> None:
    how = ("--granularity", str(n))
    plain = merge(work, "plain", tmp_path / "plain", *how)
    gaps = merge(work, "gaps", tmp_path / "gaps", *how)
    assert len(gaps) == 2
    for stem, groups in gaps.items():
        np.testing.assert_array_equal(groups, LUT[plain[stem]])
        assert RETIRED not in groups
    recipes = [
        json.loads((tmp_path / name / "recipe.json").read_text())
        for name in ("plain", "gaps")
    ]
    assert sorted(map(int, recipes[1]["centroids"])) == list(IDS)
    members = [[g["clusters"] for g in recipe["groups"]] for recipe in recipes]
    assert [LUT[m].tolist() for m in members[0]] == members[1]


def test_study_export_recipe_and_command_line_agree(
    study: Study, work: Path, tmp_path: Path
) -> None:
    assert study.grouping.clusters == IDS
    assert study.grouping.ids == IDS
    assert study.pooled_statistics.count[RETIRED] == 0
    study.cut(3)
    study.cut(4)
    (away,) = {g.id for g in study.grouping.groups if 17 in g.clusters}
    target = study.grouping.group_of(2).id
    study.merge([away], target)
    study.rename(target, "spots")
    assert study.grouping.next_id > 17
    out = tmp_path / "out"
    list(study.export(out, groups=[target]).run())
    # The model that was exported beside the recipe is the one the recipe is of.
    exported = Model.load(out / "model.safetensors")
    assert exported.cluster_ids.tolist() == list(IDS)
    assert exported.retired_ids == (RETIRED,)
    replayed = merge(
        work, "gaps", tmp_path / "again", "--recipe", str(out / "recipe.json")
    )
    for index, cube in enumerate(study.cubes):
        shown = study.group_map(index)
        assert {*np.unique(shown)} <= {0, *(g.value for g in study.grouping.groups)}
        np.testing.assert_array_equal(replayed[cube.name], shown)
        np.testing.assert_array_equal(
            tifffile.imread(out / f"{cube.name}_groups.tif"), shown
        )
        np.testing.assert_array_equal(
            tifffile.imread(out / f"{cube.name}_mask.tif"),
            np.isin(study.cluster_map(index), study.grouping.group(target).clusters),
        )
    assert (out / "recipe.json").read_bytes() == (
        tmp_path / "again" / "recipe.json"
    ).read_bytes()
    fresh = Study()
    fresh.accept_model(exported)
    fresh.apply_recipe(out / "recipe.json")
    assert fresh.grouping == study.grouping


def test_a_recipe_of_the_same_centroids_under_other_ids_is_refused(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merge(work, "plain", tmp_path / "plain", "--granularity", "2")
    recipe = tmp_path / "plain" / "recipe.json"
    arguments = ["merge", str(work / "gaps.safetensors"), str(work / "gaps_maps")]
    out = str(tmp_path / "out")
    assert main([*arguments, "--recipe", str(recipe), "-o", out]) == 2
    assert "was made with the model" in capsys.readouterr().err
    assert len(Recipe.read(recipe).centroids) == 4


def test_a_map_with_a_retired_or_unknown_id_is_refused(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plain model's map holds 3, which is below the highest id of the other."""
    arguments = ["merge", str(work / "gaps.safetensors"), str(work / "plain_maps")]
    out = tmp_path / "out"
    assert main([*arguments, "--granularity", "2", "-o", str(out)]) == 2
    err = capsys.readouterr().err
    assert "it holds cluster 3, which the model has not" in err
    assert err.count("\n") == 1
    assert not out.exists()


def test_more_groups_than_clusters_are_told_of(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, maps = str(work / "gaps.safetensors"), str(work / "gaps_maps")
    capsys.readouterr()
    assert main(["merge", model, maps, "--granularity", "9", "-o", str(tmp_path)]) == 0
    assert "The model has 4 clusters: 4 groups are made" in capsys.readouterr().err
