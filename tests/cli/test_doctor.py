"""`napari-dgc doctor`: real children, in whole and in broken environments."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import napari_dgc
from napari_dgc.cli import main
from napari_dgc.cli.children import Answer, ask_child
from napari_dgc.cli.doctor import _OPENGL, _QT, _TORCH
from napari_dgc.cli.doctor_machine import look_at_devices, look_at_folder
from napari_dgc.cli.doctor_screen import look_at_display, look_at_opengl, look_at_qt
from napari_dgc.cli.system_libraries import (
    DEBIAN,
    find_xcb_plugin,
    missing_libraries,
    named_libraries,
    packages_of,
)

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(napari_dgc.__file__).parents[1]
QT_FILES = ("pyqt", "pyside", "shiboken")


def run_doctor(python: str | Path, *options: str, **variables: str):
    """Run it as a user without a display does; status and findings by topic."""
    left_out = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "QT_API")
    environ = {k: v for k, v in os.environ.items() if k not in left_out}
    environ |= {"PYTHONPATH": str(SOURCE), **variables}
    done = subprocess.run(
        [str(python), "-m", "napari_dgc.cli", "doctor", "--json", *options],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=environ,
    )
    assert "Traceback" not in done.stderr, done.stderr
    findings = json.loads(done.stdout)
    assert {f["state"] for f in findings} <= {"ok", "warning", "missing"}
    return done.returncode, {f["topic"]: f for f in findings}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is a display")
def test_without_a_display_only_that_is_missing() -> None:
    status, found = run_doctor(sys.executable)
    assert status == 1
    missing = [topic for topic, f in found.items() if f["state"] == "missing"]
    assert missing == ["Display"]
    assert "DISPLAY" in found["Display"]["text"]
    assert "xvfb" in found["Display"]["command"]
    qt = importlib.metadata.version("PyQt6-Qt6")
    assert qt in found["Qt"]["text"]
    torch = importlib.metadata.version("torch")
    assert f"torch {torch}" in found["Packages"]["text"]
    assert found["Device"]["text"].startswith(f"torch {torch}")
    assert found["Plugin"]["text"] == "registered with npe2"
    assert {"Study data", "Settings", "Temporary", "Fonts", "Machine"} <= found.keys()
    assert "OpenGL" not in found  # nowhere to ask


def link_packages(folder: Path) -> tuple[Path, Path]:
    """Make an environment of links to our packages, none of them Qt."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True
    )
    place = Path(
        sysconfig.get_path("purelib", vars={"base": folder, "platbase": folder})
    )
    for item in Path(sysconfig.get_path("purelib")).iterdir():
        if not item.name.lower().startswith(QT_FILES):
            (place / item.name).symlink_to(item)
    return folder / "bin" / "python", place


@pytest.mark.skipif(os.name != "posix", reason="makes links")
def test_without_qt_and_with_a_broken_torch_each_is_told(tmp_path: Path) -> None:
    python, place = link_packages(tmp_path / "venv")
    (place / "torch").unlink()
    (place / "torch").mkdir()
    fault = "libcudart.so.12: cannot open shared object file"
    (place / "torch" / "__init__.py").write_text(f"raise OSError({fault!r})")
    for spectral in place.glob("spectral-*.dist-info"):
        spectral.unlink()
    status, found = run_doctor(python)
    assert status == 1
    assert found["Qt"]["state"] == found["torch"]["state"] == "missing"
    assert found["Qt"]["command"] == f"{python} -m pip install PyQt6"
    assert fault in found["torch"]["text"]
    assert found["torch"]["command"].endswith("pip install --force-reinstall torch")
    assert found["spectral"]["state"] == "missing"
    assert found["spectral"]["command"].endswith("pip install 'spectral>=0.23'")
    assert found["Plugin"]["state"] == "ok"  # npe2 needs no Qt to know it
    # Nothing else of ours runs without NumPy; the doctor does, and says so.
    for numpy in place.glob("numpy*"):
        numpy.unlink()
    status, found = run_doctor(python, "--no-screen")
    assert status == 1
    assert found["numpy"]["command"].endswith("pip install 'numpy>=2'")
    assert "Qt" not in found
    assert "Plugin" not in found
    done = subprocess.run(
        [str(python), "-m", "napari_dgc.cli", "info", "leaf.mat"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "numpy" in done.stderr
    assert "napari-dgc doctor" in done.stderr


def test_on_a_server_the_screen_can_be_left_out(capsys) -> None:
    assert main(["doctor", "--no-screen", "-q"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("ok ")
    assert out.endswith("Nothing is missing\n")
    assert main(["doctor", "--nonsense"]) == 2


def test_a_wrong_qt_api_is_named(monkeypatch) -> None:
    monkeypatch.setenv("QT_API", "broken")
    answer = ask_child(_QT, seconds=60)
    assert answer.facts == {}
    (finding, *_) = look_at_qt(answer)
    assert finding.state == "missing"
    assert "QT_API=broken" in finding.text
    assert finding.command == ("unset QT_API" if os.name == "posix" else "set QT_API=")
    # Nothing was shown on the display: it is not called fine.
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    *_, display = look_at_display(answer, ask_child(_OPENGL, seconds=60))
    assert display.state == "warning"


@pytest.mark.skipif(sys.platform != "linux", reason="X only")
def test_a_display_that_does_not_answer_is_no_crash_of_ours(monkeypatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    answer = ask_child(_OPENGL, seconds=60)
    assert "crashed" in answer.error
    finding = list(look_at_display(Answer({}, "", ""), answer))[-1]
    assert finding.state == "missing"
    assert "nothing answers at DISPLAY=:4711" in finding.text
    assert "xvfb-run" in finding.command


def test_two_bindings_and_a_refused_qt_are_told(tmp_path: Path, monkeypatch) -> None:
    metadata = tmp_path / "PySide6-6.11.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: PySide6\nVersion: 6.11.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = Answer({"binding": "PySide6", "version": "6.11.0"}, "", "")
    refused, double = look_at_qt(loaded)
    assert refused.state == "missing"
    assert "napari refuses" in refused.text
    assert refused.command.endswith("--upgrade 'PySide6!=6.11.0,!=6.11.1'")
    assert double.state == "warning"
    assert double.command.endswith("pip uninstall PyQt6")
    (fine, _) = look_at_qt(Answer({"binding": "PyQt6", "version": "6.11.2"}, "", ""))
    assert fine.state == "ok"


def test_an_old_opengl_is_missing_a_new_one_is_told() -> None:
    facts = {"version": "1.4 (2.1 Mesa)", "renderer": "old", "texture": 2048}
    (finding,) = look_at_opengl(Answer(facts, "", ""))
    assert finding.state == "missing"
    assert "2.1 or newer" in finding.text
    facts["version"] = "OpenGL ES 3.2 Mesa"
    (finding,) = look_at_opengl(Answer(facts, "", ""))
    assert finding.state == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="asks ldd")
def test_missing_libraries_are_found_and_have_packages(tmp_path: Path) -> None:
    plugin = find_xcb_plugin("PyQt6")
    assert plugin is not None
    assert missing_libraries(plugin) == []
    # Alone it does not find Qt's own libraries, which lie beside it by its path.
    alone = tmp_path / plugin.name
    alone.write_bytes(plugin.read_bytes())
    assert "libQt6XcbQpa.so.6" in (missing_libraries(alone) or ())
    assert missing_libraries(tmp_path / "none.so") is None
    said = "ImportError: libEGL.so.1: cannot open shared object file: No such file"
    assert packages_of(named_libraries(said)) == ["libegl1"]
    setup = (ROOT / "scripts" / "setup.sh").read_text("utf-8")
    listed = setup.partition("PACKAGES=(")[2].partition(")")[0].split()
    libraries = {p for p in listed if p.startswith("lib")} - {"libgl1-mesa-dri"}
    assert libraries <= set(DEBIAN.values())


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_folders_are_tried_by_writing(tmp_path: Path) -> None:
    fine = look_at_folder("Study data", tmp_path / "not" / "yet")
    assert fine.state == "ok"
    assert list(tmp_path.iterdir()) == []
    refused = look_at_folder("Study data", Path("/proc/no/such"), "NAPARI_DGC_DATA")
    assert refused.state == "missing"
    assert refused.command


def test_children_that_crash_or_hang_keep_what_they_said(
    tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "ill.py").write_text(
        "import os, time\n"
        "def crashes():\n    yield {'said': 1}\n    os.abort()\n"
        "def hangs():\n    yield {'said': 2}\n    time.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    crashed = ask_child("ill:crashes", seconds=60)
    assert crashed.facts == {"said": 1}
    assert "crashed" in crashed.error
    hung = ask_child("ill:hangs", seconds=2)
    assert hung.facts == {"said": 2}
    assert "no answer" in hung.error
    assert "No module" in ask_child("none_such:f", seconds=60).error


def test_devices_are_told() -> None:
    answer = ask_child(_TORCH, seconds=120)
    assert answer.error == ""
    *_, device = look_at_devices(answer)
    assert device.topic == "Device"
    card = {"torch": "9", "built_for": "13", "cuda": [["H100", 80 * 2**30]]}
    *_, device = look_at_devices(Answer({**card, "mps": False}, "", ""))
    assert device.text == "torch 9 computes on CUDA: H100, 80 GB"
