"""One training step: student, teacher, losses, balance, centroids."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from napari_dgc.clustering import losses
from napari_dgc.clustering.augmentation import Augmenter
from napari_dgc.clustering.balancer import GradientBalancer
from napari_dgc.clustering.centroids import Rarity
from napari_dgc.clustering.config import Config
from napari_dgc.clustering.crops import CropPair, crop_side, draw_pair
from napari_dgc.clustering.devices import StepSize, out_of_memory
from napari_dgc.clustering.dictionary import ACTIVE_SHARE, Dictionary
from napari_dgc.clustering.embedding import noise_temperature
from napari_dgc.clustering.gathering import Gathering
from napari_dgc.clustering.model import Model
from napari_dgc.clustering.networks import (
    build_embedder,
    copy_optimizer,
    copy_weights,
    load_optimizer,
)
from napari_dgc.clustering.reading import Reader, Region
from napari_dgc.cubes.cube import Cube

# How much of the step each loss may claim, at the embedding and, for the
# anchor, at the components before mean-shift.
_SHARES = {
    "consistency": 0.7,
    "compactness": 0.1,
    "orthogonality": 0.1,
    "balance": 0.1,
}
_ANCHOR_SHARES = {"clustering": 0.75, "anchor": 0.25}
_LOSSES = {
    "consistency": losses.consistency,
    "compactness": losses.compactness,
    "orthogonality": losses.separation,
    "balance": losses.balance,
}
LOSS_NAMES = ("total", *_LOSSES, "anchor")
BALANCED_NAMES = (*_SHARES, *_ANCHOR_SHARES)
_GRADIENT_CLIP = 1.0


class Learner:
    """Everything that changes while training goes on.

    Attributes
    ----------
    student, teacher : Embedder
        The teacher is the student's exponential moving average; it is what
        the finished model uses.
    dictionary : Dictionary
        The centroids and what is known of them.
    device : torch.device
    taken : int
        Steps taken.
    """

    def __init__(
        self,
        cubes: Sequence[Cube],
        config: Config,
        start: Model,
        rarity: Rarity,
        device: torch.device,
        *,
        prefetch: int = 0,
    ) -> None:
        self._config, self.device = config, device
        self._reader = Reader(cubes, config, prefetch=prefetch)
        self._generator = torch.Generator().manual_seed(config.seed + 1)
        self.student = build_embedder(
            start.front_end,
            start.wavelengths,
            config,
            offset=start.offset,
            trained=True,
        ).to(device)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self._tau = noise_temperature(start.front_end, start.offset)
        self.dictionary = Dictionary(
            torch.from_numpy(start.centroids).to(device),
            torch.from_numpy(start.counts / max(1, start.counts.sum())),
            rarity,
            tau=self._tau,
            rate=config.centroid_rate,
            pixels=sum(cube.shape[1] * cube.shape[2] for cube in cubes),
            # A region holds four crops; each step takes two from it.
            repeats=config.reuse_iterations / 2,
            ids=start.cluster_ids.tolist(),
            retired=start.retired_ids,
        )
        self._augment = Augmenter(
            start.front_end, start.wavelengths, config, self._generator, device
        )
        self.taken = 0
        self._size = StepSize(config.batch, config.crop)
        self._notice = ""
        self._balancer = GradientBalancer(_SHARES)
        self._anchor_balancer = GradientBalancer(_ANCHOR_SHARES)
        self._optimizer = torch.optim.AdamW(
            self.student.parameters(), lr=config.learning_rate
        )

    def step(self) -> Mapping[str, float]:
        """Take one step; returns the losses' values, ``total`` among them.

        Empty where the crops hold no valid pixel. A step for which the device
        has no room is taken again with half the pairs, or half the crops' side,
        and all later ones likewise (see `take_notice`).
        """
        regions = self._reader.next_regions()
        while True:
            before = self._memory()
            try:
                return self._learn(regions)
            except RuntimeError as error:
                smaller = self._size.halved()
                if smaller is None or not out_of_memory(error):
                    raise
            # Out here, where nothing holds the failed step's tensors any more.
            self._recall(before)
            self._size, self._notice = smaller, smaller.notice(self.device)

    def _learn(self, regions: Sequence[Region]) -> Mapping[str, float]:
        """Draw crops, and learn from them."""
        pairs = self._draw_pairs(regions)
        x = torch.cat([pair.x for pair in pairs]).to(self.device)  # (2B, C, S, S)
        valid = torch.cat([pair.valid for pair in pairs]).to(self.device)
        targets, z_teacher = self._teach(x, valid)

        view = torch.cat([pair.student_x for pair in pairs]).to(self.device)
        seen = torch.cat([pair.student_valid for pair in pairs]).to(self.device)
        y, linear = self.student.encoder(self._augment(view), seen)
        shifted = self.student.shift(y, seen)
        z = self.student.lift(shifted)
        z_own, target = _align(z, targets, pairs)
        if not len(z_own):  # no valid pixel is seen twice: nothing to learn
            return {}
        values = {
            name: loss(z_own, self.centroids, target, self._student_tau)
            for name, loss in _LOSSES.items()
        }
        values["anchor"] = losses.anchor(y, linear, self.student.encoder.noise_std)
        self._descend(values, z, y)
        self._follow(z_teacher, valid)
        numbers = {name: float(value.detach()) for name, value in values.items()}
        numbers["total"] = sum(_SHARES.get(n, 0.0) * v for n, v in numbers.items())
        return numbers

    def active(self, gathering: Gathering) -> int:
        """Clusters that hold more than 0.1 % of the pixels lately seen."""
        return gathering.active(self.dictionary.shares(), ACTIVE_SHARE)

    @property
    def centroids(self) -> Tensor:
        """The centroids as they stand, (K, D+1)."""
        return self.dictionary.centroids

    def norms(self) -> Mapping[str, float]:
        """The usual norm of each loss's gradient, by the loss's name."""
        both = (self._balancer, self._anchor_balancer)
        return {name: b.usual(name) for b in both for name in b.norms}

    def take_notice(self) -> str:
        """What the user should know of the last step; said once."""
        notice, self._notice = self._notice, ""
        return notice

    def close(self) -> None:
        """Stop reading."""
        self._reader.close()

    def state(self) -> dict[str, Any]:
        """All that `load_state` needs to go on to the bit; see `TrainingState`."""
        size = asdict(self._size)
        return self._memory() | {"reader": self._reader.state(), "size": size}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave; before the first step."""
        self._reader.load_state(state["reader"])
        self._size = StepSize(**state["size"])
        self._recall(state)

    def _memory(self) -> dict[str, Any]:
        """A copy of everything that a step changes, but for what is read."""
        return {
            "student": copy_weights(self.student),
            "teacher": copy_weights(self.teacher),
            "optimizer": copy_optimizer(self._optimizer),
            "dictionary": self.dictionary.state(),
            "balancer": self._balancer.state(),
            "anchor_balancer": self._anchor_balancer.state(),
            "generator": self._generator.get_state(),
            "taken": self.taken,
        }

    def _recall(self, memory: Mapping[str, Any]) -> None:
        """Let everything be as it was."""
        for embedder, name in ((self.student, "student"), (self.teacher, "teacher")):
            embedder.load_state_dict(memory[name], strict=False)
        load_optimizer(self._optimizer, memory["optimizer"])
        self.dictionary.load_state(memory["dictionary"])
        self._balancer.load_state(memory["balancer"])
        self._anchor_balancer.load_state(memory["anchor_balancer"])
        self._generator.set_state(memory["generator"])
        self.taken = memory["taken"]

    @property
    def _student_tau(self) -> float:
        return self._tau * self._config.student_temperature

    def _draw_pairs(self, regions: Sequence[Region]) -> list[CropPair]:
        """Crop pairs, one of each region."""
        self.taken += 1
        regions = regions[: self._size.pairs]
        side = crop_side(regions, self._size.crop)
        return [draw_pair(region, side, self._generator) for region in regions]

    @torch.no_grad()
    def _teach(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """The teacher's sharp assignments (2B, K, S, S) and embeddings."""
        z = self.teacher(x, valid)
        sharp = self._tau * self._config.teacher_temperature
        logits = torch.einsum("kd,bdhw->bkhw", self.centroids, z) / sharp
        return logits.softmax(1), z

    def _descend(self, values: Mapping[str, Tensor], z: Tensor, y: Tensor) -> None:
        """Balance the losses' gradients at z and at y; back-propagate the sum once."""
        at_z = {
            name: torch.autograd.grad(values[name], z, retain_graph=True)[0]
            for name in _LOSSES
        }
        bandwidths = self.student.log_ratio  # lies between y and z: not below y
        through, at_bandwidths = torch.autograd.grad(
            z,
            (y, bandwidths),
            self._balancer.combine(at_z),
            retain_graph=True,
            materialize_grads=True,  # there may be no iteration
        )
        (held,) = torch.autograd.grad(values["anchor"], y, retain_graph=True)
        total = self._anchor_balancer.combine({"clustering": through, "anchor": held})
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(y, total)
        bandwidths.grad = at_bandwidths
        for part in (self.student.encoder.parameters(), [bandwidths]):
            torch.nn.utils.clip_grad_norm_(part, _GRADIENT_CLIP)
        self._optimizer.step()

    @torch.no_grad()
    def _follow(self, z: Tensor, valid: Tensor) -> None:
        """Let the teacher follow the student, and the centroids the teacher."""
        config = self._config
        momentum = min(config.teacher_momentum, self.taken / (self.taken + 9.0))
        for kept, new in zip(
            self.teacher.parameters(), self.student.parameters(), strict=True
        ):
            kept.lerp_(new, 1 - momentum)
        pixels = z.movedim(1, -1)[valid]  # (N, D+1)
        sharp = self._tau * config.teacher_temperature
        shares = (pixels @ self.centroids.T / sharp).softmax(1)
        self.dictionary.follow(pixels, shares)


def _align(
    z: Tensor, targets: Tensor, pairs: Sequence[CropPair]
) -> tuple[Tensor, Tensor]:
    """The student's pixels beside what the teacher says of them in the other crop.

    Returns
    -------
    z : Tensor, shape (N, D+1)
    targets : Tensor, shape (N, K)
        Row i of both shows the very same pixel of the scene.
    """
    own, other = [], []
    for at, pair in enumerate(pairs):
        for here, places in enumerate(pair.overlap):
            mine, its = (place.to(z.device) for place in places)
            own.append(z[2 * at + here].flatten(1).index_select(1, mine))
            there = targets[2 * at + 1 - here].flatten(1)
            other.append(there.index_select(1, its))
    return torch.cat(own, 1).T, torch.cat(other, 1).T
