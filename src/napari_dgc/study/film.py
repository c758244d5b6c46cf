"""The film of a training: its snapshots, to go back to any of them.

A value: `Film.take` gives the next one. Whoever loops over `train_and_map` (or
`train`) hands it each piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.study.mapping import Finished, Progress
from napari_dgc.study.previews import Preview

if TYPE_CHECKING:
    from napari_dgc.clustering.model import Model
    from napari_dgc.clustering.step import Step

MOST_FRAMES = 60
MOST_BYTES = 64 << 20
_CUBES_KEPT = 4  # maps of a frame: 64 kB each
_COLLAPSE = "Clusters began to melt together, so training was ended"
_NONE: Mapping[int, NDArray[np.uint8]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One snapshot.

    Attributes
    ----------
    step : int
    model : Model
    active : int
        Clusters that held more than 0.1 % of the pixels lately seen.
    score : float, optional
        The guard's label-free score, where it was taken.
    described : bool
        Whether the model's mean spectra and counts are those of its own clusters,
        and not of an earlier snapshot's.
    previews : mapping of int to ndarray of uint8
        Cluster ids of subsampled pixels, by the cube's place among those of the
        training; see `napari_dgc.study.mapping.enlarge`.
    """

    step: int
    model: Model
    active: int = 0
    score: float | None = None
    described: bool = False
    previews: Mapping[int, NDArray[np.uint8]] = field(default_factory=lambda: _NONE)

    def with_preview(self, place: int, small: NDArray[np.uint8]) -> Frame:
        """Keep a cube's map too; of more than 4 the oldest goes."""
        others = [(p, m) for p, m in self.previews.items() if p != place]
        kept = dict([*others, (place, small)][-_CUBES_KEPT:])
        return replace(self, previews=MappingProxyType(kept))

    def finished(self, model: Model) -> Frame:
        """Hold the trained model instead; maps by other clusters are dropped."""
        previews = self.previews if are_alike(model, self.model) else _NONE
        return replace(self, model=model, described=True, previews=previews)


@dataclass(frozen=True, slots=True)
class Warned:
    """What the training warned of, and at which step."""

    step: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Snapshots along a training, few enough to keep.

    Attributes
    ----------
    frames : tuple of Frame
        By ascending step.
    warnings : tuple of Warned
        All of them, whichever frames are left.
    best : int
        The step whose model has the best score so far.
    total : int
        Steps wanted.
    most_frames, most_bytes : int
        Where there is more, frames are dropped evenly along the training; never the
        first one (the first map), the best or the last.
    """

    frames: tuple[Frame, ...] = ()
    warnings: tuple[Warned, ...] = ()
    best: int = 0
    total: int = 0
    most_frames: int = MOST_FRAMES
    most_bytes: int = MOST_BYTES

    def take(self, piece: Step | Preview | Progress | Finished) -> Film:
        """Take the next piece of a training; what tells nothing changes nothing."""
        if isinstance(piece, Preview):
            return self.with_preview(piece)
        if isinstance(piece, Progress | Finished):
            return self
        return self._with_step(piece)

    def with_preview(self, preview: Preview) -> Film:
        """Keep a map with the frame of its model, if that is still there."""
        frames = tuple(
            frame.with_preview(preview.index, preview.small)
            if frame.model is preview.model
            else frame
            for frame in self.frames
        )
        return replace(self, frames=frames)._thinned()

    def nearest(self, step: int) -> int:
        """Index of the frame nearest to a step, the earlier of two; -1 for none."""
        away = [abs(frame.step - step) for frame in self.frames]
        return away.index(min(away)) if away else -1

    @property
    def best_frame(self) -> int:
        """Index of the best frame; -1 where there is none."""
        steps = [frame.step for frame in self.frames]
        return steps.index(self.best) if self.best in steps else -1

    def warnings_of(self, index: int) -> tuple[str, ...]:
        """What was warned of after the frame before this one and up to it.

        The last frame has those that came after it, too.
        """
        after = self.frames[index - 1].step if index else -1
        last = index == len(self.frames) - 1
        until = np.inf if last else self.frames[index].step
        return tuple(w.text for w in self.warnings if after < w.step <= until)

    def scored(self, frame: Frame) -> Frame:
        """A frame of it, whose model keeps its score and the first map's."""
        first = self.frames[0].score if self.frames else None
        if frame.score is None:
            return frame
        model = replace(frame.model, score=frame.score, first_score=first)
        return replace(frame, model=model)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays; those that frames share count once."""
        arrays = {id(a): a.nbytes for frame in self.frames for a in _arrays(frame)}
        return sum(arrays.values())

    def _with_step(self, step: Step) -> Film:
        film = replace(self, total=step.total, warnings=self._with_warnings(step))
        if step.best is not None and step.score is not None:
            film = replace(film, best=step.best.steps_done)
        frames = list(film.frames)
        if step.snapshot is not None:
            # The first map and a trained model need no pass to be described.
            described = not step.snapshot.encoder
            frames.append(
                Frame(step.index, step.snapshot, step.active, described=described)
            )
        if step.score is not None and frames and frames[-1].step == step.index:
            frames[-1] = replace(frames[-1], score=step.score)
        if step.model is not None:
            frames = [
                frame.finished(step.model)
                if frame.step == step.model.steps_done
                else frame
                for frame in frames
            ]
        return replace(film, frames=tuple(frames))._thinned()

    def _with_warnings(self, step: Step) -> tuple[Warned, ...]:
        collapsed = step.ended == "collapse"
        texts = (step.notice, _COLLAPSE if collapsed else "")
        known = {warned.text for warned in self.warnings}
        new = (Warned(step.index, t) for t in texts if t and t not in known)
        return (*self.warnings, *new)

    def _thinned(self) -> Film:
        """Drop frames until the rest is few and small enough.

        Each time the one whose neighbours are closest together, the earliest of
        several: so the gaps that are left differ by little.
        """
        film = self
        while (
            len(film.frames) > film.most_frames or film.nbytes > film.most_bytes
        ) and (droppable := film._droppable()):
            steps = [frame.step for frame in film.frames]
            gone = min(droppable, key=lambda i: (steps[i + 1] - steps[i - 1], i))
            rest = (*film.frames[:gone], *film.frames[gone + 1 :])
            film = replace(film, frames=rest)
        return film

    def _droppable(self) -> list[int]:
        inner = range(1, len(self.frames) - 1)
        return [i for i in inner if self.frames[i].step != self.best]


def are_alike(model: Model, other: Model | None) -> bool:
    """Whether two models map alike, number by number, however they are described."""
    if other is None or model.encoder.keys() != other.encoder.keys():
        return False
    pairs: list[tuple[NDArray[Any], NDArray[Any]]] = [
        (model.cluster_ids, other.cluster_ids),
        (model.owners, other.owners),
        (model.centroids, other.centroids),
        (model.front_end.projection, other.front_end.projection),
        *((array, other.encoder[name]) for name, array in model.encoder.items()),
    ]
    return all(np.array_equal(one, its) for one, its in pairs)


def _arrays(frame: Frame) -> Iterator[NDArray[Any]]:
    model = frame.model
    front = model.front_end
    yield from (front.mean, front.band_std, front.band_noise, front.projection)
    yield from (model.centroids, model.mean_spectra, model.counts)
    yield from model.encoder.values()
    yield from frame.previews.values()
