"""`napari-dgc doctor` where there is a screen."""

from __future__ import annotations

import pytest

from napari_dgc.cli.doctor import look


@pytest.mark.screen
def test_the_screen_is_found_to_work() -> None:
    found = {finding.topic: finding for finding in look()}
    assert {f.topic: f.text for f in found.values() if f.state == "missing"} == {}
    assert "images up to" in found["OpenGL"].text
    assert "pixels" in found["Display"].text
