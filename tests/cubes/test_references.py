"""References by name, as Specim cameras write them, and patterns of files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.readers import find_cubes
from napari_dgc.cubes.references import find_references, is_reference


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two data sets of a Specim camera, one of them without a dark reference."""
    for name, prefixes in (
        ("leaf1", ("", "WHITEREF_", "DARKREF_")),
        ("leaf2", ("", "whiteref_")),
    ):
        capture = tmp_path / name / "capture"
        capture.mkdir(parents=True)
        for prefix in prefixes:
            (capture / f"{prefix}{name}.hdr").touch()
            (capture / f"{prefix}{name}.raw").touch()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_references_are_found_by_name_whatever_the_case(folder: Path) -> None:
    one = folder / "leaf1" / "capture"
    assert find_references(one / "leaf1.hdr") == (
        one / "WHITEREF_leaf1.hdr",
        one / "DARKREF_leaf1.hdr",
    )
    assert find_references(one / "leaf1.raw")[0] == one / "WHITEREF_leaf1.hdr"
    two = folder / "leaf2" / "capture"
    assert find_references(two / "leaf2.hdr") == (two / "whiteref_leaf2.hdr", None)
    assert find_references(one / "WHITEREF_leaf1.hdr") == (None, None)
    assert is_reference(two / "whiteref_leaf2.hdr")


def test_a_camera_folder_stands_for_its_capture_without_references(
    folder: Path,
) -> None:
    assert names(find_cubes(folder / "leaf1")) == ["leaf1.hdr"]
    assert names(find_cubes([folder / "leaf1", folder / "leaf2"])) == [
        "leaf1.hdr",
        "leaf2.hdr",
    ]
    with pytest.raises(InputError, match=r"holds no \.mat or \.hdr file"):
        find_cubes(folder)


def test_patterns_stand_for_what_fits_them(folder: Path) -> None:
    assert names(find_cubes(folder / "leaf*" / "capture" / "*.hdr")) == [
        "leaf1.hdr",
        "leaf2.hdr",
    ]
    assert names(find_cubes(folder / "**" / "leaf?.hdr")) == ["leaf1.hdr", "leaf2.hdr"]
    assert names(find_cubes(folder / "leaf*")) == ["leaf1.hdr", "leaf2.hdr"]
    with pytest.raises(InputError, match="fits the pattern"):
        find_cubes(folder / "stem*")
    odd = folder / "leaf[1]"  # a name that looks like a pattern is a name first
    shutil.copytree(folder / "leaf2", odd)
    assert find_cubes(odd)[0].parent == odd / "capture"


def test_a_reference_named_alone_is_a_cube_to_look_at(folder: Path) -> None:
    white = folder / "leaf1" / "capture" / "WHITEREF_leaf1.hdr"
    assert find_cubes(white) == [white]
    assert names(find_cubes([white, white.with_name("leaf1.hdr")])) == ["leaf1.hdr"]
