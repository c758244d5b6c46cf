"""What all tests share: the real cubes beside the checkout, and the screen's rules."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hypothesis
import pytest

# A busy machine is no error: no test is timed.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]

# napari reads this when it is first imported: without it, its viewer fixture
# would reset the settings of whoever runs the tests.
os.environ["NAPARI_CONFIG"] = ""


def _display_is_missing() -> bool:
    return sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


@pytest.hookimpl(tryfirst=True)  # before pytest picks by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ui = ROOT / "tests" / "ui"
    for item in items:
        if item.path.is_relative_to(ui):
            item.add_marker(pytest.mark.screen)


@pytest.hookimpl(tryfirst=True)  # before fixtures open a viewer, which would abort
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("screen") is None or not _display_is_missing():
        return
    if os.environ.get("NAPARI_DGC_REQUIRE_SCREEN") == "1":
        pytest.fail("a display is required here, and DISPLAY is not set", pytrace=False)
    pytest.skip("needs a display: run `make screen`, which brings its own")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real cubes beside the checkout; skips the test where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real cubes are not at {folder}")
    return folder
