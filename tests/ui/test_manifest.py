"""The manifest: valid, complete, and pointing into ui/ only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from npe2 import PluginManager, PluginManifest

MANIFEST = Path(__file__).parents[2] / "src" / "napari_dgc" / "napari.yaml"


@pytest.fixture
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


@pytest.fixture
def manager(manifest: PluginManifest) -> PluginManager:
    manager = PluginManager()
    manager.register(manifest)
    return manager


def test_installed_plugin_is_this_manifest() -> None:
    manifest = PluginManifest.from_distribution("napari-dgc")
    assert manifest.name == "napari-dgc"
    assert manifest.contributions.widgets


def test_every_import_resolves() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", "--imports", str(MANIFEST)],
        capture_output=True,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "valid" in ran.stdout + ran.stderr


def test_commands_are_named_after_us_and_live_in_ui(manifest: PluginManifest) -> None:
    commands = manifest.contributions.commands or []
    assert commands
    for command in commands:
        assert command.id.startswith("napari-dgc.")
        assert (command.python_name or "").startswith("napari_dgc.ui.")


def test_every_command_is_reachable(manifest: PluginManifest) -> None:
    given = manifest.contributions
    used = {
        *(each.command for each in given.readers or ()),
        *(each.command for each in given.writers or ()),
        *(each.command for each in given.sample_data or ()),
        *(each.command for each in given.widgets or ()),
        *(item.command for items in given.menus.values() for item in items),
    }
    assert used == {command.id for command in given.commands or ()}


@pytest.mark.parametrize(
    ("name", "claimed"),
    [
        ("leaf.mat", True),
        ("leaf.MAT", True),
        ("leaf.hdr", True),
        ("leaf.day.3.hdr", True),
        ("leaf.raw", True),
        ("leaf.bil", True),
        ("leaf.tif", False),
        ("leaf.tiff", False),
        ("leaf.npy", False),
        ("leaf.png", False),
        ("leaf", False),
    ],
)
def test_patterns_claim_cubes_only(
    manager: PluginManager, name: str, claimed: bool
) -> None:
    readers = list(manager.iter_compatible_readers([name]))
    assert bool(readers) is claimed


def test_menus_hold_the_dock_and_the_dialog(manifest: PluginManifest) -> None:
    menus = manifest.contributions.menus
    assert [item.command for item in menus["napari/layers/segment"]] == [
        "napari-dgc.open_dock"
    ]
    assert [item.command for item in menus["napari/file/io_utilities"]] == [
        "napari-dgc.open_cube",
        "napari-dgc.open_study",
    ]


def test_writer_takes_one_label_layer(manager: PluginManager) -> None:
    for name in ("a.tif", "a.tiff", "a.png"):
        writer, path = manager.get_writer(name, ["labels"])
        assert writer is not None
        assert path == name
    assert manager.get_writer("a.png", ["image"])[0] is None
    assert manager.get_writer("a.png", ["labels", "labels"])[0] is None


def test_importing_the_room_costs_nothing() -> None:
    code = (
        "import sys, napari_dgc.ui, napari_dgc.ui.reader\n"
        "napari_dgc.ui.reader.get_reader('leaf.mat')\n"
        "heavy = {'torch', 'qtpy', 'PyQt6', 'PySide6', 'napari', 'scipy', 'h5py'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.strip() == "[]", ran.stdout + ran.stderr


@pytest.mark.screen
def test_menu_titles_and_the_dock(make_napari_viewer) -> None:
    from napari._app_model import get_app_model
    from napari._app_model.constants import MenuId

    viewer = make_napari_viewer()
    app = get_app_model()

    def titles(menu: MenuId) -> list[str]:
        return [
            item.command.title
            for item in app.menus.get_menu(menu)
            if hasattr(item, "command")
        ]

    assert any(
        title.startswith("Deep Global Clustering")
        for title in titles(MenuId.LAYERS_SEGMENT)
    )
    assert any(
        title.startswith("Open hyperspectral cube…")
        for title in titles(MenuId.FILE_IO_UTILITIES)
    )
    app.commands.execute_command("napari-dgc.open_dock").result()
    docked = {type(widget).__name__ for widget in viewer.window.dock_widgets.values()}
    assert "ClusteringDock" in docked
    # The menu and the Python call must mean one dock, not two.
    _, widget = viewer.window.add_plugin_dock_widget("napari-dgc")
    assert len(viewer.window.dock_widgets) == len(docked)
    assert type(widget).__name__ == "ClusteringDock"
