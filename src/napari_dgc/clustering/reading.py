"""Reading regions of the cubes: which ones, in what order, and ahead of need."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_dgc.clustering.config import Config
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

_REGION = 2.0  # sides of a crop that one read covers
_SLIVER = 16  # a cube with a shorter side shows too little of its surroundings
_ATTEMPTS = 8
_PATIENCE = 0.5  # seconds that closing waits for the one read under way


@dataclass(frozen=True, slots=True)
class Region:
    """What one read of a cube brought: spectra and valid pixels."""

    spectra: NDArray[np.float32]
    valid: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The regions that the crop pairs of some steps are drawn from.

    Attributes
    ----------
    regions : tuple of Region
    before, after : Tensor of uint8
        The state of the reader's generator before and after it chose them: a
        reader set to `before` reads the same batch again, one set to `after`
        the next one.
    """

    regions: tuple[Region, ...]
    before: Tensor
    after: Tensor


class Reader:
    """Gives each training step its regions; reads anew every few steps.

    Parameters
    ----------
    cubes : sequence of Cube
    config : Config
    prefetch : int
        See `read_batches`.
    """

    def __init__(
        self, cubes: Sequence[Cube], config: Config, *, prefetch: int = 0
    ) -> None:
        # Not the generator of crops and augmentation: reading may be ahead of them.
        self._generator = torch.Generator().manual_seed(config.seed + 2)
        self._batches = read_batches(cubes, config, self._generator, prefetch=prefetch)
        self._uses = config.reuse_iterations
        self._batch: Batch | None = None
        self._used = 0  # steps that had the batch

    def next_regions(self) -> tuple[Region, ...]:
        """The regions of the next step, one for each crop pair."""
        if self._batch is None or self._used == self._uses:
            self._used %= self._uses  # a batch read again was in use before
            self._batch = next(self._batches)
        self._used += 1
        return self._batch.regions

    def state(self) -> dict[str, Any]:
        """What `load_state` needs to go on exactly.

        It belongs to the batch in use, however far a thread has read ahead.
        """
        if self._batch is None:
            generator = self._generator.get_state()
        elif self._used == self._uses:
            generator = self._batch.after
        else:
            generator = self._batch.before
        return {"generator": generator, "used": self._used % self._uses}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave; before the first read."""
        self._generator.set_state(state["generator"])
        self._used = state["used"]

    def close(self) -> None:
        """Stop reading; see `read_batches`."""
        self._batches.close()


def read_batches(
    cubes: Sequence[Cube],
    config: Config,
    generator: torch.Generator,
    *,
    prefetch: int = 0,
) -> Generator[Batch, None, None]:
    """Read batches of regions without end.

    Parameters
    ----------
    cubes : sequence of Cube
    config : Config
    generator : torch.Generator
        Decides what is read, and does nothing else, so that reading ahead
        changes neither which data is read nor in what order. Whoever gives it
        away must leave it alone from the first batch on.
    prefetch : int
        Batches that a thread keeps ready; 0 reads when asked to.

    Yields
    ------
    Batch

    Raises
    ------
    InputError
        If a cube's file cannot be read any more. Whatever else a read raises
        passes through as it is, from the thread too.

    Notes
    -----
    The thread starts with the first batch and ends when the generator is
    closed or fails. It can be stopped between two regions; closing waits half
    a second for the read under way, which then ends the thread by itself.
    """
    stop = threading.Event()
    batches = _in_turn(croppable(cubes), config, generator, stop)
    return _ahead(batches, prefetch, stop) if prefetch > 0 else batches


def croppable(cubes: Sequence[Cube]) -> list[Cube]:
    """The cubes that crops are taken from: slivers only where there is no other."""
    wide = [cube for cube in cubes if min(cube.shape[1:]) >= _SLIVER]
    return wide or list(cubes)


def read_region(cubes: Sequence[Cube], crop: int, generator: torch.Generator) -> Region:
    """Read a random region, large enough for several crop pairs, of one cube.

    Regions without a valid pixel are passed over, for a bounded number of
    times.
    """
    region = None
    for _ in range(_ATTEMPTS):
        cube = cubes[_whole(len(cubes), generator)]
        _, H, W = cube.shape
        side = round(crop * _REGION)
        rows, cols = _span(H, side, generator), _span(W, side, generator)
        try:
            region = Region(*cube.block(rows, cols))
        except OSError as error:  # InputError passes: it is none
            raise InputError(
                cube.path or cube.name,
                f"cannot be read any more ({error.strerror or error})",
                "see that the file stays where it is while training goes on",
            ) from error
        if region.valid.any():
            break
    if region is None:
        raise RuntimeError("at least one attempt is made")
    return region


def _in_turn(
    cubes: Sequence[Cube],
    config: Config,
    generator: torch.Generator,
    stop: threading.Event,
) -> Generator[Batch, None, None]:
    """Read one batch after the other, until `stop` is set."""
    while True:
        before, regions = generator.get_state(), []
        for _ in range(config.batch):
            if stop.is_set():
                return
            regions.append(read_region(cubes, config.crop, generator))
        yield Batch(tuple(regions), before, generator.get_state())


def _ahead(
    batches: Iterator[Batch], depth: int, stop: threading.Event
) -> Generator[Batch, None, None]:
    """Let a thread have up to `depth` batches ready."""
    ready: SimpleQueue[Batch | BaseException] = SimpleQueue()
    room = threading.Semaphore(depth)
    # A daemon: who forgets to close must still be able to quit Python.
    thread = threading.Thread(
        target=_fill, args=(batches, ready, room, stop), name="reader", daemon=True
    )
    thread.start()
    try:
        while True:
            piece = ready.get()
            if isinstance(piece, BaseException):
                try:
                    raise piece
                finally:
                    del piece  # else it would hold itself, by way of this frame
            room.release()
            yield piece
    finally:
        stop.set()
        room.release()
        thread.join(_PATIENCE)


def _fill(
    batches: Iterator[Batch],
    ready: SimpleQueue[Batch | BaseException],
    room: threading.Semaphore,
    stop: threading.Event,
) -> None:
    """What the thread does. Its error, of any kind, is the last thing it hands over."""
    try:
        while room.acquire() and not stop.is_set():
            batch = next(batches, None)
            if batch is None:
                return
            ready.put(batch)
            del batch  # not one more than `depth`, while it waits for room
    except BaseException as error:
        ready.put(error)


def _whole(count: int, generator: torch.Generator) -> int:
    """A whole number from 0 to count - 1."""
    return int(torch.randint(count, (1,), generator=generator))


def _span(size: int, length: int, generator: torch.Generator) -> slice:
    start = _whole(max(1, size - length + 1), generator)
    return slice(start, min(size, start + length))
