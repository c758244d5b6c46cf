"""How fast the screen answers: merging, and the event loop while training.

Run under a display, or without one::

    xvfb-run -a -s "-screen 0 1600x1000x24" env QT_QPA_PLATFORM=xcb \
        python benchmarks/screen.py

Merge to repaint: from the call that merges to the end of the drawing that
shows it, at 1000 x 1000 pixels and K = 64, beside a drawing without a change.
Event loop: by how much a 5 ms timer comes late while the worker trains.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("NAPARI_CONFIG", "")

import napari
import numpy as np
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtWidgets import QApplication
from vispy.gloo import gl

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.scenes import SceneConfig, make_scene
from napari_dgc.ui.cube_layers import cube_to_layers
from napari_dgc.ui.dock import ClusteringDock

RESULTS = Path(__file__).parent / "results"
SIDE, K = 1000, 64
TICK = 5  # ms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=40, help="training steps")
    parser.add_argument("-o", "--out", type=Path, default=RESULTS / "screen.json")
    args = parser.parse_args()
    results = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "merge_to_repaint_ms": merge_to_repaint(),
        "event_loop_ms": event_loop(args.steps),
    }
    for title, rows in results.items():
        if isinstance(rows, dict):
            print(f"\n{title}\n{'':34}{'p50':>8}{'p99':>8}{'max':>8}{'n':>7}")
            for name, row in rows.items():
                print(
                    f"{name:34}{row['p50']:8.1f}{row['p99']:8.1f}"
                    f"{row['max']:8.1f}{row['n']:7}"
                )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nwritten to {args.out}; {results['machine']}")


def merge_to_repaint() -> dict[str, dict[str, float]]:
    """Merge 64 groups into one, undo and redo it all; drawing counted in."""
    scene = make_scene(SceneConfig(size=SIDE // 4, bands=20), 0, "big").cube
    big = Cube(np.tile(np.asarray(scene.data), (1, 4, 4)), scene.wavelengths, "big")
    viewer, dock = open_dock(big)
    dock.training.k.setValue(K)
    dock.training.first_button.click()
    wait_until(lambda: not dock.workspace.session.runner.running)
    wait(1)
    draw = Drawing(viewer)
    bare = [draw.timed(lambda: None) for _ in range(60)]
    ids = dock.study.grouping.ids
    merges = [
        draw.timed(lambda s=source, t=target: dock.workspace.merge((s,), t))
        for source, target in itertools.pairwise(ids)
    ]
    undos = [draw.timed(dock.workspace.undo) for _ in merges]
    redos = [draw.timed(dock.workspace.redo) for _ in merges]
    selects = [
        draw.timed(lambda g=g: dock.workspace.selection.set({g})) for g in (64, 0) * 15
    ]
    viewer.close()
    wait(0.2)
    return {
        "drawing alone": spread(bare),
        "merge, drawing included": spread(merges),
        "undo, drawing included": spread(undos),
        "redo, drawing included": spread(redos),
        "select, drawing included": spread(selects),
    }


def event_loop(steps: int) -> dict[str, dict[str, float]]:
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
    """Waits for the canvas to be drawn."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._canvas = viewer.window._qt_viewer.canvas._scene_canvas
        self._canvas.events.draw.connect(self._on_drawn, position="last")
        self._drawn = False

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

    def _on_drawn(self, event: object) -> None:
        gl.glFinish()
        self._drawn = True


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
