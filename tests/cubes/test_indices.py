"""Index maps against values worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_dgc.cubes.bands import select_bands
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.indices import INDICES, IndexMap, available

NM = np.arange(440.0, 981.0, 5.0)
#: Reflectance at the wavelengths of the formulas; elsewhere 0.9, which must not count.
LEAF = {
    445: 0.04, 500: 0.05, 510: 0.06, 530: 0.08, 550: 0.10, 570: 0.09, 670: 0.04,
    680: 0.05, 700: 0.12, 710: 0.20, 720: 0.25, 750: 0.42, 780: 0.46, 790: 0.47,
    800: 0.48, 900: 0.50, 970: 0.40,
}  # fmt: skip
BY_HAND = {
    "NDVI": 0.44 / 0.52,
    "GNDVI": 0.38 / 0.58,
    "PRI": -0.01 / 0.17,
    "ARI": 10 - 1 / 0.12,
    "CRI": 1 / 0.06 - 10,
    "PSRI": 0.0,  # R680, the nearest to R678, equals R500
    "MCARI": (0.08 - 0.2 * 0.02) * 3,
    "NDRE": 0.22 / 0.72,
    "CI-RE": 1.3,
    "SIPI": 0.44 / 0.43,
    "WBI": 1.25,
}


def leaf(**more: object) -> Cube:
    spectrum = np.full(len(NM), 0.9)
    for wavelength, value in LEAF.items():
        spectrum[wavelength == NM] = value
    data = np.tile(spectrum[:, None, None], (1, 3, 4)).astype(np.float32)
    return Cube(data, NM, "leaf", **more)


def test_every_index_is_the_one_worked_out_by_hand() -> None:
    assert set(BY_HAND) == set(INDICES) == set(available(leaf()))
    for name, value in BY_HAND.items():
        values = np.asarray(IndexMap(leaf(), INDICES[name]))
        assert values.shape == (3, 4)
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, value, rtol=2e-5, atol=1e-6, err_msg=name)


def test_formulas_name_the_wavelengths_that_are_used() -> None:
    for index in INDICES.values():
        assert index.source[-4:].isdecimal()
        for wavelength in index.wavelengths:
            assert f"R{wavelength:g}" in index.formula


def test_bands_lie_within_the_tolerance_or_there_is_no_index() -> None:
    wbi = INDICES["WBI"]
    assert NM[list(wbi.bands_used(leaf()) or ())].tolist() == [900, 970]
    near = [int(NM.searchsorted(n)) for n in (960, 965, 970, 975)]
    short = select_bands(leaf(), drop=[*near, len(NM) - 1])
    assert wbi.bands_used(short) is None
    assert "WBI" not in available(short)
    assert "NDVI" in available(short)
    with pytest.raises(InputError, match="WBI needs good bands at 900, 970 nm"):
        IndexMap(short, wbi)
    assert wbi.bands_used(replace(leaf(), wavelengths=None)) is None
    # One band cannot be both 531 and 570 nm.
    coarse = Cube(np.ones((3, 1, 1)), np.array([440.0, 551.0, 800.0]))
    assert INDICES["PRI"].bands_used(coarse) is None


def test_only_its_bands_are_read_and_windows_equal_the_whole() -> None:
    cube = leaf(mask=np.arange(12).reshape(3, 4) != 5)
    index = IndexMap(cube, INDICES["NDVI"])
    read: list[object] = []

    class Noting:
        shape, ndim, dtype = cube.data.shape, 3, cube.data.dtype

        def __getitem__(self, key: object) -> np.ndarray:
            read.append(key)
            return cube.data[key]

    lazy = IndexMap(replace(cube, data=Noting()), INDICES["NDVI"])
    assert read == []
    np.testing.assert_array_equal(lazy[1:, 2], np.asarray(index)[1:, 2])
    assert read == [(band, slice(1, None), 2) for band in index.bands]
    values = np.asarray(index)
    assert np.isnan(values[1, 1])
    assert np.isnan(values).sum() == 1
    for key in ((slice(1, 3), slice(0, 4, 2)), 2, (1, 1), (..., 1), slice(0, 2)):
        np.testing.assert_array_equal(index[key], values[key])


def test_no_number_where_the_formula_or_the_sensor_has_none() -> None:
    cube = leaf(saturation=0.95, ignore_value=-1.0)
    data = np.array(cube.data)
    near, red = (int(NM.searchsorted(n)) for n in (800, 670))
    data[[near, red], 0, 0] = 0  # 0 / 0
    data[near, 0, 1], data[red, 0, 2], data[red, 0, 3] = 0.96, -1, np.inf
    values = np.asarray(IndexMap(replace(cube, data=data), INDICES["NDVI"]))
    assert np.isnan(values[0]).all()
    assert np.isfinite(values[1:]).all()
