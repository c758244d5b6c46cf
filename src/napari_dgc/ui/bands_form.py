"""The form "Bands": which bands count, by noise, by range and one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from operator import is_
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget
from superqt import QLabeledDoubleRangeSlider

from napari_dgc.cubes.cube import Cube
from napari_dgc.study.calibrating.band_choice import (
    BandChoice,
    begin_choice,
    choose_bands,
    with_all_bands,
    word_bands,
)
from napari_dgc.study.calibrating.preparing import outdated, wanted
from napari_dgc.ui.bands_plot import BandsPlot
from napari_dgc.ui.form_plot import axis_of
from napari_dgc.ui.notices import WrappedLabel, one_line
from napari_dgc.ui.preparation import Preparation
from napari_dgc.ui.preparation_form import PreparationForm
from napari_dgc.ui.preparation_wording import OUTDATED
from napari_dgc.ui.worker import Job, Runner
from napari_dgc.ui.workspace import Workspace

if TYPE_CHECKING:
    from napari_dgc.clustering.noise import BandNoise

_SIZE = (480, 460)  # pixels
_MEASURING = "Measuring the noise of each band…"
_LEAST_KEPT = 2


class BandsForm(PreparationForm):
    """Noise against wavelength, a range, and what to leave out; for all cubes."""

    def __init__(
        self, workspace: Workspace, preparation: Preparation, parent: QWidget
    ) -> None:
        super().__init__(
            workspace,
            preparation,
            parent,
            "Bands that count",
            "Use these bands",
            "Use all bands",
        )
        self.choice: BandChoice | None = None
        self._noise: BandNoise | None = None
        self._measured: tuple[Cube, ...] = ()
        self._runner = Runner(self)
        self._runner.yielded.connect(self._on_measured)
        self._runner.failed.connect(self._on_failed)
        self.plot = BandsPlot(workspace.viewer.theme)
        self.noisy_box = QCheckBox()
        self.slider = QLabeledDoubleRangeSlider(Qt.Orientation.Horizontal)
        self.slider.setDecimals(0)
        self.unit = QLabel("Range")
        self.words = WrappedLabel(_MEASURING)
        row = QHBoxLayout()
        row.addWidget(self.unit)
        row.addWidget(self.slider, stretch=1)
        self.column.addWidget(self.plot, stretch=1)
        self.column.addLayout(row)
        self.column.addWidget(self.noisy_box)
        self.column.addWidget(self.words)
        self.plot.clicked.connect(self._on_band_clicked)
        self.noisy_box.toggled.connect(self._on_noisy_toggled)
        self.slider.valueChanged.connect(self._on_range_changed)
        self.apply_button.clicked.connect(self._on_apply)
        self.remove_button.clicked.connect(self._on_remove)
        self.remove_button.setToolTip(
            "Take all bands in again, but for those that the file rules out (bbl)"
        )
        self.resize(*_SIZE)

    def renew(self) -> None:
        """Measure the noise of the cubes that are there, where they are others."""
        cubes = self._cubes()
        if cubes and _same(cubes, self._measured):
            self._show()
            return
        self._measured, self._noise, self.choice = cubes, None, None
        self._runner.stop()
        self.words.setText(_MEASURING if cubes else "Begin with a cube.")
        self._enable()
        if cubes and not self._runner.running:
            self._runner.start(Job("noise of the bands", partial(_measure, cubes)))

    def finish(self, done: bool) -> None:
        """Close once the bands are chosen; the dock says what follows."""
        if done:
            self.close()
        self.renew()

    def _cubes(self) -> tuple[Cube, ...]:
        study = self.workspace.study
        return tuple(c for i, c in enumerate(study.cubes) if i not in study.missing)

    def _on_measured(self, piece: Any) -> None:
        if isinstance(piece, float):
            self.words.setText(f"{_MEASURING} {piece:.0%}")
            return
        cubes, self._noise = piece
        if not _same(cubes, self._measured):
            self._measured = ()
            self.renew()
            return
        self.choice = begin_choice(cubes, self._noise.noisy())
        self._show()

    def _on_failed(self, error: Exception) -> None:
        self.words.setText(one_line(error))

    # -- the choice ---------------------------------------------------------------

    def _on_noisy_toggled(self, on: bool) -> None:
        if self.choice is not None:
            self._set(replace(self.choice, drop_noisy=on))

    def _on_range_changed(self, ends: tuple[float, float]) -> None:
        if self.choice is not None:
            low, high = ends
            self._set(replace(self.choice, span=(float(low), float(high))))

    def _on_band_clicked(self, band: int) -> None:
        if self.choice is not None:
            self._set(self.choice.toggled(band))

    def _set(self, choice: BandChoice) -> None:
        self.choice = choice
        self._show()

    # -- what is shown ---------------------------------------------------------------

    def _show(self) -> None:
        choice, noise = self.choice, self._noise
        self._enable()
        if choice is None or noise is None or not self._measured:
            return
        first = self._measured[0]
        nm = first.wavelengths is not None
        _, name = axis_of(first.wavelengths, first.bands)
        with QSignalBlocker(self.slider):
            self.slider.setRange(
                float(np.floor(choice.places.min())),
                float(np.ceil(choice.places.max())),
            )
            self.slider.setValue(choice.span)
        self.unit.setText("Range (nm)" if nm else "Range (bands)")
        count = int(choice.noisy.sum())
        which = word_bands(choice.places, choice.noisy, nm)
        with QSignalBlocker(self.noisy_box):
            self.noisy_box.setChecked(choice.drop_noisy)
        self.noisy_box.setVisible(count > 0)
        self.noisy_box.setText(f"Leave out {_bands(count)} that look noisy")
        self.noisy_box.setToolTip(f"Signal to noise below {noise.least:.2g}: {which}")
        self.plot.draw(choice, noise.snr, noise.least, name)
        self.words.setText(self._word(choice, nm))

    def _word(self, choice: BandChoice, nm: bool) -> str:
        kept = int(choice.kept.sum())
        text = f"{kept} of {len(choice.bad)} bands count."
        out = choice.out
        if out.any():
            text += f" Left out: {word_bands(choice.places, out, nm)}."
        if choice.bad.any():
            which = word_bands(choice.places, choice.bad, nm)
            text += f" Already left out by the file or the calibration: {which}."
        if kept < _LEAST_KEPT:
            text += " Keep at least two."
        why = outdated(self.workspace.study)
        return f"{text} {OUTDATED[why]}" if why == "bands" else text

    def _enable(self) -> None:
        choice, cubes = self.choice, self._cubes()
        good = choice is not None and choice.kept.sum() >= _LEAST_KEPT
        self.apply_button.setEnabled(good and not self.busy)
        self.remove_button.setEnabled(bool(cubes) and good and not self.busy)
        for field in (self.slider, self.noisy_box):
            field.setEnabled(choice is not None)

    # -- what is done -----------------------------------------------------------------

    def _on_apply(self) -> None:
        if self.choice is not None:
            self._choose("Use these bands", self.choice.out)

    def _on_remove(self) -> None:
        if self.choice is not None:
            self._choose("Use all bands", np.zeros(len(self.choice.bad), bool))

    def _choose(self, verb: str, out: np.ndarray) -> None:
        study = self.workspace.study
        wishes = [
            wanted(study, i, None, out)
            for i in range(len(study.cubes))
            if i not in study.missing
        ]
        self.prepare(verb, partial(choose_bands, wishes, out))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Measure no further."""
        self._runner.stop()
        super().closeEvent(event)


def _measure(cubes: Sequence[Cube]) -> Iterator[Any]:
    """Measure every band, those left out too; in the worker."""
    from napari_dgc.clustering.noise import BandNoise, measure_noise

    for piece in measure_noise(with_all_bands(cubes)):
        yield (cubes, piece) if isinstance(piece, BandNoise) else float(piece)


def _bands(count: int) -> str:
    return f"{count} band" + "s" * (count != 1)


def _same(one: Sequence[Cube], other: Sequence[Cube]) -> bool:
    return len(one) == len(other) and all(map(is_, one, other))
