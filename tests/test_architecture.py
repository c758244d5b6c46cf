"""The house keeps its shape: who may import whom, and what no module may hold."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import napari_dgc

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "napari_dgc"
MODULES = sorted(SOURCE.rglob("*.py"))

TORCH = {"torch"}
SCREEN = {
    "napari",
    "qtpy",
    "magicgui",
    "superqt",
    "pyqtgraph",
    "vispy",
    "PyQt5",
    "PyQt6",
    "PySide2",
    "PySide6",
}

# Everything of this room but torch's own (clustering) and the screen's (ui).
ROOMS_WITHOUT_TORCH = ["cubes", "merging", "reports", "study"]


def _packages_loaded(code: str) -> set[str]:
    """Top-level packages in a new interpreter after `code` has run."""
    report = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def _import_everything(room: str) -> str:
    """Code that imports `napari_dgc.<room>` and each module in it."""
    return f"""
import importlib, pkgutil
room = importlib.import_module("napari_dgc.{room}")
for found in pkgutil.walk_packages(getattr(room, "__path__", []), room.__name__ + "."):
    if not found.name.endswith(".__main__"):  # that one runs, not only loads
        importlib.import_module(found.name)
"""


def test_import_contracts_are_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    assert len(contracts) >= 3
    assert f"{len(contracts)} kept, 0 broken" in done.stdout


def test_the_screen_would_be_noticed() -> None:
    assert "qtpy" in _packages_loaded("import qtpy")


def test_public_face_is_light() -> None:
    assert not _packages_loaded("import napari_dgc") & (TORCH | SCREEN)


@pytest.mark.parametrize("room", ROOMS_WITHOUT_TORCH)
def test_room_loads_neither_torch_nor_qt(room: str) -> None:
    assert not _packages_loaded(_import_everything(room)) & (TORCH | SCREEN)


@pytest.mark.parametrize("room", ["cli", "clustering"])
def test_room_loads_no_qt(room: str) -> None:
    assert not _packages_loaded(_import_everything(room)) & SCREEN


def test_command_line_starts_without_torch() -> None:
    assert not _packages_loaded("import napari_dgc.cli") & (TORCH | SCREEN)


@pytest.mark.parametrize("name", napari_dgc.__all__)
def test_public_name_is_documented(name: str) -> None:
    public = getattr(napari_dgc, name)
    # A dataclass without a docstring gets its signature for one.
    text = public.__doc__ or ""
    assert text.strip(), f"{name} has no docstring"
    assert not text.startswith(f"{name}("), f"{name} has only the generated docstring"


def test_modules_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for path in MODULES
    }
    assert lengths
    assert not {name: n for name, n in lengths.items() if n > 300}


def test_no_module_is_called_utils() -> None:
    assert not [path for path in MODULES if path.stem in {"utils", "util", "helpers"}]


# ---- what no module may hold ---------------------------------------------------

PICKLERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve"}


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((word.value for word in call.keywords if word.arg == name), None)


def _is(value: ast.expr | None, constant: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is constant


def _faults_of_call(call: ast.Call) -> list[str]:
    faults = []
    allow = _keyword(call, "allow_pickle")
    if allow is not None and not _is(allow, False):
        faults.append("allow_pickle other than False")
    loads_torch = ast.unparse(call.func) == "torch.load"
    if loads_torch and not _is(_keyword(call, "weights_only"), True):
        faults.append("torch.load without weights_only=True")
    return faults


def _faults(source: str) -> list[str]:
    """What `source` holds that no module may hold, as 'line: fault'."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            found.append((node.lineno, "assert (python -O drops it: raise an error)"))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in PICKLERS:
                    found.append((node.lineno, f"import {alias.name}"))
                if alias.name == "torch" and alias.asname:
                    found.append((node.lineno, "torch under another name"))
        elif isinstance(node, ast.ImportFrom):
            root = (node.module or "").partition(".")[0]
            names = {alias.name for alias in node.names}
            if root in PICKLERS:
                found.append((node.lineno, f"from {node.module} import"))
            if root == "torch" and "load" in names:
                found.append((node.lineno, "torch.load under another name"))
        elif isinstance(node, ast.Call):
            found += [(node.lineno, fault) for fault in _faults_of_call(node)]
    return [f"{line}: {fault}" for line, fault in sorted(found)]


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    assert x",
        "import pickle",
        "import numpy, pickle as p",
        "from pickle import loads",
        "import joblib.externals",
        "import numpy as np\nnp.load('a.npy', allow_pickle=True)",
        "np.load('a.npy', allow_pickle=flag)",
        "torch.load('a.pth')",
        "torch.load('a.pth', weights_only=False)",
        "from torch import load",
        "from torch.serialization import load",
        "import torch as t\nt.load('a.pth')",
    ],
)
def test_faults_are_found(source: str) -> None:
    assert len(_faults(source)) == 1


def test_clean_source_has_no_fault() -> None:
    source = """
import torch
import numpy as np
labels = torch.load("a.pth", weights_only=True, map_location="cpu")
table = np.load("a.npz", allow_pickle=False)
"""
    assert _faults(source) == []


def test_no_module_holds_a_fault() -> None:
    faults = {
        str(path.relative_to(ROOT)): _faults(path.read_text("utf-8"))
        for path in MODULES
    }
    assert not {name: found for name, found in faults.items() if found}
