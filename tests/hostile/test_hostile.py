"""No file can hurt: each ends in a clear error or a right result.

All of them, some minutes:

    NAPARI_DGC_FULL=1 python -m pytest tests/hostile -q -s
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from cases import ONCE_HURT, REFUSED, Case, all_cases, choose
from seeds import write_seeds, write_torch_seeds

FULL = os.environ.get("NAPARI_DGC_FULL") == "1"
SECONDS = 2.0  # of the processor's time; no file takes longer
HANGS = 60  # seconds without an answer: on a busy machine the others get one
MEMORY = 400 * 2**20  # bytes that a file of kilobytes may take meanwhile
LONGEST = 3000  # characters of an error's line

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="looks into /proc"
)


class Child:
    """A process that opens files and answers how it went; started anew if it dies."""

    def __init__(self, root: Path, *more: str) -> None:
        self._line = [sys.executable, str(Path(__file__).with_name("child.py"))]
        self._line += [str(root), *more]
        self._errors = root / "child.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask, and wait for the answer: of `kind` "crash" or "hang" if none comes."""
        process = self._process or self._start()
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        line = self._read(process)
        if line.strip():
            return dict(json.loads(line))
        kind = "hang" if process.poll() is None and line == b"" else "crash"
        self.close()
        said = self._errors.read_text()[-2000:]
        return {"kind": kind, "line": f"{process.returncode} {said}", "cpu": 0.0,
                "grown": 0, "strayed": [], "torch": False}  # fmt: skip

    def _start(self) -> subprocess.Popen[bytes]:
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                self._line,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        assert self._read(self._process) == b"ready\n", self._errors.read_text()
        return self._process

    @staticmethod
    def _read(process: subprocess.Popen[bytes]) -> bytes:
        assert process.stdout is not None
        if not select.select([process.stdout], [], [], HANGS)[0]:
            return b""
        return process.stdout.readline() or b" "

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def running(root: Path, *more: str) -> Iterator[Child]:
    child = Child(root, *more)
    try:
        yield child
    finally:
        child.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Valid files, and beside them what no case may touch."""
    root = tmp_path_factory.mktemp("hostile")
    write_seeds(root / "seeds")
    outside = root / "outside"
    outside.mkdir()
    canary = np.full((6, 9, 7), 4242, np.float32)
    np.save(outside / "canary.npy", canary)
    with h5py.File(outside / "canary.mat", "w") as file:
        file["cube"] = canary
    return root


def faults_of(case: Case, answer: dict[str, Any], marker: Path) -> list[str]:
    """What is wrong with how a case ended."""
    faults = []
    if answer["kind"] not in ("error", "result"):
        faults.append(f"{answer['kind']}: {answer['line'][-700:]}")
    if answer["cpu"] > SECONDS:
        faults.append(f"took {answer['cpu']:.1f} s")
    if answer["grown"] > MEMORY:
        faults.append(f"took {answer['grown'] / 2**20:.0f} MiB")
    line = answer["line"]
    if len(line) > LONGEST or "Unable to allocate" in line or "MemoryError" in line:
        faults.append(f"says {line[:300]!r}")
    if answer["kind"] == "error" and not (line.count("; ") and line.isprintable()):
        faults.append(f"no clear line: {line[:300]!r}")
    faults += answer["strayed"][:5]
    if marker.exists():
        faults.append("a pickle was executed")
        marker.unlink()
    if case.name in REFUSED and answer["kind"] != "error":
        faults.append(f"is read: {line[:300]!r}")
    if answer["torch"] and not case.torch:
        faults.append("torch was loaded")
    return faults


def run_all(root: Path, cases: list[Case], child: Child) -> dict[str, list[str]]:
    """Open every case; give the faults by case, and print how all of them ended."""
    marker, outside = root / "marker", root / "outside"
    before = {path: path.read_bytes() for path in outside.iterdir()}
    found: dict[str, list[str]] = {}
    ends: Counter[str] = Counter()
    slowest = (0.0, "")
    largest = (0, "")
    for number, case in enumerate(cases):
        folder = root / "case" / str(number)
        folder.parent.mkdir(exist_ok=True)
        answer = child.ask(case.request(root / "seeds", folder, outside))
        shutil.rmtree(folder, ignore_errors=True)
        ends[answer["kind"]] += 1
        slowest = max(slowest, (answer["cpu"], case.name))
        largest = max(largest, (answer["grown"], case.name))
        faults = faults_of(case, answer, marker)
        if {path: path.read_bytes() for path in outside.iterdir()} != before:
            faults.append("a file outside was changed")
        if faults:
            found[case.name] = faults
        if os.environ.get("NAPARI_DGC_SHOW"):
            print(f"{case.name}: {answer['kind']} {answer['line'][:230]!r}")
    print(f"\n{len(cases)} cases: {dict(ends)}; slowest {slowest}, largest {largest}")
    return found


def written(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{name}: {' | '.join(faults)}" for name, faults in found.items())


def _model_folder(root: Path) -> str:
    (folder,) = (p for p in (root / "seeds/study/S.dgc").iterdir() if p.is_dir())
    return folder.name


def test_hostile_files_end_in_a_clear_error_or_a_right_result(root: Path) -> None:
    cases = all_cases(root / "marker", _model_folder(root))
    cases = choose(cases, len(cases) if FULL else 80, torch=False)
    assert not FULL or len(cases) >= 300
    names = {case.name for case in all_cases(root / "marker", _model_folder(root))}
    assert set(ONCE_HURT) <= names
    with running(root) as child:
        found = run_all(root, cases, child)
    assert not found, written(found)


def test_hostile_models_and_tensors(root: Path) -> None:
    write_torch_seeds(root / "seeds")
    with running(root, "torch") as child:
        seeds = str(root / "seeds" / "trained")
        made = child.ask({"do": "trained", "args": [seeds], "folder": ""})
        assert made["kind"] == "result", made["line"]
        cases = all_cases(root / "marker", "")
        cases = choose(cases, len(cases) if FULL else 8, torch=True)
        found = run_all(root, cases, child)
    assert not found, written(found)


def test_the_valid_files_are_read(root: Path) -> None:
    """Else every case would end in an error, whatever was done to it."""
    cases = {}
    for case in all_cases(root / "marker", _model_folder(root)):
        if not case.torch and case.name.endswith("bits 0"):
            cases[case.args] = Case(
                case.name, case.seeds, lambda folder, outside: None, case.do, case.args
            )
    with running(root) as child:
        for case in cases.values():
            request = case.request(root / "seeds", root / "valid", root / "outside")
            answer = child.ask(request)
            shutil.rmtree(root / "valid")
            # Settings are read first; then the cube to be trained on is missing.
            expected = "error" if case.args[0] == "train" else "result"
            assert answer["kind"] == expected, (case.name, answer["line"])
            assert not answer["strayed"], (case.name, answer["strayed"])
            assert "settings" not in case.name or "none.npy" in answer["line"]
