"""A grouping as a file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_dgc.cubes.errors import InputError
from napari_dgc.merging import (
    ROLES,
    Grouping,
    History,
    Merge,
    Recipe,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeOut,
)

PRINTS = {id: f"c{id:03}" for id in range(1, 9)}


def worked_on(name="Läsion", color=(1, 2, 255), role="lesion"):
    history = History(Grouping.start(range(1, 9)))
    for step in (
        Merge((3, 5), 7),
        Merge((1,), 8),
        TakeOut(5),
        Rename(7, name),
        Recolor(7, color),
        SetRole(7, role),
        SetLock(8, True),
    ):
        history.do(step)
    return history.current


names = st.text(min_size=1, max_size=20).filter(
    lambda text: text.strip().isprintable() and text.strip()
)
channel = st.integers(0, 255)


@given(names, st.tuples(channel, channel, channel), st.sampled_from([None, *ROLES]))
def test_there_and_back(name, color, role):
    grouping = worked_on(name, color, role)
    recipe = Recipe.of(grouping, "m1", PRINTS)
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again == recipe
    assert again.grouping("m1", PRINTS) == grouping
    assert again.grouping("m1").next_id == grouping.next_id


def test_the_file(tmp_path):
    grouping = worked_on()
    recipe = Recipe.of(grouping, "m1", PRINTS)
    path = tmp_path / "new" / "recipe.json"
    recipe.write(path)
    data = json.loads(path.read_text("utf-8"))
    assert data["format"] == "napari-dgc recipe"
    assert data["version"] == 1
    assert data["model"] == "m1"
    assert data["centroids"]["3"] == "c003"
    assert data["groups"][-1] == {
        "value": 1,
        "id": 8,
        "name": "Group 8",
        "color": "#a50000",
        "role": None,
        "locked": True,
        "clusters": [1, 8],
        "atoms": [[1, 8]],
    }
    assert list(data) == sorted(data)
    assert Recipe.read(path) == recipe
    first = path.read_bytes()
    with pytest.raises(InputError, match="exists already"):
        recipe.write(path)
    recipe.write(path, force=True)
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path], "nothing temporary stays"


def test_ids_need_not_follow_each_other():
    prints = {17: "c17", 1: "c01", 4: "c04", 2: "c02"}
    history = History(Grouping.start([1, 2, 4, 17]))
    history.do(Merge((17,), 4))
    recipe = Recipe.of(history.current, "m1", prints)
    data = json.loads(json.dumps(recipe.to_json()))
    assert sorted(data["centroids"], key=int) == ["1", "2", "4", "17"]
    again = Recipe.from_json(data)
    assert again == recipe
    assert again.grouping("m1", prints) == history.current
    with pytest.raises(InputError, match="was made with"):
        again.grouping("m1", dict(enumerate(["c01", "c02", "c04", "c17"], start=1)))


def test_another_model_is_refused(tmp_path):
    path = tmp_path / "r.json"
    Recipe.of(worked_on(), "m1", PRINTS).write(path)
    recipe = Recipe.read(path)
    with pytest.raises(InputError, match=r"r\.json: was made with the model m1, not"):
        recipe.grouping("m2", PRINTS)
    with pytest.raises(InputError, match="was made with"):
        recipe.grouping("m1", {id: PRINTS[id] for id in range(1, 8)})
    with pytest.raises(InputError, match="was made with"):
        recipe.grouping("m1", dict(zip(PRINTS, reversed(PRINTS.values()), strict=True)))


def test_a_failed_write_leaves_the_old_file(tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("x")
    with pytest.raises(InputError, match=r"cannot be written|is a file, not a folder"):
        Recipe.of(worked_on(), "m1", PRINTS).write(occupied / "r.json")
    assert occupied.read_text() == "x"


def spoil(change):
    data = Recipe.of(worked_on(), "m1", PRINTS).to_json()
    change(data)
    return data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("format"), "is no recipe"),
        (lambda d: d.update(format="napari-dgc study"), "is no recipe"),
        (lambda d: d.update(version=3), "update napari-dgc"),
        (lambda d: d.update(version="1"), "whole number"),
        (lambda d: d.pop("model"), "no field 'model'"),
        (lambda d: d.update(groups={}), "a list"),
        (lambda d: d["groups"].append(d["groups"][0]), "same id"),
        (lambda d: d["groups"][0].update(clusters=[]), "do not agree"),
        (lambda d: d["groups"][0].update(value=8), "lowest cluster"),
        (lambda d: d["groups"][0].update(color="blue"), "#1a2b3c"),
        (lambda d: d["groups"][0].update(role="x"), "a role is one of"),
        (lambda d: d["groups"][0].update(atoms=[[300]]), "from 1 to 255"),
        (lambda d: d["centroids"].pop("4"), "no centroid"),
        (lambda d: d["centroids"].update({"256": "c"}), "'256', no cluster id"),
        (lambda d: d["centroids"].update({"09": "c"}), "'09', no cluster id"),
        (lambda d: d["centroids"].update({"9": 3}), "'9' of the table"),
        (lambda d: d["centroids"].pop("8"), "no centroid"),
        (lambda d: d["groups"].pop(), "in no group"),
        (lambda d: d.update(next_id=3), "already given away"),
    ],
)
def test_damage_is_named(change, words):
    with pytest.raises(InputError, match=words) as caught:
        Recipe.from_json(spoil(change), "leaf/recipe.json")
    assert str(caught.value).startswith("leaf/recipe.json: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"[" * 100_000, b'"text"']
)
def test_files_that_are_no_recipe(tmp_path, content):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"r\.json: is (no recipe|damaged or no JSON)"):
        Recipe.read(path)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Recipe.read(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be read"):
        Recipe.read(tmp_path)
