"""The dictionary: the rare stays, the dead goes, no id comes twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_dgc import Config, segment, train
from napari_dgc.clustering.centroids import Rarity
from napari_dgc.clustering.dictionary import ACTIVE_SHARE, Dictionary
from napari_dgc.clustering.gathering import Gathering
from napari_dgc.clustering.learner import Learner
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import take_weights
from napari_dgc.clustering.warmstart import Sample, draw_sample
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import Scene

NOISE = 0.01  # standard deviation per component of the pixels below
D = 8
TAU = D * NOISE**2
STEP = 2_000  # pixels


def on_sphere(y: Tensor) -> Tensor:
    z = torch.cat([y, torch.ones(len(y), 1)], 1)
    return z / z.norm(dim=1, keepdim=True)


def blob(at: int, count: int, seed: int = 0, spread: float = NOISE) -> Tensor:
    """Pixels around a place 0.4 (40 noise sds) out on axis `at`, either way."""
    g = torch.Generator().manual_seed(1_000 * seed + at)
    center = torch.eye(D)[at % D] * (0.4 if at < D else -0.4)
    return on_sphere(center + spread * torch.randn(count, D, generator=g))


def centers(*places: int) -> Tensor:
    return torch.cat([blob(at, 1, spread=0.0) for at in places])


def dictionary(centroids: Tensor, pixels: int = 1_000, **other: object) -> Dictionary:
    K, width = centroids.shape
    rarity = Rarity(torch.eye(width)[:1], torch.ones(1))
    usage = torch.full((K,), 1 / K, dtype=torch.float64)
    return Dictionary(
        centroids, usage, rarity, tau=TAU, rate=0.05, pixels=pixels, **other
    )


def sharp(z: Tensor, made: Dictionary) -> Tensor:
    return (z @ made.centroids.T / (0.1 * TAU)).softmax(1)


def active(made: Dictionary) -> int:
    return Gathering({}).active(made.shares(), ACTIVE_SHARE)


def look(made: Dictionary, z: Tensor, steps: int = 1) -> None:
    for _ in range(steps):
        made.follow(z, sharp(z, made))


def test_following_moves_by_mass_and_keeps_the_running_usage() -> None:
    made = dictionary(centers(0, 1))
    before = made.centroids
    z = torch.cat([blob(0, 300), blob(1, 100)])
    look(made, z)
    assert (made.centroids - before).norm(dim=1).min() > 0
    torch.testing.assert_close(
        made.usage, torch.tensor([0.95 / 2 + 0.05 * p for p in (0.75, 0.25)]).double()
    )
    assert active(made) == 2
    assert made.unseen.tolist() == [0, 0]
    look(made, blob(0, STEP), 3)
    assert made.unseen.tolist() == [0, 3 * STEP]


def test_no_pixel_changes_nothing() -> None:
    made = dictionary(centers(0, 1))
    before = made.state()
    made.follow(torch.empty(0, D + 1), torch.empty(0, 2))
    for name, tensor in made.state().items():
        assert torch.equal(tensor, before[name])


def test_a_cluster_of_a_twentieth_of_a_per_cent_of_one_cube_in_a_hundred_stays() -> (
    None
):
    """It is in no sample; that its cube comes by once in a hundred steps is enough."""
    made = dictionary(centers(0, 1, 2, 3), pixels=100 * STEP)
    bulk = torch.cat([blob(0, STEP), blob(1, STEP)])
    lesion = torch.cat([bulk, blob(2, STEP // 500)])  # four pixels: 0.1 % of a crop
    pruned = []
    for step in range(600):
        look(made, lesion if step % 100 == 50 else bulk)
        if made.due:
            pruned += made.prune(bulk)
    assert pruned == [4]
    assert made.ids.tolist() == [1, 2, 3]
    assert active(made) == 2  # far below a thousandth: sparse, not dead


def test_nothing_is_pruned_before_every_place_was_passed_over() -> None:
    made = dictionary(centers(0, 1, 2), pixels=10 * STEP)
    z = torch.cat([blob(0, STEP), blob(1, STEP)])
    look(made, z, 24)  # 48 of the 50 thousand that five visits take
    assert not made.due
    assert made.prune(z) == ()
    look(made, z)
    assert made.due
    assert made.prune(z) == (3,)
    assert made.retired == (3,)
    assert not made.due


def test_shown_often_per_read_counts_as_seen_once() -> None:
    z = torch.cat([blob(0, STEP), blob(1, STEP)])
    made = dictionary(centers(0, 1, 2), pixels=STEP, repeats=8.0)
    look(made, z, 19)
    assert not made.due
    look(made, z)
    assert made.due


def test_what_the_sample_still_holds_stays_and_is_waited_for_anew() -> None:
    made = dictionary(centers(0, 1, 2), pixels=STEP)
    z = torch.cat([blob(0, STEP), blob(1, STEP)])
    look(made, z, 3)
    assert made.due
    assert made.prune(torch.cat([z, blob(2, 3)])) == ()
    assert not made.due


def test_two_centroids_always_stay() -> None:
    made = dictionary(centers(0, 1, 2, 3), pixels=STEP)
    z = blob(1, STEP)
    look(made, z, 6)
    assert made.prune(z) == (3, 4)
    assert made.ids.tolist() == [1, 2]


@pytest.mark.parametrize("k", [16, 64, 128])
def test_a_dead_centroid_is_put_on_what_no_other_explains(k: int) -> None:
    """Of an unexplained patch and one outlier far worse, the patch gets it."""
    g = torch.Generator().manual_seed(5)
    places = 0.5 * torch.randn(k - 1, D, generator=g)
    far = 1.5 * torch.eye(D)[:1]
    made = dictionary(on_sphere(torch.cat([places, far])), pixels=STEP)
    own = torch.arange(20 * (k - 1)) % (k - 1)
    y = places[own] + NOISE * torch.randn(len(own), D, generator=g)
    seen = on_sphere(y)
    look(made, seen, 1 + 5 * STEP // len(seen))
    patch = on_sphere(-0.9 + NOISE * torch.randn(20, D, generator=g))
    outlier = on_sphere(-3 * torch.eye(D)[2:3])
    z = torch.cat([seen, patch, outlier])
    assert made.due
    assert made.prune(z) == (k,)
    assert made.reseed(z) == (k + 1,)
    assert made.ids.tolist() == [*range(1, k), k + 1]
    nearest = (z @ made.centroids.T).argmax(1)
    assert (nearest[len(seen) : -1] == k - 1).all()
    assert float(patch.mean(0) @ made.centroids[-1]) > 1 - TAU
    torch.testing.assert_close(made.centroids.norm(dim=1), torch.ones(k))
    assert float(made.usage[-1]) == pytest.approx(20 / len(z), rel=0.1)
    look(made, patch, 2)
    assert made.unseen[-1] == 0


def test_lonely_outliers_attract_no_centroid() -> None:
    z = torch.cat([blob(0, 5_000), blob(1, 5_000)])
    made = dictionary(centers(0, 1, 2), pixels=STEP)
    look(made, z, 2)
    assert made.prune(z) == (3,)
    lonely = centers(*range(2, 2 * D))  # 14 of them, each far from all others
    few = blob(5, 6)  # with the lonely one there: seven, one too few
    assert made.reseed(torch.cat([z, lonely, few])) == ()
    assert len(made.ids) == 2
    assert made.reseed(torch.cat([z, lonely, few, blob(5, 1, seed=1)])) == (4,)


def test_where_all_is_explained_fewer_centroids_stay() -> None:
    z = torch.cat([blob(0, 5_000), blob(1, 5_000)])
    made = dictionary(centers(0, 1, 2), pixels=STEP)
    look(made, z, 2)
    made.prune(z)
    before = made.state()
    assert made.reseed(z) == ()
    for name, tensor in made.state().items():
        assert torch.equal(tensor, before[name])
    look(made, z)  # the place stays vacant, and is offered again in good time
    assert made.due
    made.prune(z)
    assert made.reseed(torch.cat([z, blob(4, 50)])) == (4,)


def test_the_largest_of_several_patches_comes_first() -> None:
    made = dictionary(centers(0, 1, 2, 3), pixels=STEP)
    known = torch.cat([blob(0, STEP), blob(1, STEP)])
    look(made, known, 4)
    made.prune(known)
    z = torch.cat([known, blob(5, 20), blob(6, 200), blob(7, 100)])
    assert made.reseed(z) == (5, 6)
    own = (z @ made.centroids.T).argmax(1)[-300:]
    assert own[:200].eq(2).all()
    assert own[200:].eq(3).all()


def test_no_id_comes_twice_and_they_end_at_255() -> None:
    """The same two patches come and go in turn, until no id is left."""
    made = dictionary(centers(0, 1, 2), pixels=100, ids=[1, 2, 4], retired=[3])
    known = torch.cat([blob(0, 300), blob(1, 300)])
    given = [1, 2, 4]
    for turn in range(300):
        look(made, known)
        if not made.due:
            break
        z = torch.cat([known, blob(2 + turn % 2, 50)])
        pruned = made.prune(known)
        assert set(pruned) <= set(given)
        new = made.reseed(z)
        assert not set(new) & {*given, 3}
        given += new
        assert sorted([*made.ids.tolist(), *made.retired]) == list(
            range(1, max(given) + 1)
        )
    assert given == [1, 2, *range(4, 256)]
    assert made.ids.tolist() == [1, 2]
    assert made.retired == tuple(range(3, 256))


def test_its_state_goes_on_to_the_bit() -> None:
    made = dictionary(centers(0, 1, 2, 3), pixels=STEP)
    z = torch.cat([blob(0, STEP), blob(1, STEP)])
    sample = torch.cat([z, blob(5, 30)])
    look(made, z, 4)
    made.prune(z)
    made.reseed(sample)
    state = made.state()
    kept = {name: tensor.clone() for name, tensor in state.items()}
    other = dictionary(centers(6, 7), pixels=STEP)
    other.load_state(state)
    for turn in (made, other):
        look(turn, sample, 5)
        turn.prune(z)
        turn.reseed(torch.cat([sample, blob(7, 30)]))
    for name, tensor in made.state().items():
        assert torch.equal(tensor, other.state()[name]), name
    for name, tensor in state.items():  # what was taken down moved with neither
        assert torch.equal(tensor, kept[name]), name
    with pytest.raises(ValueError, match="usage is"):
        other.load_state({**state, "usage": state["usage"][:1]})
    with pytest.raises(KeyError, match="unseen"):
        other.load_state({n: t for n, t in state.items() if n != "unseen"})


def test_a_lesion_left_without_centroid_in_training_gets_a_new_one(
    scenes: list[Scene], first_model: Model
) -> None:
    """One of its centroids is turned to where no pixel is: it dies, and 17 is born."""
    cubes = [scene.cube for scene in scenes]
    lesion = scenes[1].labels == 2
    before = np.bincount(segment(first_model, cubes[1]).clusters[lesion])
    lost = int(before.argmax())
    centroids = first_model.centroids.copy()
    centroids[lost - 1] *= -1
    config = Config(crop=64, batch=4, reuse_iterations=1, device="cpu")
    start = replace(first_model, centroids=centroids, config=config)
    rarity = Rarity(torch.from_numpy(centroids[:1]), torch.ones(1))
    learner = Learner(cubes, config, start, rarity, torch.device("cpu"))
    while not learner.dictionary.due:
        learner.step()
    *_, sample = draw_sample(learner.teacher, cubes, config, 1.0)
    assert isinstance(sample, Sample)
    z = learner.teacher.lift(sample.y)
    assert learner.dictionary.prune(z) == (lost,)
    assert learner.dictionary.reseed(z) == (17,)
    made = learner.dictionary
    model = replace(
        first_model,
        encoder=take_weights(learner.teacher),
        centroids=made.centroids.numpy(),
        cluster_ids=made.ids.numpy(),
        retired_ids=made.retired,
    )
    after = np.bincount(segment(model, cubes[1]).clusters[lesion], minlength=18)
    assert after[lost] == 0
    assert after[17] > 0.5 * before[lost]  # the rest has another lesion centroid
    assert learner.step()["total"] > 0
    assert torch.isfinite(learner.centroids).all()


def test_data_that_cannot_support_k_end_with_fewer_clusters() -> None:
    """Three flat materials and eight centroids: the model says which ids are gone."""
    rng = np.random.default_rng(0)
    spectra = 0.2 + rng.random((3, 20)).astype(np.float32)
    places = (np.arange(48 * 48).reshape(48, 48) // 16) % 3
    cube = Cube(np.ascontiguousarray(spectra[places].transpose(2, 0, 1)))
    config = Config(
        k=8,
        steps=12,
        crop=32,
        snapshot_every=5,
        reuse_iterations=1,
        learning_rate=1e-7,  # so that the materials stay flat,
        mean_shift_contrast=0.0,  # at their edges too
        device="cpu",
    )
    steps = list(train([cube], config))
    snapshots = [s.snapshot for s in steps if s.snapshot is not None]
    model = snapshots[-1]  # the first map tells as much: the guard keeps that
    assert model.steps_done == 12
    assert 3 <= model.k <= 4  # two may coincide to the last digit
    assert model.retired_ids == tuple(
        sorted({*range(1, 9)} - {*model.cluster_ids.tolist()})
    )
    assert len(model.mean_spectra) == len(model.counts) == model.k
    assert model.counts.min() > 0
    assert set(np.unique(segment(model, cube).clusters)) == {*model.cluster_ids}
    notices = [s.notice for s in steps if "taken out" in s.notice]
    gone = ", ".join(map(str, model.retired_ids))
    assert notices == [f"Step 5: clusters held no pixel and were taken out: {gone}"]
    assert [s.steps_done for s in snapshots] == [0, 5, 10, 12]
    assert [len(s.mean_spectra) for s in snapshots] == [s.k for s in snapshots]
    for later in snapshots[1:]:
        assert later.cluster_ids.tolist() == model.cluster_ids.tolist()
