"""Reading ahead changes when data is read, and nothing else; every end is clean."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from napari_dgc import Config, read_cube, train
from napari_dgc.clustering.reading import Reader, Region, read_batches
from napari_dgc.clustering.step import Step
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.errors import InputError

pytestmark = pytest.mark.usefixtures("few_regions")  # a second less for each training

SMALL = {"k": 4, "crop": 16, "device": "cpu", "sample_pixels": 1000}


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """No thread and no open file outlives a test."""
    before = open_files()
    yield
    deadline = time.monotonic() + 1
    while threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads() == []
    if open_files() != before:
        gc.collect()  # takes a third of a second
    assert open_files() == before


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "reader"]


def open_files() -> list[str]:
    """Cubes' files that this process has open or mapped."""
    if not sys.platform.startswith("linux"):
        return []
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        try:
            target = str(handle.readlink())
        except OSError:  # the one that lists the folder
            continue
        if ".npy" in target or ".mat" in target:
            found.append(target)
    return sorted(found)


def read(path: Path) -> Cube:
    return read_cube(path, axes="byx")


def config(**more: int) -> Config:
    return Config(**(SMALL | more))


def bytes_of(cubes: list[Cube], folder: Path, config: Config, prefetch: int) -> bytes:
    *_, last = train(cubes, config, prefetch=prefetch)
    assert last.model is not None
    last.model.save(folder / "m.safetensors")
    return (folder / "m.safetensors").read_bytes()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_reading_ahead_gives_equal_model_bytes(
    cube_files: list[Path], tmp_path: Path, seed: int
) -> None:
    cubes = [read(path) for path in cube_files]
    made = [
        bytes_of(cubes, tmp_path, config(steps=9, seed=seed, batch=3), prefetch)
        for prefetch in (0, 1, 4)
    ]
    assert made[0] == made[1] == made[2]


def test_the_order_is_the_generators_alone(cube_files: list[Path]) -> None:
    """A slow reader and a slow consumer see the same batches."""
    cubes = [read(path) for path in cube_files]
    runs = []
    for prefetch, pause in ((0, 0.0), (3, 0.0), (3, 0.01)):
        g = torch.Generator().manual_seed(4)
        batches = read_batches(cubes, config(), g, prefetch=prefetch)
        taken = []
        for _, batch in zip(range(6), batches, strict=False):
            time.sleep(pause)
            taken.append(batch)
        batches.close()
        runs.append(taken)
    for taken in runs[1:]:
        for ours, theirs in zip(runs[0], taken, strict=True):
            assert torch.equal(ours.before, theirs.before)
            for a, b in zip(ours.regions, theirs.regions, strict=True):
                np.testing.assert_array_equal(a.spectra, b.spectra)


def test_no_more_is_read_ahead_than_asked_for() -> None:
    cube = Counted(np.random.default_rng(0).random((5, 40, 40)))
    batches = read_batches([cube], config(batch=1), torch.Generator(), prefetch=3)
    next(batches)
    deadline = time.monotonic() + 5
    while cube.reads < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert cube.reads == 4  # one in use, three ready
    batches.close()


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("used", range(6))
def test_a_reader_goes_on_where_another_was(prefetch: int, used: int) -> None:
    cube = Cube(np.random.default_rng(0).random((5, 90, 80)).astype(np.float32))

    def regions(reader: Reader, count: int) -> list[tuple[Region, ...]]:
        return [reader.next_regions() for _ in range(count)]

    whole = Reader([cube], config(reuse_iterations=3))
    wanted = regions(whole, 9)[used:]
    first = Reader([cube], config(reuse_iterations=3), prefetch=prefetch)
    regions(first, used)
    state = first.state()
    first.close()
    second = Reader([cube], config(reuse_iterations=3), prefetch=prefetch)
    second.load_state(state)
    assert second.state()["used"] == state["used"]
    got = regions(second, 9 - used)
    second.close()
    for ours, theirs in zip(got, wanted, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.spectra, b.spectra)


# ---- every end ------------------------------------------------------------------


class Counted(Cube):
    """A cube that does something at each read."""

    def __init__(self, data: np.ndarray, act: Callable[[int], None] = id) -> None:
        super().__init__(data.astype(np.float32))
        object.__setattr__(self, "reads", 0)
        object.__setattr__(self, "act", act)

    reads: int
    act: Callable[[int], None]

    def block(self, rows: slice, cols: slice) -> tuple[np.ndarray, np.ndarray]:
        object.__setattr__(self, "reads", self.reads + 1)
        self.act(self.reads)
        return super().block(rows, cols)


def raising(error: BaseException, at: int) -> Callable[[int], None]:
    def act(reads: int) -> None:
        if reads == at:
            raise error

    return act


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize(
    "error",
    [RuntimeError("torch is cross"), KeyError("cube"), MemoryError(), SystemExit(3)],
    ids=lambda e: type(e).__name__,
)
def test_what_kills_the_reader_is_raised_in_the_consumer(
    prefetch: int, error: BaseException
) -> None:
    data = np.random.default_rng(0).random((5, 40, 40))
    cube = Counted(data, raising(error, at=7))
    batches = read_batches([cube], config(), torch.Generator(), prefetch=prefetch)
    with pytest.raises(type(error)) as caught:
        for _ in batches:
            pass
    assert caught.value is error
    assert next(batches, None) is None


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_file_that_does_not_read_is_named(prefetch: int) -> None:
    data = np.random.default_rng(0).random((5, 40, 40))
    cube = Counted(data, raising(OSError(5, "Input/output error"), at=5))
    object.__setattr__(cube, "path", Path("/mnt/leaf.mat"))
    batches = read_batches([cube], config(), torch.Generator(), prefetch=prefetch)
    with pytest.raises(InputError, match=r"leaf\.mat: .*Input/output error"):
        list(batches)


def until_training(run: Iterator[Step], index: int) -> None:
    for step in run:
        if step.stage == "training" and step.index == index:
            return


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("name", ["mapped.npy", "chunked.mat"])
def test_a_file_cut_short_meanwhile_ends_the_training(
    cube_files: list[Path], prefetch: int, name: str
) -> None:
    path = cube_files[0].with_name(name)
    if path.suffix == ".mat":  # with more chunks than HDF5 keeps in memory
        data = np.load(cube_files[0]).repeat(10, axis=1)
        data += np.random.default_rng(0).random(data.shape, np.float32)
        with h5py.File(path, "w") as file:
            file.create_dataset("cube", data=data, chunks=(24, 16, 16))
    run = train([read(path)], config(steps=500), prefetch=prefetch)
    until_training(run, 1)
    os.truncate(path, 3000)
    with pytest.raises(InputError, match=name):
        list(run)
    assert threads() == []


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_deleted_file_is_read_to_the_end(
    cube_files: list[Path], tmp_path: Path, prefetch: int
) -> None:
    """It lives on as long as it is open (elsewhere it cannot be deleted)."""
    if sys.platform == "win32":
        pytest.skip("an open file cannot be deleted here")
    cubes = [read(path) for path in cube_files]
    wanted = bytes_of(cubes, tmp_path, config(steps=8), 0)
    run = train(cubes, config(steps=8), prefetch=prefetch)
    until_training(run, 1)
    for path in cube_files:
        path.unlink()
    *_, last = run
    assert last.model is not None
    last.model.save(tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == wanted


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_stop_at_any_moment(cube_files: list[Path], prefetch: int, at: int) -> None:
    run = train([read(p) for p in cube_files], config(steps=500), prefetch=prefetch)
    until_training(run, at)
    start = time.monotonic()
    run.close()
    assert time.monotonic() - start < 1
    assert threads() == []
    assert next(run, None) is None


def test_stop_does_not_wait_for_a_read_that_hangs() -> None:
    free = threading.Event()

    def act(reads: int) -> None:
        if reads > 2:
            free.wait()

    cube = Counted(np.random.default_rng(0).random((5, 40, 40)), act)
    batches = read_batches([cube], config(), torch.Generator(), prefetch=2)
    next(batches)
    start = time.monotonic()
    batches.close()
    assert time.monotonic() - start < 1
    assert threads() == ["reader"]
    free.set()  # then it ends by itself: see `nothing_stays`


@pytest.mark.parametrize("prefetch", [0, 2])
def test_an_exception_in_the_consumer(cube_files: list[Path], prefetch: int) -> None:
    def consume() -> None:
        cubes = [read(path) for path in cube_files]
        for step in train(cubes, config(steps=500), prefetch=prefetch):
            if step.index == 3:
                raise ZeroDivisionError("in a plot")

    with pytest.raises(ZeroDivisionError):
        consume()


def test_a_reader_that_is_forgotten_ends(cube_files: list[Path]) -> None:
    run = train([read(cube_files[1])], config(steps=500), prefetch=2)
    until_training(run, 2)
    assert threads() == ["reader"]
    del run
