"""Pictures in a page: small, true in colour, the same each time."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from napari_dgc.reports.classes import MapClass
from napari_dgc.reports.page_pictures import (
    LONGEST_SIDE,
    Picture,
    color_picture,
    leaf_marks,
    map_picture,
    stride_of,
)

CLASSES = [MapClass(3, "a", (200, 10, 20)), MapClass(200, "b", (0, 90, 255))]


def decode(picture: Picture) -> Image.Image:
    kind, _, text = picture.source.partition(";base64,")
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    assert kind == f"data:image/{(image.format or '').lower()}"
    assert image.size == (picture.width, picture.height)
    return image


def test_a_map_keeps_its_colours_and_no_data_is_white() -> None:
    labels = np.zeros((30, 40), np.uint8)
    labels[:10], labels[10:20] = 3, 200
    picture = map_picture(labels, CLASSES, "a map", 10**6)
    image = np.asarray(decode(picture).convert("RGB"))
    assert picture.alt == "a map"
    assert (image[:10] == (200, 10, 20)).all()
    assert (image[10:20] == (0, 90, 255)).all()
    assert (image[20:] == 255).all()
    assert map_picture(labels, CLASSES, "a map", 10**6) == picture


def test_large_ones_are_made_smaller_until_they_fit() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(np.array([3, 200], np.uint8), (1500, 900))
    whole = decode(map_picture(labels, CLASSES, "", 10**9))
    assert max(whole.size) == LONGEST_SIDE
    colors = np.unique(np.asarray(whole.convert("RGB")).reshape(-1, 3), axis=0)
    assert set(map(tuple, colors.tolist())) == {one.color for one in CLASSES}
    noise = rng.integers(0, 256, (600, 500, 3), np.uint8)
    for most, picture in (
        (15_000, map_picture(labels, CLASSES, "", 15_000)),
        (60_000, color_picture(noise, "", 60_000)),
    ):
        assert len(picture.source) < most * 4 / 3 + 100
        assert max(decode(picture).size) < LONGEST_SIDE


def test_leaves_are_numbered_in_their_middle() -> None:
    regions = np.zeros((10, 20), np.uint16)
    assert leaf_marks(regions) == ()
    regions[0:2, 0:4], regions[5:10, 10:20] = 7, 2
    marks = {
        mark.text: (float(mark.left), float(mark.top)) for mark in leaf_marks(regions)
    }
    assert marks == {"7": (10.0, 10.0), "2": (75.0, 75.0)}


def test_a_stride_leaves_no_side_too_long() -> None:
    for side in (1, 599, 600, 601, 1000, 12345):
        assert -(-side // stride_of((side, 10))) <= LONGEST_SIDE
