"""What `doctor` asks of Python, its packages, the devices and the folders."""

from __future__ import annotations

import importlib.metadata as installed
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_dgc import __version__
from napari_dgc.cli.children import Answer
from napari_dgc.cli.findings import Finding, pip_install

_NAME = "napari-dgc"
_EXTRAS = {
    "tensorboard": "training curves in TensorBoard",
    "zarr": "cubes in zarr folders",
    "distributed": "work spread over several machines",
}
_GIB = 2**30
_LITTLE_SPACE, _LITTLE_MEMORY = 1 * _GIB, 2 * _GIB
_TORCH_PAGE = "https://pytorch.org/get-started/locally"


def look_at_python() -> Iterator[Finding]:
    """Python, this program, what it requires, and what it can also use."""
    python = f"{platform.python_version()} ({sys.executable})"
    yield Finding("Python", "ok", f"{python}, {platform.platform()}")
    where = Path(__file__).resolve().parents[1]
    try:
        required = installed.requires(_NAME) or []
        known = set(installed.metadata(_NAME).get_all("Provides-Extra") or ())
    except installed.PackageNotFoundError:
        yield Finding(
            _NAME,
            "missing",
            f"{__version__} runs from {where}, but is not installed: napari cannot "
            "find it",
            pip_install(f"{_NAME}[all]"),
        )
        return
    yield Finding(_NAME, "ok", f"{__version__} ({where})")
    yield from _look_at_packages(required)
    for name, purpose in _EXTRAS.items():
        yield _look_at_extra(name, purpose, name in known)


def _look_at_packages(required: list[str]) -> Iterator[Finding]:
    """One finding for all packages that fit, and one for each that does not."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield Finding(
            "packaging", "missing", "is not installed", pip_install("packaging")
        )
        return
    fitting, faults = [], []
    for requirement in map(Requirement, required):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        wanted = f"{requirement.name}{requirement.specifier}"
        try:
            version = installed.version(requirement.name)
        except installed.PackageNotFoundError:
            text = "is not installed"
        else:
            if requirement.specifier.contains(version, prereleases=True):
                fitting.append(f"{requirement.name} {version}")
                continue
            text = f"{version} is installed, {_NAME} needs {requirement.specifier}"
        faults.append(Finding(requirement.name, "missing", text, pip_install(wanted)))
    yield Finding("Packages", "ok", ", ".join(fitting) or "none")
    yield from faults


def _look_at_extra(name: str, purpose: str, known: bool) -> Finding:
    """What is not there is no fault: nothing but its purpose needs it."""
    try:
        return Finding(name, "ok", f"{installed.version(name)}, for {purpose}")
    except installed.PackageNotFoundError:
        pass
    if not known:
        return Finding(name, "ok", "not installed; this version does not use it")
    text = f"not installed; only for {purpose}"
    return Finding(name, "ok", text, pip_install(f"{_NAME}[{name}]"))


def look_at_devices(torch: Answer) -> Iterator[Finding]:
    """Cores, memory, torch and what it can compute on.

    Parameters
    ----------
    torch : Answer
        Of `napari_dgc.clustering.devices.describe_devices`.
    """
    yield _look_at_memory()
    facts = torch.facts
    if "torch" not in facts:
        yield Finding(
            "torch",
            "missing",
            f"it cannot be loaded: {torch.error}",
            pip_install("torch", force=_is_installed("torch")),
        )
        return
    cards = [f"CUDA: {name}, {size / _GIB:.0f} GB" for name, size in _cards(facts)]
    if facts.get("mps"):
        cards.append("MPS (Apple's graphics)")
    text = f"torch {facts['torch']} computes on "
    if "mps" not in facts:
        yield Finding(
            "Device",
            "warning",
            f"{text}the CPU; asking for CUDA and MPS failed: {torch.error}",
            pip_install("torch", force=True),
        )
    elif not cards and shutil.which("nvidia-smi"):
        why = "it is built without CUDA" if not facts["built_for"] else "CUDA fails"
        yield Finding(
            "Device",
            "warning",
            f"{text}the CPU though this machine has NVIDIA's driver: {why}; "
            f"{_TORCH_PAGE} gives the command for your card",
        )
    else:
        yield Finding("Device", "ok", text + ("; ".join(cards) or "the CPU"))


def _cards(facts: dict[str, Any]) -> list[tuple[str, int]]:
    return [(name, size) for name, size in facts.get("cuda", ())]


def _look_at_memory() -> Finding:
    cores = (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count()
    )
    text = f"{cores} CPU cores"
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        return Finding("Machine", "ok", f"{text}, memory not known")
    memory = psutil.virtual_memory()
    text += (
        f", {memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GB memory free"
    )
    if memory.available < _LITTLE_MEMORY:
        text += ": close other programs before large cubes are opened"
        return Finding("Machine", "warning", text)
    return Finding("Machine", "ok", text)


def look_at_folders(qt: Answer, plugin: Answer, *, screen: bool) -> Iterator[Finding]:
    """Whether what is written finds room: unsaved studies, settings, temporary files.

    Parameters
    ----------
    qt, plugin : Answer
        Of `napari_dgc.ui.probing`; they know the folders of the screen.
    screen : bool
        Whether to ask for these at all.
    """
    try:
        yield look_at_folder("Temporary", Path(tempfile.gettempdir()))
    except OSError as error:  # tempfile has tried them all
        yield Finding(
            "Temporary", "missing", str(error), f'export TMPDIR="{Path.home()}"'
        )
    if not screen:
        return
    said = qt.facts.get("data_folder") or os.environ.get("NAPARI_DGC_DATA")
    if said:
        yield look_at_folder("Study data", Path(said), "NAPARI_DGC_DATA")
    settings = plugin.facts.get("settings")
    if settings:
        yield look_at_folder("Settings", Path(settings).parent, "NAPARI_CONFIG")


def look_at_folder(topic: str, folder: Path, variable: str = "TMPDIR") -> Finding:
    """Write a small file there; into the nearest folder above where it is not yet.

    Parameters
    ----------
    topic : str
    folder : pathlib.Path
    variable : str
        The environment variable that names another folder.
    """
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"napari-dgc")
        free = shutil.disk_usage(there).free
    except OSError as error:
        command = f'export {variable}="/another/folder"'
        if there.is_dir() and os.name == "posix":
            command = f'chmod u+rwx "{there}"'
        return Finding(
            topic, "missing", f"{there} cannot be written: {error.strerror}", command
        )
    text = f"{folder}, {free / _GIB:.1f} GB free"
    if free < _LITTLE_SPACE:
        return Finding(topic, "warning", f"{text}: make room before long work")
    return Finding(topic, "ok", text)


def _is_installed(name: str) -> bool:
    try:
        installed.version(name)
    except installed.PackageNotFoundError:
        return False
    return True
