"""The choice of bands, without a screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_dgc.cubes.bands import select_bands
from napari_dgc.cubes.cube import Cube
from napari_dgc.study.calibrating.band_choice import (
    begin_choice,
    with_all_bands,
    word_bands,
)

C = 10
NM = np.linspace(400, 490, C)


def cube(drop=(), bbl=None, nm=NM):
    header = {} if bbl is None else {"bbl": bbl}
    good = None if bbl is None else np.array(bbl) > 0
    plain = Cube(np.ones((C, 2, 2), np.float32), nm, metadata=header, good_bands=good)
    return select_bands(plain, drop=drop)


def marked(*bands):
    mask = np.zeros(C, bool)
    mask[list(bands)] = True
    return mask


def test_noisy_bands_are_offered_and_left_out_only_if_wanted():
    choice = begin_choice([cube()], marked(0, 9))
    assert choice.kept.all()
    wanted = replace(choice, drop_noisy=True)
    np.testing.assert_array_equal(wanted.out, marked(0, 9))


def test_what_is_left_out_already_is_taken_apart_and_put_together_again():
    for out, noisy in (
        ((0, 1, 5), ()),
        ((0, 1, 5), (5,)),
        ((5, 8, 9), (5, 2)),
        ((3,), (2, 3)),
        ((0, 9), (0, 9)),
    ):
        choice = begin_choice([cube(out)], marked(*noisy))
        np.testing.assert_array_equal(choice.out, marked(*out))
    assert begin_choice([cube((0, 1, 5))], marked()).span == (420, 490)


def test_a_bad_band_list_is_not_to_choose():
    bbl = [0] + [1] * 9
    choice = begin_choice([cube(bbl=bbl), cube()], marked(0, 4))
    np.testing.assert_array_equal(choice.bad, marked(0))
    choice = replace(choice, drop_noisy=True)
    np.testing.assert_array_equal(choice.out, marked(4))
    assert choice.toggled(0) is choice
    assert choice.toggled(4) is choice  # noisy ones go by their box
    one = choice.toggled(6)
    np.testing.assert_array_equal(one.out, marked(4, 6))
    np.testing.assert_array_equal(one.toggled(6).out, marked(4))
    assert replace(one, span=(430, 440)).kept.sum() == 1
    (whole,) = with_all_bands([cube((3,), bbl)])
    np.testing.assert_array_equal(whole.good_bands, ~marked(0))


def test_bands_in_words():
    assert word_bands(NM, marked(0, 1, 2, 7), True) == "400–420, 470 nm"
    assert word_bands(np.arange(C, dtype=float), marked(3), False) == "band 3"
    assert word_bands(NM[::-1], marked(0, 1), True) == "480–490 nm"
    assert word_bands(NM, marked(), True) == ""
