"""The methods paragraph says what was done, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_dgc.reports.classes import MapClass
from napari_dgc.reports.facts import CubeFacts, ModelFacts, StudyFacts
from napari_dgc.reports.methods import BIBTEX, CITATION, methods_paragraph
from napari_dgc.reports.page_done import model_terms

MODEL = ModelFacts(
    fingerprint="0" * 16,
    k=16,
    seed=7,
    steps=300,
    steps_done=0,
    cubes=2,
    bands=301,
    good_bands=301,
    range_nm=(400.0, 1000.0),
    components=12,
    noise_method="regression",
    window=5,
    iterations=4,
    crop=64,
    batch=2,
    packages={"napari-dgc": "0.1.0", "torch": "2.13.0"},
)
LEAF = CubeFacts("leaf", "leaf.mat", (301, 90, 80), "file:1:ab")
FACTS = StudyFacts(
    name="rust",
    cubes=(LEAF, replace(LEAF, name="other")),
    model=MODEL,
    groups=[
        (MapClass(1, "Spots", (200, 0, 0), "lesion"), (1, 4)),
        (MapClass(2, "Leaf", (0, 200, 0), "healthy"), (2, 3)),
    ],
    steps=(("merge", "Merged 4 into 1."), ("merge", "Merged 3 into 2.")),
    packages={"napari-dgc": "0.1.0"},
)


def test_the_facts_are_in_it() -> None:
    text = methods_paragraph(FACTS, ["NDVI"])
    for fact in (
        "2 hyperspectral cubes (90 × 80 pixels; 301 bands from 400 to 1000 nm)",
        "as they are in the files",
        "napari-dgc 0.1.0 (torch 2.13.0)",
        "K = 16 clusters, made of 2 cubes (random seed 7)",
        "12 noise-adjusted principal components",
        "4 iterations of mean-shift in a window of 5 × 5 pixels",
        "no network was trained",
        "2 groups (2 merges by hand)",
        "“Spots” as lesion; “Leaf” as healthy",
        "indices (NDVI)",
    ):
        assert fact in text
    assert "indices" not in methods_paragraph(FACTS)


@pytest.mark.parametrize(
    ("change", "says", "not_any_more"),
    [
        ({"steps_done": 120}, "the model of step 120 was kept.", "no network"),
        (
            {"steps_done": 120, "score": 1.234, "first_score": 1.1},
            "kept for its score without labels (1.23 nats; 1.10 at the start).",
            "no network",
        ),
        ({"noise_method": "differences"}, "from spatial differences", "regressing"),
        ({"good_bands": 290}, "290 of which were used", ""),
        ({"range_nm": None}, "301 bands)", "nm"),
        ({"iterations": 0}, "components", "mean-shift"),
    ],
)
def test_another_model_reads_otherwise(change, says: str, not_any_more: str) -> None:
    text = methods_paragraph(replace(FACTS, model=replace(MODEL, **change)))
    assert says in text
    assert not not_any_more or not_any_more not in text


def test_calibration_is_told_for_those_that_have_it() -> None:
    done = replace(LEAF, calibration="the white reference w.hdr and no dark reference")
    alike = methods_paragraph(replace(FACTS, cubes=(done, done)))
    assert "converted to reflectance with the white reference w.hdr" in alike
    mixed = methods_paragraph(replace(FACTS, cubes=(done, LEAF)))
    assert "in 1 of the 2 cubes" in mixed


def test_the_score_stands_with_the_model() -> None:
    assert not any("Score" in name for name, _ in model_terms(FACTS))
    first = replace(MODEL, score=1.1, first_score=1.1)
    trained = replace(first, score=1.234, steps_done=120)
    said = [
        dict(model_terms(replace(FACTS, model=model)))["Score without labels"]
        for model in (first, trained)
    ]
    assert said == ["1.10 nats", "1.23 nats; the first map's was 1.10"]


def test_the_citation_is_that_of_the_paper() -> None:
    for text in (CITATION, BIBTEX):
        assert "2512.24172" in text
        assert "2025" in text
        for author in ("Chang", "Chen"):
            assert author in text
