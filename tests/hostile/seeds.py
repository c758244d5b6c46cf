"""Valid files of every format that is read, each a few kilobytes."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import scipy.io
import tifffile
from small_study import C, H, K, W, make_study, small_model, take

from napari_dgc.cubes.calibrating import calibrate, calibration_from, tile_calibration
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.labelme import SCENE_CLASSES, write_labelme
from napari_dgc.cubes.readers import read_cube
from napari_dgc.merging.statistics import StatisticsBuilder
from napari_dgc.reports.masks import write_label_tiff
from napari_dgc.study.leaves import LeafRegions, find_leaves
from napari_dgc.study.measures import Measures
from napari_dgc.study.moved import Moved
from napari_dgc.study.storing.leaf_file import leaves_path, save_leaves
from napari_dgc.study.storing.study_file import save_study
from napari_dgc.study.study import Study

_HEADER = """ENVI
samples = {W}
lines = {H}
bands = {C}
header offset = 0
data type = {code}
interleave = {interleave}
byte order = 0
wavelength units = nm
wavelength = {{{wavelengths}}}
bbl = {{{bbl}}}
data ignore value = -1
reflectance scale factor = {factor}
map info = {{UTM, 1, 1, 500000, 4000000, 0.5, 0.5, 33, North, WGS-84}}
"""
_GEOTIFF = (
    (33550, 12, 3, (0.5, 0.5, 0.0), True),
    (33922, 12, 6, (0.0, 0.0, 0.0, 5e5, 4e6, 0.0), True),
    (34735, 3, 12, (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32633), True),
)


def write_seeds(root: Path) -> None:
    """Write all seeds below `root`, those apart that need torch."""
    rng = np.random.default_rng(0)
    data = rng.random((C, H, W)).astype(np.float32)
    _write_envi(root, data)
    _write_arrays(root, data)
    _write_study(root / "study")
    _write_merge(root / "merge", data, rng)
    _write_texts(root / "texts")
    _write_taken(root / "taken")


def _write_envi(root: Path, data: np.ndarray) -> None:
    for interleave, order in (
        ("bsq", (0, 1, 2)),
        ("bil", (1, 0, 2)),
        ("bip", (1, 2, 0)),
    ):
        values = data if interleave != "bil" else (data * 10_000).astype("<u2")
        path = root / interleave / "leaf.hdr"
        factor = 1 if interleave != "bil" else 10_000
        write_envi(path, values.transpose(order), interleave, factor)
    capture = root / "specim" / "capture"
    write_envi(capture / "leaf.hdr", (data * 3000).astype("<u2"), "bsq")
    for name, level in (("WHITEREF_leaf", 4000), ("DARKREF_leaf", 50)):
        lines = np.full((C, 4, W), level, "<u2")
        write_envi(capture / f"{name}.hdr", lines, "bsq")


def write_envi(
    path: Path, values: np.ndarray, interleave: str, factor: int = 1
) -> None:
    """Write an ENVI header and its data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    letters = {"bsq": "CHW", "bil": "HCW", "bip": "HWC"}[interleave]
    lengths = dict(zip(letters, values.shape, strict=True))
    code = {"f": 4, "u": 12}[values.dtype.kind]
    header = _HEADER.format(
        **lengths,
        code=code,
        interleave=interleave,
        factor=factor,
        wavelengths=", ".join(str(500 + 50 * i) for i in range(lengths["C"])),
        bbl=", ".join("1" * lengths["C"]),
    )
    path.write_text(header)
    path.with_suffix(".img").write_bytes(np.ascontiguousarray(values).tobytes())


def _write_arrays(root: Path, data: np.ndarray) -> None:
    folder = root / "arrays"
    folder.mkdir()
    waves = np.linspace(500, 900, C)
    for name, packed in (("v5", False), ("v5z", True)):
        held = {"cube": data, "wavelengths": waves}
        scipy.io.savemat(folder / f"{name}.mat", held, do_compression=packed)
    with h5py.File(folder / "v73.mat", "w") as file:
        file["cube"] = data
        file["wavelengths"] = waves
    with h5py.File(folder / "v73z.mat", "w") as file:
        cube = file.create_dataset("cube", data=data.T, chunks=True, compression="gzip")
        cube.attrs["MATLAB_class"] = np.bytes_(b"single")
    np.save(folder / "leaf.npy", data)
    tifffile.imwrite(folder / "leaf.tif", data, photometric="minisblack")
    tifffile.imwrite(
        folder / "leafz.tif", data, photometric="minisblack", compression="zlib"
    )
    tifffile.imwrite(
        folder / "geo.tif", data, photometric="minisblack", extratags=_GEOTIFF
    )

    if find_spec("zarr") is not None:
        import zarr

        for number in (2, 3):
            store = str(folder / f"leaf{number}.zarr")
            zarr.save_array(store, data, zarr_format=number)


def _write_study(folder: Path) -> Study:
    """Two cubes and a calibrated one, mapped, merged, named; leaves beside it."""
    study = make_study(folder / "data")
    rng = np.random.default_rng(3)
    counts = (rng.random((C, H, W)) * 3000).astype("<u2")
    write_envi(folder / "data" / "raw.hdr", counts, "bsq")
    for name, level in (("WHITEREF_raw", 4000), ("DARKREF_raw", 50)):
        lines = np.full((C, 4, W), level, "<u2")
        write_envi(folder / "data" / f"{name}.hdr", lines, "bsq")
    study.merge([1, 2], 3)
    study.set_role(3, "healthy")
    study.set_role(4, "lesion")
    study.rename(3, "leaf")
    study.cut(4)
    path = save_study(study, folder / "S.dgc.json")
    *_, leaves = find_leaves(study)
    if not isinstance(leaves, LeafRegions):
        raise TypeError("no leaves")
    save_leaves(leaves, leaves_path(path))
    return study


def _write_taken(folder: Path) -> None:
    """All that a study has come to hold: three models, noise, a tile, days, areas."""
    study = make_study(folder / "data")
    study.merge([1, 2], 3)
    take(study, 5)
    study.set_role(study.grouping.ids[0], "lesion")
    take(study, 6)
    study.undo()
    measures = Measures(0.5, 3, (("leaf 1", "A", 2.0), ("叶 2", "B", 9.5)), "days.csv")
    study.set_view(replace(study.view, measures=measures, cut_rejected=True))
    for index in range(len(study.cubes)):
        places = np.array([3, 5, 40])
        moved = Moved(places, np.array([[1, 2, 3], [3, 2, 1]], np.uint8))
        study.set_moved(index, moved)
    study.add_cubes(_calibrated(folder / "data"))
    path = save_study(study, folder / "S.dgc.json")
    *_, leaves = find_leaves(study)
    if not isinstance(leaves, LeafRegions):
        raise TypeError("no leaves")
    stem = next(iter(leaves.maps))
    areas = {stem: np.ones((H, W), bool)}
    save_leaves(replace(leaves, areas=areas), leaves_path(path))
    with (folder / "m_stability.npz").open("wb") as file:
        moved.write(file)


def _calibrated(folder: Path) -> list[Cube]:
    """A cube calibrated with two references, and one with a tile in it."""
    rng, raw = np.random.default_rng(7), {}
    for name, low, high in (("raw", 200, 2000), ("white", 3000, 3010), ("dark", 9, 10)):
        np.save(folder / f"{name}.npy", rng.integers(low, high, (C, H, W), "u2"))
        raw[name] = read_cube(folder / f"{name}.npy", axes="byx")
    np.save(folder / "tiled.npy", rng.integers(200, 2000, (C, H, W), "u2"))
    tiled = read_cube(folder / "tiled.npy", axes="byx")
    return [
        calibrate(raw["raw"], calibration_from(raw["white"], raw["dark"])),
        calibrate(tiled, tile_calibration(tiled, np.s_[2:5, 1:4], reflectance=0.99)),
    ]


def _write_merge(folder: Path, data: np.ndarray, rng: np.random.Generator) -> None:
    """A model, cluster maps with statistics, labels of every kind, a recipe."""
    model = small_model()
    (folder / "labels").mkdir(parents=True)
    model.save(folder / "M.safetensors")
    study = Study()
    study.accept_model(model)
    study.cut(4)
    recipe = study.recipe()
    recipe.write(folder / "recipe.json")
    clusters = rng.integers(1, K + 1, (H, W)).astype(np.uint8)
    builder = StatisticsBuilder(K, C)
    builder.add(clusters, rng.random((H, W), np.float32), data)
    write_label_tiff(folder / "maps" / "leaf_clusters.tif", clusters)
    builder.finish(clusters).save(folder / "maps" / "leaf_stats.npz")
    labels = np.zeros((H, W), np.uint8)
    labels[2:6, 1:5] = 1
    labels[3, 3] = 2
    write_labelme(folder / "labels" / "leaf.json", labels, SCENE_CLASSES, "leaf.mat")
    scipy.io.savemat(folder / "labels" / "l.mat", {"labels": labels})
    np.save(folder / "labels" / "l.npy", labels)
    write_label_tiff(folder / "labels" / "l.tif", labels)


def _write_texts(folder: Path) -> None:
    folder.mkdir()
    (folder / "days.csv").write_text(
        "file,plant,day\nleaf 1,A,3\nleaf 2,B,7.5\nother,C,1\n"
    )
    (folder / "c.toml").write_text(
        'k = 4\nsteps = 3\ncrop = 16\nlearning_rate = 1e-3\ndevice = "cpu"\n'
    )


def write_torch_seeds(root: Path) -> None:
    """The cube that the child with torch trains on; it adds the rest."""
    folder = root / "trained"
    folder.mkdir()
    rng = np.random.default_rng(5)
    places = rng.integers(0, 4, (6, 6)).repeat(4, 0).repeat(4, 1)
    data = rng.random((4, C)).cumsum(1)[places]
    np.save(folder / "leaf.npy", data + 0.02 * rng.standard_normal(data.shape))
    (folder / "maps").mkdir()
    write_label_tiff(
        folder / "maps" / "leaf_clusters.tif", (places + 1).astype(np.uint8)
    )
