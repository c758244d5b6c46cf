"""Small pictures of the cubes, made in a worker and kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap

from napari_dgc.cubes.cube import Cube
from napari_dgc.cubes.rendering import pseudo_rgb
from napari_dgc.ui.worker import Job, Runner

SIDE = 26  # pixels of the list's pictures
_SAMPLED = 2 * SIDE  # pixels read along the longer side: sharp on fine screens


class Thumbnails(QObject):
    """Gives each cube's picture in natural colours, once it is made.

    Signals
    -------
    made : ()
        A picture more is there.
    """

    made = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._icons: WeakKeyDictionary[Cube, QIcon] = WeakKeyDictionary()
        self._wanted: list[Cube] = []
        self.runner = Runner(self)
        self.runner.yielded.connect(self._on_made)
        self.runner.failed.connect(self._on_failed)
        self.runner.running_changed.connect(self._on_running_changed)

    def icon(self, cube: Cube) -> QIcon | None:
        """Give a cube's picture; None until it is made."""
        return self._icons.get(cube)

    def want(self, cubes: Iterable[Cube]) -> None:
        """Make the pictures of these cubes that are not there yet."""
        self._wanted = [cube for cube in cubes if cube not in self._icons]
        if self._wanted and not self.runner.running:
            self.runner.start(Job("small pictures", partial(_make, self._wanted)))

    def _on_made(self, piece: tuple[Cube, NDArray[np.uint8]]) -> None:
        cube, picture = piece
        self._icons[cube] = _icon(picture)
        self.made.emit()

    def _on_failed(self, error: Exception) -> None:
        """Leave the others to the next round; a cube that cannot be read stays grey."""

    def _on_running_changed(self, running: bool) -> None:
        if not running:
            self.want(self._wanted)  # those that came meanwhile


def _make(cubes: list[Cube]) -> Iterator[tuple[Cube, NDArray[np.uint8]]]:
    """Read every n-th pixel of three bands of each cube."""
    for cube in cubes:
        _, H, W = cube.shape
        try:
            picture = pseudo_rgb(cube, stride=-(-max(H, W) // _SAMPLED))
        except Exception:  # the list is no place to tell of it: mapping does
            picture = np.full((1, 1, 3), 90, np.uint8)
        yield cube, picture
    for cube in cubes:
        with contextlib.suppress(Exception):
            # By it training cubes are known; reading 16 rows is no work for the screen.
            _ = cube.fingerprint


def _icon(picture: NDArray[np.uint8]) -> QIcon:
    """Fit a picture (h, w, 3) into a square; the rest is clear."""
    h, w, _ = picture.shape
    data = np.ascontiguousarray(picture)
    image = QImage(data.tobytes(), w, h, 3 * w, QImage.Format.Format_RGB888)
    pixmap = QPixmap.fromImage(image.copy())  # of its own, not of our bytes
    return QIcon(
        pixmap.scaled(
            _SAMPLED,
            _SAMPLED,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    )
