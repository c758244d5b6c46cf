"""`report`, `study leaves` and the formats of `merge`, as users script them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import spectral.io.envi
import tifffile
import torch

from napari_dgc.cli import main
from napari_dgc.cubes.labelme import read_labelme
from napari_dgc.study.mapping import MappedCube, map_cube
from napari_dgc.study.storing.study_file import open_study, save_study

FORMATS = "tif,png,overlay,envi,labelme,npy,pth"


def run(*arguments: object) -> None:
    assert main([str(a) for a in (*arguments, "-q")]) == 0


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenes, a first map of each, and a study that has roles."""
    folder = tmp_path_factory.mktemp("work")
    scenes, model, path = folder / "s", folder / "m.safetensors", folder / "x.dgc.json"
    run("sample", scenes, "--scenes", 3, "--size", 96)
    run("train", scenes, "-o", model, "-k", 8, "--steps", 0)
    run("study", "new", scenes, "-o", path, "--model", model)
    run("segment", model, scenes, "-o", folder / "maps")
    study = open_study(path)
    assert study.model is not None
    assert study.grouping is not None
    table = np.zeros((256, 3), int)
    for index, cube in enumerate(study.cubes):
        *_, mapped = map_cube(study.model, cube)
        assert isinstance(mapped, MappedCube)
        ids = mapped.clusters
        study.set_map(index, ids, mapped.statistics, mapped.confidence)
        truth = tifffile.imread(scenes / f"{cube.name}_labels.tif")
        np.add.at(table, (ids.ravel(), truth.ravel()), 1)
    for group in study.grouping.groups:
        role = ("background", "healthy", "lesion")[int(table[group.value].argmax())]
        study.set_role(group.id, role)
    save_study(study, path)
    return folder


def test_every_format_from_the_command_line(work: Path) -> None:
    out, study = work / "all", open_study(work / "x.dgc.json")
    run("merge", "--study", work / "x.dgc.json", "-o", out, "--format", FORMATS)
    for index, cube in enumerate(study.cubes):
        labels = study.group_map(index)
        assert labels is not None
        name = f"{cube.name}_groups"
        image = spectral.io.envi.open(str(out / f"{name}.hdr"))
        polygons, _ = read_labelme(out / f"{name}.json", labels.shape)
        for found in (
            tifffile.imread(out / f"{name}.tif"),
            np.load(out / f"{name}.npy"),
            torch.load(out / f"{name}.pth", weights_only=True).numpy(),
            image.read_band(0),
            polygons,
        ):
            np.testing.assert_array_equal(found, labels)
    # The screen's export gives the very same files.
    screen = work / "screen"
    list(study.export(screen, formats=FORMATS.split(",")).run())
    for path in out.iterdir():
        if path.suffix != ".pth":  # torch writes the file's name into it
            assert path.read_bytes() == (screen / path.name).read_bytes(), path.name


def test_an_overlay_needs_the_cubes(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = ("merge", work / "m.safetensors", work / "maps", "--granularity", 3)
    out = work / "overlay"
    error = fails(capsys, *maps, "-o", out, "--format", "overlay")
    assert "overlay shows it" in error
    assert not out.exists()
    run(*maps, "-o", out, "--format", "overlay", "--cubes", work / "s")
    assert len(list(out.glob("*_overlay.png"))) == 3


def test_the_report_agrees_with_the_maps(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, maps = work / "report", work / "merged"
    study = ("report", work / "x.dgc.json")
    run(*study, "-o", out, "--pixel-mm", 0.5, "--min-lesion", 3)
    run("merge", "--study", work / "x.dgc.json", "-o", maps)
    recipe = json.loads((maps / "recipe.json").read_text("utf-8"))
    lesion = [g["value"] for g in recipe["groups"] if g["role"] == "lesion"]
    rows = read(out / "severity.csv")
    assert len(rows) == 3
    for row in rows:
        labels = tifffile.imread(maps / f"{row['cube']}_groups.tif")
        count = int(np.isin(labels, lesion).sum())
        assert int(row["lesion_px"]) == count
        assert float(row["lesion_mm2"]) == pytest.approx(count / 4, rel=1e-5)
    for row in read(out / "leaves.csv"):
        regions = tifffile.imread(out / f"{row['cube']}_leaves.tif")
        labels = tifffile.imread(maps / f"{row['cube']}_groups.tif")
        inside = labels[regions == int(row["leaf"])]
        assert int(row["lesion_px"]) == np.isin(inside, lesion).sum()
    days = read(out / "severity_by_day.csv")
    assert [row["day"] for row in days] == ["3", "5"]
    # From the files alone: the same but for the interval, which needs confidence.
    again = work / "again"
    run("report", maps, work / "maps", "-o", again, "--min-lesion", 3)
    for name in ("severity.csv", "leaves.csv"):
        for one, other in zip(read(out / name), read(again / name), strict=True):
            free = ("low", "high", "mm2")
            kept = [key for key in one if not key.endswith(free)]
            assert [one[key] for key in kept] == [other[key] for key in kept]
    assert (out / "lesions.csv").read_text().count("\n") > 1
    one, other = read(out / "spectra.csv"), read(again / "spectra.csv")
    assert [r["mean"] for r in one] == [r["mean"] for r in other]
    assert "exists already" in fails(capsys, *study, "-o", out)
    run(*study, "-o", out, "--force")


def test_folders_give_tables_and_say_that_there_is_no_page(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("merge", "--study", work / "x.dgc.json", "-o", tmp_path / "maps")
    out = tmp_path / "out"
    assert main(["report", str(tmp_path / "maps"), "-o", str(out)]) == 0
    assert (out / "severity.csv").is_file()
    assert not (out / "report.html").exists()
    assert "no report.html: make a study" in capsys.readouterr().err
    run("report", tmp_path / "maps", "-o", tmp_path / "quiet")
    assert capsys.readouterr().err == ""
    page = tmp_path / "page"
    assert main(["report", str(work / "x.dgc.json"), "-o", str(page)]) == 0
    assert "report.html" not in capsys.readouterr().err
    assert (page / "report.html").is_file()


def test_leaves_are_frozen_and_told_stale(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "y.dgc.json"
    save_study(open_study(work / "x.dgc.json"), path)
    run("study", "leaves", path, "--min-leaf", 400)
    assert "exists already" in fails(capsys, "study", "leaves", path)
    run("report", path, "-o", tmp_path / "one")
    study = open_study(path)
    assert study.grouping is not None
    healthy = [g for g in study.grouping.groups if g.role == "healthy"]
    study.set_role(healthy[0].id, "ignore")
    save_study(study, path)
    capsys.readouterr()
    assert main(["report", str(path), "-o", str(tmp_path / "two")]) == 0
    assert "Roles have changed" in capsys.readouterr().err
    for name in ("leaf_01_healthy", "leaf_02_day3"):
        one, two = (tmp_path / f / f"{name}_leaves.tif" for f in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    run("study", "leaves", path, "--force")


def test_what_is_refused(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plain = tmp_path / "out", tmp_path / "plain"
    model, maps = work / "m.safetensors", work / "maps"
    run("merge", model, maps, "--granularity", 3, "-o", plain)
    said = fails(capsys, "report", plain, "-o", out)
    assert said.startswith(f"napari-dgc: {plain}: no group has the role")
    bare = tmp_path / "bare.dgc.json"
    run("study", "new", work / "s", "-o", bare, "--model", model, "--maps", maps)
    for command in (("report", bare, "-o", out), ("study", "leaves", bare)):
        said = fails(capsys, *command)
        assert said.startswith(f"napari-dgc: {bare}: no group has the role")
    assert "no recipe.json" in fails(capsys, "report", maps, "-o", out)
    table = tmp_path / "days.csv"
    table.write_text("file,day\n")
    study = ("report", work / "x.dgc.json", "-o", out)
    assert "no column 'plant'" in fails(capsys, *study, "--days", table)
    assert "is no length" in fails(capsys, *study, "--pixel-mm", "0")
    assert not out.exists()
