"""`study new`, `study info`, `merge --study`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tifffile

from napari_dgc import Study, read_cube
from napari_dgc.cli import main
from napari_dgc.study.storing.study_file import open_study, save_study


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small cubes, a model of 6 clusters and its cluster maps."""
    folder = tmp_path_factory.mktemp("work")
    cubes = folder / "cubes"
    cubes.mkdir()
    rng = np.random.default_rng(0)
    for name in ("leaf a", "leaf b"):
        ramp = np.linspace(0.2, 0.8, 12)[:, None, None] * (1 + np.arange(40) % 7)
        cube = ramp[:, None, None, :].reshape(12, 1, 40) + 0.05 * rng.random(
            (12, 40, 40)
        )
        scipy.io.savemat(cubes / f"{name}.mat", {"cube": cube})
    model = folder / "m.safetensors"
    run("train", cubes, "-o", model, "-k", 6, "--steps", 0, "-q")
    run("segment", model, cubes, "-o", folder / "maps", "-q")
    return folder


@pytest.fixture
def study(work: Path, tmp_path: Path) -> Path:
    """A study of them, worked on as on the screen."""
    path = tmp_path / "S.dgc.json"
    cubes, model, maps = (work / n for n in ("cubes", "m.safetensors", "maps"))
    run("study", "new", cubes, "-o", path, "--model", model, "--maps", maps)
    study = open_study(path)
    study.merge([3, 5], 2)
    study.rename(2, "Lesion")
    study.set_role(2, "lesion")
    study.take_out(5)
    study.undo()  # its id is given away all the same
    study.set_lock(1, True)
    study.set_role(4, "background")
    study.undo()
    save_study(study, path)
    return path


def run(*arguments: object) -> None:
    assert main([str(a) for a in arguments]) == 0


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must exit with 2 and exactly one line."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_new_study_holds_cubes_model_and_maps(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "deep" / "S.dgc.json"
    arguments = ["study", "new", work / "cubes", "-o", path]
    model, maps = work / "m.safetensors", work / "maps"
    capsys.readouterr()
    run(*arguments, "--model", model, "--maps", maps)
    assert capsys.readouterr().out.splitlines() == [str(path)]
    study = open_study(path)
    assert [cube.name for cube in study.cubes] == ["leaf a", "leaf b"]
    for index, name in enumerate(["leaf a", "leaf b"]):
        written = tifffile.imread(maps / f"{name}_clusters.tif")
        np.testing.assert_array_equal(study.cluster_map(index), written)
        assert study.statistics(index).count.sum() == 1600
        sure = tifffile.imread(maps / f"{name}_confidence.tif")
        assert np.unique(sure).size > 5
        np.testing.assert_array_equal(study.confidence(index), sure)
    assert "exists already" in fails(capsys, *arguments)
    run(*arguments, "--force")
    again = open_study(path)
    assert (again.model, len(again.cubes)) == (None, 2)
    run(*arguments, "--force", "--model", model)
    again = open_study(path)
    assert again.model.fingerprint == study.model.fingerprint
    assert again.cluster_map(0) is None


def test_cubes_are_read_again_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "odd.mat"
    cubes = {n: np.random.default_rng(i).random((5, 6, 7)) for i, n in enumerate("ab")}
    scipy.io.savemat(path, cubes)
    out = tmp_path / "S.dgc.json"
    run("study", "new", path, "-o", out, "--key", "b", "--axes", "yxb")
    (cube,) = open_study(out).cubes
    np.testing.assert_array_equal(cube.data, cubes["b"].transpose(2, 0, 1))


def test_the_screen_the_study_and_the_recipe_give_the_same_bytes(
    work: Path, study: Path, tmp_path: Path
) -> None:
    screen = Study()
    screen.add_cubes([read_cube(p) for p in sorted((work / "cubes").iterdir())])
    for out in (tmp_path / "screen", tmp_path / "again"):
        list(open_study(study).export(out, formats=("tif", "png")).run())
    expected = contents(tmp_path / "screen")
    model = expected.pop("model.safetensors")
    assert contents(tmp_path / "again") == {**expected, "model.safetensors": model}

    formats = ["--format", "tif,png"]
    run("merge", "--study", study, "-o", tmp_path / "study", *formats)
    assert contents(tmp_path / "study") == expected

    pair = work / "m.safetensors", work / "maps"
    recipe = tmp_path / "screen" / "recipe.json"
    run("merge", *pair, "--recipe", recipe, "-o", tmp_path / "recipe", *formats)
    assert contents(tmp_path / "recipe") == expected
    # On other maps of the model, the study's groups too.
    run("merge", *pair, "--study", study, "-o", tmp_path / "both", *formats)
    assert contents(tmp_path / "both") == expected
    exported = tmp_path / "screen" / "model.safetensors"
    run("merge", exported, pair[1], "--recipe", recipe, "-o", tmp_path / "exported")
    tif = {name for name in expected if not name.endswith(".png")}
    assert contents(tmp_path / "exported") == {name: expected[name] for name in tif}


def test_merging_needs_no_cube(study: Path, work: Path, tmp_path: Path) -> None:
    run("merge", "--study", study, "-o", tmp_path / "with")
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(study, home)
    shutil.copytree(study.with_name("S.dgc"), home / "S.dgc")
    run("merge", "--study", home / "S.dgc.json", "-o", tmp_path / "without")
    assert contents(tmp_path / "with") == contents(tmp_path / "without")


def test_info_says_what_is_there(
    study: Path, work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    run("study", "info", study, "--json")
    facts = json.loads(capsys.readouterr().out)
    assert [cube["state"] for cube in facts["cubes"]] == ["found", "found"]
    assert all(cube["mapped"] and cube["statistics"] for cube in facts["cubes"])
    assert (facts["steps"], facts["undone"]) == (4, 1)
    assert facts["model"]["clusters"] == 6
    opened = open_study(study)
    assert [g["clusters"] for g in facts["groups"]] == [
        list(group.clusters) for group in opened.grouping.groups
    ]
    for group in facts["groups"]:
        pixels = sum(int((opened.group_map(i) == group["value"]).sum()) for i in (0, 1))
        assert group["pixels"] == pixels
        assert group["percent"] == pytest.approx(100 * pixels / 3200)
    run("study", "info", study)
    text = capsys.readouterr().out
    assert "4 taken, 1 undone" in text
    (row,) = (line for line in text.splitlines() if "Lesion" in line)
    assert row.split()[:3] == ["2", "Lesion", "lesion"]
    assert row.endswith("2,3,5")
    assert facts["unused"] == []
    assert "Not needed" not in text
    home = tmp_path / "home"
    shutil.copytree(study.parent, home)
    earlier = home / "S.dgc" / "0123abcd"
    earlier.mkdir()
    (earlier / "model.safetensors").write_bytes(bytes(1_200_000))
    run("study", "info", home / study.name, "--json")
    facts = json.loads(capsys.readouterr().out)
    assert facts["unused"] == [{"folder": str(earlier), "bytes": 1_200_000}]
    run("study", "info", home / study.name)
    assert "1.2 MB of earlier models" in capsys.readouterr().out
    assert earlier.is_dir()


def test_info_tells_moved_changed_and_missing_cubes(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cubes = tmp_path / "cubes"
    shutil.copytree(work / "cubes", cubes)
    shutil.copy(cubes / "leaf a.mat", cubes / "leaf c.mat")
    with (cubes / "leaf c.mat").open("r+b") as file:
        file.write(b"another file")
    path = tmp_path / "S.dgc.json"
    run("study", "new", cubes, "-o", path)
    (cubes / "leaf a.mat").rename(tmp_path / "a.mat")
    (cubes / "leaf b.mat").unlink()
    with (cubes / "leaf c.mat").open("r+b") as file:
        file.write(b"yet another")
    capsys.readouterr()
    run("study", "info", path, "--json")
    facts = json.loads(capsys.readouterr().out)
    states = {cube["name"]: cube["state"] for cube in facts["cubes"]}
    assert states == {"leaf a": "moved", "leaf b": "missing", "leaf c": "changed"}
    assert facts["cubes"][0]["path"] == str(tmp_path / "a.mat")
    assert (facts["model"], facts["groups"]) == (None, [])
    run("study", "info", path)
    assert "none yet" in capsys.readouterr().out


def test_bad_use_and_bad_input_are_one_line(
    work: Path, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cubes, model, maps = (work / n for n in ("cubes", "m.safetensors", "maps"))
    out = tmp_path / "out"
    new = "study", "new", cubes, "-o"
    fails(capsys, "study")
    fails(capsys, "study", "fly")
    assert "ends in .dgc.json" in fails(capsys, *new, tmp_path / "S.json")
    assert "--model" in fails(capsys, *new, out / "S.dgc.json", "--maps", maps)
    no_map = *new, out / "S.dgc.json", "--model", model, "--maps"
    assert "no *_clusters.tif" in fails(capsys, *no_map, cubes)
    shutil.copytree(maps, tmp_path / "renamed")
    for path in (tmp_path / "renamed").iterdir():
        path.rename(path.with_name(path.name.replace("leaf", "stem")))
    assert "no map of these cubes" in fails(capsys, *no_map, tmp_path / "renamed")
    shutil.copytree(maps, tmp_path / "strange")
    strange = tmp_path / "strange" / "leaf b_clusters.tif"
    tifffile.imwrite(strange, np.full((40, 40), 7, np.uint8))
    assert "cluster 7" in fails(capsys, *no_map, tmp_path / "strange")
    tifffile.imwrite(strange, np.full((4, 4), 2, np.uint8))
    assert "leaf b_clusters.tif" in fails(capsys, *no_map, tmp_path / "strange")
    assert "model" in fails(capsys, *new, out / "S.dgc.json", "--model", cubes)

    merge = "merge", "--study", study, "-o", out
    assert "belong together" in fails(capsys, *merge, model)
    assert "belong together" in fails(capsys, "merge", "--granularity", 2, "-o", out)
    fails(capsys, *merge, "--granularity", 2)
    other = tmp_path / "other.safetensors"
    run("train", cubes, "-o", other, "-k", 5, "--steps", 0, "-q")
    assert "not made with the model" in fails(capsys, *merge, other, maps)
    assert "cannot be read" in fails(capsys, "study", "info", tmp_path / "none")
    (lost,) = study.with_name("S.dgc").rglob("leaf a_clusters.tif")
    lost.unlink()
    assert "leaf a_clusters.tif" in fails(capsys, *merge)
    study.write_bytes(study.read_bytes()[:-9])
    assert ".bak" in fails(capsys, *merge)
    assert ".bak" in fails(capsys, "study", "info", study)
    run(*new, tmp_path / "bare.dgc.json")
    bare = tmp_path / "bare.dgc.json"
    assert "no model yet" in fails(capsys, "merge", "--study", bare, "-o", out)
    assert not out.exists()
