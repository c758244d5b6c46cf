"""Calibration and bands on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from spectral.io import envi

from napari_dgc import Config, Model, read_cube, train
from napari_dgc.cli import main
from napari_dgc.cubes.calibrating import calibrate, calibration_from
from napari_dgc.study.storing.study_file import open_study

C, H, W = 12, 32, 40
NM = np.linspace(450, 900, C)


def write(path: Path, data: np.ndarray) -> None:
    """ENVI by SPy, lines x samples x bands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"wavelength": [f"{n:.1f}" for n in NM], "wavelength units": "nm"}
    envi.save_image(
        str(path), data.transpose(1, 2, 0).astype(np.uint16), metadata=metadata,
        ext="raw", interleave="bil", dtype=np.uint16,
    )  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two Specim data sets whose lamps differ, one of them also without references."""
    folder = tmp_path_factory.mktemp("work")
    rng = np.random.default_rng(0)
    kinds = rng.uniform(0.1, 0.9, (3, C))
    for name, lamp in (("leaf1", 2000), ("leaf2", 3000)):
        kind = np.arange(H * W).reshape(H, W) // 8 % 3
        truth = kinds[kind].transpose(2, 0, 1) * rng.uniform(0.9, 1, (1, H, W))
        light = lamp * np.linspace(0.7, 1, W)
        counts = 100 + truth * light + rng.normal(0, 4, truth.shape)
        counts[-1] = rng.normal(150, 60, (H, W)).clip(1)  # a band of noise
        capture = folder / name / "capture"
        write(capture / f"{name}.hdr", counts)
        write(capture / f"WHITEREF_{name}.hdr", np.tile(100 + light, (C, 5, 1)))
        write(capture / f"DARKREF_{name}.hdr", np.full((C, 5, W), 100))
    plain = np.asarray(counts)
    write(folder / "plain" / "leaf3.hdr", plain)
    return folder


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


def facts(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    capsys.readouterr()
    run("info", "--json", *arguments)
    return json.loads(capsys.readouterr().out)[0]


@pytest.fixture(scope="module")
def model(work: Path) -> Path:
    path = work / "m.safetensors"
    run("train", work / "leaf1", work / "leaf2", "-o", path, "-k", 4, "--steps", 0,
        "--drop-bands", "noisy", "--wavelengths", "450-860", "-q")  # fmt: skip
    return path


def test_the_references_beside_cubes_are_taken_and_said(
    work: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Model.load(model)
    assert len(found.calibrations) == 2
    assert found.good_bands.tolist() == [True] * (C - 1) + [False]
    assert 0 < found.front_end.mean.max() < 1
    capsys.readouterr()
    run("segment", model, work / "*" / "capture" / "*.hdr", "-o", tmp_path)
    said = capsys.readouterr().err
    assert "leaf1: calibrated with WHITEREF_leaf1.hdr and DARKREF_leaf1.hdr" in said
    # The lamps differ by half, the leaves do not: one map.
    maps = [tifffile.imread(tmp_path / f"leaf{n}_clusters.tif") for n in (1, 2)]
    assert len(np.unique(maps[0])) > 1
    assert (maps[0] == maps[1]).mean() > 0.98


def test_every_model_of_a_training_says_what_made_reflectance(work: Path) -> None:
    capture = work / "leaf1" / "capture"
    raw, white, dark = (
        read_cube(capture / f"{prefix}leaf1.hdr")
        for prefix in ("", "WHITEREF_", "DARKREF_")
    )
    cube = calibrate(raw, calibration_from(white, dark))
    assert cube.calibration is not None
    steps = train([cube], Config(k=3, steps=3, device="cpu"))
    models = [step.snapshot or step.model for step in steps]
    found = [model for model in models if model is not None]
    assert any(model.encoder for model in found)
    assert {m.calibrations for m in found} == {(cube.calibration.fingerprint,)}


def test_references_named_are_those_that_would_have_been_found(
    work: Path, tmp_path: Path, model: Path
) -> None:
    capture = work / "leaf2" / "capture"
    run("segment", model, capture / "leaf2.hdr", "-o", tmp_path / "found", "-q")
    run("segment", model, work / "plain", "-o", tmp_path / "named", "-q",
        "--white", capture / "WHITEREF_leaf2.hdr",
        "--dark", capture / "DARKREF_leaf2.hdr")  # fmt: skip
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "found" / "leaf2_clusters.tif"),
        tifffile.imread(tmp_path / "named" / "leaf3_clusters.tif"),
    )


def test_a_float_cube_calibrated_by_a_tile_is_told_to_be_reflectance_already(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = read_cube(work / "plain" / "leaf3.hdr")
    np.save(tmp_path / "done.npy", np.asarray(raw.data, np.float32) / 4000)
    np.save(tmp_path / "counts.npy", np.asarray(raw.data, np.float32))
    for name, said in (("done", True), ("counts", False)):
        run("info", tmp_path / f"{name}.npy", "--axes", "byx",
            "--white-region", "0:4,0:4")  # fmt: skip
        err = capsys.readouterr().err
        assert f"{name}: calibrated with a tile" in err
        assert ("if they are reflectance already" in err) is said


def test_raw_counts_and_reflectance_are_not_mixed(
    work: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = fails(capsys, "segment", model, work / "plain", "-o", tmp_path)
    assert "raw counts, the model was trained on reflectance" in error
    counts = tmp_path / "counts.safetensors"
    run("train", work / "leaf1", "--no-calibration", "-o", counts, "-k", 3,
        "--steps", 0, "-q")  # fmt: skip
    assert Model.load(counts).calibrations == ()
    error = fails(capsys, "segment", counts, work / "leaf1", "-o", tmp_path)
    assert "use --no-calibration" in error
    run("segment", counts, work / "leaf1", "-o", tmp_path, "--no-calibration", "-q")
    error = fails(capsys, "info", work / "leaf1", work / "plain")
    assert "it has no references, other cubes have" in error


def test_info_says_what_does_not_count(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = facts(capsys, work / "leaf1")
    assert said["noisy_bands"] == str(C - 1)
    assert said["bad_bands"] == ""
    assert said["pixels"]["valid"] == H * W
    assert said["calibration"] == "WHITEREF_leaf1.hdr and DARKREF_leaf1.hdr"
    (pri,) = said["indices"]  # no other has bands near enough
    assert (pri["name"], pri["bands"]) == ("PRI", [2, 3])
    assert pri["nm"] == pytest.approx([531.8, 572.7])
    run("info", work / "leaf1")
    words = capsys.readouterr().out
    assert "leave them out with --drop-bands noisy" in words
    assert "(R531 - R570) / (R531 + R570), from 532, 573 nm (Peñuelas," in words
    assert f"{H * W} of {H * W} valid" in words
    dropped = facts(capsys, work / "leaf1", "--drop-bands", f"0-1,{C - 1}")
    assert dropped["bad_bands"] == f"0-1,{C - 1}"
    assert dropped["noisy_bands"] == ""


def test_references_named_are_no_cubes_of_their_folder(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, new in (("leaf1", "a"), ("WHITEREF_leaf1", "w"), ("DARKREF_leaf1", "d")):
        for suffix in ("hdr", "raw"):
            file = work / "leaf1" / "capture" / f"{name}.{suffix}"
            shutil.copy(file, tmp_path / f"{new}.{suffix}")
    white, dark = tmp_path / "w.hdr", tmp_path / "d.raw"
    run("info", "--json", tmp_path, "--white", white, "--dark", dark)
    cubes = json.loads(capsys.readouterr().out)
    assert [cube["name"] for cube in cubes] == ["a"]
    error = fails(capsys, "info", white, "--white", white)
    assert "as its own reference" in error


def test_a_tile_of_the_cube_itself(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = facts(
        capsys, work / "plain", "--white-region", "0:9,0:8", "--white-reflectance", 0.5
    )
    assert said["calibration"] == (
        "a tile of its own and no dark reference, the white one reflecting 0.5"
    )


def test_a_study_keeps_references_and_bands(
    work: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "S.dgc.json"
    run("study", "new", work / "leaf1", "-o", path, "--model", model,
        "--drop-bands", "3,7-8", "-q")  # fmt: skip
    (cube,) = open_study(path).cubes
    assert cube.calibration is not None
    assert cube.calibration.fingerprint in Model.load(model).calibrations
    assert np.flatnonzero(~cube.good_bands).tolist() == [3, 7, 8]
    capsys.readouterr()
    run("study", "info", path, "--json")
    (said,) = json.loads(capsys.readouterr().out)["cubes"]
    assert said["calibration"] == cube.calibration.fingerprint
    assert said["bad_bands"] == "3,7-8"


def test_a_cube_without_the_models_wavelengths_is_refused(
    work: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.npy"
    np.save(other, np.random.default_rng(0).random((C - 2, 8, 8)))
    error = fails(capsys, "segment", model, other, "--axes", "byx", "-o", tmp_path)
    assert "10 bands, the model was trained on 12 (450 to 900 nm)" in error


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--dark", "{dark}"], "--dark: a dark reference does nothing alone"),
        (["--dark", "{dark}", "--no-calibration"], "does nothing with"),
        (["--white", "nowhere.hdr"], "nowhere.hdr: no such file"),
        (["--white", "{dark}", "--no-calibration"], "not allowed with argument"),
        (["--white-region", "3:1,0:4"], "marks no pixel"),
        (["--white-region", "3,4"], "such as 10:40,20:60"),
        (["--white-region", "90:99,0:4"], "no valid pixel"),
        (["--white-region", "0:4,0:4", "--white-reflectance", "0"], "no reflectance"),
        (["--drop-bands", "loud"], "is no list of bands"),
        (["--drop-bands", "90"], "its bands are 0 to 11"),
        (["--wavelengths", "900-450"], "such as 450-900"),
        (["--wavelengths", "450-1700"], "its wavelengths go from 450 to 900 nm"),
    ],
)
def test_bad_use_is_told_in_one_line(
    work: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: str,
) -> None:
    dark = str(work / "leaf1" / "capture" / "DARKREF_leaf1.hdr")
    given = [a.format(dark=dark) for a in arguments]
    assert expected in fails(capsys, "info", work / "plain", *given)
