from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.inference import segment
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.training import train
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.scenes import Scene


@pytest.mark.parametrize("which", ["first", "trained"])
def test_saved_and_loaded_it_gives_the_same_map(
    which: str,
    tmp_path: Path,
    scenes: list[Scene],
    first_model: Model,
    trained_model: Model,
) -> None:
    model = first_model if which == "first" else trained_model
    path = tmp_path / "new" / "model.safetensors"
    model.save(path)
    again = Model.load(path)
    assert again.fingerprint == model.fingerprint
    assert again.config == model.config
    assert again.centroid_fingerprints == model.centroid_fingerprints
    cube = scenes[1].cube
    np.testing.assert_array_equal(
        segment(again, cube).clusters, segment(model, cube).clusters
    )


def test_equal_training_gives_equal_bytes(
    tmp_path: Path, scenes: list[Scene], few_regions: None
) -> None:
    config = Config(k=5, steps=4, crop=32, seed=3, device="cpu")
    for name in "ab":
        *_, last = train([s.cube for s in scenes], config)
        assert last.model is not None
        last.model.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_centroid_is_another_model(first_model: Model) -> None:
    moved = first_model.centroids.copy()
    moved[3, 0] += 1e-3
    other = replace(first_model, centroids=moved)
    assert other.fingerprint != first_model.fingerprint
    before, after = first_model.centroid_fingerprints, other.centroid_fingerprints
    assert list(before) == list(range(1, first_model.k + 1))
    assert [id for id in before if after[id] != before[id]] == [4]


def test_whatever_decides_the_map_is_in_the_fingerprint(first_model: Model) -> None:
    for change in ({"mean_shift_iterations": 0}, {"mean_shift_radius": 1}):
        config = replace(first_model.config, **change)
        assert replace(first_model, config=config).fingerprint != (
            first_model.fingerprint
        )
    seed = replace(first_model.config, seed=99)
    assert replace(first_model, config=seed).fingerprint == first_model.fingerprint


def other_ids(model: Model) -> Model:
    ids = np.array([*range(1, model.k - 1), model.k, 255], np.uint8)
    return replace(model, cluster_ids=ids, retired_ids=(model.k - 1, 40))


def test_ids_are_kept_in_the_file_and_tell_models_apart(
    tmp_path: Path, first_model: Model
) -> None:
    other = other_ids(first_model)
    other.save(tmp_path / "m")
    again = Model.load(tmp_path / "m")
    assert again.cluster_ids.dtype == np.uint8
    np.testing.assert_array_equal(again.cluster_ids, other.cluster_ids)
    assert again.retired_ids == (15, 40)
    assert again.fingerprint == other.fingerprint != first_model.fingerprint
    assert list(again.centroid_fingerprints) == other.cluster_ids.tolist()
    # Ids that are reserved decide no map, and ids 1..K are as if none were given.
    assert replace(first_model, retired_ids=(99,)).fingerprint == (
        first_model.fingerprint
    )
    assert first_model.cluster_ids.tolist() == list(range(1, first_model.k + 1))


def test_ids_that_cannot_be_are_refused(first_model: Model) -> None:
    K = first_model.k
    for ids, retired in (
        ([1] * K, ()),
        (range(1, K), ()),
        (range(K), ()),
        (range(241, 241 + K), ()),
        (range(1, K + 1), (3,)),
        (range(1, K + 1), (40, 40)),
        (range(1, K + 1), (256,)),
    ):
        with pytest.raises(ValueError, match="cluster ids"):
            replace(first_model, cluster_ids=np.array(ids), retired_ids=retired)


def rewrite(path: Path, **changes: object) -> None:
    """Change a saved model's metadata; None takes an entry out."""
    with safe_open(path, framework="numpy") as file:
        meta = json.loads(file.metadata()["napari-dgc"]) | changes
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    meta = {name: value for name, value in meta.items() if value is not None}
    save_file(tensors, path, {"napari-dgc": json.dumps(meta)})


def test_the_score_is_kept_and_no_part_of_what_maps(
    tmp_path: Path, first_model: Model
) -> None:
    path = tmp_path / "m.safetensors"
    scored = replace(first_model, score=1.25, first_score=1.0)
    scored.save(path)
    again = Model.load(path)
    assert (again.score, again.first_score) == (1.25, 1.0)
    assert again.fingerprint == first_model.fingerprint
    rewrite(path, score=None, first_score=None)  # as versions before wrote it
    older = Model.load(path)
    assert (older.score, older.first_score) == (None, None)
    for wrong in ("1.25", float("nan"), True, [1.0]):
        scored.save(path)
        rewrite(path, score=wrong)
        with pytest.raises(InputError, match="damaged"):
            Model.load(path)


@pytest.mark.parametrize(
    ("version", "words"), [(2, "much older.*train again"), (4, "newer")]
)
def test_files_of_other_versions_are_refused(
    version: int, words: str, tmp_path: Path, first_model: Model
) -> None:
    path = tmp_path / "m.safetensors"
    first_model.save(path)
    rewrite(path, version=version)
    with pytest.raises(InputError, match=words):
        Model.load(path)


@pytest.mark.parametrize(
    "damage",
    [
        {"cluster_ids": None},
        {"retired_ids": None},
        {"cluster_ids": []},
        {"cluster_ids": [*range(16)]},
        {"cluster_ids": [*range(1, 17), 17]},
        {"cluster_ids": [1, *range(1, 16)]},
        {"cluster_ids": [*range(1, 16), 256]},
        {"cluster_ids": [*range(1, 16), 10**30]},
        {"cluster_ids": [*range(1, 16), 16.5]},
        {"cluster_ids": [True, *range(2, 17)]},
        {"cluster_ids": [*range(1, 16), "16"]},
        {"cluster_ids": [[i] for i in range(1, 17)]},
        {"cluster_ids": 5},
        {"retired_ids": [16]},
        {"retired_ids": [[17]]},
        {"retired_ids": "17"},
        {"retired_ids": 17},
    ],
    ids=str,
)
def test_damaged_ids_are_bad_input(
    damage: dict[str, object], tmp_path: Path, first_model: Model
) -> None:
    path = tmp_path / "m.safetensors"
    first_model.save(path)
    rewrite(path, **damage)
    with pytest.raises(InputError, match=r"m\.safetensors: .*damaged"):
        Model.load(path)


def test_an_encoder_of_other_shapes_is_bad_input(
    trained_model: Model, scenes: list[Scene]
) -> None:
    weights = dict(trained_model.encoder)
    weights.popitem()
    with pytest.raises(InputError, match="train again"):
        segment(replace(trained_model, encoder=weights), scenes[0].cube)


class _Bomb:
    def __reduce__(self):
        return (Path("/nonexistent/bomb").touch, ())


@pytest.mark.parametrize(
    "content",
    [b"", b"not a model", b"\xff" * 64, pickle.dumps(_Bomb())],
    ids=["empty", "text", "junk", "pickle"],
)
def test_strangers_are_refused_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"m\.safetensors: .*; train again"):
        Model.load(path)


def test_truncated_and_missing_files_are_refused(
    tmp_path: Path, first_model: Model
) -> None:
    path = tmp_path / "m.safetensors"
    first_model.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="damaged"):
        Model.load(path)
    with pytest.raises(InputError, match="no such"):
        Model.load(tmp_path / "none.safetensors")


def test_a_failed_save_leaves_the_old_file_and_no_other(
    tmp_path: Path, first_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.safetensors"
    first_model.save(path)
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(InputError, match="No space left"):
        replace(first_model, offset=1.0).save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["m.safetensors"]
