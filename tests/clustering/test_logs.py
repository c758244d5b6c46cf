"""What was logged can be read back, by TensorBoard's own reader and as a table."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_dgc.clustering.logs import CsvLog, TensorBoardLog, scalars
from napari_dgc.clustering.step import Step
from napari_dgc.cubes.errors import InputError


def logged(training: list[Step]) -> dict[int, dict[str, float | None]]:
    """As the command line does it: the first map's score, and every step."""
    return {s.index: scalars(s) for s in training if s.norms or s.score is not None}


def test_the_scalars_have_the_contracts_names(training: list[Step]) -> None:
    rows = logged(training)
    assert list(rows) == list(range(13))
    names = {
        *(f"loss/{n}" for n in ("total", "compactness", "orthogonality", "balance")),
        *("loss/consistency", "loss/anchor", "metrics/active_clusters", "guard/score"),
        *(f"balance/{n}" for n in ("consistency", "compactness", "orthogonality")),
        *("balance/balance", "balance/clustering", "balance/anchor"),
    }
    for values in rows.values():
        assert set(values) == names
    assert [i for i, v in rows.items() if v["guard/score"] is not None] == [
        0,
        5,
        10,
        12,
    ]
    first = rows.pop(0)
    assert {n for n, v in first.items() if v is not None} == {
        "guard/score",
        "metrics/active_clusters",
    }
    assert rows[3]["loss/total"] == training_step(training, 3).losses["total"]
    assert all(v["balance/consistency"] > 0 for v in rows.values())
    nothing = Step("training", 5, 9)
    assert set(scalars(nothing)) == names
    assert scalars(nothing)["loss/total"] is None


def training_step(training: list[Step], index: int) -> Step:
    return next(s for s in training if s.stage == "training" and s.index == index)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_goes_on_without_gap_or_double(
    training: list[Step], tmp_path: Path
) -> None:
    rows = logged(training)
    whole, broken = tmp_path / "whole.csv", tmp_path / "broken.csv"
    with CsvLog(whole) as log:
        for index, values in rows.items():
            log.add(index, values)
    with CsvLog(broken) as log:
        for index in range(8):
            log.add(index, rows[index])
            assert len(table(broken)) == index + 1  # it is there at once
    with broken.open("ab") as file:
        file.write(b"8,1.25,0.")  # killed while it wrote
    with CsvLog(broken, resumed=5) as log:
        for index in range(6, 13):
            log.add(index, rows[index])
    assert broken.read_bytes() == whole.read_bytes()
    read = table(whole)
    assert [int(row["step"]) for row in read] == list(range(13))
    assert float(read[5]["loss/total"]) == rows[5]["loss/total"]
    assert float(read[5]["guard/score"]) == rows[5]["guard/score"]
    assert read[0]["loss/total"] == read[4]["guard/score"] == ""


def test_another_table_is_refused_and_an_old_one_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("name,size\nleaf,3\n")
    with pytest.raises(InputError, match=r"log\.csv: is no log"):
        CsvLog(path, resumed=3)
    path.write_text("step,size\n1,3\n")
    log = CsvLog(path, resumed=3)
    with pytest.raises(InputError, match="other columns"):
        log.add(4, {"loss/total": 1.0})
    with CsvLog(path) as log:
        assert path.read_text() == "step,size\n1,3\n"  # until there is a row
        log.add(1, {"loss/total": 1.5, "guard/score": None})
    assert path.read_text() == "step,loss/total,guard/score\n1,1.5,\n"


def test_tensorboard_reads_what_was_logged(
    training: list[Step], tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    rows = logged(training)
    picture = np.zeros((5, 7, 3), np.uint8)
    picture[2, 3] = (200, 30, 10)
    with TensorBoardLog(tmp_path / "board") as board:
        for index in range(10):
            board.add(index, rows[index])
        board.add_picture("clusters/leaf", picture, 5)
        board.flush()
    with TensorBoardLog(tmp_path / "board", resumed=6) as board:
        for index in range(7, 13):
            board.add(index, rows[index])
    events = EventAccumulator(str(tmp_path / "board"), {"images": 0, "scalars": 0})
    events.Reload()
    assert set(events.Tags()["scalars"]) == set(rows[1])
    for name in rows[1]:
        wanted = {i: row[name] for i, row in rows.items() if row[name] is not None}
        seen = events.Scalars(name)
        assert [event.step for event in seen] == list(wanted)
        np.testing.assert_allclose(
            [event.value for event in seen], [*wanted.values()], rtol=1e-6
        )
    assert [e.step for e in events.Scalars("guard/score")] == [0, 5, 10, 12]
    (image,) = events.Images("clusters/leaf")
    assert (image.height, image.width, image.step) == (5, 7, 5)
    import io

    from PIL import Image

    with Image.open(io.BytesIO(image.encoded_image_string)) as shown:
        np.testing.assert_array_equal(np.asarray(shown.convert("RGB")), picture)


def test_without_tensorboard_one_line_says_what_to_install(tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["tensorboard"] = None  # as if it were not installed
from pathlib import Path
from napari_dgc.clustering.logs import TensorBoardLog
from napari_dgc.cubes.errors import InputError
try:
    TensorBoardLog(Path({str(tmp_path / "board")!r}))
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert "pip install 'napari-dgc[tensorboard]'" in done.stdout
    assert not (tmp_path / "board").exists()
