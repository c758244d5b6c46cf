"""Dynamic loss balance: each loss gets a fixed share of the step."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class GradientBalancer:
    """Combine the gradients of several losses with respect to one tensor.

    Each gradient is divided by the running mean of its own norm and
    multiplied by its share, so that a share means "how much of the step",
    whatever the losses' scales (EnCodec, Défossez et al. 2022, section 3.4).

    Parameters
    ----------
    shares : mapping of str to float
        By loss name; normalised to sum to one.
    momentum : float
        Of the running mean of each norm.

    Attributes
    ----------
    norms : dict of str to float
        The running means, not corrected for their start.
    """

    def __init__(self, shares: Mapping[str, float], momentum: float = 0.99) -> None:
        total = sum(shares.values())
        if total <= 0 or any(share < 0 for share in shares.values()):
            raise ValueError(f"shares {dict(shares)} must be ≥ 0 with a positive sum")
        self.shares = {name: share / total for name, share in shares.items()}
        self.momentum = momentum
        self.norms = dict.fromkeys(shares, 0.0)
        self._steps = dict.fromkeys(shares, 0)

    def combine(self, gradients: Mapping[str, Tensor]) -> Tensor:
        """Sum the gradients, all of one shape, by their shares.

        A gradient that is zero, or not finite, adds nothing and is not
        counted into its running mean.
        """
        total: Tensor | None = None
        for name, gradient in gradients.items():
            norm = float(gradient.norm())
            if total is None:
                total = torch.zeros_like(gradient)
            if not 0 < norm < float("inf"):
                continue
            m = self.momentum
            self.norms[name] = m * self.norms[name] + (1 - m) * norm
            self._steps[name] += 1
            total = total + gradient * (self.shares[name] / self.usual(name))
        if total is None:
            raise ValueError("no gradients to combine")
        return total

    def usual(self, name: str) -> float:
        """The running mean of a gradient's norm, corrected for its start."""
        return self.norms[name] / (1 - self.momentum ** max(1, self._steps[name]))

    def state(self) -> dict[str, dict[str, float]]:
        """What `load_state` needs to go on exactly."""
        return {"norms": dict(self.norms), "steps": dict(self._steps)}

    def load_state(self, state: Mapping[str, Mapping[str, float]]) -> None:
        """Take over what `state` gave."""
        self.norms = {name: state["norms"][name] for name in self.norms}
        self._steps = {name: int(state["steps"][name]) for name in self._steps}
