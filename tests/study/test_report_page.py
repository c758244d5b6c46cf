"""The page of a study: all of it, the same each time, and safe to open."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from small_study import act, make_study, map_all, small_model

from napari_dgc.cli import main
from napari_dgc.cubes.bands import select_bands
from napari_dgc.cubes.calibrating import calibrate, calibration_from
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.readers import read_cube
from napari_dgc.study import Study
from napari_dgc.study.reporting.reporting import PAGE, Report
from napari_dgc.study.storing.study_file import save_study

HOSTILE = '"><script>alert(1)</script><img src=http://x onerror=y>'
VOID = {"meta", "img", "rect"}


class Page(HTMLParser):
    """Tags with their attributes, and the text; complains of tags left open."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text("utf-8"))
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report_of(study: Study, folder: Path) -> Path:
    """As the screen does it."""
    list(Report.of(study).write(folder))
    return folder / PAGE


def from_file(path: Path, folder: Path) -> Path:
    assert main(["report", str(path), "-o", str(folder), "-q"]) == 0
    return folder / PAGE


def with_roles(study: Study) -> Study:
    for group, role in ((1, "background"), (2, "healthy"), (3, "lesion")):
        study.set_role(group, role)
    return study


@pytest.mark.parametrize("seed", range(3))
def test_the_screen_and_the_command_line_write_the_same_bytes(
    tmp_path: Path, seed: int
) -> None:
    home = tmp_path / "home"
    study, rng = make_study(home, seed=seed), np.random.default_rng(seed)
    for _ in range(25):
        act(study, rng)
    assert study.grouping is not None
    study.set_role(study.grouping.ids[0], "healthy")
    save_study(study, home / "s.dgc.json")
    screen = report_of(study, tmp_path / "screen").parent
    line = from_file(home / "s.dgc.json", tmp_path / "line").parent
    assert {p.name for p in line.iterdir()} == {p.name for p in screen.iterdir()}
    for path in line.iterdir():
        assert path.read_bytes() == (screen / path.name).read_bytes(), path.name
    shutil.copytree(home, tmp_path / "elsewhere")
    moved = from_file(tmp_path / "elsewhere" / "s.dgc.json", tmp_path / "moved")
    assert moved.read_bytes() == (line / PAGE).read_bytes()


def test_names_are_text_and_nothing_is_fetched(tmp_path: Path) -> None:
    study = with_roles(make_study(tmp_path))
    study.rename(2, HOSTILE)
    study.merge([4, 5], 2)
    save_study(study, tmp_path / "<b>&amp;.dgc.json")
    page = Page(from_file(tmp_path / "<b>&amp;.dgc.json", tmp_path / "out"))
    known = {tag for tag, _ in page.tags}
    assert not known & {"script", "b", "link", "iframe", "object", "form"}
    assert not [a for _, attributes in page.tags for a in attributes if a[:2] == "on"]
    for image in page.all("img"):
        assert (image["src"] or "").startswith("data:image/")
        assert image["alt"]
    policy = page.all("meta")[1]["content"] or ""
    assert policy.startswith("default-src 'none'")
    assert HOSTILE in page.text
    assert f"Merged Group 4, Group 5 into {HOSTILE}." in page.text
    assert "<b>&amp;" in page.text


def test_it_can_be_read_by_all(tmp_path: Path) -> None:
    page = Page(report_of(with_roles(make_study(tmp_path)), tmp_path / "out"))
    assert page.all("html") == [{"lang": "en"}]
    assert "width=device-width" in str(page.all("meta"))
    tables = page.all("table")
    assert len(page.all("caption")) == len(tables) > 3
    assert {head.get("scope") for head in page.all("th")} == {"col", "row"}
    anchors = {(link["href"] or "")[1:] for link in page.all("a")}
    there = {attributes.get("id") for _, attributes in page.tags}
    assert {anchor for anchor in anchors if anchor.isalpha()} <= there
    for section in ("Severity", "Mean spectra", "Methods", "Citation", "arXiv"):
        assert section in page.text


def test_a_cube_that_is_gone_lacks_its_picture_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    save_study(with_roles(make_study(home)), home / "s.dgc.json")
    whole = from_file(home / "s.dgc.json", tmp_path / "whole")
    (home / "leaf 1.mat").unlink()
    less = from_file(home / "s.dgc.json", tmp_path / "less")
    assert whole.read_text("utf-8").count("data:image/jpeg") == 2
    assert less.read_text("utf-8").count("data:image/jpeg") == 1
    assert "The cube itself was not at hand" in Page(less).text
    assert "leaf 1.mat" in Page(less).text
    for name in ("severity.csv", "spectra.csv", "leaves.csv"):
        assert (whole.parent / name).read_bytes() == (less.parent / name).read_bytes()


def raw_cubes(folder: Path) -> tuple[Cube, Cube, Cube]:
    """Counts of a cube and of its white and dark references, on disk."""
    folder.mkdir()
    rng, found = np.random.default_rng(0), []
    for name, low, high in (("raw", 500, 900), ("white", 990, 1000), ("dark", 1, 9)):
        path = folder / f"{name}.npy"
        np.save(path, rng.integers(low, high, (9, 7, 6)).astype(np.float32))
        found.append(read_cube(path, axes="yxb"))
    return found[0], found[1], found[2]


def test_calibration_and_bands_left_out_are_told(tmp_path: Path) -> None:
    raw, white, dark = raw_cubes(tmp_path / "home")
    cube = select_bands(calibrate(raw, calibration_from(white, dark)), drop=[0, 4])
    study = Study()
    study.add_cubes([cube])
    study.accept_model(small_model())
    map_all(study)
    save_study(with_roles(study), tmp_path / "home" / "s.dgc.json")
    screen = report_of(study, tmp_path / "screen")
    line = from_file(tmp_path / "home" / "s.dgc.json", tmp_path / "line")
    assert screen.read_bytes() == line.read_bytes()
    text = Page(line).text
    assert "raw: bands left out (from 0): 0,4." in text
    assert (
        "reflectance with the white reference white.npy and the dark dark.npy" in text
    )
    for name in ("spectra.csv", "indices.csv"):
        mine, other = (p.parent / name for p in (screen, line))
        assert mine.read_bytes() == other.read_bytes()
