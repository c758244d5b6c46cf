"""A dock in a real window, a real model, and a real mouse."""

from __future__ import annotations

import gc
import itertools
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# pytest's importlib mode puts no folder on the path: `acting` is beside this file.
sys.path.insert(0, str(Path(__file__).parent))

from acting import Mouse, add_cube, settle
from napari_costs import spare

from napari_dgc.clustering.config import Config
from napari_dgc.clustering.devices import limit_threads
from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.study.mapping import Finished, train_and_map
from napari_dgc.ui.dock import ClusteringDock

K = 6
_TESTS = itertools.count()


def dealt(items: list[pytest.Item], parts: int) -> list[int]:
    """Which of so many parts each test is in: every file's tests go round.

    Tests with a viewer, a hundred times as dear, go round by themselves. Each file
    begins where its name says, so that one more test moves no other file's.
    """
    places: dict[tuple[Path, bool], int] = {}
    given = []
    for item in items:
        key = item.path, "make_napari_viewer" in item.fixturenames
        place = places.get(key, zlib.crc32(item.path.name.encode()))
        places[key] = place + 1
        given.append(place % parts)
    return given


@pytest.hookimpl(trylast=True)  # of what -m and -k have left
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Keep one part of the tests, where NAPARI_DGC_PART is such as 2/3."""
    part, parts = (int(n) for n in os.environ.get("NAPARI_DGC_PART", "1/1").split("/"))
    given = dict(zip(items, dealt(items, parts), strict=True))
    items[:] = [item for item in given if given[item] == part - 1]
    config.hook.pytest_deselected(
        items=[item for item in given if given[item] != part - 1]
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let pass a warning of scikit-image that napari silences itself.

    It does so by `warnings.catch_warnings`, which is no matter for two threads:
    a worker that enters and leaves one meanwhile undoes it.
    """
    if item.path.is_relative_to(Path(__file__).parent):
        item.add_marker(pytest.mark.filterwarnings("ignore:Conversion from CIE-LAB"))


@pytest.fixture(autouse=True)
def lasting_objects() -> None:
    """Leave what lasts out of garbage collection: what the imports made costs 0.3 s
    a test, what the viewers before left (4,700 objects each) more with every test.

    napari collects three times around each viewer, to see that nothing is left of it.
    What is left are its own things all the same, its menus' actions above all.
    """
    if next(_TESTS) % 10 == 0:
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def spared() -> Iterator[None]:
    """Save what napari does anew for each viewer to the same end: a fifth of a test."""
    with pytest.MonkeyPatch.context() as patch:
        spare(patch)
        yield


@pytest.fixture(autouse=True)
def own_data_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Unsaved and recent studies of tests are not the user's."""
    folder = tmp_path_factory.mktemp("napari-dgc data")
    monkeypatch.setenv("NAPARI_DGC_DATA", str(folder))
    return folder


@pytest.fixture(scope="session")
def leaf() -> Cube:
    """A small leaf scene, 64 x 64 pixels and 40 bands."""
    return make_scene(SceneConfig(size=64, bands=40, leaves=1), 0, "leaf").cube


@pytest.fixture(scope="session")
def first_map(leaf: Cube) -> Finished:
    """The first map of the leaf, by the real engine."""
    limit_threads()  # as the dock does: sums are the same to the bit
    pieces = list(train_and_map([leaf], Config(k=K, steps=0, device="cpu")))
    assert isinstance(pieces[-1], Finished)
    return pieces[-1]


@pytest.fixture
def open_dock(make_napari_viewer) -> Iterator[Callable[[], ClusteringDock]]:
    """Open a window with the dock in it; once per test."""

    def open_one() -> ClusteringDock:
        viewer = make_napari_viewer(show=True)
        viewer.window._qt_window.resize(1280, 800)
        dock = ClusteringDock(viewer)
        viewer.window.add_dock_widget(dock, name="Deep Global Clustering")
        settle()
        return dock

    yield open_one
    settle()


@pytest.fixture
def dock(open_dock) -> ClusteringDock:
    """A dock without a cube."""
    return open_dock()


@pytest.fixture
def leaf_dock(dock: ClusteringDock, leaf: Cube) -> ClusteringDock:
    """A dock with a cube and no map."""
    add_cube(dock, leaf)
    return dock


@pytest.fixture
def mapped(leaf_dock: ClusteringDock, first_map: Finished) -> ClusteringDock:
    """A dock with the first map, as a finished run leaves it."""
    leaf_dock.workspace.session._cubes = leaf_dock.study.cubes
    leaf_dock.workspace.session._on_run_yielded(first_map)
    settle()
    return leaf_dock


@pytest.fixture
def mouse(mapped: ClusteringDock) -> Mouse:
    """A mouse on the canvas of the mapped dock."""
    return Mouse(mapped._viewer)
