"""Figures of matplotlib into files, without a screen."""

from __future__ import annotations

import warnings
from typing import Any, BinaryIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SOFTWARE = {"Software": "napari-dgc"}
"""In place of matplotlib's version: equal figures give equal bytes."""


def save_figure(
    figure: Figure, file: BinaryIO, format: str = "png", **options: Any
) -> None:
    """Draw a figure into an open file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    file : binary file
    format : str
        As matplotlib names them.
    **options
        Of ``Figure.savefig``; a PNG has `SOFTWARE` as metadata if nothing is said.
    """
    if format == "png":
        options.setdefault("metadata", SOFTWARE)
    with warnings.catch_warnings():
        # A name in a script the font lacks is drawn as boxes; no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        FigureCanvasAgg(figure)
        figure.savefig(file, format=format, **options)
