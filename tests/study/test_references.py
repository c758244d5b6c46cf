"""References by choice: each cube's own, one pair for all, a tile; and previews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.pixel_states import PixelCounts
from napari_dgc.cubes.preparing import as_read, header_bands, left_out, prepare_anew
from napari_dgc.cubes.readers import read_cube
from napari_dgc.study import Study
from napari_dgc.study.calibrating.preparing import PreparedCube, outdated, take, wanted
from napari_dgc.study.calibrating.references import (
    Preview,
    References,
    calibrate_cubes,
    preview,
)

C, H, W = 6, 9, 7


def write(path: Path, values, bbl=()) -> Path:
    values = np.broadcast_to(np.asarray(values, "<u2"), (C, H, W))
    path.with_suffix(".raw").write_bytes(values.tobytes())
    path.write_text(
        f"ENVI\nsamples = {W}\nlines = {H}\nbands = {C}\nheader offset = 0\n"
        "data type = 12\ninterleave = bsq\nbyte order = 0\n"
        + (f"bbl = {{{', '.join(map(str, bbl))}}}\n" if bbl else "")
    )
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    for name, light in (("a", 1000), ("b", 2000)):
        write(tmp_path / f"{name}.hdr", rng.integers(150, light, (C, H, W)))
        write(tmp_path / f"WHITEREF_{name}.hdr", light)
        write(tmp_path / f"DARKREF_{name}.hdr", 100)
    write(tmp_path / "plain.hdr", rng.integers(150, 900, (C, H, W)))
    return tmp_path


def calibrated(study: Study, references: References | None) -> None:
    places = range(len(study.cubes))
    none = np.zeros(C, bool)
    wishes = [wanted(study, i, None, none) for i in places]
    pieces = calibrate_cubes(wishes, references)
    take(study, [piece for piece in pieces if isinstance(piece, PreparedCube)])


def study_of(folder: Path, *names: str) -> Study:
    study = Study()
    study.add_cubes([read_cube(folder / f"{name}.hdr") for name in names])
    return study


def test_each_cube_has_its_own_references_or_one_pair_serves_all(folder):
    study = study_of(folder, "a", "b")
    raw = [np.asarray(cube.data, float) for cube in study.cubes]
    calibrated(study, References())
    for cube, counts, light in zip(study.cubes, raw, (1000, 2000), strict=True):
        expected = (counts - 100) / (light - 100)
        np.testing.assert_allclose(cube.data, expected, rtol=1e-5)
    calibrated(study, References(folder / "WHITEREF_b.hdr", reflectance=0.5))
    for cube, counts in zip(study.cubes, raw, strict=True):
        np.testing.assert_allclose(cube.data, counts * 0.5 / 2000, rtol=1e-5)
    assert len({cube.calibration for cube in study.cubes}) == 1
    calibrated(study, None)
    np.testing.assert_array_equal(study.cubes[1].data, raw[1])


def test_a_cube_without_references_stops_all_before_any_is_changed(folder):
    study = study_of(folder, "a", "plain")
    with pytest.raises(InputError, match=r"no WHITEREF_plain\.hdr"):
        calibrated(study, References())
    assert [cube.calibration for cube in study.cubes] == [None, None]
    calibrated(study_one := study_of(folder, "a"), References())
    study_one.add_cubes([read_cube(folder / "plain.hdr")])
    assert outdated(study_one) == "mixed"


def test_a_tile_serves_for_all_cubes_with_the_counts_of_its_own(folder):
    study = study_of(folder, "a", "b")
    tile = np.zeros((H, W), bool)
    tile[2:4, 1:5] = True
    first = study.cubes[0]
    references = References(tile=tile, tile_cube=first, dark=folder / "DARKREF_a.hdr")
    calibrated(study, references)
    calibrated(study, References(tile=tile, tile_cube=study.cubes[0]))  # counts again
    plain = References(tile=tile, tile_cube=first).calibration(first)
    assert study.cubes[1].calibration.fingerprint == plain.fingerprint


def test_a_preview_shows_both_and_counts(folder):
    cube = read_cube(folder / "a.hdr")
    seen, counts = preview(cube, References())
    assert isinstance(seen, Preview)
    assert isinstance(counts, PixelCounts)
    raw = np.asarray(cube.data, float).mean(axis=(1, 2))
    np.testing.assert_allclose(seen.before, raw, rtol=1e-5)
    np.testing.assert_allclose(seen.after, (raw - 100) / 900, rtol=1e-5)
    assert (counts.valid, counts.total) == (H * W, H * W)
    again, _ = preview(seen.cube, None)
    np.testing.assert_allclose(again.after, seen.after)
    np.testing.assert_allclose(again.before, seen.before)


def test_a_bad_band_list_stays_whatever_is_chosen(folder):
    cube = read_cube(write(folder / "listed.hdr", 500, bbl=(0, 1, 1, 1, 1, 0)))
    listed = [False, True, True, True, True, False]
    assert header_bands(cube).tolist() == listed
    out = np.zeros(C, bool)
    out[2] = True
    fewer = prepare_anew(cube, None, out)
    assert np.flatnonzero(fewer.good_bands).tolist() == [1, 3, 4]
    np.testing.assert_array_equal(left_out(fewer), out)
    assert as_read(fewer).good_bands.tolist() == listed
