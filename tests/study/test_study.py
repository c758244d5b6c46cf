from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_dgc import Config, Model, Study, train
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.merging.grouping import MergeError
from napari_dgc.study.mapping import (
    Finished,
    MappedCube,
    Progress,
    map_cube,
    map_cubes,
    train_and_map,
)
from napari_dgc.study.previews import Preview, thumbnail


@pytest.fixture(scope="module")
def cubes() -> list[Cube]:
    infected = SceneConfig(size=64, leaves=1, lesion_size=0.3)
    return [make_scene(infected, seed, f"leaf {seed}").cube for seed in range(2)]


@pytest.fixture(scope="module")
def model(cubes: list[Cube]) -> Model:
    *_, last = train(cubes, Config(k=6, steps=0, device="cpu"))
    assert last.model is not None
    return last.model


@pytest.fixture
def study(cubes: list[Cube], model: Model) -> Study:
    study = Study()
    study.add_cubes(cubes)
    study.accept_model(model)
    *_, finished = map_cubes(model, cubes, device="cpu")
    assert isinstance(finished, Finished)
    for mapped in finished.maps:
        study.set_map(mapped.index, mapped.clusters, mapped.statistics)
    return study


def test_statistics_of_a_map_equal_brute_force(cubes: list[Cube], model: Model) -> None:
    *progress, mapped = map_cube(model, cubes[0], device="cpu")
    assert isinstance(mapped, MappedCube)
    assert all(isinstance(piece, Progress) for piece in progress)
    data = np.asarray(cubes[0].data)
    for cluster in range(1, model.k + 1):
        here = mapped.clusters == cluster
        assert mapped.statistics.count[cluster] == here.sum()
        np.testing.assert_allclose(
            mapped.statistics.sum[cluster], data[:, here].sum(1), rtol=1e-4, atol=1e-3
        )


def test_merging_changes_the_group_map_and_never_the_cluster_map(study: Study) -> None:
    before = study.cluster_map(0).copy()
    seen = []
    study.grouping_changed.connect(seen.append)
    study.merge([4, 5], 2)
    np.testing.assert_array_equal(study.cluster_map(0), before)
    expected = np.where(np.isin(before, [4, 5]), 2, before)
    np.testing.assert_array_equal(study.group_map(0), expected)
    study.undo()
    np.testing.assert_array_equal(study.group_map(0), before)
    study.redo()
    np.testing.assert_array_equal(study.group_map(0), expected)
    assert [change.changed for change in seen] == [True] * 3


def test_a_refused_step_changes_and_tells_nothing(study: Study) -> None:
    study.set_lock(2, True)
    seen = []
    study.grouping_changed.connect(seen.append)
    before = study.grouping
    with pytest.raises(MergeError, match="lock"):
        study.merge([3], 2)
    assert study.grouping is before
    assert seen == []


def test_a_moving_slider_is_one_step(study: Study) -> None:
    study.cut(5)
    study.cut(4, amend=True)
    study.cut(2, amend=True)
    assert len(study.grouping.groups) == 2
    study.undo()
    assert len(study.grouping.groups) == 6


def test_statistics_pool_over_cubes(study: Study) -> None:
    pooled = study.pooled_statistics
    assert pooled is not None
    both = study.statistics(0).count + study.statistics(1).count
    np.testing.assert_array_equal(pooled.count, both)


def test_removing_a_cube_keeps_the_others_maps(study: Study) -> None:
    second = study.cluster_map(1)
    study.remove_cube(0)
    assert study.cluster_map(0) is second
    assert study.cluster_map(1) is None
    assert len(study.cubes) == 1


def test_a_map_of_another_size_and_a_cube_of_other_bands_are_refused(
    study: Study,
) -> None:
    with pytest.raises(ValueError, match="segment that cube again"):
        study.set_map(0, np.zeros((3, 3), np.uint8))
    with pytest.raises(InputError, match="odd: it has 4 bands"):
        study.add_cubes([Cube(np.ones((4, 9, 9)), name="odd")])
    assert len(study.cubes) == 2


def test_a_study_without_a_model_says_what_to_do() -> None:
    with pytest.raises(InputError, match="train or load a model first"):
        Study().merge([1], 2)


def test_export_writes_the_maps_of_every_cube_and_the_recipe(
    study: Study, tmp_path: Path
) -> None:
    study.merge([4], 3)
    study.rename(3, "lesion")
    export = study.export(tmp_path / "out", groups=[3])
    written = list(export.run())
    assert sorted(written) == sorted(export.paths())
    assert len(written) == 2 * 2 * 2 + 2
    for index, stem in enumerate(["leaf 0", "leaf 1"]):
        groups = tifffile.imread(tmp_path / "out" / f"{stem}_groups.tif")
        np.testing.assert_array_equal(groups, study.group_map(index))
        mask = tifffile.imread(tmp_path / "out" / f"{stem}_mask.tif")
        np.testing.assert_array_equal(mask, np.isin(study.cluster_map(index), [3, 4]))
    with tifffile.TiffFile(tmp_path / "out" / "leaf 0_groups.tif") as file:
        assert "3 = lesion" in file.pages[0].description
    # The recipe needs its model, and the model needs the recipe: both are there.
    assert Model.load(tmp_path / "out" / "model.safetensors").fingerprint == (
        study.model.fingerprint
    )
    recipe = json.loads((tmp_path / "out" / "recipe.json").read_text())
    named = {group["value"]: group["name"] for group in recipe["groups"]}
    assert named[3] == "lesion"


def test_masks_by_role_and_pictures_with_a_legend_are_written_when_asked(
    study: Study, tmp_path: Path
) -> None:
    study.set_role(3, "lesion")
    plain = study.export(tmp_path, formats=["tif"])
    assert len(plain.paths()) == 2 + 2
    export = replace(plain, roles=True, legend=True)
    assert len(export.paths()) == 2 * 2 + 2  # no PNG is asked for, so no legend
    export = replace(export, formats=("tif", "png"))
    written = list(export.run())
    assert sorted(written) == sorted(export.paths())
    assert (tmp_path / "leaf 0_groups_legend.png").is_file()
    mask = tifffile.imread(tmp_path / "leaf 1_lesion_mask.tif")
    np.testing.assert_array_equal(mask, study.cluster_map(1) == 3)


def test_export_overwrites_nothing_unasked(study: Study, tmp_path: Path) -> None:
    blocker = tmp_path / "leaf 1_groups.png"
    blocker.write_bytes(b"mine")
    export = study.export(tmp_path)
    assert export.existing() == [blocker]
    with pytest.raises(InputError, match="exists already"):
        list(export.run())
    assert [p.name for p in tmp_path.iterdir()] == [blocker.name]
    list(export.run(force=True))
    assert blocker.read_bytes() != b"mine"


def test_a_recipe_gives_the_same_maps_and_can_be_undone(
    study: Study, tmp_path: Path
) -> None:
    study.cut(3)
    study.recipe().write(tmp_path / "r.json")
    expected = study.group_map(0)
    study.undo()
    study.apply_recipe(tmp_path / "r.json")
    np.testing.assert_array_equal(study.group_map(0), expected)
    study.undo()
    np.testing.assert_array_equal(study.group_map(0), study.cluster_map(0))


def test_a_recipe_of_another_model_is_refused(
    study: Study, cubes: list[Cube], tmp_path: Path
) -> None:
    study.recipe().write(tmp_path / "r.json")
    *_, last = train(cubes, Config(k=6, steps=0, seed=9, device="cpu"))
    assert last.model is not None
    study.accept_model(last.model)
    with pytest.raises(InputError, match=r"r\.json"):
        study.apply_recipe(tmp_path / "r.json")


def test_train_and_map_previews_the_cube_on_show(cubes: list[Cube]) -> None:
    config = Config(k=4, steps=4, crop=32, snapshot_every=2, device="cpu")
    shown = iter([0, 1, 0])
    pieces = list(train_and_map(cubes, config, shown=lambda: next(shown)))
    previews = [piece for piece in pieces if isinstance(piece, Preview)]
    assert [p.index for p in previews] == [0, 1, 0]
    assert all(p.clusters.shape == (64, 64) for p in previews)
    finished = pieces[-1]
    assert isinstance(finished, Finished)
    assert [m.index for m in finished.maps] == [0, 1]


def test_a_thumbnail_shows_every_nth_pixel() -> None:
    rows, cols = np.mgrid[:300, :130].astype(np.float32)
    small, stride = thumbnail(Cube(np.stack([rows, cols, rows + cols + 1])), side=100)
    assert stride == 3
    np.testing.assert_array_equal(small.data[0], rows[::3, ::3])
    np.testing.assert_array_equal(small.data[1], cols[::3, ::3])
