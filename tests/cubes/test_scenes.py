from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes import Scene, SceneConfig, make_scene, make_scenes
from napari_dgc.cubes.scenes.materials import (
    CLASS_OF,
    MATERIALS,
    band_centres,
    material_spectra,
)

SMALL = SceneConfig(size=96, bands=41)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(SMALL, seed=3, name="leaf")


def test_same_seed_gives_the_same_bytes(scene: Scene) -> None:
    again = make_scene(SMALL, seed=3, name="leaf")
    assert np.asarray(again.cube.data).tobytes() == scene.cube.data[:].tobytes()
    np.testing.assert_array_equal(again.labels, scene.labels)
    other = make_scene(SMALL, seed=4)
    assert (other.labels != scene.labels).any()
    assert not np.array_equal(other.cube.data, scene.cube.data)


def test_shape_type_and_range(scene: Scene) -> None:
    assert scene.cube.shape == (41, 96, 96)
    assert scene.cube.data.dtype == np.float32
    assert np.isfinite(scene.cube.data).all()
    assert scene.cube.data[:].min() > -0.1
    assert scene.cube.data[:].max() < 1.5
    assert scene.cube.valid.all()
    assert scene.cube.wavelengths is not None
    np.testing.assert_allclose(scene.cube.wavelengths, np.linspace(400, 1000, 41))
    assert scene.cube.name == scene.name == "leaf"


def test_bands_default_to_two_nanometres() -> None:
    assert SceneConfig().bands == 301
    np.testing.assert_allclose(np.diff(band_centres(301)), 2)


def test_oblong_scenes_and_many_leaves() -> None:
    wide = make_scene(replace(SMALL, size=(64, 150), leaves=5, bands=8), seed=1)
    assert wide.labels.shape == wide.materials.shape == (64, 150)
    assert set(np.unique(wide.leaves)) == {0, 1, 2, 3, 4, 5}


def test_truth_is_consistent(scene: Scene) -> None:
    assert set(np.unique(scene.labels)) == {0, 1, 2}
    assert scene.labels.dtype == scene.materials.dtype == np.uint8
    np.testing.assert_array_equal(CLASS_OF[scene.materials], scene.labels)
    np.testing.assert_array_equal(scene.leaves > 0, scene.labels > 0)
    assert scene.material_names == MATERIALS
    # Three leaves cover a good part of the cloth, all of them infected.
    assert 0.1 < (scene.labels > 0).mean() < 0.5
    assert set(scene.leaves[scene.labels == 2]) == {1, 2, 3}


def test_label_and_spectrum_agree(scene: Scene) -> None:
    near_infrared = np.asarray(scene.cube.data[30])
    means = [near_infrared[scene.labels == value].mean() for value in range(3)]
    assert means[0] < means[2] < means[1]
    assert means[1] > 4 * means[0]


def test_healthy_scene_has_no_lesion_and_the_same_leaves(scene: Scene) -> None:
    healthy = make_scene(replace(SMALL, lesion=None), seed=3)
    assert 2 not in healthy.labels
    # Where cloth, leaf and lesion share a pixel, none may hold the half of it.
    assert ((healthy.labels > 0) != (scene.labels > 0)).sum() < 5


def test_lesions_grow_with_their_size() -> None:
    areas = [
        (make_scene(replace(SMALL, bands=4, lesion_size=s), 3).labels == 2).sum()
        for s in (0.1, 0.2, 0.3)
    ]
    assert areas[0] > 0
    # Area goes with the square; leaves' edges cut the largest off.
    assert areas[1] > 2.5 * areas[0]
    assert areas[2] > 1.4 * areas[1]


@pytest.mark.parametrize("kind", ["brown", "near-black", "mixed"])
def test_kind_of_lesion(kind: str) -> None:
    config = replace(SMALL, bands=4, lesion=kind)
    scene = make_scene(config, 2)
    seen = {MATERIALS[m] for m in np.unique(scene.materials[scene.labels == 2])}
    wanted = {"brown lesion", "near-black lesion"}
    assert seen == (wanted if kind == "mixed" else {f"{kind} lesion"})


def test_near_black_is_as_dark_as_the_cloth_but_not_the_cloth() -> None:
    nm = band_centres(61)
    spectra = dict(zip(MATERIALS, material_spectra(nm), strict=True))
    lesion, cloth = spectra["near-black lesion"], spectra["cloth"]
    visible = nm < 680
    assert (lesion[visible] < 1.6 * cloth[visible]).all()
    assert (lesion[visible] < 0.4 * spectra["brown lesion"][visible].max()).all()
    # No brightness of the cloth comes near it.
    scale = lesion @ cloth / (cloth @ cloth)
    assert np.abs(lesion - scale * cloth).max() > 0.04


@pytest.mark.parametrize(("nm", "least"), [(550, 3.0), (850, 2.0)])
def test_illumination_varies_several_fold_within_a_leaf(nm: int, least: float) -> None:
    ratios = []
    config = SceneConfig(size=128, bands=13, noise=0, stripes=0, lesion=None)
    for scene in make_scenes(4, 128, 0, lesion=None, config=config):
        assert scene.cube.wavelengths is not None
        band = int(np.abs(scene.cube.wavelengths - nm).argmin())
        picture = scene.cube.data[band]
        for leaf in (1, 2, 3):
            low, high = np.percentile(picture[scene.leaves == leaf], [5, 95])
            ratios.append(high / low)
    assert np.median(ratios) >= least


def test_tilt_deepens_the_shading_and_glint_adds_light() -> None:
    def picture(**strengths: float) -> tuple[float, float]:
        config = replace(SMALL, bands=13, lesion=None, noise=0.0, **strengths)
        scene = make_scene(config, 5)
        leaf = scene.cube.data[9][scene.labels == 1]
        low, high = np.percentile(leaf, [5, 95])
        green = scene.cube.data[3][scene.labels == 1]
        return float(high / low), float(green.mean())

    flat, mild, strong = (picture(tilt=t)[0] for t in (0, 1, 3))
    assert flat < mild < strong
    assert strong > 1.5 * mild
    dull, shiny, wet = (picture(glint=g)[1] for g in (0, 1, 3))
    assert dull < shiny < wet


def test_shadows_darken_the_cloth_only_where_asked() -> None:
    with_shadow = make_scene(replace(SMALL, bands=4, noise=0), 3)
    without = make_scene(replace(SMALL, bands=4, noise=0, shadow=0), 3)
    shadow = MATERIALS.index("shadow")
    assert (with_shadow.materials == shadow).sum() > 50
    assert shadow not in without.materials
    place = with_shadow.materials == shadow
    dark, lit = with_shadow.cube.data[1][place], without.cube.data[1][place]
    assert np.median(dark / lit) < 0.6


@pytest.mark.parametrize("noise", [0.5, 1.0, 4.0])
def test_noise_has_the_sd_the_scene_states(noise: float) -> None:
    clean = make_scene(replace(SMALL, noise=0), 3)
    noisy = make_scene(replace(SMALL, noise=noise), 3)
    residual = noisy.cube.data - np.asarray(clean.cube.data)
    shot = noisy.cube.metadata["shot"] * np.maximum(clean.cube.data, 0)
    expected = np.sqrt(noisy.noise_sd[:, None, None] ** 2 + shot)
    np.testing.assert_allclose((residual / expected).std(axis=(1, 2)), 1, atol=0.05)
    np.testing.assert_allclose(noisy.noise_sd, noise * make_scene(SMALL, 3).noise_sd)
    # Worse at both ends.
    assert noisy.noise_sd[0] > 2 * noisy.noise_sd[20]
    assert noisy.noise_sd[-1] > 2 * noisy.noise_sd[20]


def test_stripes_run_down_the_columns() -> None:
    plain = make_scene(replace(SMALL, stripes=0, noise=0), 3)
    striped = make_scene(replace(SMALL, noise=0), 3)
    gain = (np.asarray(striped.cube.data) / plain.cube.data)[20]
    assert gain.mean(axis=0).std() > 3 * gain.mean(axis=1).std()


def test_drift_is_smooth_and_differs_between_scenes() -> None:
    still = replace(SMALL, noise=0, stripes=0, drift=0)
    gains = []
    for seed in (1, 2):
        before, after = (
            make_scene(replace(still, drift=d), seed).cube.data.sum(axis=(1, 2))
            for d in (0, 1)
        )
        gains.append(after / before)
        assert np.abs(np.diff(gains[-1])).max() < 0.01
        assert 0.002 < gains[-1].std() < 0.1
    assert np.abs(gains[0] - gains[1]).max() > 0.005


def test_sizes_show_the_same_scene() -> None:
    small, large = (make_scene(replace(SMALL, size=n, bands=4), 3) for n in (96, 192))
    shrunk = large.labels[::2, ::2]
    assert (shrunk == small.labels).mean() > 0.96


def test_a_study_has_healthy_and_infected_scenes_of_both_kinds() -> None:
    config = SceneConfig(bands=4)
    study = list(make_scenes(6, 64, 0, config=config))
    assert [scene.name for scene in study] == [
        "leaf_01_healthy",
        "leaf_02_day3",
        "leaf_03_day5",
        "leaf_04_healthy",
        "leaf_05_day7",
        "leaf_06_day3",
    ]
    for scene in study:
        assert (2 in scene.labels) == ("healthy" not in scene.name)
    materials = {m for scene in study for m in np.unique(scene.materials)}
    assert {MATERIALS.index("brown lesion"), MATERIALS.index("near-black lesion")} <= (
        materials
    )
    assert len({scene.labels.tobytes() for scene in study}) == 6
    first = next(make_scenes(2, 64, 0, config=config))
    np.testing.assert_array_equal(first.cube.data, study[0].cube.data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 8},
        {"bands": 1},
        {"leaves": 0},
        {"lesion": "green"},
        {"lesion_size": 2.0},
        {"noise": -1.0},
        {"tilt": float("nan")},
    ],
)
def test_configurations_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"^{next(iter(wrong))}: "):
        SceneConfig(**wrong)


def test_negative_seed_and_empty_study_are_refused() -> None:
    with pytest.raises(InputError, match=r"^seed: "):
        make_scene(SMALL, -1)
    with pytest.raises(InputError, match=r"^scenes: "):
        next(make_scenes(0))


def test_bytes_do_not_depend_on_the_number_of_threads() -> None:
    script = (
        "import hashlib; from napari_dgc.cubes.scenes import *;"
        "scene = make_scene(SceneConfig(size=200, bands=101), 3);"
        "print(hashlib.sha256(scene.cube.data.tobytes()).hexdigest())"
    )
    digests = set()
    for threads in ("1", "2"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        run = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | dict.fromkeys(names, threads),
            capture_output=True,
            check=True,
            text=True,
        )
        digests.add(run.stdout)
    assert len(digests) == 1
