"""ENVI files: every layout, every field that is honoured, every fault."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import read_cube

CODES = {
    "u1": 1, "i2": 2, "i4": 3, "f4": 4, "f8": 5, "u2": 12, "u4": 13, "i8": 14, "u8": 15,
}  # fmt: skip
ORDERS = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}
DATA = np.arange(1, 1 + 4 * 3 * 5).reshape(4, 3, 5)


def write_envi(
    folder: Path,
    data: np.ndarray,
    interleave: str = "bsq",
    dtype: str = "u2",
    order: int | None = 0,
    offset: int = 0,
    name: str = "x",
    suffix: str = ".dat",
    header: str | None = None,
    **fields: str | None,
) -> Path:
    """Write an ENVI pair; a field given as None is left out of the header."""
    C, H, W = data.shape
    content: dict[str, str | None] = {
        "samples": str(W), "lines": str(H), "bands": str(C),
        "data type": str(CODES[dtype]), "interleave": interleave,
        "byte order": None if order is None else str(order),
        "header offset": str(offset) if offset else None,
    }  # fmt: skip
    content |= {field.replace("_", " "): text for field, text in fields.items()}
    stored = data.transpose(ORDERS[interleave]).astype("<>"[order or 0] + dtype)
    (folder / (name + suffix)).write_bytes(b"\xab" * offset + stored.tobytes())
    path = folder / (header or f"{name}.hdr")
    lines = [f"{field} = {text}" for field, text in content.items() if text is not None]
    path.write_text("\n".join(["ENVI", "; a comment = 1", *lines]) + "\n", "utf-8")
    return path


@settings(max_examples=60, deadline=None)
@given(
    interleave=st.sampled_from(sorted(ORDERS)),
    dtype=st.sampled_from(sorted(CODES)),
    order=st.sampled_from([0, 1, None]),
    offset=st.integers(0, 40),
    shape=st.tuples(st.integers(2, 5), st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 2**32),
)
def test_any_layout_reads_back_equal(interleave, dtype, order, offset, shape, seed):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        data = rng.normal(size=shape).astype(dtype)
    else:
        bounds = np.iinfo(dtype)
        data = rng.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)
    with tempfile.TemporaryDirectory() as folder:
        cube = read_cube(
            write_envi(Path(folder), data, interleave, dtype, order, offset)
        )
        assert cube.shape == shape
        assert cube.data.dtype == np.dtype(dtype).newbyteorder("<>"[order or 0])
        np.testing.assert_array_equal(np.asarray(cube.data), data)
        spectra, valid = cube.block(slice(0, shape[1]), slice(0, shape[2]))
        np.testing.assert_array_equal(spectra, data.astype("f4") * valid)
        del cube  # a map in use cannot be deleted everywhere


@pytest.mark.parametrize(
    ("suffix", "header"),
    [(s, None) for s in (".dat", ".img", ".raw", ".bil", ".bip", ".bsq", "", ".DAT")]
    + [(".raw", "x.raw.hdr"), (".dat", "x.HDR"), (".odd", "x.odd.hdr")],
)
def test_header_and_data_find_each_other(tmp_path, suffix, header):
    path = write_envi(tmp_path, DATA, suffix=suffix, header=header)
    by_header, by_data = read_cube(path), read_cube(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(by_header.data, DATA)
    np.testing.assert_array_equal(by_data.data, DATA)
    assert by_header.name == by_data.name
    if suffix != ".odd":
        assert by_data.name == "x"


def test_data_is_mapped_not_read(tmp_path):
    data = read_cube(write_envi(tmp_path, DATA, "bil")).data
    assert isinstance(data, np.memmap)


def test_two_data_files_are_not_guessed_between(tmp_path):
    path = write_envi(tmp_path, DATA)
    (tmp_path / "x.img").write_bytes((tmp_path / "x.dat").read_bytes())
    with pytest.raises(InputError, match=r"x\.dat or x\.img"):
        read_cube(path)
    assert read_cube(tmp_path / "x.img").shape == DATA.shape


@pytest.mark.parametrize(
    ("units", "values", "nanometres"),
    [
        ("Nanometers", "{400, 500, 600, 700}", [400, 500, 600, 700]),
        ("nm", "{700, 500, 600,\n 400}", [700, 500, 600, 400]),
        ("Micrometers", "{0.4, 0.5, 0.6, 0.7}", [400, 500, 600, 700]),
        ("µm", "{0.4, 0.5, 0.6, 0.7}", [400, 500, 600, 700]),
        ("um", "{0.4, 0.5, 0.6, 0.7}", [400, 500, 600, 700]),
        (None, "{0.4, 0.5, 0.6, 0.7}", [400, 500, 600, 700]),
        ("Unknown", "{400, 500, 600, 700}", [400, 500, 600, 700]),
        ("Wavenumber", "{25000, 20000, 12500, 10000}", [400, 500, 800, 1000]),
        ("Index", "{1, 2, 3, 4}", None),
        ("GHz", "{1, 2, 3, 4}", None),
    ],
)
def test_wavelengths_come_out_in_nanometres(tmp_path, units, values, nanometres):
    fields = {"wavelength": values, "wavelength_units": units}
    waves = read_cube(write_envi(tmp_path, DATA, **fields)).wavelengths
    if nanometres is None:
        assert waves is None
    else:
        np.testing.assert_allclose(waves, nanometres)


def test_a_latin_1_header_with_capitals_is_read(tmp_path):
    path = write_envi(tmp_path, DATA, wavelength="{0.4, 0.5, 0.6, 0.7}")
    text = path.read_text().replace("samples", "Samples")
    path.write_bytes((text + "Wavelength Units = µm\nroom = 21 °C\n").encode("latin-1"))
    np.testing.assert_allclose(read_cube(path).wavelengths, [400, 500, 600, 700])


def test_the_scale_factor_divides_integers_and_saturation(tmp_path):
    data = DATA.copy()
    data[2, 1, 3], data[0, 0, 0] = 65535, 65534
    cube = read_cube(
        write_envi(tmp_path, data, "bip", reflectance_scale_factor="10000")
    )
    expected = data.astype("f4") / np.float32(10000)
    np.testing.assert_array_equal(np.asarray(cube.data), expected)
    assert cube.data.dtype == np.float32
    np.testing.assert_array_equal(
        cube.data[1:3, ::2, [0, 4]], expected[1:3, ::2, [0, 4]]
    )
    assert cube.data[1, 2, 3] == expected[1, 2, 3]
    assert cube.saturation == pytest.approx(6.5535)
    assert not cube.valid[1, 3]
    assert cube.valid.sum() == cube.valid.size - 1


def test_the_scale_factor_leaves_floats_alone(tmp_path):
    path = write_envi(
        tmp_path, DATA / 100, dtype="f4", reflectance_scale_factor="10000"
    )
    cube = read_cube(path)
    np.testing.assert_array_equal(cube.data, (DATA / 100).astype("f4"))
    assert cube.saturation is None


def test_a_saturation_the_header_states_wins(tmp_path):
    fields = {"saturation_value": "40", "reflectance_scale_factor": "100"}
    cube = read_cube(write_envi(tmp_path, DATA, **fields))
    assert cube.saturation == pytest.approx(0.4)
    np.testing.assert_array_equal(cube.valid, ~(DATA >= 40).any(axis=0))


def test_the_ignore_value_is_in_the_files_units(tmp_path):
    data = DATA.copy()
    data[1, 2, 2] = 777
    fields = {"data_ignore_value": "777", "reflectance_scale_factor": "3"}
    cube = read_cube(write_envi(tmp_path, data, **fields))
    assert not cube.valid[2, 2]
    assert cube.valid.sum() == cube.valid.size - 1


@pytest.mark.parametrize("value", ["nan", "-1.7976931348623157e+308"])
def test_an_ignore_value_outside_float32_needs_no_rule(tmp_path, value):
    data = DATA.astype("f8")
    data[0, 1, 1] = float(value)
    cube = read_cube(write_envi(tmp_path, data, dtype="f8", data_ignore_value=value))
    assert cube.ignore_value is None
    assert cube.valid.sum() == cube.valid.size - 1


def test_the_bad_band_list_is_honoured(tmp_path):
    cube = read_cube(write_envi(tmp_path, DATA, bbl="{1, 0, 1, 1}"))
    assert cube.good_bands is not None
    assert cube.good_bands.tolist() == [True, False, True, True]
    assert (cube.block(slice(0, 3), slice(0, 5))[0][1] == 0).all()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"samples": None}, "lacks 'samples'"),
        ({"lines": None}, "lacks 'lines'"),
        ({"bands": None}, "lacks 'bands'"),
        ({"data_type": None}, "lacks 'data type'"),
        ({"samples": "many"}, "'samples = many'"),
        ({"lines": "0"}, "'lines = 0'"),
        ({"lines": "-3"}, "'lines = -3'"),
        ({"lines": "3000000000"}, "is cut short"),
        ({"bands": "1"}, "a single band"),
        ({"data_type": "6"}, "complex"),
        ({"data_type": "9"}, "complex"),
        ({"data_type": "7"}, "'data type = 7'"),
        ({"byte_order": "2"}, "'byte order = 2'"),
        ({"header_offset": "1"}, "is cut short"),
        ({"file_compression": "1"}, "compressed"),
        ({"major_frame_offsets": "{2, 2}"}, "major frame offsets"),
        ({"wavelength": "{1, 2, 3}"}, "3 wavelengths for 4 bands"),
        ({"wavelength": "{a, b, c, d}"}, "'wavelength' does not hold numbers"),
        ({"wavelength": "{400, 500"}, "not an ENVI header"),
        ({"bbl": "{1, 1}"}, "2 entries for 4 bands"),
        ({"bbl": "{0, 0, 0, 1}"}, "leaves 1 bands"),
        ({"reflectance_scale_factor": "0"}, "'reflectance scale factor = 0'"),
        ({"reflectance_scale_factor": "much"}, "does not hold numbers"),
    ],
)
def test_a_faulty_header_is_refused(tmp_path, fields, says):
    path = write_envi(tmp_path, DATA, **fields)
    with pytest.raises(InputError, match=says) as caught:
        read_cube(path)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "x.") in str(caught.value)


@pytest.mark.parametrize("line", ["", "interleave = bif", "interleave = {bsq, bil}"])
def test_an_interleave_unknown_or_missing_is_refused(tmp_path, line):
    path = write_envi(tmp_path, DATA)
    path.write_text(path.read_text().replace("interleave = bsq", line))
    with pytest.raises(InputError, match="interleave"):
        read_cube(path)


def test_missing_and_short_data_are_refused(tmp_path):
    path = write_envi(tmp_path, DATA)
    data = tmp_path / "x.dat"
    data.write_bytes(data.read_bytes()[:-1])
    for named in (path, data):
        with pytest.raises(InputError, match=r"119 bytes where x\.hdr tells of 120"):
            read_cube(named)
    data.unlink()
    with pytest.raises(InputError, match="data file is missing"):
        read_cube(path)


def test_data_without_a_header_is_refused(tmp_path):
    (tmp_path / "lone.raw").write_bytes(bytes(100))
    with pytest.raises(InputError, match="no ENVI header beside it"):
        read_cube(tmp_path / "lone.raw")


@pytest.mark.parametrize("content", [b"", b"nrows 3\n", b"ENVI\0\0\xff", b"\xff\xfe\0"])
def test_a_header_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "x.hdr").write_bytes(content)
    with pytest.raises(InputError):
        read_cube(tmp_path / "x.hdr")


def test_all_nan_is_refused_and_a_single_number_is_not(tmp_path):
    data = np.full((3, 90, 2), np.nan)
    path = write_envi(tmp_path, data, dtype="f4")
    with pytest.raises(InputError, match="no finite value"):
        read_cube(path)
    data[1, 70, 1] = 0.5
    assert read_cube(write_envi(tmp_path, data, dtype="f4")).bands == 3
