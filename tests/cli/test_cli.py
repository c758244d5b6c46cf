"""The command line as users script it: arguments in, files and one line out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tifffile

from napari_dgc.cli import main

STEMS_OF = "_clusters.tif"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sample scenes, a model of 8 clusters and its cluster maps."""
    folder = tmp_path_factory.mktemp("work")
    scenes, model = folder / "scenes", folder / "m.safetensors"
    assert main(["sample", str(scenes), "--scenes", "2", "--size", "96", "-q"]) == 0
    train = ["train", str(scenes), "-o", str(model), "-k", "8", "--steps", "2", "-q"]
    assert main(train) == 0
    maps = folder / "maps"
    assert main(["segment", str(model), str(scenes), "-o", str(maps), "-q"]) == 0
    return folder


def stems(folder: Path) -> list[str]:
    return sorted(p.name.removesuffix(STEMS_OF) for p in folder.glob(f"*{STEMS_OF}"))


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must exit with 2 and exactly one line."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("napari-dgc: ")
    return err


def test_the_whole_way_from_scenes_to_scores(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(stems(work / "maps")) == 2
    for stem in stems(work / "maps"):
        clusters = tifffile.imread(work / "maps" / f"{stem}_clusters.tif")
        assert clusters.shape == (96, 96)
        assert clusters.dtype == np.uint8
        assert 1 <= clusters.min() <= clusters.max() <= 8
        assert (work / "maps" / f"{stem}_stats.npz").is_file()
    for n in (2, 4):
        out = work / f"groups{n}"
        model, maps = str(work / "m.safetensors"), str(work / "maps")
        assert (
            main(["merge", model, maps, "--granularity", str(n), "-o", str(out)]) == 0
        )
        values = {
            int(v)
            for stem in stems(work / "maps")
            for v in np.unique(tifffile.imread(out / f"{stem}_groups.tif"))
        }
        assert len(values) <= n
        recipe = json.loads((out / "recipe.json").read_text())
        assert len(recipe["groups"]) == n
        assert values <= {group["value"] for group in recipe["groups"]}
        for group in recipe["groups"]:
            assert group["value"] == min(group["clusters"])
    capsys.readouterr()
    for maps in ("maps", "groups2"):
        arguments = ["evaluate", str(work / maps), "--labels", str(work / "scenes")]
        assert main([*arguments, "--align", "majority"]) == 0
        scores = json.loads(capsys.readouterr().out)
        assert set(scores["classes"]) == {"background", "healthy", "lesion"}
        assert 0 < scores["mean_iou"] <= 1
        assert sorted(scores["cubes"]) == stems(work / "maps")
    mapping = '{"0":[1,2],"1":[3]}'
    assert main([*arguments, "--mapping", mapping]) == 0
    assert json.loads(capsys.readouterr().out)["mapping"]["0"] == [1, 2]


def test_a_recipe_repeats_the_merge_exactly(work: Path, tmp_path: Path) -> None:
    model, maps = str(work / "m.safetensors"), str(work / "maps")
    cut, replayed = tmp_path / "cut", tmp_path / "replayed"
    assert main(["merge", model, maps, "--granularity", "3", "-o", str(cut)]) == 0
    recipe = str(cut / "recipe.json")
    assert main(["merge", model, maps, "--recipe", recipe, "-o", str(replayed)]) == 0
    for stem in stems(work / "maps"):
        name = f"{stem}_groups.tif"
        assert (cut / name).read_bytes() == (replayed / name).read_bytes()
    assert (cut / "recipe.json").read_bytes() == (replayed / "recipe.json").read_bytes()


def test_roles_are_given_by_value(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, maps = str(work / "m.safetensors"), str(work / "maps")
    cut = ["merge", model, maps, "--granularity", "3", "-q"]
    assert main([*cut, "-o", str(tmp_path / "plain")]) == 0
    recipe = json.loads((tmp_path / "plain" / "recipe.json").read_text())
    a, b, c = (str(group["value"]) for group in recipe["groups"])
    named = [*cut, "-o", str(tmp_path / "named")]
    assert main([*named, "--role", f"lesion={a}, {c}", "--role", f"healthy={b}"]) == 0
    recipe = json.loads((tmp_path / "named" / "recipe.json").read_text())
    assert [g["role"] for g in recipe["groups"]] == ["lesion", "healthy", "lesion"]
    for bad, told in (
        ("lesion=99", "no group has the value 99"),
        ("tumour=1", "background, healthy, lesion, ignore"),
        ("lesion", "lesion=3,7"),
        ("lesion=x", "lesion=x"),
    ):
        assert told in fails(capsys, *cut, "-o", tmp_path / "bad", "--role", bad)
    assert not (tmp_path / "bad").exists()
    # A study made with that recipe has those groups.
    path = tmp_path / "x.dgc.json"
    new = ["study", "new", str(work / "scenes"), "-o", str(path), "--model", model]
    recipe_path = str(tmp_path / "named" / "recipe.json")
    new += ["--maps", maps, "-q", "--recipe"]
    assert main([*new, recipe_path]) == 0
    capsys.readouterr()
    assert main(["study", "info", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [group["role"] for group in facts["groups"]] == [
        "lesion",
        "healthy",
        "lesion",
    ]
    role = ["--role", f"healthy={a}"]
    told = fails(capsys, "merge", "--study", path, "-o", tmp_path / "bad", *role)
    assert "has its own roles" in told


def test_training_twice_gives_equal_bytes_and_results_on_stdout(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    path = tmp_path / "new" / "again.safetensors"
    scenes = str(work / "scenes")
    arguments = ["train", scenes, "-o", str(path), "-k", "8", "--steps", "2"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == [str(path)]
    assert path.read_bytes() == (work / "m.safetensors").read_bytes()


def test_other_formats_hold_the_same_map(work: Path, tmp_path: Path) -> None:
    import torch

    cube = next((work / "scenes").glob("*.mat"))
    arguments = ["segment", str(work / "m.safetensors"), str(cube), "-o", str(tmp_path)]
    assert main([*arguments, "--format", "tif,npy,pth,png", "-q"]) == 0
    (stem,) = stems(tmp_path)
    expected = tifffile.imread(tmp_path / f"{stem}_clusters.tif")
    np.testing.assert_array_equal(np.load(tmp_path / f"{stem}_clusters.npy"), expected)
    tensor = torch.load(tmp_path / f"{stem}_clusters.pth", weights_only=True)
    np.testing.assert_array_equal(tensor.numpy(), expected)
    assert (tmp_path / f"{stem}_clusters.png").stat().st_size > 100


def test_config_file_sets_any_field_and_the_command_line_wins(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from napari_dgc import Model

    toml = tmp_path / "c.toml"
    toml.write_text("k = 5\nsteps = 0\ncomponents = 7\n")
    path = tmp_path / "m.safetensors"
    scenes = work / "scenes"
    arguments = ["train", scenes, "-o", path, "--config", toml, "-k", "6", "-q"]
    assert main([str(a) for a in arguments]) == 0
    model = Model.load(path)
    assert (model.k, model.config.components, model.config.steps) == (6, 7, 0)
    toml.write_text("clusters = 5\n")
    assert "'clusters' is no field" in fails(capsys, *arguments, "--force")
    toml.write_text("k = 500\n")
    assert "k is 500" in fails(capsys, *arguments[:-3], "--force")
    toml.write_text("k =")
    assert "not TOML" in fails(capsys, *arguments, "--force")


def test_nothing_is_overwritten_unasked(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, scenes, maps = (work / n for n in ("m.safetensors", "scenes", "maps"))
    before = {p: p.read_bytes() for p in (model, *maps.iterdir())}
    assert "exists" in fails(capsys, "train", scenes, "-o", model)
    assert "exists" in fails(capsys, "segment", model, scenes, "-o", maps)
    fails(capsys, "sample", scenes, "--scenes", 2, "--size", 96)
    assert {p: p.read_bytes() for p in before} == before
    arguments = ["segment", model, scenes, "-o", maps, "--force", "-q"]
    assert main([str(a) for a in arguments]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["train"],
        ["train", "x", "-o", "m", "-k", "many"],
        ["merge", "m", "maps", "-o", "out"],
        ["merge", "m", "maps", "-o", "out", "--granularity", "0"],
        ["segment", "m", "c", "-o", "out", "--format", "docx"],
        ["evaluate", "maps", "--labels", "l", "--align", "best"],
        ["sample", "out", "--seed", "-1"],
    ],
)
def test_bad_use_is_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    fails(capsys, *arguments)


def test_bad_input_is_one_line_naming_the_file(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, scenes, maps = (work / n for n in ("m.safetensors", "scenes", "maps"))
    out = tmp_path / "out"
    text = tmp_path / "text.mat"
    text.write_text("this is no MATLAB file\n" * 20)
    assert "text.mat" in fails(capsys, "train", text, "-o", out / "m.safetensors")
    flat = tmp_path / "flat.mat"
    scipy.io.savemat(flat, {"cube": np.ones((4, 5))})
    assert "flat.mat" in fails(capsys, "segment", model, flat, "-o", out)
    few = tmp_path / "few.mat"
    scipy.io.savemat(few, {"cube": np.random.default_rng(0).random((5, 40, 40))})
    assert "5 bands" in fails(capsys, "segment", model, few, "-o", out)
    assert "none.mat" in fails(
        capsys, "segment", model, tmp_path / "none.mat", "-o", out
    )
    assert "text.mat" in fails(capsys, "segment", text, scenes, "-o", out)
    fails(capsys, "merge", model, tmp_path, "--granularity", 3, "-o", out)
    fails(capsys, "merge", model, maps, "--recipe", text, "-o", out)
    fails(capsys, "evaluate", maps, "--labels", tmp_path, "--align", "majority")
    fails(capsys, "evaluate", maps, "--labels", scenes, "--mapping", "{0:1}")
    fails(capsys, "train", scenes, "-o", out / "m", "--device", "abacus")
    for mapping in ('{"0":"12"}', '{"0":[1.9]}', '{"0":[true]}', '{"0":{"1":2}}'):
        fails(capsys, "evaluate", maps, "--labels", scenes, "--mapping", mapping)
    # A place that cannot be written to is told before the work, not after it.
    fails(capsys, "train", scenes, "-o", text / "m.safetensors")
    fails(capsys, "train", scenes, "-o", scenes, "--force")
    fails(capsys, "segment", model, scenes, "-o", text)
    assert not out.exists()


def test_merge_paints_the_groups_on_request(work: Path, tmp_path: Path) -> None:
    from PIL import Image

    model, maps = str(work / "m.safetensors"), str(work / "maps")
    arguments = ["merge", model, maps, "--granularity", "3", "-o", str(tmp_path)]
    assert main([*arguments, "--format", "tif,png"]) == 0
    for stem in stems(work / "maps"):
        labels = tifffile.imread(tmp_path / f"{stem}_groups.tif")
        with Image.open(tmp_path / f"{stem}_groups.png") as image:
            colors = np.asarray(image.convert("RGB")).reshape(-1, 3)
        for value in np.unique(labels):
            shown = colors[labels.ravel() == value]
            assert (shown == shown[0]).all()


def test_more_groups_than_clusters_are_told_of(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, maps = str(work / "m.safetensors"), str(work / "maps")
    capsys.readouterr()
    assert main(["merge", model, maps, "--granularity", "40", "-o", str(tmp_path)]) == 0
    assert "8 groups are made" in capsys.readouterr().err


def test_it_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "napari_dgc.cli"]
    done = subprocess.run([*command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "evaluate" in done.stdout
    done = subprocess.run([*command, "fly"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
