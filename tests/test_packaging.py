"""The plugin arrives whole: from the checkout, the wheel and the source archive."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import napari_dgc

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "napari_dgc"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

pytestmark = pytest.mark.packaging

# Prints what an interpreter has as the plugin: where the module is, and what
# npe2 registers and where it found the manifest.
PROBE = """
import json
from pathlib import Path
import napari_dgc
from npe2 import PluginManager, PluginManifest
manager = PluginManager()
manager.register(PluginManifest.from_distribution("napari-dgc"))
manifest = manager.get_manifest("napari-dgc")
discovered = PluginManager()
discovered.discover()
print(json.dumps({
    "module": str(Path(napari_dgc.__file__).resolve()),
    "data": sorted(p.name for p in Path(napari_dgc.__file__).parent.rglob("*.csv")),
    "name": manifest.name,
    "version": manifest.package_version,
    "commands": [command.id for command in manifest.contributions.commands or []],
    "widgets": [widget.command for widget in manifest.contributions.widgets or []],
    "discovered": "napari-dgc" in discovered,
}))
"""


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _build(what: str, source: Path, out: Path) -> Path:
    """Build a wheel or an sdist with what is installed, nothing fetched."""
    _run(
        *(sys.executable, "-m", "build", f"--{what}", "--no-isolation"),
        *("--outdir", out, source),
        cwd=out.parent,
    )
    (built,) = out.iterdir()
    return built


def _probe(python: Path, cwd: Path) -> dict[str, object]:
    # -I: neither the working folder nor PYTHONPATH may lend a hand.
    last = _run(python, "-I", "-W", "ignore", "-c", PROBE, cwd=cwd).splitlines()[-1]
    found: dict[str, object] = json.loads(last)
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("wheel", ROOT, tmp_path_factory.mktemp("wheel") / "out")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build("sdist", ROOT, tmp_path_factory.mktemp("sdist") / "out")


@pytest.fixture(scope="module")
def sdist_folder(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (top,) = folder.iterdir()
    return top


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment with the wheel in it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel in an environment of its own that borrows the dependencies.

    They come through a .pth line, written after the install: a folder named
    there is searched last, and its own .pth files (the editable install among
    them) are not read.
    """
    made = Environment(tmp_path_factory.mktemp("fresh") / "venv")
    away = made.folder.parent
    _run(sys.executable, "-m", "venv", "--without-pip", made.folder, cwd=away)
    _run(
        *(sys.executable, "-m", "pip", "--python", made.python, "install", "--quiet"),
        *("--no-deps", "--no-index", wheel),
        cwd=away,
    )
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(_run(made.python, "-I", "-c", where, cwd=away).strip())
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (own / "borrowed.pth").write_text("\n".join(sorted(borrowed)) + "\n", "utf-8")
    return made


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _source_files() -> set[str]:
    """Files of the package in the checkout, as they are named in a wheel."""
    return {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_manifest_at_the_top_is_the_packages() -> None:
    link = ROOT / "napari.yaml"
    assert link.is_symlink()
    assert not Path(link.readlink()).is_absolute()
    assert link.resolve() == (PACKAGE / "napari.yaml").resolve()


def test_versions_agree() -> None:
    assert PROJECT["version"] == napari_dgc.__version__


def test_dependencies_bring_no_qt_and_have_no_upper_pins() -> None:
    required = PROJECT["dependencies"]
    bindings = ("pyqt5", "pyqt6", "pyside2", "pyside6")
    assert not [line for line in required if line.lower().startswith(bindings)]
    assert not [line for line in required if set("<~") & set(line) or "==" in line]


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = _names(wheel)
    info = f"napari_dgc-{PROJECT['version']}.dist-info/"
    assert {name for name in names if not name.startswith(info)} == _source_files()
    assert "napari_dgc/napari.yaml" in names
    assert not [name for name in names if "test" in Path(name).name]
    assert any(name.startswith(f"{info}licenses/") for name in names)


def test_sdist_holds_what_it_takes_to_build_and_test(sdist_folder: Path) -> None:
    present = {
        path.relative_to(sdist_folder).as_posix() for path in sdist_folder.rglob("*")
    }
    wanted = {f"src/{name}" for name in _source_files()}
    wanted |= {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO"}
    wanted |= {"napari.yaml", "Makefile", "constraints.txt", "scripts/setup.sh"}
    wanted |= {"tests/conftest.py", "tests/test_packaging.py"}
    assert not wanted - present
    unwanted = {".git", ".venv", "shared", "demo", "dist", ".setup"}
    assert not unwanted & {name.partition("/")[0] for name in present}
    assert not [name for name in present if name.endswith(".pyc")]
    top = (sdist_folder / "napari.yaml").read_bytes()
    assert top == (PACKAGE / "napari.yaml").read_bytes()


def test_sdist_builds_the_same_wheel(
    sdist_folder: Path, wheel: Path, tmp_path: Path
) -> None:
    again = _build("wheel", sdist_folder, tmp_path / "out")
    assert again.name == wheel.name
    assert _contents(again) == _contents(wheel)


def test_plugin_registers_from_the_checkout(tmp_path: Path) -> None:
    found = _probe(Path(sys.executable), tmp_path)
    assert found["module"] == str(PACKAGE / "__init__.py")
    assert found["name"] == "napari-dgc"
    assert found["version"] == PROJECT["version"]
    assert found["discovered"]
    assert found["widgets"]


def test_plugin_registers_from_the_wheel(fresh: Environment, tmp_path: Path) -> None:
    found = _probe(fresh.python, tmp_path)
    module = Path(str(found["module"]))
    assert module.is_relative_to(fresh.folder.resolve())
    assert found == _probe(Path(sys.executable), tmp_path) | {"module": str(module)}


def test_command_runs_from_the_wheel(fresh: Environment, tmp_path: Path) -> None:
    command = fresh.folder / "bin" / "napari-dgc"
    text = _run(command, "--help", cwd=tmp_path)
    for word in ("napari-dgc", "train", "segment"):
        assert word in text
