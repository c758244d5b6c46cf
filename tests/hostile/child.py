"""Opens hostile files, one after the other, in one process that watches itself.

A program of its own, so that a crash, a hang or a full memory ends this and not the
tests: `python child.py ROOT [torch]`. Reads a request per line, `{"do", "args",
"folder"}`, and answers each with a line that says how it ended and what it took:

- `kind`: "error" (one clear line, exit status 2), "result", or "leak" (anything else);
- `cpu`: seconds of processor time; `grown`: bytes of memory taken meanwhile at most;
- `strayed`: what was opened or changed outside the folder, started, or unpickled.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

SPACE = 2 * 2**30  # bytes of address space beyond what is in use at the start
LARGEST_FILE = 64 * 2**20
_NEVER = ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "os.fork",
          "subprocess.Popen", "socket.connect", "ctypes.dlopen")  # fmt: skip
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink",
            "os.truncate", "os.chmod", "shutil.move", "shutil.rmtree")  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Watch:
    """Notes what is touched outside the folder that was chosen."""

    def __init__(self, scratch: Path) -> None:
        source = Path(__file__).resolve().parents[2]
        system = (sys.prefix, sys.base_prefix, "/usr", "/lib", "/etc", "/proc", "/sys")
        self._readable = tuple(
            f"{p}/" for p in (source / "src", *system, *sys.path) if str(p)
        )
        self._scratch = f"{scratch}/"
        self.folder = ""  # "": nothing is watched
        self.strayed: list[str] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event in _NEVER:
            self.strayed.append(f"{event} {args[:2]!r:.200}")
        elif event == "open":
            path, _, flags = args
            self._check(event, path, bool((flags or 0) & _WRITING))
        elif event in _CHANGES and not (event == "os.remove" and args[1] != -1):
            for path in args[: 2 if event in ("os.rename", "shutil.move") else 1]:
                self._check(event, path, True)

    def _check(self, event: str, path: object, writing: bool) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a file that is open already
        # As it is named: links that somebody laid in the folder are theirs to lay.
        text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        allowed = (f"{self.folder}/", self._scratch)
        if not writing:
            allowed += (*self._readable, "/dev/null", "/dev/urandom")
        # A folder made or looked at may be the chosen one itself.
        if not f"{text}/".startswith(allowed):
            self.strayed.append(f"{event} {text:.300}")


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """How a call from Python ends."""
    from napari_dgc.cubes.errors import InputError

    try:
        found = call()
    except InputError as error:
        return "error", str(error)
    except Exception:
        return "leak", traceback.format_exc()
    return "result", repr(found)[:300]


def run_command(args: list[str]) -> tuple[str, str]:
    """How a command ends: exit status 2 and one line, or 0."""
    from napari_dgc.cli import main

    out, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        status = main(args)
    lines = told.getvalue().splitlines()
    text = told.getvalue()[:3000]
    if status == 2 and len(lines) == 1:
        return "error", text.strip()
    return ("result", out.getvalue()[:300]) if status == 0 else ("leak", text)


def open_study(path: str) -> object:
    """All of a study, its cubes' pixels too; faults are told one by one.

    The model before and the one after come into use in turn, as undo and redo do.
    """
    import numpy as np

    from napari_dgc.study.storing.study_file import open_study

    study = open_study(path)
    for index, cube in enumerate(study.cubes):
        if index not in study.missing:
            np.asarray(cube.data[:, :1, :])
    for turn in (study.undo, study.redo, study.redo):
        for _ in range(9):
            turn()
    return len(study.cubes), sorted(study.missing)


def read_days(path: str) -> object:
    from napari_dgc.reports.time_series import read_days

    return read_days(path, ["leaf 1", "leaf 2"])


def read_labels(path: str) -> object:
    """As `evaluate` does, which needs torch for its scores."""
    from napari_dgc.study.evaluating.labels import load_labels

    return load_labels(path, "leaf", (9, 7)).data.max()


def load_leaves(path: str) -> object:
    from napari_dgc.study.storing.leaf_file import load_leaves

    return load_leaves(Path(path))


def load_moved(path: str) -> object:
    from napari_dgc.study.moved import Moved

    return Moved.load(path).views


def make_trained(folder: str) -> object:
    """A trained model, an unfinished training and a tensor of labels, as seeds."""
    import numpy as np
    import torch

    from napari_dgc import Config, read_cube, train
    from napari_dgc.clustering.tensors import write_tensor

    cube = read_cube(Path(folder) / "leaf.npy", axes="yxb")
    config = Config(k=3, steps=4, crop=16, batch=1, sample_pixels=1000, device="cpu",
                    snapshot_every=2, reuse_iterations=2)  # fmt: skip
    for step in train([cube], config, keep_state=True):
        if step.state is not None and step.index == 2:
            step.state.save(Path(folder) / "M.resume.safetensors")
        if step.snapshot is not None and step.snapshot.encoder:
            step.snapshot.save(Path(folder) / "T.safetensors")
    labels = np.zeros(cube.shape[1:], np.uint8)
    labels[4:9, 3:8] = 1
    write_tensor(Path(folder) / "leaf.pth", labels)
    return torch.__version__


CALLS: dict[str, Callable[[str], object]] = {
    "study": open_study,
    "days": read_days,
    "leaves": load_leaves,
    "moved": load_moved,
    "labels": read_labels,
    "trained": make_trained,
}


def memory(field: str) -> int:
    with open("/proc/self/status") as file:  # noqa: PTH123
        line = next(line for line in file if line.startswith(field))
    return int(line.split()[1]) * 1024


def handle(request: dict[str, Any], watch: Watch) -> dict[str, Any]:
    """Do what is asked, and say how it went."""
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")  # the highest memory so far is forgotten
    before, watch.strayed = memory("VmRSS:"), []
    started, began = time.process_time(), time.monotonic()
    watch.folder = request["folder"]
    try:
        if request["do"] == "cli":
            kind, line = run_command(request["args"])
        else:
            call = CALLS[request["do"]]
            kind, line = refused(lambda: call(*request["args"]))
    except BaseException:
        kind, line = "leak", traceback.format_exc()
    finally:
        watch.folder = ""
    return {
        "kind": kind,
        "line": line,
        "cpu": time.process_time() - started,
        "wall": time.monotonic() - began,
        "grown": max(0, memory("VmHWM:") - before),
        "strayed": watch.strayed,
        "torch": "torch" in sys.modules,
    }


def warm(with_torch: bool) -> None:
    """Load what would otherwise count as the first files' time and memory."""

    import napari_dgc.cli.commands
    import napari_dgc.cli.info
    import napari_dgc.cli.merge
    import napari_dgc.cli.report
    import napari_dgc.cli.study
    import napari_dgc.clustering.noise
    import napari_dgc.reports.time_series
    import napari_dgc.study.evaluating.evaluation
    import napari_dgc.study.exports
    import napari_dgc.study.leaves

    with contextlib.suppress(ImportError):
        import zarr

        zarr.open(tempfile.mkdtemp(), mode="w")  # loads more, and starts its thread
    if with_torch:
        import torch

        import napari_dgc.clustering.training  # noqa: F401

        torch.set_num_threads(1)
        torch.optim.AdamW([torch.zeros(1, requires_grad=True)])  # loads for a second


def main() -> None:
    root = Path(sys.argv[1])
    with_torch = "torch" in sys.argv[2:]
    scratch = root / "scratch"
    scratch.mkdir(exist_ok=True)
    tempfile.tempdir = str(scratch)
    warnings.simplefilter("default")  # a warning would be one line too many
    warm(with_torch)
    watch = Watch(scratch)
    sys.addaudithook(watch)
    space = memory("VmSize:") + SPACE
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(handle(json.loads(line), watch)), file=answers, flush=True)


if __name__ == "__main__":
    main()
