"""The global dictionary of centroids: it follows the pixels, prunes and re-seeds.

A sparse dictionary is wanted: the lesion's cluster may hold a twentieth of a
per cent of one cube in a hundred. So having little mass is no reason to be
pruned; being found nowhere, after everything has been looked at, is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from napari_dgc.clustering.centroids import Rarity, move_centroids
from napari_dgc.clustering.soundness import MAX_ID

_FULL_MASS = 256.0  # pixels in a step that let a centroid move at its full rate
_USAGE_MOMENTUM = 0.95
ACTIVE_SHARE = 1e-3  # of the pixels, above which a cluster is active
# Pixels in one step that count as seeing a cluster: a stain, however small, comes
# as a clump, while one or two strays along a border are no cluster.
_CLUMP = 4
# How often crops must have passed over every place, on average, while a centroid
# was not seen. Crops fall at random: a place is missed with probability e^-5 < 1 %.
_VISITS = 5.0
# A share of the sample that is practically nothing: under 3 of 30,000 pixels. A
# cluster as rare as the one above holds less, so this alone never prunes.
_NOTHING = 1e-4
_FEWEST = 2  # a map needs two clusters
# Half the squared distance to the nearest centroid, in units of what noise does
# there (tau, shrunk by how far beyond s the pixel lies), from which a pixel counts
# as poorly explained: four noise standard deviations.
_POOR = 8.0
# Pixels that must lie together for a centroid to be put there: more than a dead
# detector element or a speck of dust makes after mean-shift.
_SUPPORT = 8
# "Together": the farthest of them at under half the distance of the nearest
# centroid; a quarter, since distances are squared.
_TOGETHER = 0.25
_MOST_POOR = 2_048  # the worst explained, whose distances are compared: 16 MB


class Dictionary:
    """What changes about the centroids while training goes on.

    Parameters
    ----------
    centroids : Tensor, shape (K, D+1)
        Unit vectors, on the device of the pixels.
    usage : Tensor of float64, shape (K,)
        Share of the valid pixels that each holds at the start.
    rarity : Rarity
        How much pixels weigh where they move a centroid.
    tau : float
        The variance of noise on the sphere (see `noise_temperature`).
    rate : float
        Share of the way that a centroid of enough mass moves in a step.
    pixels : int
        How many pixels all cubes hold.
    repeats : float
        How often training shows a pixel each time it is read.
    ids : sequence of int, optional
        Cluster ids, 1..255; 1..K if not given.
    retired : sequence of int
        Ids pruned before, never to be given away again.

    Attributes
    ----------
    centroids, usage, rarity
        As above, as they stand.
    ids : Tensor of int64, shape (K,)
        Row i of `centroids` is cluster ``ids[i]``. On the CPU, as is `usage`.
    unseen : Tensor of int64, shape (K,)
        Pixels that `follow` was shown since each last held a clump of them.
        Pixels and not steps: neither crop nor batch size changes its meaning.
    retired : tuple of int
    k : int
        How many centroids are wanted; there are fewer where pruned ones found
        no heir.
    """

    def __init__(
        self,
        centroids: Tensor,
        usage: Tensor,
        rarity: Rarity,
        *,
        tau: float,
        rate: float,
        pixels: int,
        repeats: float = 1.0,
        ids: Sequence[int] | None = None,
        retired: Sequence[int] = (),
    ) -> None:
        self.k = len(centroids)
        self.centroids, self.usage, self.rarity = centroids, usage.cpu(), rarity
        self.ids = torch.tensor(range(1, self.k + 1) if ids is None else list(ids))
        self.unseen = torch.zeros(self.k, dtype=torch.int64)
        self.retired = tuple(retired)
        self._next_id = max(*self.ids.tolist(), *self.retired, 0) + 1
        self._since_review = 0  # pixels shown since the last `prune`
        self._tau, self._rate = tau, rate
        self._patience = _VISITS * pixels * max(1.0, repeats)

    def shares(self) -> dict[int, float]:
        """Share of the pixels lately seen that each centroid holds, by its id."""
        return dict(zip(self.ids.tolist(), self.usage.tolist(), strict=True))

    @property
    def due(self) -> bool:
        """Whether it is time to `prune` and `reseed` from a sample of all cubes.

        The sample costs about as much as a first map, so it is drawn only
        where a centroid was not seen for long, or a place is long vacant.
        """
        idle = bool((self.unseen >= self._patience).any())
        vacant = len(self.ids) < self.k and self._next_id <= MAX_ID
        return idle or (vacant and self._since_review >= self._patience)

    @torch.no_grad()
    def follow(self, z: Tensor, shares: Tensor) -> None:
        """Move the centroids towards the pixels of one step, and note who had any.

        Parameters
        ----------
        z : Tensor, shape (N, D+1)
            The teacher's embeddings of the valid pixels.
        shares : Tensor, shape (N, K)
            Sharp assignments; see `move_centroids`.
        """
        if not len(z):
            return
        self.centroids = move_centroids(
            self.centroids, z, shares, self.rarity, self._rate, _FULL_MASS
        )
        m = _USAGE_MOMENTUM
        self.usage = m * self.usage + (1 - m) * shares.mean(0).cpu()
        held = shares.argmax(1).bincount(minlength=len(self.ids)).cpu()
        self.unseen = torch.where(held >= _CLUMP, 0, self.unseen + len(z))
        self._since_review += len(z)

    @torch.no_grad()
    def prune(self, z: Tensor) -> tuple[int, ...]:
        """Take out centroids that hold pixels nowhere; their ids stay reserved.

        A centroid goes where the crops passed over every place five times on
        average without seeing it *and* it holds under 0.01 % of the sample.
        Two always stay.

        Parameters
        ----------
        z : Tensor, shape (N, D+1)
            A sample of all cubes, embedded by the teacher as it stands.

        Returns
        -------
        tuple of int
            The ids taken out, ascending.
        """
        held = _nearest(z, self.centroids)[1].bincount(minlength=len(self.ids)).cpu()
        idle = self.unseen >= self._patience
        dead = idle & (held < _NOTHING * len(z))
        dead[held.argsort(descending=True, stable=True)[:_FEWEST]] = False
        self.unseen = torch.where(idle, 0, self.unseen)  # looked for: wait anew
        self._since_review = 0
        if not bool(dead.any()):
            return ()
        gone = tuple(sorted(self.ids[dead].tolist()))
        self.centroids = self.centroids[~dead.to(self.centroids.device)]
        self.ids, self.usage = self.ids[~dead], self.usage[~dead]
        self.unseen = self.unseen[~dead]
        self.retired = tuple(sorted((*self.retired, *gone)))
        return gone

    @torch.no_grad()
    def reseed(self, z: Tensor) -> tuple[int, ...]:
        """Put new centroids where pixels are poorly explained, up to K in all.

        Each goes to the mean of a pixel and its nearest among the poorly
        explained ones: of all pixels with enough of their like around, the
        one that lowers the sum of squared distances most (the greedy choice
        of k-means++, with no draw). Where no pixel has, none is put.

        Parameters
        ----------
        z : Tensor, shape (N, D+1)
            As for `prune`. Every pixel once: crops show one many times over,
            and an outlier would look like a crowd.

        Returns
        -------
        tuple of int
            The new ids: none was ever used before, none is above 255.
        """
        new: list[int] = []
        while len(self.ids) < self.k and self._next_id <= MAX_ID:
            centroid = self._unexplained(z)
            if centroid is None:
                break
            self.centroids = torch.cat([self.centroids, centroid[None]])
            own = _nearest(z, self.centroids)[1] == len(self.ids)
            share = self.usage.new_tensor([int(own.sum()) / len(z)])
            self.usage = torch.cat([self.usage, share])
            self.ids = torch.cat([self.ids, torch.tensor([self._next_id])])
            self.unseen = torch.cat([self.unseen, self.unseen.new_zeros(1)])
            new.append(self._next_id)
            self._next_id += 1
        return tuple(new)

    def _unexplained(self, z: Tensor) -> Tensor | None:
        """The best place for a new centroid, (D+1,), if there is one."""
        distance, _ = _nearest(z, self.centroids)
        worst = distance.argsort(descending=True, stable=True)[:_MOST_POOR]
        noise = self._tau * z[worst, -1].square()  # s² / (s² + |y|²) of tau
        worst = worst[distance[worst] > _POOR * noise]
        if len(worst) < _SUPPORT:
            return None
        poor, distance = z[worst], distance[worst]
        apart = (1 - poor @ poor.T).clamp(min=0)  # (P, P)
        near, who = apart.sort(dim=1, stable=True)
        supported = near[:, _SUPPORT - 1] < _TOGETHER * distance
        if not bool(supported.any()):
            return None
        gain = (distance[:, None] - apart).clamp(min=0).sum(0)
        best = int(torch.where(supported, gain, -1.0).argmax())
        mean = poor[who[best, :_SUPPORT]].mean(0)
        unit: Tensor = mean / mean.norm()
        return unit

    def state(self) -> dict[str, Tensor]:
        """Everything that `load_state` needs to go on to the bit, on the CPU."""
        numbers = [self.k, self._next_id, self._since_review]
        state = {
            "centroids": self.centroids,
            "ids": self.ids,
            "usage": self.usage,
            "unseen": self.unseen,
            "retired": torch.tensor(self.retired, dtype=torch.int64),
            "numbers": torch.tensor(numbers, dtype=torch.int64),
            "rarity.coarse": self.rarity.coarse,
            "rarity.weights": self.rarity.weights,
        }
        return {name: t.detach().cpu().clone() for name, t in state.items()}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave; the device stays.

        Raises
        ------
        KeyError
            If a tensor is missing.
        ValueError
            If they do not fit each other, or are of another embedding.
        """
        kept = {name: state[name].clone() for name in self.state()}
        K, width = len(kept["ids"]), self.centroids.shape[1]
        shapes = {
            "centroids": (K, width),
            "usage": (K,),
            "unseen": (K,),
            "numbers": (3,),
            "rarity.coarse": (len(kept["rarity.weights"]), width),
        }
        for name, shape in shapes.items():
            if kept[name].shape != shape:
                raise ValueError(
                    f"{name} is {tuple(kept[name].shape)}, it should be {shape}"
                )
        device = self.centroids.device
        self.centroids = kept["centroids"].to(device)
        self.ids, self.usage, self.unseen = (
            kept[name] for name in ("ids", "usage", "unseen")
        )
        self.retired = tuple(kept["retired"].tolist())
        self.k, self._next_id, self._since_review = kept["numbers"].tolist()
        self.rarity = Rarity(
            kept["rarity.coarse"].to(device), kept["rarity.weights"].to(device)
        )


def _nearest(z: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """Half the squared distance (N,) to the nearest centroid, and which it is."""
    cosine, own = (z @ centroids.T).max(1)
    return (1 - cosine).clamp(min=0), own
