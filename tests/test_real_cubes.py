"""Real cubes, end to end: read, train, segment, merge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_dgc import Config, Cube, Study, read_cube, train
from napari_dgc.study.mapping import MappedCube, map_cube

CUBES = {
    "corn_kernel/corn-kernel-hyperspectral.hdr": (580, 31, 43),
    "hippo_rock/image.hdr": (450, 38, 23),
    "muufl/a_hsi_img_for_VI_demo.mat": (224, 90, 90),
    "muufl/an_hsi_image_sub_for_demo.mat": (72, 51, 88),
    "muufl/an_hsi_img_for_class_demo.mat": (72, 31, 20),
    "muufl/an_hsi_img_for_tgt_det_demo.mat": (72, 36, 36),
    "indian_pines/Indian_pines_corrected.npy": (200, 145, 145),
}


@pytest.mark.parametrize("name", CUBES)
def test_from_the_file_to_groups(name: str, shared_data: Path) -> None:
    axes = "yxb" if name.endswith(".npy") else None
    cube = read_cube(shared_data / name, axes=axes)
    assert cube.shape == CUBES[name]
    assert (cube.wavelengths is None) == name.endswith(".npy")
    steps = list(train([cube], Config(steps=2, crop=32, device="cpu")))
    model = steps[-1].model
    assert model is not None
    *_, mapped = map_cube(model, cube, device="cpu")
    assert isinstance(mapped, MappedCube)
    assert ((mapped.clusters == 0) == ~cube.valid).all()
    # Clusters are spread: none of these scenes is one material.
    shares = mapped.statistics.count[1:] / mapped.statistics.count[1:].sum()
    assert (shares > 0.001).sum() >= 8
    assert shares.max() < 0.9
    study = Study()
    study.add_cubes([cube])
    study.accept_model(model)
    study.set_map(0, mapped.clusters, mapped.statistics)
    study.cut(3)
    groups = study.group_map(0)
    assert groups is not None
    assert 2 <= len(np.unique(groups[cube.valid])) <= 3


def test_an_unsorted_wavelength_list_is_no_trouble(shared_data: Path) -> None:
    """Indian Pines lists its bands out of order; sorting them changes nothing."""
    import json

    folder = shared_data / "indian_pines"
    listed = np.array(json.loads((folder / "wavelengths_nm.json").read_text()), float)
    assert (np.diff(listed) < 0).any()
    plain = read_cube(folder / "Indian_pines_corrected.npy", axes="yxb")
    given = replace(plain, wavelengths=listed)
    order = np.argsort(listed, kind="stable")
    resorted = Cube(
        np.asarray(plain.data)[order], listed[order], saturation=plain.saturation
    )
    parts = []
    for cube in (given, resorted):
        *_, last = train([cube], Config(steps=0, device="cpu"))
        assert last.model is not None
        spectra, _ = cube.block(slice(0, 145), slice(0, 145))
        parts.append(last.model.front_end.project(spectra))
    # Whole maps may differ where k-means' choices hang on rounding.
    np.testing.assert_allclose(*parts, atol=1e-4 * np.abs(parts[0]).max())
