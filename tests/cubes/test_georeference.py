"""Where a pixel lies and how large it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spectral.io.envi
import tifffile

from napari_dgc.cubes.georeference import geotiff_tags, parse_map_info, pixel_area
from napari_dgc.cubes.readers import read_cube
from napari_dgc.reports.masks import write_label_tiff

UTM = ["UTM", "1.000", "1.000", "500000", "5600000", "0.5", "0.25", "32", "South",
       "WGS-84", "units=Meters"]  # fmt: skip
WKT = 'PROJCS["x",GEOGCS["y",AUTHORITY["EPSG","4258"]],AUTHORITY["EPSG","25832"]]'


def test_the_size_of_a_pixel() -> None:
    assert pixel_area({"map info": UTM}) == pytest.approx(0.125e6)
    arbitrary = ["Arbitrary", "1", "1", "0", "0", "0.2", "0.2", "0", "units=mm"]
    assert pixel_area({"map info": arbitrary}) == pytest.approx(0.04)
    assert pixel_area({"pixel size": ["0.3", "0.2", "units=Millimeters"]}) == (
        pytest.approx(0.06)
    )
    degrees = ["Geographic Lat/Lon", "1", "1", "8", "50", "1e-5", "1e-5", "WGS-84",
               "units=Degrees"]  # fmt: skip
    assert pixel_area({"map info": degrees}) is None
    for nonsense in ({}, {"map info": "x"}, {"map info": [*UTM[:5], "0", "0"]}):
        assert pixel_area(nonsense) is None
        assert geotiff_tags(nonsense) == ()


def keys_of(tags: tuple) -> dict[int, int]:
    flat = next(value for code, _, _, value in tags if code == 34735)
    return {flat[i]: flat[i + 3] for i in range(4, len(flat), 4)}


def test_the_coordinate_system_is_named() -> None:
    assert keys_of(geotiff_tags({"map info": UTM}))[3072] == 32732
    ll = ["Geographic Lat/Lon", "1", "1", "8", "50", "1e-5", "1e-5", "WGS-84"]
    assert keys_of(geotiff_tags({"map info": ll}))[2048] == 4326
    info = [*UTM[:9], "ETRS-89"]
    named = {"map info": info, "coordinate system string": WKT.split(",")}
    assert keys_of(geotiff_tags(named))[3072] == 25832
    assert keys_of(geotiff_tags({"map info": info}))[1024] == 32767


def test_a_turned_image_has_a_matrix() -> None:
    info = parse_map_info({"map info": [*UTM, "rotation=90"]})
    assert info is not None
    assert info.rotation == 90
    tags = {tag[0]: tag[3] for tag in geotiff_tags({"map info": [*UTM, "rotation=90"]})}
    matrix = np.reshape(tags[34264], (4, 4))
    np.testing.assert_allclose(matrix @ [0, 0, 0, 1], [500000, 5600000, 0, 1])
    assert 33550 not in tags


def test_envi_cubes_lend_their_place_to_a_tiff(tmp_path: Path) -> None:
    data = np.random.default_rng(0).random((5, 4, 3)).astype(np.float32)
    spectral.io.envi.save_image(
        str(tmp_path / "a.hdr"), data, metadata={"map info": UTM}, ext="dat"
    )
    cube = read_cube(tmp_path / "a.hdr")
    labels = np.ones((5, 4), np.uint8)
    path = write_label_tiff(
        tmp_path / "l.tif", labels, tags=geotiff_tags(cube.metadata)
    )
    with tifffile.TiffFile(path) as file:
        found = file.geotiff_metadata
    assert found["ModelPixelScale"] == [0.5, 0.25, 0.0]
    assert found["ModelTiepoint"][3:5] == [500000.0, 5600000.0]
    assert int(found["ProjectedCSTypeGeoKey"]) == 32732


def test_reading_a_geotiff_keeps_its_tags(tmp_path: Path) -> None:
    tags = geotiff_tags({"map info": UTM})
    path = tmp_path / "cube.tif"
    data = np.random.default_rng(0).random((6, 5, 4)).astype(np.float32)
    extra = [(*tag, True) for tag in tags]
    tifffile.imwrite(path, data, photometric="minisblack", extratags=extra)
    cube = read_cube(path, axes="byx")
    again = write_label_tiff(
        tmp_path / "l.tif", np.ones((5, 4), np.uint8), tags=geotiff_tags(cube.metadata)
    )
    with tifffile.TiffFile(path) as one, tifffile.TiffFile(again) as other:
        for code, *_ in tags:
            assert one.pages[0].tags[code].value == other.pages[0].tags[code].value
        assert one.geotiff_metadata == other.geotiff_metadata
