from __future__ import annotations

import pytest
import torch

from napari_dgc.clustering.centroids import (
    Rarity,
    draw,
    find_rarity,
    greedy_kmeans_plus_plus,
    lloyd,
    move_centroids,
    start_centroids,
)


def blobs(sizes: list[int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Tight blobs on the sphere, one per size; points and their blob."""
    g = torch.Generator().manual_seed(seed)
    own = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    places = torch.eye(8)[: len(sizes)] * 0.2
    y = places[own] + 0.01 * torch.randn(len(own), 8, generator=g)
    z = torch.cat([y, torch.ones(len(y), 1)], 1)
    return z / z.norm(dim=1, keepdim=True), own


def start(z: torch.Tensor, k: int, g: torch.Generator) -> torch.Tensor:
    return start_centroids(z, k, find_rarity(z, g), g)


EQUAL = Rarity(torch.eye(9)[:1], torch.ones(1))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", range(6))
def test_a_blob_of_a_thousandth_gets_a_centroid_of_its_own(seed: int) -> None:
    z, own = blobs([20_000, 9_000, 30], seed)
    centroids = start(z, 8, generator(seed))
    nearest = (z @ centroids.T).argmax(1)
    small = set(nearest[own == 2].tolist())
    assert small.isdisjoint(nearest[own != 2].tolist())


def test_centroids_come_by_falling_mass_and_have_unit_length() -> None:
    z, _ = blobs([5_000, 3_000, 500])
    centroids = start(z, 3, generator())
    mass = (z @ centroids.T).argmax(1).bincount(minlength=3).tolist()
    assert mass == [5_000, 3_000, 500]
    torch.testing.assert_close(centroids.norm(dim=1), torch.ones(3))


def test_the_same_seed_gives_the_same_centroids() -> None:
    z, _ = blobs([900, 800, 100])
    a, b = (start(z, 16, generator(5)) for _ in range(2))
    assert torch.equal(a, b)
    assert not torch.equal(a, start(z, 16, generator(6)))


def test_fewer_pixels_than_centroids_still_give_k_unit_vectors() -> None:
    z, _ = blobs([3, 2])
    centroids = start(z, 16, generator())
    assert centroids.shape == (16, 9)
    assert torch.isfinite(centroids).all()


def test_drawing_follows_the_weights() -> None:
    weights = torch.tensor([0.0, 1.0, 3.0])
    share = draw(weights, 40_000, generator()).bincount(minlength=3) / 40_000
    torch.testing.assert_close(share, weights / 4, atol=0.02, rtol=0)


def test_greedy_seeds_cover_every_blob() -> None:
    z, own = blobs([4_000, 100, 100, 100])
    seeds = greedy_kmeans_plus_plus(z, 4, generator())
    assert sorted(own[(seeds @ z.T).argmax(1)].tolist()) == [0, 1, 2, 3]


def test_lloyd_never_worsens_and_leaves_an_empty_centroid_alone() -> None:
    z, _ = blobs([400, 300])
    far = torch.zeros(1, 9)
    far[0, 0] = -1.0
    start = torch.cat([z[:1], z[-1:], far])
    centroids, own = lloyd(z, start, 20)
    before = (z @ start.T).amax(1).sum()
    assert (z * centroids[own]).sum() >= before
    assert torch.equal(centroids[2], far[0])


def test_centroids_move_by_mass_and_towards_their_pixels() -> None:
    z, own = blobs([300, 10])
    before = start(z, 2, generator()) + 0.05
    before = before / before.norm(dim=1, keepdim=True)
    shares = torch.nn.functional.one_hot(own, 2).float()
    moved = move_centroids(before, z, shares, EQUAL, rate=0.1, full_mass=100)
    gone = (moved - before).norm(dim=1)
    assert gone[0] > 5 * gone[1] > 0
    target = z[own == 0].mean(0)
    assert moved[0] @ target > before[0] @ target


def test_a_cluster_without_pixels_stays() -> None:
    z, _ = blobs([50])
    before = torch.eye(9)[:2]
    shares = torch.zeros(50, 2)
    shares[:, 0] = 1
    moved = move_centroids(before, z, shares, EQUAL, rate=0.5, full_mass=10)
    assert torch.equal(moved[1], before[1])


def test_rare_pixels_weigh_by_the_root_of_their_rarity() -> None:
    z, own = blobs([10_000, 2_500, 100])
    weights = find_rarity(z, generator()).weigh(z)
    assert float(weights.mean()) == pytest.approx(1, rel=1e-4)
    means = [float(weights[own == i].mean()) for i in range(3)]
    # About 96 coarse clusters share the blobs, so the ratios are the roots'
    # only roughly; what counts is the order and that it is no equal share.
    assert means[0] < means[1] < means[2] < 10_000 / 100 * means[0]


def test_centroids_stay_at_the_weighted_optimum_they_were_found_at() -> None:
    """With equal weights they would drift towards the bulk."""
    g = generator()
    bulk = torch.randn(20_000, 2, generator=g) * 0.05
    small = torch.randn(300, 2, generator=g) * 0.02 + torch.tensor([0.2, 0.0])
    y = torch.cat([bulk, small])
    z = torch.nn.functional.normalize(torch.cat([y, torch.ones(len(y), 1)], 1))
    rarity = find_rarity(z, g)
    first = start_centroids(z, 3, rarity, g)
    drift = {}
    for name, weights in (("rare", rarity), ("equal", Rarity(z[:1], torch.ones(1)))):
        moved = first
        for _ in range(100):
            own = (z @ moved.T).argmax(1)
            shares = torch.nn.functional.one_hot(own, 3).float()
            moved = move_centroids(moved, z, shares, weights, 0.1, 1.0)
        drift[name] = float((moved - first).norm(dim=1).max())
    assert drift["rare"] < 0.7 * drift["equal"]
