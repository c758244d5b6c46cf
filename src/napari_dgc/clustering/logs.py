"""What training logs: one set of scalars, as a table and for TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
from numpy.typing import NDArray

from napari_dgc.clustering.learner import BALANCED_NAMES, LOSS_NAMES
from napari_dgc.clustering.step import Step
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def scalars(step: Step) -> dict[str, float | None]:
    """What a training step is logged with, by TensorBoard's tag.

    ``loss/<name>``, ``metrics/active_clusters``, ``balance/<name>`` (the
    usual norm of the loss's gradient) and ``guard/score``; None where the
    step has no such number. Every step has the same names, the one at index 0
    too: of losses it has none, but the first map's score.
    """
    losses = dict.fromkeys(LOSS_NAMES) | dict(step.losses)
    values: dict[str, float | None] = {f"loss/{n}": v for n, v in losses.items()}
    values["metrics/active_clusters"] = step.active
    norms = dict.fromkeys(BALANCED_NAMES) | dict(step.norms)
    values |= {f"balance/{name}": norm for name, norm in norms.items()}
    values["guard/score"] = step.score
    return values


class CsvLog:
    """The scalars as a table, one row a step, written as the steps come.

    A context. The file is made with the first row.

    Parameters
    ----------
    path : pathlib.Path
    resumed : int, optional
        Go on after this step with the table that is there: its later rows,
        which a training that goes on from that step writes anew, are dropped.
        Without it an older table is replaced.

    Raises
    ------
    InputError
        If the table to go on with is no such table, or cannot be written.
    """

    def __init__(self, path: Path, resumed: int | None = None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._kept = b""
        if resumed is not None and path.is_file():
            self._kept = _rows_until(path, resumed)

    def __enter__(self) -> CsvLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, index: int, values: Mapping[str, float | None]) -> None:
        """Write the row of one step; it is in the file when this returns."""
        names = ["step", *values]
        if self._file is None:
            head = self._kept or _line(names)
            if not head.startswith(_line(names)):
                raise InputError(
                    self._path, "has other columns", "move it away, or train anew"
                )
            write_whole(self._path, lambda file: file.write(head), force=True)
            self._file = self._path.open("a", encoding="utf-8", newline="")
        self._file.write(_line([index, *values.values()]).decode())
        self._file.flush()


class TensorBoardLog:
    """The scalars, and pictures, for TensorBoard.

    A context.

    Parameters
    ----------
    folder : pathlib.Path
    resumed : int, optional
        Go on after this step: what was logged of later ones is dropped.

    Raises
    ------
    InputError
        If TensorBoard is not installed, or the folder cannot be written to.
    """

    def __init__(self, folder: Path, resumed: int | None = None) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InputError(
                "--tensorboard",
                "TensorBoard is not installed",
                "pip install 'napari-dgc[tensorboard]', or leave the option out",
            ) from error
        purge = None if resumed is None else resumed + 1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer: SummaryWriter = SummaryWriter(
                str(folder), purge_step=purge, flush_secs=10
            )
        except OSError as error:
            raise InputError(
                folder,
                f"cannot be written to ({error.strerror or error})",
                "choose another folder",
            ) from error

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, index: int, values: Mapping[str, float | None]) -> None:
        """Log the scalars of one step."""
        for name, value in values.items():
            if value is not None:
                self._writer.add_scalar(name, value, index)

    def add_picture(self, name: str, picture: NDArray[np.uint8], index: int) -> None:
        """Log a picture (H, W, 3 or 4)."""
        self._writer.add_image(name, picture, index, dataformats="HWC")

    def flush(self) -> None:
        """Let everything be in the files."""
        self._writer.flush()


def _line(values: list[str] | list[float | None]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()


def _rows_until(path: Path, last: int) -> bytes:
    """The header and the whole rows of the steps up to `last`."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
        kept = lines[:1]
        for line in lines[1:]:
            if not line.endswith(b"\n") or int(line.partition(b",")[0]) > last:
                break
            kept.append(line)
    except (OSError, ValueError) as error:
        raise InputError(
            path, "is no log of this training", "move it away, or train anew"
        ) from error
    return b"".join(kept)
