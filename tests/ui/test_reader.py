"""Dropping a file on napari: what appears, what is handed on, what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from napari_dgc.cubes.cube import Cube
from napari_dgc.ui.cube_layers import contrast_limits, cube_to_layers
from napari_dgc.ui.reader import get_reader, read_layers

C, H, W = 12, 20, 30
WAVELENGTHS = np.linspace(400, 950, C)  # step 50: bands 5, 3, 1 are 650, 550, 450


def striped_cube() -> np.ndarray:
    """(C, H, W) uint16: left third red, middle green, right blue."""
    data = np.full((C, H, W), 100, np.uint16)
    data += np.arange(H, dtype=np.uint16)[None, :, None]
    data[5, :, :10] = data[3, :, 10:20] = data[1, :, 20:] = 3000
    return data


def write_envi(folder: Path, data: np.ndarray, name: str = "leaf", **fields) -> Path:
    """Write BIL with a header; fields of the header can be replaced."""
    header = {
        "samples": data.shape[2],
        "lines": data.shape[1],
        "bands": data.shape[0],
        "data type": 12,
        "interleave": "bil",
        "byte order": 0,
        "wavelength units": "nm",
        "wavelength": "{" + ", ".join(map(str, WAVELENGTHS)) + "}",
    } | {key.replace("_", " "): value for key, value in fields.items()}
    data.transpose(1, 0, 2).astype("<u2").tofile(folder / f"{name}.raw")
    path = folder / f"{name}.hdr"
    lines = (f"{key} = {value}" for key, value in header.items())
    path.write_text("ENVI\n" + "\n".join(lines) + "\n")
    return path


def write_mat(folder: Path, data: np.ndarray, name: str = "leaf.mat") -> Path:
    path = folder / name
    savemat(path, {"cube": data, "wavelengths": WAVELENGTHS})
    return path


# -- what is claimed ---------------------------------------------------------


def test_matlab_header_and_siblings_are_claimed(tmp_path: Path) -> None:
    header = write_envi(tmp_path, striped_cube())
    raw = header.with_suffix(".raw")
    for suffix in (".dat", ".IMG", ".bil", ".bip", ".bsq", ""):
        raw.with_suffix(suffix).write_bytes(b"0")
    claimed = [header, write_mat(tmp_path, striped_cube()), raw]
    claimed += [raw.with_suffix(s) for s in (".dat", ".IMG", ".bil", ".bsq", "")]
    for path in claimed:
        assert get_reader(str(path)) is not None, path
    assert get_reader([str(path) for path in claimed]) is not None


def test_header_named_after_the_data_file_counts(tmp_path: Path) -> None:
    header = write_envi(tmp_path, striped_cube())
    header.rename(tmp_path / "leaf.raw.hdr")
    assert get_reader(str(tmp_path / "leaf.raw")) is not None


def test_other_files_are_handed_on(tmp_path: Path) -> None:
    for name in ("a.tif", "a.npy", "a.png", "a.raw", "a.dat", "a"):
        (tmp_path / name).write_bytes(b"something")
        assert get_reader(str(tmp_path / name)) is None, name
    assert get_reader(str(tmp_path)) is None
    assert get_reader(str(tmp_path / "missing.mat")) is None
    assert get_reader([]) is None
    assert get_reader("https://example.org/leaf.mat") is None


def test_radiance_pictures_are_handed_on(tmp_path: Path) -> None:
    path = tmp_path / "sky.hdr"
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n")
    assert get_reader(str(path)) is None
    (tmp_path / "sky.raw").write_bytes(b"0")
    assert get_reader(str(tmp_path / "sky.raw")) is None


# -- what is read ------------------------------------------------------------


@pytest.mark.parametrize("write", [write_envi, write_mat])
def test_a_file_gives_bands_and_picture(tmp_path: Path, write) -> None:
    path = write(tmp_path, striped_cube())
    reader = get_reader(str(path))
    assert reader is not None
    (data, bands, kind), (picture, rgb, rgb_kind) = reader(str(path))
    assert kind == rgb_kind == "image"
    assert (bands["name"], rgb["name"]) == ("leaf", "leaf RGB")
    assert data.shape == (C, H, W)
    np.testing.assert_array_equal(np.asarray(data), striped_cube())
    low, high = bands["contrast_limits"]
    assert 100 <= low < high <= 3000
    np.testing.assert_allclose(bands["metadata"]["wavelengths_nm"], WAVELENGTHS)
    assert isinstance(bands["metadata"]["napari_dgc_cube"], Cube)
    assert picture.shape == (H, W, 3)
    assert picture.dtype == np.uint8


def test_envi_stays_on_disk(tmp_path: Path) -> None:
    data = read_layers(write_envi(tmp_path, striped_cube()))[0][0]
    base = data.source
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_data_file_and_header_open_alike(tmp_path: Path) -> None:
    header = write_envi(tmp_path, striped_cube())
    by_header, by_data = read_layers(header), read_layers(header.with_suffix(".raw"))
    np.testing.assert_array_equal(by_header[0][0], by_data[0][0])
    assert by_header[0][1]["name"] == by_data[0][1]["name"]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_picture_follows_wavelengths_not_band_order(order: slice) -> None:
    cube = Cube(striped_cube()[order], wavelengths=WAVELENGTHS[order])
    picture = cube_to_layers(cube)[1][0]
    for channel, columns in enumerate((slice(0, 10), slice(10, 20), slice(20, 30))):
        assert (picture[:, columns].argmax(axis=-1) == channel).all()


def test_contrast_limits_ignore_what_does_not_count() -> None:
    rng = np.random.default_rng(0)
    data = rng.uniform(0.1, 0.6, (C, 64, 64)).astype(np.float32)
    data[:, :8] = np.nan
    data[:, 8:16] = -9999
    data[:, 16:24] = 4095
    low, high = contrast_limits(Cube(data, ignore_value=-9999, saturation=4095))
    assert 0.1 <= low < 0.15
    assert 0.55 < high <= 0.6


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, np.nan])
def test_contrast_limits_of_one_value_are_a_range(value: float) -> None:
    data = np.full((C, 8, 8), value, np.float32)
    low, high = contrast_limits(Cube(data))
    assert np.isfinite([low, high]).all()
    assert low < high


@pytest.mark.parametrize(
    ("fields", "scale", "unit"),
    [
        ({"pixel_size": "{0.5, 0.25, units=Millimeters}"}, (0.25, 0.5), "millimeter"),
        (
            {"map_info": "{Arbitrary, 1, 1, 0, 0, 2, 2, 0, North, units=Meters}"},
            (2, 2),
            "meter",
        ),
        ({"pixel_size": "{0.5, 0.25}"}, (1, 1), "pixel"),
        (
            {"map_info": "{Geographic, 1, 1, 0, 0, 2, 2, units=Degrees}"},
            (1, 1),
            "pixel",
        ),
        ({"map_info": "{broken, units=Meters}"}, (1, 1), "pixel"),
    ],
)
def test_scale_is_carried_to_both_layers(
    tmp_path: Path, fields: dict, scale: tuple[float, float], unit: str
) -> None:
    layers = read_layers(write_envi(tmp_path, striped_cube(), **fields))
    (_, bands, _), (_, picture, _) = layers
    assert tuple(bands["scale"]) == (1, *scale)
    assert tuple(picture["scale"]) == scale
    assert bands["units"] == ("pixel", unit, unit)
    assert picture["units"] == (unit, unit)


def test_a_script_without_a_screen_gets_the_error(tmp_path: Path) -> None:
    path = write_envi(tmp_path, striped_cube())
    path.with_suffix(".raw").write_bytes(b"too short")
    code = (
        "import sys\n"
        "from napari_dgc.cubes.errors import InputError\n"
        "from napari_dgc.ui.reader import get_reader\n"
        "try:\n"
        "    get_reader(sys.argv[1])(sys.argv[1])\n"
        "except InputError as error:\n"
        "    print(error, 'qtpy' in sys.modules, 'torch' in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "leaf." in ran.stdout, ran.stderr
    assert ran.stdout.strip().endswith("False False")
