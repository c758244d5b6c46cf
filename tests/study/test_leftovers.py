"""Folders of models that no file of a study names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_study import make_study, small_model

from napari_dgc.study.storing.leftovers import leftovers
from napari_dgc.study.storing.study_file import open_study, save_study


def test_a_folder_is_left_over_once_no_study_nor_bak_nor_copy_names_it(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    study = make_study(tmp_path / "cubes")
    path = save_study(study, home / "s.dgc.json")
    first = home / "s.dgc" / study.model.fingerprint
    assert first.is_dir()
    assert leftovers(path) == {}
    study.accept_model(small_model(9))
    save_study(study, path)
    assert leftovers(path) == {}, "its .bak names it"
    study.rename(1, "Cloth")
    save_study(study, path)
    size = sum(file.stat().st_size for file in first.iterdir())
    bak = path.with_name("s.dgc.json.bak")
    assert leftovers(path) == leftovers(bak) == {first: size}
    assert size > 0
    shutil.copytree(home, tmp_path / "other")
    shutil.rmtree(first)  # as the user may: all there is opens as before
    assert open_study(path).model.fingerprint == small_model(9).fingerprint
    assert open_study(bak).model.fingerprint == small_model(9).fingerprint
    assert leftovers(path) == {}
    # A copy that was put aside, or one that cannot be read, may need it.
    other = tmp_path / "other" / "s.dgc.json"
    assert len(leftovers(other)) == 1
    aside = other.with_name("aside.dgc.json")
    aside.write_text(f'{{"model": "s.dgc/{first.name}/model.safetensors"}}')
    assert leftovers(other) == {}
    aside.unlink()
    aside.mkdir()
    assert leftovers(other) == {}


@pytest.mark.parametrize("name", ["s.dgc.json", "s.dgc.json.bak"])
def test_a_study_without_a_model_has_none(tmp_path: Path, name: str) -> None:
    assert leftovers(tmp_path / name) == {}
