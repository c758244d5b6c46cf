"""How benchmarks run, measure and keep their results.

A benchmark is a list of *units* (a small mapping: which family, row, seed ...), each
run in a process of its own, forked from one that has imported but computed nothing:
its memory is its own, and a unit that dies takes no other with it. Each result is
appended to a JSON lines file as soon as it is there, and a unit that is found there
is not run again. A unit names the code that it depends on (`code_hash`), so results
of another engine are not taken for this one's.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import napari_dgc

HERE = Path(__file__).resolve().parent
RESULTS, OUT = HERE / "results", HERE / "out"
_PACKAGES = ("napari-dgc", "numpy", "scipy", "scikit-learn", "torch")

_TOLD = ("family", "run", "variant", "row", "k", "seed", "steps")  # of a unit

Unit = Mapping[str, Any]
T = TypeVar("T")


def run_units(
    units: Sequence[Unit],
    work: Callable[[Unit], dict[str, Any]],
    path: Path,
    *,
    workers: int = 1,
    fresh: bool = False,
) -> list[dict[str, Any]]:
    """Run the units that `path` does not hold; give all their results, in order.

    Each result is the unit's own mapping, ``result`` and ``when``. A unit that
    fails is told on stderr, left out and tried again the next time.
    """
    found = {} if fresh else read_records(path)
    wanted = [unit for unit in units if _key(unit) not in found]
    print(f"{len(units) - len(wanted)} of {len(units)} are there", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")  # after a torn line
    began = time.perf_counter()
    for at, (unit, answer) in enumerate(in_children(work, wanted, workers)):
        minutes = (time.perf_counter() - began) / 60
        left = minutes / (at + 1) * (len(wanted) - at - 1)
        name = ", ".join(f"{k} {unit[k]}" for k in _TOLD if k in unit)
        if "error" in answer:
            print(f"FAILED {name}\n{answer['error']}", file=sys.stderr, flush=True)
            continue
        record = {**unit, "result": answer, "when": now()}
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        found[_key(unit)] = record
        print(
            f"[{at + 1}/{len(wanted)}, {minutes:.1f} min, {left:.0f} to go] {name}: "
            f"{answer.get('seconds', 0):.1f} s",
            file=sys.stderr,
            flush=True,
        )
    return [found[_key(unit)] for unit in units if _key(unit) in found]


def read_records(path: Path) -> dict[str, dict[str, Any]]:
    """What a JSON lines file holds, by unit; a torn last line is passed over."""
    found = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            unit = {k: v for k, v in record.items() if k not in ("result", "when")}
            found[_key(unit)] = record
    return found


def in_children(
    work: Callable[[Any], dict[str, Any]], units: Sequence[Any], workers: int = 1
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Run `work` on each unit in a forked process; yield unit and answer.

    The answer of a unit that failed is ``{"error": what happened}``.
    """
    context = multiprocessing.get_context("fork")
    waiting, running = list(units), {}
    while waiting or running:
        while waiting and len(running) < workers:
            unit = waiting.pop(0)
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_child, args=(work, unit, there))
            process.start()
            there.close()
            running[here] = (unit, process)
        for pipe in wait(list(running)):
            unit, process = running.pop(pipe)
            try:
                answer = pipe.recv()
            except EOFError:
                process.join()
                answer = {"error": f"the process ended with {process.exitcode}"}
            process.join()
            pipe.close()
            yield unit, answer


def make_scenes(
    work: Callable[[Any], dict[str, Any]], missing: Sequence[Any], workers: int = 1
) -> None:
    """Make the scenes (config and seed) that are not there; end where one fails."""
    for (_, seed), answer in in_children(work, missing, workers):
        if "error" in answer:
            sys.exit(f"scene {seed} could not be made\n{answer['error']}")


def _child(work: Callable[[Any], dict[str, Any]], unit: Any, pipe: Any) -> None:
    try:
        answer = work(unit)
    except Exception:
        answer = {"error": traceback.format_exc()}
    pipe.send(answer)
    pipe.close()


def measured(call: Callable[[], T]) -> tuple[T, float, float]:
    """What `call` gives, its seconds, and by how many MB RssAnon grew at most."""
    base, peak, done = anonymous_bytes(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, anonymous_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    try:
        result = call()
        seconds = time.perf_counter() - started
        peak = max(peak, anonymous_bytes())
    finally:
        done.set()
        watcher.join()
    return result, seconds, max(0, peak - base) / 1e6


def anonymous_bytes() -> int:
    """Anonymous memory of this process: mapped files' pages do not count."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    return 0


@functools.cache
def code_hash(*parts: str) -> str:
    """Digest of the statements of some of napari_dgc's folders or files.

    Comments, docstrings and layout do not count. A part that begins with a dot
    is a file of this folder.
    """
    digest = hashlib.sha256()
    root = Path(napari_dgc.__file__).parent
    for part in parts:
        top = HERE / part[1:] if part.startswith(".") else root / part
        for path in [top] if top.is_file() else sorted(top.rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                body = getattr(node, "body", None)
                if isinstance(body, list) and body and _is_text(body[0]):
                    body.pop(0)
            digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:12]


def machine() -> dict[str, Any]:
    """Date, machine, threads and versions, to stand beside results."""
    import torch

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    commit = subprocess.run(
        ["git", "-C", str(HERE), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "date": now(),
        "machine": f"{model}, {platform.system()}",
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
        "commit": commit,
    }


def spread(values: Sequence[float | None], *, low_is_good: bool = False) -> Any:
    """Mean, sd, worst and best of what is not None; None if nothing is."""
    some = np.array([v for v in values if v is not None], float)
    if not len(some):
        return None
    ends = (some.min(), some.max())
    worst, best = reversed(ends) if low_is_good else ends
    return {
        "mean": float(some.mean()),
        "sd": float(some.std()),
        "worst": float(worst),
        "best": float(best),
        "n": len(some),
    }


def cell(summary: Mapping[str, float] | None, form: str = ".3f") -> str:
    """``mean ± sd (worst)``, for a table."""
    if summary is None:
        return "–"
    if summary["n"] == 1:
        return format(summary["mean"], form)
    mean, sd, worst = (format(summary[n], form) for n in ("mean", "sd", "worst"))
    return f"{mean} ± {sd} ({worst})"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def write_json(path: Path, content: Any) -> None:
    """Write JSON, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"written to {path}", file=sys.stderr)


def now() -> str:
    """The time, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _key(unit: Unit) -> str:
    return json.dumps(unit, sort_keys=True)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
