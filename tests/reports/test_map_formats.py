"""Maps in every format, read back by programs that are not ours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import spectral.io.envi
import tifffile
import torch
from PIL import Image

from napari_dgc.clustering.tensors import write_tensor
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.labelme import read_labelme
from napari_dgc.reports.classes import MapClass, names_by_value
from napari_dgc.reports.envi_files import write_spectral_library
from napari_dgc.reports.map_formats import ENDINGS, MapFiles
from napari_dgc.reports.spectra import Spectrum

CLASSES = (
    MapClass(1, "cloth, black {tray}", (10, 20, 30), "background"),
    MapClass(3, "healthy", (0, 200, 0), "healthy"),
    MapClass(4, "Läsion = “brown”", (200, 0, 0), "lesion"),
    MapClass(7, "healthy", (0, 100, 0), "healthy"),
)
UTM = {
    "map info": ["UTM", "1.000", "1.000", "500000.0", "5600000.0", "0.5", "0.25", "32",
                 "North", "WGS-84", "units=Meters"],
}  # fmt: skip


def speckled(seed: int = 0, shape: tuple[int, int] = (23, 17)) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([0, 1, 3, 4, 7], np.uint8), shape)


def cube_of(shape: tuple[int, int], metadata: dict | None = None) -> Cube:
    data = np.random.default_rng(1).random((4, *shape)).astype(np.float32)
    return Cube(data, name="leaf 1", path=Path("leaf 1.hdr"), metadata=metadata or {})


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, np.ndarray]:
    labels = speckled()
    files = MapFiles("leaf 1_groups", labels, CLASSES, cube_of(labels.shape, UTM))
    paths = list(files.write(tmp_path, tuple(ENDINGS), write_tensor))
    assert sorted(paths) == sorted(tmp_path.iterdir())
    return tmp_path, labels


def test_arrays_hold_the_very_values(written: tuple[Path, np.ndarray]) -> None:
    folder, labels = written
    tif = tifffile.imread(folder / "leaf 1_groups.tif")
    npy = np.load(folder / "leaf 1_groups.npy", allow_pickle=False)
    pth = torch.load(folder / "leaf 1_groups.pth", weights_only=True).numpy()
    for found in (tif, npy, pth):
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, labels)


def test_the_envi_classification_is_read_by_spy(
    written: tuple[Path, np.ndarray],
) -> None:
    folder, labels = written
    image = spectral.io.envi.open(str(folder / "leaf 1_groups.hdr"))
    np.testing.assert_array_equal(image.read_band(0), labels)
    header = image.metadata
    assert header["file type"] == "ENVI Classification"
    assert header["classes"] == "8"
    assert header["class names"] == [
        "Unclassified", "cloth black (tray)", "Unused", "healthy", "Läsion = “brown”",
        "Unused", "Unused", "healthy",
    ]  # fmt: skip
    lookup = np.array(header["class lookup"], int).reshape(8, 3)
    assert lookup[0].tolist() == [0, 0, 0]
    for one in CLASSES:
        assert tuple(lookup[one.value]) == one.color
    assert header["map info"][3:7] == ["500000.0", "5600000.0", "0.5", "0.25"]


def test_the_pictures_have_the_colours(written: tuple[Path, np.ndarray]) -> None:
    folder, labels = written
    with Image.open(folder / "leaf 1_groups.png") as image:
        plain = np.asarray(image)
    with Image.open(folder / "leaf 1_groups_overlay.png") as image:
        assert image.mode == "RGB"
        over = np.asarray(image)
    for one in CLASSES:
        assert (plain[labels == one.value] == (*one.color, 255)).all()
    assert (plain[labels == 0][:, 3] == 0).all()
    # Speckled: every pixel is on an outline, but for the background, left clear.
    edge = labels == 4
    edge[1:-1, 1:-1] &= (labels[:-2, 1:-1] != 4) | (labels[2:, 1:-1] != 4)
    assert (over[1:-1, 1:-1][edge[1:-1, 1:-1]] == (200, 0, 0)).all()
    assert not (over[labels == 1] == (10, 20, 30)).all(axis=-1).any()


def test_labelme_holds_to_its_schema_and_gives_the_map_back(
    written: tuple[Path, np.ndarray],
) -> None:
    folder, labels = written
    path = folder / "leaf 1_groups.json"
    content = json.loads(path.read_text("utf-8"))
    assert (content["imageHeight"], content["imageWidth"]) == labels.shape
    assert content["imagePath"] == "leaf 1_groups_overlay.png"
    assert (folder / content["imagePath"]).is_file()
    assert content["imageData"] is None
    assert isinstance(content["version"], str)
    assert content["flags"] == {}
    for shape in content["shapes"]:
        assert set(shape) >= {"label", "points", "group_id", "shape_type", "flags"}
        assert shape["shape_type"] == "polygon"
        assert len(shape["points"]) >= 3
        assert all(len(point) == 2 for point in shape["points"])
    back, names = read_labelme(path, labels.shape)
    np.testing.assert_array_equal(back, labels)
    assert names == names_by_value(CLASSES, "_background_")


def test_pillow_fills_the_polygons_within_a_pixel(tmp_path: Path) -> None:
    """What LabelMe's own converter does with a mask without speckles."""
    from PIL import ImageDraw
    from scipy.ndimage import binary_dilation, binary_erosion

    labels = np.zeros((60, 50), np.uint8)
    labels[5:50, 5:45] = 3
    labels[20:32, 15:30] = 4
    files = MapFiles("m", labels, CLASSES)
    (path,) = files.write(tmp_path, ("labelme",), write_tensor)
    content = json.loads(path.read_text("utf-8"))
    drawn = Image.new("L", (50, 60))
    values = {"healthy": 3, "Läsion = “brown”": 4}
    for shape in content["shapes"]:
        corners = [tuple(point) for point in shape["points"]]
        ImageDraw.Draw(drawn).polygon(corners, fill=values[shape["label"]])
    found, around = np.asarray(drawn), np.ones((3, 3), bool)
    for value in (3, 4):
        mask = found == value
        truth = labels == value
        hole = labels == 4 if value == 3 else np.zeros_like(truth)
        assert (mask <= binary_dilation(truth, around)).all()
        assert (
            binary_erosion(truth & ~binary_dilation(hole, around), around) <= mask
        ).all()


def geokeys(tags: tifffile.TiffTags) -> dict[int, int]:
    flat = tags[34735].value
    return {flat[i]: flat[i + 3] for i in range(4, len(flat), 4)}


def test_geotiff_tags_say_where_it_lies(written: tuple[Path, np.ndarray]) -> None:
    folder, _ = written
    with tifffile.TiffFile(folder / "leaf 1_groups.tif") as file:
        tags = file.pages[0].tags
        assert tags[33550].value == (0.5, 0.25, 0.0)
        assert tags[33922].value == (0.0, 0.0, 0.0, 500000.0, 5600000.0, 0.0)
        keys = geokeys(tags)
        assert keys[1024] == 1  # projected
        assert keys[1025] == 1  # pixel is area
        assert keys[3072] == 32632  # WGS 84 / UTM zone 32N
        meta = file.geotiff_metadata
    assert int(meta["GTModelTypeGeoKey"]) == 1
    assert int(meta["ProjectedCSTypeGeoKey"]) == 32632


def test_a_plain_source_gives_a_plain_tiff(tmp_path: Path) -> None:
    labels = speckled()
    (path,) = MapFiles("m", labels, CLASSES, cube_of(labels.shape)).write(
        tmp_path, ("tif",), write_tensor
    )
    with tifffile.TiffFile(path) as file:
        assert 34735 not in file.pages[0].tags


def test_the_spectral_library_is_read_by_spy(tmp_path: Path) -> None:
    nm = np.linspace(400, 1000, 6)
    mean = np.linspace(0, 1, 6)
    mean[2] = np.nan
    spectra = [
        Spectrum("leaf 1", "lesion, old", mean, mean / 10, n=12),
        Spectrum("leaf 1", "healthy", mean * 2, mean / 5, n=30),
    ]
    for deviation, name in ((False, "mean"), (True, "sd")):
        header = tmp_path / f"{name}.hdr"
        write_spectral_library(header, spectra, nm, deviation=deviation)
        library = spectral.io.envi.open(str(header))
        expected = [s.std if deviation else s.mean for s in spectra]
        np.testing.assert_allclose(library.spectra, expected, rtol=1e-6)
        assert library.names == ["leaf 1: lesion old", "leaf 1: healthy"]
        np.testing.assert_allclose(library.bands.centers, nm)
        assert library.bands.band_unit == "Nanometers"
        assert library.metadata["spectra pixels"] == ["12", "30"]
