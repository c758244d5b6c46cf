"""Real cubes of the shared folder, as their instruments wrote them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_dgc.cubes.annotations import read_labels
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes, read_cube

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real cubes of ../shared/data are not here"
)


def test_the_maize_kernel_without_byte_order():
    cube = read_cube(DATA / "corn_kernel" / "corn-kernel-hyperspectral.hdr")
    assert cube.shape == (580, 31, 43)
    assert cube.wavelengths is not None
    assert cube.wavelengths[[0, -1]] == pytest.approx([366.551, 1048.421])
    spectra, _ = cube.block(slice(0, 31), slice(0, 43))
    # Read with the wrong byte order, neighbouring bands would not agree.
    steps = np.abs(np.diff(spectra, axis=0)).mean()
    assert steps < 0.05 * spectra.mean()
    assert cube.valid.all()
    # The white reference outshines the kernel, the dark one is dimmest.
    white, dark = (
        read_cube(DATA / "corn_kernel" / f"{name}_reference_crop.hdr")
        for name in ("white", "dark")
    )
    means = [c.block(slice(0, 31), slice(0, 43))[0].mean() for c in (white, cube, dark)]
    assert means == sorted(means, reverse=True)


def test_the_hippo_rock_and_its_valid_pixels():
    cube = read_cube(DATA / "hippo_rock" / "image.hdr")
    assert cube.shape == (450, 38, 23)
    assert cube.data.dtype == np.float32
    assert cube.ignore_value == 0
    assert cube.saturation == 1
    assert cube.valid.all(), "no pixel is dark in all bands or at the ceiling"
    spectra, _ = cube.block(slice(0, 38), slice(0, 23))
    assert 0 <= spectra.min() < spectra.max() < 1
    raw = np.fromfile(DATA / "hippo_rock" / "image.dat", "<u2").reshape(cube.shape)
    np.testing.assert_array_equal(spectra, raw.astype("f4") / np.float32(65535))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("a_hsi_img_for_VI_demo", (224, 90, 90)),
        ("an_hsi_image_sub_for_demo", (72, 51, 88)),
        ("an_hsi_img_for_class_demo", (72, 31, 20)),
        ("an_hsi_img_for_tgt_det_demo", (72, 36, 36)),
    ],
)
def test_muufl_files_tell_their_axes_by_their_wavelengths(name, shape):
    cube = read_cube(DATA / "muufl" / f"{name}.mat")
    assert cube.shape == shape
    assert cube.wavelengths is not None
    # AVIRIS' detectors overlap, so its list steps back now and then.
    assert (np.diff(cube.wavelengths) > 0).mean() > 0.98
    assert 350 < cube.wavelengths[0] < cube.wavelengths[-1] < 2500


def test_a_muufl_folder_is_four_cubes_and_one_holds_labels():
    assert len(find_cubes([DATA / "muufl"])) == 4
    labels = read_labels(DATA / "muufl", "an_hsi_img_for_tgt_det_demo", (36, 36))
    assert labels.data.any()


def test_indian_pines_needs_to_be_told_its_axes():
    folder = DATA / "indian_pines"
    path = folder / "Indian_pines_corrected.npy"
    with pytest.raises(InputError, match="--axes yxb"):
        read_cube(path)
    cube = read_cube(path, axes="yxb")
    assert cube.shape == (200, 145, 145)
    assert isinstance(cube.data, np.memmap)
    listed = json.loads((folder / "wavelengths_nm.json").read_text())
    assert len(listed) == cube.bands
    labels = read_labels(folder / "Indian_pines_gt.npy", "", (145, 145))
    assert np.count_nonzero(labels.data) == 10_249
    assert len(labels.classes) == 17
