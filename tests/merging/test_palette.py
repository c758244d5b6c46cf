"""One colour per cluster id."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from napari_dgc.merging import ROLES, cluster_color
from napari_dgc.merging.palette import role_shades

COLORS = np.array([cluster_color(id) for id in range(1, 256)], float)

# Linear RGB as protanopes, deuteranopes and tritanopes see it: G. M. Machado,
# M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based model for simulation
# of color vision deficiency", IEEE TVCG 15(6), 2009, table 1, severity 1.0.
_SIGHTS = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# What a map is drawn on, or beside: the canvas, napari's dark theme, a dark band.
_DARK = np.array([[0, 0, 0], [38, 41, 48], [64, 64, 64]], float)


def seen(rgb, sight):
    """Linear RGB as an eye sees it."""
    c = rgb / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.clip(linear @ _SIGHTS[sight].T, 0, 1)


def differences(one, other, sight):
    """CIEDE2000 between all pairs of two sets of colours."""
    lab = []
    for rgb in (one, other):
        c = seen(rgb, sight)
        c = np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)
        lab.append(rgb2lab(c))
    return deltaE_ciede2000(lab[0][:, None], lab[1][None])


def oklab(rgb, sight="normal"):
    lms = np.cbrt(
        seen(rgb, sight)
        @ np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        ).T
    )
    return (
        lms
        @ np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        ).T
    )


def least_distance(lab):
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return distance[np.triu_indices(len(lab), 1)].min()


def test_all_differ_and_none_is_black_white_or_grey():
    assert len(set(map(tuple, COLORS))) == 255
    lightness, a, b = oklab(COLORS).T
    assert lightness.min() > 0.3
    assert lightness.max() < 0.93
    assert np.hypot(a, b).min() > 0.05


@pytest.mark.parametrize("sight", _SIGHTS)
def test_the_first_sixteen_are_told_apart_by_every_eye(sight):
    """2.3 is just noticeable side by side; 10 is seen at a glance."""
    first = COLORS[:16]
    apart = differences(first, first, sight)[np.triu_indices(16, 1)]
    assert apart.min() > 10
    assert least_distance(oklab(COLORS[:8], sight)) > 0.07


@pytest.mark.parametrize("sight", _SIGHTS)
def test_the_first_sixteen_stand_out_from_the_dark(sight):
    assert differences(COLORS[:16], _DARK, sight).min() > 12


def test_neighbours_are_clearly_different():
    lab = oklab(COLORS)
    for apart in (1, 2, 3):
        steps = np.linalg.norm(lab[apart:] - lab[:-apart], axis=1)
        assert steps.min() > 0.12, apart
    assert least_distance(lab[:32]) > 0.08


def shades(*most):
    """The first shades of each role, as many as said, in the order of `ROLES`."""
    pairs = zip(ROLES, most, strict=True)
    return [np.array(role_shades(role)[:n], float) for role, n in pairs]


@pytest.mark.parametrize("sight", _SIGHTS)
def test_shades_of_roles_are_told_apart_by_every_eye(sight):
    def least(rgb):
        return differences(rgb, rgb, sight)[np.triu_indices(len(rgb), 1)].min()

    assert least(np.concatenate(shades(1, 1, 1, 1))) > 18
    assert least(np.concatenate(shades(4, 5, 5, 2))) > 7
    every = np.concatenate(shades(99, 99, 99, 99))
    assert least(every) > 4
    assert differences(every, COLORS[:16], sight).min() > 3.5
    assert differences(every, _DARK, sight).min() > 12


def test_lesions_are_warm_healthy_is_green_and_the_rest_is_dim():
    background, healthy, lesion, ignore = (oklab(s) for s in shades(99, 99, 99, 99))

    def hue(lab):
        return np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360

    assert ((hue(lesion) > 20) & (hue(lesion) < 85)).all()  # red to orange
    assert ((hue(healthy) > 115) & (hue(healthy) < 165)).all()
    for dim in (background, ignore):
        assert np.hypot(dim[:, 1], dim[:, 2]).max() < 0.1
        assert dim[:, 0].max() < 0.76


@pytest.mark.parametrize("id", [0, -1, 256])
def test_ids_without_a_colour(id):
    with pytest.raises(ValueError, match="from 1 to 255"):
        cluster_color(id)
