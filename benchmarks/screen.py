"""How fast the screen answers: merging, hovering, and the event loop while training.

Run under a display, or without one::

    xvfb-run -a -s "-screen 0 1600x1000x24" env QT_QPA_PLATFORM=xcb \
        python benchmarks/screen.py

Merge to repaint: from the call that merges to the end of the drawing that shows it,
at 1000 x 1000 pixels and K = 16, 64 and 128, beside a drawing without a change
(target: p50 within 33 ms, p99 within 66 ms). Hover: from a mouse move on the canvas
to the end of the last work that it causes, delays by timers and drawing included
(target: 16 ms); beside it the same watch without a move, which is what comes by
itself. Memory: growth of RssAnon by 1,000 merges and undos (target: 5 MB). Event
loop: by how much a 5 ms timer comes late while the worker trains.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

os.environ.setdefault("NAPARI_CONFIG", "")
# Studies of a benchmark are not the user's.
os.environ.setdefault("NAPARI_DGC_DATA", tempfile.mkdtemp(prefix="napari-dgc-"))

import napari
import numpy as np
import records
from qtpy.QtCore import QEvent, QEventLoop, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication
from vispy.gloo import gl

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.ui.cube_layers import cube_to_layers
from napari_dgc.ui.dock import ClusteringDock

SIDE, KS = 1000, (16, 64, 128)
TICK = 5  # ms
WATCH, WORK = 0.06, 0.0003  # s: how long a move is watched, and what is no idle turn

Table = dict[str, dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=40, help="training steps")
    parser.add_argument("--smoke", action="store_true", help="only see that it runs")
    parser.add_argument("--out", type=Path, default=records.OUT, help="with --smoke")
    options = parser.parse_args(arguments)
    side, ks, count = (200, (6,), 20) if options.smoke else (SIDE, KS, 1000)
    load = os.getloadavg()[0]
    tables: dict[str, Table] = {}
    memory: dict[str, float] = {}
    for k in ks:
        answers, memory[f"K = {k}"] = answer_times(side, k, count)
        title = f"merge and hover, ms, {side} x {side}, K = {k}"
        tables[title] = answers
        show(title, answers)
        print(
            f"MB more after {count} merges and undos: {memory[f'K = {k}']}", flush=True
        )
    steps = 4 if options.smoke else options.steps
    tables["event loop, ms late"] = event_loop(steps)
    show("event loop, ms late", tables["event loop, ms late"])
    print(f"\nMB more after {count} merges and undos: {memory}")
    told = {**records.machine(), "load": load, "side": side, "merges": count}
    folder = options.out if options.smoke else records.RESULTS
    name = "screen_part.json" if options.smoke else "screen.json"
    records.write_json(folder / name, {**told, **tables, "memory_mb": memory})


def show(title: str, rows: Table) -> None:
    """Print a table as soon as it is there."""
    print(f"\n{title}\n{'':36}{'p50':>8}{'p99':>8}{'max':>8}{'n':>7}")
    for name, row in rows.items():
        print(
            f"{name:36}{row['p50']:8.1f}{row['p99']:8.1f}{row['max']:8.1f}{row['n']:7}",
            flush=True,
        )


def answer_times(side: int, k: int, count: int) -> tuple[Table, float]:
    """Time what the image shows at once, and weigh `count` merges and undos."""
    scene = make_scene(SceneConfig(size=side // 4, bands=20), 0, "big").cube
    big = Cube(np.tile(np.asarray(scene.data), (1, 4, 4)), scene.wavelengths, "big")
    viewer, dock = open_dock(big)
    draw = Drawing(viewer)
    napari_alone = hover_times(viewer, draw, side)["all that a mouse move causes"]
    dock.training.k.setValue(k)
    dock.training.first_button.click()
    wait_until(lambda: not dock.workspace.session.runner.running)
    wait(1)
    workspace, selection = dock.workspace, dock.workspace.selection
    bare = [draw.timed(lambda: None) for _ in range(60)]
    hover = hover_times(viewer, draw, side)
    rng = np.random.default_rng(0)
    merges = [draw.timed(lambda p=p: workspace.merge((p[0],), p[1]))
              for p in pairs(dock, rng, k - 1)]  # fmt: skip
    undos = [draw.timed(workspace.undo) for _ in merges]
    redos = [draw.timed(workspace.redo) for _ in merges]
    for _ in merges:
        workspace.undo()
    ids = dock.study.grouping.ids
    selects = [draw.timed(lambda g=g: selection.set({g})) for g in (*ids[:15], 0) * 2]
    grown = merge_and_undo(dock, rng, count)
    viewer.close()
    wait(0.2)
    return {
        "drawing alone": spread(bare),
        "merge, drawing included": spread(merges),
        "undo, drawing included": spread(undos),
        "redo, drawing included": spread(redos),
        "select, drawing included": spread(selects),
        "a mouse move before there is a map": napari_alone,
        **hover,
    }, grown


def pairs(
    dock: ClusteringDock, rng: np.random.Generator, count: int
) -> Iterator[tuple[int, int]]:
    """Draw a source and a target of the groups there are by then."""
    for _ in range(count):
        source, target = rng.choice(dock.study.grouping.ids, 2, replace=False)
        yield int(source), int(target)


def merge_and_undo(dock: ClusteringDock, rng: np.random.Generator, count: int) -> float:
    """Merge and undo, other groups each time; growth of RssAnon in MB.

    As many as there can be are merged, then all of it is taken back, and so on.
    """

    def run(merges: int) -> None:
        while merges > 0:
            several = min(merges, len(dock.study.grouping.ids) - 1)
            for source, target in pairs(dock, rng, several):
                dock.workspace.merge((source,), target)
                QApplication.processEvents()
            for _ in range(several):
                dock.workspace.undo()
                QApplication.processEvents()
            merges -= several

    run(min(count, len(dock.study.grouping.ids)))  # what is made once is made
    settled = weigh()
    run(count)
    return round((weigh() - settled) / 1e6, 1)


def weigh() -> int:
    """Anonymous memory when nothing is left to do."""
    wait(1)
    gc.collect()
    return records.anonymous_bytes()


def hover_times(viewer: napari.Viewer, draw: Drawing, side: int) -> Table:
    """Move the mouse to random pixels with real Qt events."""
    native = viewer.window._qt_viewer.canvas.native
    view = viewer.window._qt_viewer.canvas.view
    transform = view.transform * view.scene.transform
    viewer.mouse_over_canvas = True  # the real pointer is anywhere
    rng = np.random.default_rng(0)
    idle, moves = [], []
    for x, y in rng.uniform(0, side - 1, (60, 2)):
        local = QPointF(*transform.map([x, y])[:2])
        none = Qt.MouseButton.NoButton
        event = QMouseEvent(
            QEvent.Type.MouseMove, local, QPointF(native.mapToGlobal(local.toPoint())),
            none, none, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        idle.append(draw.watched(lambda: None)[-1])
        moves.append(draw.watched(lambda e=event: QApplication.sendEvent(native, e)))
    handled, drawn, ended = zip(*moves, strict=True)
    drawings = [seconds for seconds in drawn if seconds > 0]
    return {
        "no mouse move": spread(idle),
        "a mouse move until it is handled": spread(handled),
        **({"the image drawn for it": spread(drawings)} if drawings else {}),
        "all that a mouse move causes": spread(ended),
    }


def event_loop(steps: int) -> Table:
    """Lateness of a timer, idle and from Train to the finished map."""
    viewer, dock = open_dock(make_scene(SceneConfig(), 0, "leaf").cube)
    idle = lateness(seconds=3)
    dock.training.steps.setValue(steps)
    dock.training.train_button.click()
    training = lateness(until=lambda: not dock.workspace.session.runner.running)
    viewer.close()
    wait(0.2)
    return {"idle": spread(idle), f"training, {steps} steps": spread(training)}


class Drawing:
    """Waits for the canvas to be drawn, and watches what else goes on."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._canvas = viewer.window._qt_viewer.canvas._scene_canvas
        self._canvas.events.draw.connect(self._on_drawn, position="last")
        self._drawn, self._ended = False, 0.0

    def timed(self, change: Callable[[], object]) -> float:
        """Seconds from the change to the end of the next drawing."""
        wait(0.03)  # what the last change left to do later
        began = time.perf_counter()
        change()
        self._drawn = False
        self._canvas.update()
        while not self._drawn:
            QApplication.processEvents()
        return time.perf_counter() - began

    def watched(self, act: Callable[[], object]) -> tuple[float, float, float]:
        """Watch what follows from something for a while.

        Gives the seconds until it returned, to the end of the last drawing (0 for
        none), and to the end of the last work: of the last turn of the event loop
        that took longer than an idle one.
        """
        wait(0.03)
        began = self._ended = time.perf_counter()
        act()
        acted = ended = time.perf_counter()
        while (turn := time.perf_counter()) - began < WATCH:
            QApplication.processEvents()
            now = time.perf_counter()
            if now - turn > WORK:
                ended = now
            time.sleep(0.0002)
        return acted - began, self._ended - began, ended - began

    def _on_drawn(self, event: object) -> None:
        gl.glFinish()
        self._drawn = True
        self._ended = time.perf_counter()


def lateness(
    *, seconds: float = 600, until: Callable[[], bool] = lambda: False
) -> list[float]:
    """Run the event loop; seconds by which each tick of 5 ms came late."""
    loop, late = QEventLoop(), []
    last = began = time.perf_counter()

    def on_tick() -> None:
        nonlocal last
        now = time.perf_counter()
        late.append(max(0.0, now - last - TICK / 1000))
        last = now
        if until() or now - began > seconds:
            loop.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(TICK)
    timer.timeout.connect(on_tick)
    timer.start()
    loop.exec()
    timer.stop()
    return late


def open_dock(cube: Cube) -> tuple[napari.Viewer, ClusteringDock]:
    """Open a window of 1280 x 800 with the dock and a cube."""
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1280, 800)
    dock = ClusteringDock(viewer)
    viewer.window.add_dock_widget(dock, name="Deep Global Clustering")
    for data, options, _ in cube_to_layers(cube):
        viewer.add_image(data, **options)
    wait(1)
    return viewer, dock


def wait(seconds: float) -> None:
    wait_until(lambda: False, seconds)


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.perf_counter() + seconds
    while not condition() and time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.001)


def spread(seconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum in milliseconds."""
    ms = np.array(seconds) * 1000
    return {
        "p50": round(float(np.percentile(ms, 50)), 2),
        "p99": round(float(np.percentile(ms, 99)), 2),
        "max": round(float(ms.max()), 2),
        "n": len(ms),
    }


if __name__ == "__main__":
    main()
