"""What training tells about each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from napari_dgc.clustering.model import Model
from napari_dgc.clustering.state import TrainingState

_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Step:
    """A cheap record of where training is.

    Attributes
    ----------
    stage : {"reading", "clustering", "training", "finished"}
    index, total : int
        Training steps done, and wanted.
    done : float
        The share of this stage that is done, 0..1.
    losses : mapping of str to float
        ``total``, ``consistency``, ``compactness``, ``orthogonality``,
        ``balance`` and ``anchor``; empty outside the stage "training".
    active : int
        Clusters that hold more than 0.1 % of the pixels lately seen.
    notice : str
        Something the user should know; mostly empty.
    snapshot : Model or None
        Every so often: the model as it stands, for a preview.
    model : Model or None
        The trained model, in the last step alone.
    norms : mapping of str to float
        The balancers' running mean of each loss's gradient norm.
    score : float or None
        The guard's label-free score, where it was taken.
    best : Model or None
        The model of the best score so far, where one was taken.
    ended : {"", "steps", "guard", "collapse"}
        How training came to its end, in its last step and in the "finished" one:
        all steps are done; the guard's score rises no more; clusters are
        collapsing. "" as long as it goes on. No notice repeats it.
    state : TrainingState or None
        Every so often, if asked for: all that it takes to go on from here.
    """

    stage: str
    index: int
    total: int
    done: float = 0.0
    losses: Mapping[str, float] = field(default_factory=lambda: _NONE)
    active: int = 0
    notice: str = ""
    snapshot: Model | None = None
    model: Model | None = None
    norms: Mapping[str, float] = field(default_factory=lambda: _NONE)
    score: float | None = None
    best: Model | None = None
    ended: str = ""
    state: TrainingState | None = None
