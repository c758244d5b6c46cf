"""Killed at any moment, a training goes on and an export is whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_dgc.cubes.staging import staged

KILLS = 200 if os.environ.get("NAPARI_DGC_FULL") == "1" else 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("work", ["train", "export"])
def test_killed_at_any_moment_nothing_saved_is_lost(work: str, tmp_path: Path) -> None:
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(script), work, str(tmp_path), str(KILLS)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["kills"] == KILLS


def test_what_a_killed_export_left_goes_with_a_later_one(tmp_path: Path) -> None:
    for name, age in (("old", 2 * 86_400), ("new", 60)):
        left = tmp_path / f".napari-dgc.{name}.tmp"
        left.mkdir()
        (left / "half.tif").write_bytes(b"half")
        os.utime(left, (time.time() - age,) * 2)
    with staged(tmp_path) as stage:
        (stage / "a").write_text("a")
    # The other one may still be at work.
    assert sorted(p.name for p in tmp_path.iterdir()) == [".napari-dgc.new.tmp", "a"]
