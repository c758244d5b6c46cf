"""Splits of a study: on real cubes, by the real engine, kept and replayed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_dgc.cli import main
from napari_dgc.clustering.config import Config
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import read_cube
from napari_dgc.cubes.scenes import SceneConfig, write_scenes
from napari_dgc.merging import Centers, MergeError, Pieces, Recipe, Rename
from napari_dgc.merging.refining import fold_lut, fold_statistics
from napari_dgc.reports.masks import read_label_tiff
from napari_dgc.study import Study
from napari_dgc.study.adopting import Wanted, refine_maps
from napari_dgc.study.dividing import CubeMap, refine
from napari_dgc.study.mapping import Finished, MappedCube, map_cubes, train_and_map
from napari_dgc.study.splitting import Divided, Whole, split_by_pieces, split_in_two
from napari_dgc.study.storing.loading import load_study
from napari_dgc.study.storing.study_file import open_study, save_study

FIELDS = ("count", "sum", "sum_squares", "confidence", "boundary")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    config = SceneConfig(size=48, bands=24)
    write_scenes(folder, scenes=3, size=48, seed=3, config=config)
    return folder


@pytest.fixture(scope="module")
def finished(folder: Path) -> Finished:
    cubes = [read_cube(path) for path in sorted(folder.glob("*.mat"))[:2]]
    *_, last = train_and_map(cubes, Config(k=5, steps=0, device="cpu"))
    assert isinstance(last, Finished)
    return last


@pytest.fixture
def study(folder: Path, finished: Finished) -> Study:
    study = Study()
    study.add_cubes(read_cube(path) for path in sorted(folder.glob("*.mat"))[:2])
    study.accept_model(finished.model)
    put(study, finished.maps)
    return study


def put(study: Study, maps: tuple[MappedCube, ...], first: int = 0) -> None:
    for one in maps:
        study.set_map(first + one.index, one.clusters, one.statistics, one.confidence)


def in_two(study: Study, cluster: int) -> Divided:
    *_, divided = split_in_two(Whole.of(study, cluster), device="cpu")
    assert isinstance(divided, Divided)
    return divided


def by_pieces(study: Study, cluster: int, index: int) -> Divided:
    *_, divided = split_by_pieces(Whole.of(study, cluster), index)
    assert isinstance(divided, Divided)
    return divided


def in_pieces(study: Study, index: int) -> Divided:
    """Split the first cluster that is in pieces worth it."""
    for cluster in study.grouping.clusters:
        try:
            return by_pieces(study, cluster, index)
        except MergeError:
            continue
    raise AssertionError("no cluster is in pieces")


def maps_of(study: Study) -> list[np.ndarray]:
    return [study.cluster_map(i).copy() for i in range(len(study.cubes))]


def check_sums(study: Study) -> None:
    """Compare all sums with the pixels, cube by cube."""
    for i, cube in enumerate(study.cubes):
        clusters, sums = study.cluster_map(i), study.statistics(i)
        for id in study.grouping.clusters:
            pixels = np.asarray(cube.data, np.float64)[:, clusters == id]
            assert sums.count[id] == pixels.shape[1]
            np.testing.assert_allclose(sums.sum[id], pixels.sum(1), rtol=1e-5)
            np.testing.assert_allclose(
                sums.sum_squares[id], (pixels**2).sum(1), rtol=1e-5
            )


def test_in_two_refines_every_map_and_its_sums_add_up(study: Study):
    before, sums = maps_of(study), [study.statistics(i) for i in range(2)]
    change = study.take_split(in_two(study, 1))
    split = change.operation
    (part,) = split.parts
    assert isinstance(split.rule, Centers)
    assert part == 6
    held = [0, 0]
    for i, old in enumerate(before):
        new = study.cluster_map(i)
        assert (np.where(new == part, 1, new) == old).all()
        held[0] += int((new == 1).sum())
        held[1] += int((new == part).sum())
        now = study.statistics(i)
        for name in FIELDS[:4]:
            was, parts = getattr(sums[i], name), getattr(now, name)
            np.testing.assert_allclose(parts[[1, part]].sum(0), was[1], rtol=1e-6)
            np.testing.assert_array_equal(parts[2:6], was[2:6])
        np.testing.assert_array_equal(
            now.boundary[2:6, 2:6], sums[i].boundary[2:6, 2:6]
        )
        assert now.boundary.sum() != 0
    assert split.pixels == tuple(held)
    assert min(held) > 0
    check_sums(study)
    assert study.grouping.group_of(part).id == change.added[0]
    assert study.grouping.group_of(1).name == "Group 1"


def test_two_means_is_what_it_says(study: Study, finished: Finished):
    """No pixel is nearer to the other centroid, in the embedding itself."""
    import torch

    from napari_dgc.clustering.networks import load_network

    divided = in_two(study, 2)
    centroids = torch.tensor(divided.split.rule.values)
    embedder, _, _ = load_network(finished.model, torch.device("cpu"))
    for i, one in divided.maps.items():
        spectra, valid = study.cubes[i].block(slice(0, 48), slice(0, 48))
        x, keep = torch.from_numpy(spectra)[None], torch.from_numpy(valid)[None]
        with torch.inference_mode():
            z = embedder(x, keep)[0]
        near = np.array(divided.split.ids)[
            torch.tensordot(centroids, z, 1).argmax(0).numpy()
        ]
        mask = one.base == 2
        assert (one.clusters[mask] == near[mask]).mean() > 0.999
    again = in_two(study, 2)
    assert again.split == divided.split
    assert all((again.maps[i].clusters == m.clusters).all()
               for i, m in divided.maps.items())  # fmt: skip


def test_pieces_of_one_cube_get_ids_and_the_small_ones_stay(study: Study):
    before = maps_of(study)
    divided = in_pieces(study, 0)
    split = study.take_split(divided).operation
    assert isinstance(split.rule, Pieces)
    assert split.rule.cube == study.cubes[0].name
    assert (study.cluster_map(1) == before[1]).all()
    new = study.cluster_map(0)
    assert (fold_lut([split])[new] == before[0]).all()
    from scipy.ndimage import label

    sizes = []
    for part in split.parts:
        _, number = label(new == part, np.ones((3, 3)))
        assert number == 1
        sizes.append(int((new == part).sum()))
    assert sizes == sorted(sizes, reverse=True)
    rest, number = label(new == split.cluster, np.ones((3, 3)))
    left = np.bincount(rest.ravel())[1:]
    if split.rule.keeps_largest:
        assert number == 1
        assert left[0] >= sizes[0]
    else:
        assert left.max() <= sizes[-1]
    check_sums(study)


def test_undo_and_redo_show_the_maps_without_a_pixel(study: Study, monkeypatch):
    states = [maps_of(study)]
    study.take_split(in_two(study, 1))
    states.append(maps_of(study))
    study.take_split(in_pieces(study, 0))
    states.append(maps_of(study))
    study.take_split(in_two(study, 6))
    states.append(maps_of(study))
    for cube in study.cubes:
        monkeypatch.setattr(type(cube), "block", None)  # nobody reads from here on
    heard = []
    study.map_changed.connect(heard.append)
    for at in (2, 1, 0):
        study.undo()
        assert all(
            (a == b).all() for a, b in zip(maps_of(study), states[at], strict=True)
        )
        assert set(study.grouping.clusters) >= set(np.unique(study.cluster_map(0))) - {
            0
        }
        assert study.statistics(0).count.sum() == 48 * 48
        counts = np.bincount(study.cluster_map(0).ravel(), minlength=256)
        stated = study.counts(0)
        np.testing.assert_array_equal(stated, counts[: len(stated)])
        assert len(study.tree.cluster_ids) == len(study.grouping.clusters)
    assert heard == [0, 1] * 3
    for at in (1, 2, 3):
        study.redo()
        assert all(
            (a == b).all() for a, b in zip(maps_of(study), states[at], strict=True)
        )
    study.undo()
    study.rename(1, "another way")  # the undone split is gone, its id is free again
    assert study.splits_on_record == study.splits
    assert (study.finest_map(0) == states[2][0]).all()


def test_folded_sums_are_those_of_the_coarse_map(study: Study):
    old = [study.statistics(i) for i in range(2)]
    study.take_split(in_two(study, 1))
    study.take_split(in_pieces(study, 1))
    study.undo()
    study.undo()
    for i, was in enumerate(old):
        now = study.statistics(i)
        for name in FIELDS:
            a, b = getattr(now, name), getattr(was, name)
            if name == "boundary":
                np.testing.assert_array_equal(a[:6, :6], b)
            else:
                np.testing.assert_allclose(a[:6], b, rtol=1e-6, atol=1e-9)
                assert not a[6:].any()


def test_a_cut_works_with_parts_and_joins_them_late(study: Study):
    study.take_split(in_two(study, 1))
    study.take_split(in_two(study, 3))
    tree = study.tree
    assert sorted(tree.cluster_ids) == list(range(1, 8))
    assert tree.counts.sum() == study.model.counts.sum()
    assert (np.diff(tree.linkage[:, 2]) >= 0).all()
    for n in range(7, 0, -1):
        study.cut(n)
        assert len(study.grouping.groups) == n
    study.cut(7)
    assert len(study.grouping.groups) == 7


def test_a_member_is_split_within_its_group(study: Study):
    study.merge([2], 1)
    change = study.take_split(in_two(study, 2))
    (part,) = change.operation.parts
    assert change.added == ()
    assert study.grouping.group(1).atoms == ((1, 2, part),)
    study.take_out(part)
    assert study.grouping.group_of(part).clusters == (part,)


def test_what_cannot_be_split_is_refused(study: Study, finished: Finished):
    study.set_lock(3, True)
    with pytest.raises(MergeError, match="locked"):
        Whole.of(study, 3)
    divided = in_two(study, 1)
    put(study, finished.maps)  # equal, but others
    study.set_map(0, study.cluster_map(0).copy())
    shown = maps_of(study)
    with pytest.raises(MergeError, match="changed meanwhile"):
        study.take_split(divided)
    assert all((a == b).all() for a, b in zip(maps_of(study), shown, strict=True))
    full = Whole(study.model, Whole.of(study, 1).maps, 1, frozenset(range(1, 256)))
    with pytest.raises(MergeError, match="all 255 cluster ids are in use"):
        list(split_in_two(full, device="cpu"))
    nowhere = Whole(study.model, {}, 1, frozenset(range(1, 6)))
    with pytest.raises(MergeError, match="no pixel"):
        list(split_in_two(nowhere, device="cpu"))


def test_a_study_keeps_splits_and_undone_ones(study: Study, tmp_path: Path):
    path = tmp_path / "s.dgc.json"
    study.take_split(in_two(study, 1))
    study.take_split(in_pieces(study, 0))
    with_all = maps_of(study)
    study.undo()
    one_less = maps_of(study)
    save_study(study, path)
    assert '"version":2' in path.read_text("utf-8")
    again = Study()
    again.adopt(load_study(path, pixels=False))
    assert again.history.steps == study.history.steps
    assert again.grouping == study.grouping
    for i in range(2):
        assert (again.cluster_map(i) == one_less[i]).all()
        for name in FIELDS:
            np.testing.assert_array_equal(
                getattr(again.statistics(i), name), getattr(study.statistics(i), name)
            )
    again.redo()
    assert all((a == b).all() for a, b in zip(maps_of(again), with_all, strict=True))


def test_study_without_splits_is_one_that_older_programs_read(study: Study, tmp_path):
    path = tmp_path / "s.dgc.json"
    save_study(study, path)
    assert '"version":1' in path.read_text("utf-8")
    assert study.recipe().to_json()["version"] == 1


def test_command_line_gives_the_very_maps(study: Study, folder: Path, tmp_path: Path):
    """From the study, and from its recipe on maps segmented afresh."""
    study.take_split(in_two(study, 1))
    study.merge([2], 1)
    study.take_split(in_pieces(study, 0))
    study.take_split(in_two(study, 2))
    path, screen = tmp_path / "s.dgc.json", tmp_path / "screen"
    save_study(study, path)
    list(study.export(screen, formats=("tif",)).run())
    model, recipe = str(screen / "model.safetensors"), str(screen / "recipe.json")
    names = [f"{cube.name}_groups.tif" for cube in study.cubes]
    assert main(["merge", "--study", str(path), "-o", str(tmp_path / "a"), "-q"]) == 0
    cubes = [str(cube.path) for cube in study.cubes]
    segment = ["segment", model, *cubes, "-o", str(tmp_path / "maps"), "-q"]
    assert main([*segment, "--device", "cpu"]) == 0
    merge = ["merge", model, str(tmp_path / "maps"), "--recipe", recipe, "-q"]
    assert main([*merge, "-o", str(tmp_path / "b")]) == 2  # needs the cubes
    given = [*merge, "-o", str(tmp_path / "b"), "--cubes", *cubes]
    assert main(given) == 0
    for name in names:
        content = (screen / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() == content
        assert (tmp_path / "b" / name).read_bytes() == content
    for out in "ab":
        assert (tmp_path / out / "recipe.json").read_bytes() == (
            screen / "recipe.json"
        ).read_bytes()
    labels = read_label_tiff(screen / names[0])
    assert (labels == study.group_map(0)).all()


def test_cubes_added_later_get_the_split(study: Study, folder: Path):
    study.take_split(in_two(study, 1))
    study.take_split(in_pieces(study, 0))
    cube = read_cube(sorted(folder.glob("*.mat"))[2])
    study.add_cubes([cube])
    options = {"device": "cpu", "splits": study.splits_on_record}
    *_, finished = map_cubes(study.model, [cube], **options)
    *_, plain = map_cubes(study.model, [cube], device="cpu")
    put(study, finished.maps, first=2)
    two, pieces = study.splits
    base = plain.maps[0].clusters
    new = study.cluster_map(2)
    assert (np.where(new == two.parts[0], 1, new) == base).all()
    assert (new == two.parts[0]).any()
    assert not np.isin(new, pieces.parts).any(), "pieces belong to the first cube"
    check_sums(study)
    *_, same = refine(study.model, CubeMap(cube, new), study.splits)
    assert same.clusters is new, "a map that is split already stays"


def test_a_map_made_for_splits_that_are_gone_is_folded(study: Study, folder: Path):
    study.take_split(in_two(study, 1))
    cube = read_cube(sorted(folder.glob("*.mat"))[2])
    study.add_cubes([cube])
    options = {"device": "cpu", "splits": study.splits_on_record}
    *_, finished = map_cubes(study.model, [cube], **options)
    *_, plain = map_cubes(study.model, [cube], device="cpu")
    late = in_two(study, 2)
    study.undo()
    study.rename(1, "another way")
    (one,) = finished.maps
    assert (one.clusters == 6).any()
    study.set_map(2, one.clusters, one.statistics, splits=one.splits)
    assert (study.cluster_map(2) == plain.maps[0].clusters).all()
    check_sums(study)
    with pytest.raises(MergeError, match="changed meanwhile"):
        study.take_split(late)  # one cube more was mapped


def test_an_id_that_is_free_again_may_be_given_elsewhere(study: Study):
    """The finest maps still hold it then; the maps on show do not."""
    study.take_split(in_pieces(study, 1))
    study.undo()
    divided = in_pieces(study, 0)
    study.take_split(divided)
    assert (study.cluster_map(0) == divided.maps[0].clusters).all()
    assert not np.isin(study.cluster_map(1), divided.split.parts).any()
    check_sums(study)
    study.undo()
    two = in_two(study, 1)
    only = Divided(two.split, {0: two.maps[0]})
    with pytest.raises(MergeError, match="changed meanwhile"):
        study.take_split(only)  # as if the second cube had been mapped meanwhile
    study.take_split(two)
    check_sums(study)


def test_a_recipe_with_splits_refines_the_maps_of_another_study(
    study: Study, tmp_path: Path
):
    """As the study's own splits did; undone step by step."""
    study.take_split(in_pieces(study, 1))
    two = in_two(study, 1)
    study.take_split(two)
    study.merge([study.grouping.ids[0]], study.grouping.ids[-1])
    study.rename(study.grouping.ids[-1], "Spot")
    path = tmp_path / "recipe.json"
    study.recipe().write(path)
    other = Study()
    other.add_cubes(study.cubes)
    other.accept_model(study.model)
    coarse = [np.take(fold_lut(study.splits), m) for m in maps_of(study)]
    for i, clusters in enumerate(coarse):
        sums = fold_statistics(study.statistics(i), fold_lut(study.splits))
        other.set_map(i, clusters, sums, study.confidence(i))
    told = []
    other.map_changed.connect(told.append)
    other.rename(1, "Before")
    change = other.apply_recipe(path)
    assert change.after == other.grouping
    assert other.grouping.groups == study.grouping.groups
    assert told == [0, 1]
    for i, expected in enumerate(maps_of(study)):
        np.testing.assert_array_equal(other.cluster_map(i), expected)
    check_sums(other)
    again = open_study(save_study(other, tmp_path / "S.dgc.json"))
    np.testing.assert_array_equal(again.group_map(1), study.group_map(1))
    assert other.apply_recipe(path).changed is False  # all is so already
    for _ in range(3):
        other.undo()
    assert other.grouping.group(1).name == "Before"
    for i, expected in enumerate(coarse):
        np.testing.assert_array_equal(other.cluster_map(i), expected)
    # Parts that this study alone has go with their cluster.
    plain = Study()
    plain.accept_model(study.model)
    plain.merge((2,), 3)
    plain.recipe().write(tmp_path / "plain.json")
    study.apply_recipe(tmp_path / "plain.json")
    split = study.splits[1]
    assert set(split.ids) <= set(study.grouping.group_of(1).clusters)
    assert {2, 3} <= set(study.grouping.group(3).clusters)


def test_a_recipe_says_why_it_cannot_be_applied(study: Study, tmp_path: Path):
    study.take_split(in_two(study, 1))
    path = tmp_path / "recipe.json"
    study.recipe().write(path)
    study.undo()
    study.take_split(in_two(study, 2))
    before, maps = study.grouping, maps_of(study)
    with pytest.raises(InputError, match=r"cluster 2 is split here.*undo the splits"):
        study.apply_recipe(path)
    study.undo()
    study.set_lock(1, True)
    with pytest.raises(InputError, match="is locked; unlock it"):
        study.apply_recipe(path)
    study.undo()
    wanted = Wanted.of(study, Recipe.read(path))
    *_, refined = refine_maps(wanted, device="cpu")
    study.rename(1, "Meanwhile")
    with pytest.raises(MergeError, match="changed meanwhile"):
        study.take_recipe(refined)
    assert study.history.steps[-1] == Rename(1, "Meanwhile")
    study.undo()
    study.take_recipe(refined)
    assert before is not study.grouping
    assert len(maps_of(study)) == len(maps)
    check_sums(study)
