"""Spectra as a picture to print: white, with axes, units and a legend."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import check_free, write_whole
from napari_dgc.cubes.wavelengths import drawing_order
from napari_dgc.reports.figures import save_figure
from napari_dgc.reports.spectra import MOST_SHADED, Spectrum, shorten

FORMATS = ("png", "svg", "pdf")
_DPI = 200
_PLOT_INCHES = 7.0, 4.2
_OVERHANG_INCHES = 0.2  # half of the last number below the axis
_LINES_PER_COLUMN = 22
_COLUMN_INCHES = 0.55, 0.075  # swatch and gaps; a character
_VALUES = "Reflectance or counts, as in the cube"


def write_spectra_picture(
    path: str | Path,
    spectra: Sequence[Spectrum],
    wavelengths: NDArray[np.float64] | None = None,
    *,
    title: str = "",
    force: bool = False,
) -> Path:
    """Draw spectra into a file.

    Parameters
    ----------
    path : str or pathlib.Path
        Ending in ``.png``, ``.svg`` or ``.pdf``.
    spectra : sequence of Spectrum
        Groups as lines in their colours, with ± sd shaded for those of most
        pixels; pixels as thin dashed lines.
    wavelengths : ndarray of float64, shape (C,), optional
        In nm; band numbers from 0 where there are none.
    title : str
    force : bool
        Replace the file if it exists.

    Raises
    ------
    InputError
        If the ending is another one, there is nothing to draw, the file exists
        and `force` is False, or it cannot be written.
    """
    path = Path(path)
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise InputError(
            path,
            f"“{path.suffix}” is no ending for a picture",
            "use .png, .svg or .pdf",
        )
    if not spectra:
        raise InputError(path, "there is no spectrum to draw", "show a group first")
    check_free(path, force=force)
    figure = _figure(spectra, wavelengths, title=title)
    return write_whole(
        path, lambda file: save_figure(figure, file, format), force=force
    )


def spectra_png(
    spectra: Sequence[Spectrum],
    wavelengths: NDArray[np.float64] | None = None,
    *,
    values: str = _VALUES,
) -> bytes:
    """Draw spectra, at least one, as the bytes of a PNG without a legend.

    `values` says what the vertical axis shows.
    """
    file = io.BytesIO()
    figure = _figure(spectra, wavelengths, legend=False, values=values)
    save_figure(figure, file)
    return file.getvalue()


def _figure(
    spectra: Sequence[Spectrum],
    wavelengths: NDArray[np.float64] | None,
    *,
    title: str = "",
    legend: bool = True,
    values: str = _VALUES,
) -> Figure:
    names = [shorten(spectrum.name) for spectrum in spectra]
    columns = math.ceil(len(spectra) / _LINES_PER_COLUMN) if legend else 0
    longest = max(map(len, names))
    beside = columns * (_COLUMN_INCHES[0] + _COLUMN_INCHES[1] * longest)
    beside = beside if legend else _OVERHANG_INCHES
    width, height = _PLOT_INCHES[0] + beside, _PLOT_INCHES[1]
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
    left, low, plot = 0.75 / width, 0.55 / height, _PLOT_INCHES[0] - 0.85
    above = 0.4 if title or legend else 0.1
    tall = (height - 0.55 - above) / height
    axes = figure.add_axes((left, low, plot / width, tall))
    x, order = drawing_order(wavelengths, len(spectra[0].mean))
    _draw(axes, spectra, x, order)
    axes.set_xlabel("Band" if wavelengths is None else "Wavelength (nm)")
    axes.set_ylabel(values)
    axes.set_title(title, fontsize=10, parse_math=False)
    if legend:
        _draw_legend(axes, names, columns)
    return figure


def _draw(
    axes: Axes,
    spectra: Sequence[Spectrum],
    x: NDArray[np.float64],
    order: NDArray[np.intp],
) -> None:
    groups = [s for s in spectra if s.std is not None]
    for spectrum in sorted(groups, key=lambda s: -s.n)[:MOST_SHADED]:
        if spectrum.std is not None:
            low, high = spectrum.mean - spectrum.std, spectrum.mean + spectrum.std
            color = _rgb(spectrum)
            axes.fill_between(x, low[order], high[order], color=color, alpha=0.18, lw=0)
    dashes = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (2, 3)))
    pixels = 0
    for spectrum in spectra:
        if spectrum.pixel is None:
            axes.plot(x, spectrum.mean[order], color=_rgb(spectrum), lw=1.4)
        else:
            style = dashes[pixels % len(dashes)]
            axes.plot(x, spectrum.mean[order], color="0.15", lw=0.9, ls=style)
            pixels += 1
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.margins(x=0.01)


def _draw_legend(axes: Axes, names: Sequence[str], columns: int) -> None:
    drawn = axes.legend(
        axes.get_lines(),
        ["-"] * len(names),
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        ncols=columns,
        fontsize=8,
        frameon=False,
        borderaxespad=0,
        columnspacing=1.0,
    )
    # Set afterwards: given above, a name such as "_x" would be left out.
    for text, name in zip(drawn.get_texts(), names, strict=True):
        text.set_parse_math(False)  # "$" is a character like any other
        text.set_text(name)


def _rgb(spectrum: Spectrum) -> tuple[float, float, float]:
    r, g, b = spectrum.color
    return r / 255, g / 255, b / 255
