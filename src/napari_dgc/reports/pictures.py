"""Pictures without a screen: panels side by side, with a legend."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_dgc.cubes.files import check_free, write_whole
from napari_dgc.reports.figures import save_figure
from napari_dgc.reports.masks import paint

# One pixel per picture pixel for maps of this size; smaller ones are enlarged.
_DPI = 150
_PANEL_PIXELS = (420, 1000)
_PANELS_PER_ROW = 4
_LINE_INCHES, _LEGEND_ROW_INCHES, _GAP_INCHES = 0.16, 0.19, 0.12
_CHARACTER_INCHES = 0.085
_WIDEST_LEGEND_INCHES = 6.0  # a small picture is made wider for its legend
_NARROWEST_INCHES = 1.8  # room for a title above a slender panel

Panel = tuple[str, NDArray[np.uint8]]
Entry = tuple[str, tuple[int, int, int]]


def side_by_side(
    path: str | Path,
    panels: Sequence[Panel],
    *,
    legend: Sequence[Entry] = (),
    force: bool = False,
) -> Path:
    """Write a PNG with panels next to each other, a title above each.

    Parameters
    ----------
    path : str or pathlib.Path
    panels : sequence of (title, image)
        Images are uint8, (H, W, 3) RGB or (H, W, 4) RGBA; white shines through
        where they are transparent. At most four stand in a row.
    legend : sequence of (name, (r, g, b)), optional
        0..255 each; written below.
    force : bool
        Replace the file if it exists.

    Raises
    ------
    ValueError
        If there is no panel or an image is of another kind.
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    if not panels:
        raise ValueError("a picture needs at least one panel")
    for title, image in panels:
        if image.ndim != 3 or image.shape[2] not in (3, 4) or image.dtype != np.uint8:
            raise ValueError(
                f"panel {title!r} is {image.dtype} of {image.shape}, not uint8 of "
                "shape (H, W, 3) or (H, W, 4)"
            )
    check_free(path, force=force)
    columns = min(len(panels), _PANELS_PER_ROW)
    rows = math.ceil(len(panels) / columns)
    heights, widths = zip(*(image.shape[:2] for _, image in panels), strict=True)
    longest = max(*heights, *widths)
    scale = min(max(longest, _PANEL_PIXELS[0]), _PANEL_PIXELS[1]) / longest / _DPI
    panel_size = max(widths) * scale, max(heights) * scale  # inches
    cell_width = max(panel_size[0], _NARROWEST_INCHES) + _GAP_INCHES
    titles = [_wrap(title, cell_width) for title, _ in panels]
    above = _LINE_INCHES * (1 + max(title.count("\n") + 1 for title in titles))
    filled = columns * cell_width + _GAP_INCHES
    width = max(filled, min(_WIDEST_LEGEND_INCHES, _legend_width(legend)))
    legend = [(_shorten(name, width - 0.7), color) for name, color in legend]
    per_row, legend_rows = _legend_shape(legend, width)
    below = legend_rows * _LEGEND_ROW_INCHES + (1 + bool(legend)) * _GAP_INCHES
    height = rows * (panel_size[1] + above) + below
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
    for place, (_, image) in enumerate(panels):
        row, column = divmod(place, columns)
        x = _GAP_INCHES + column * cell_width + (width - filled) / 2
        x += (cell_width - _GAP_INCHES - panel_size[0]) / 2
        y = height - (row + 1) * (panel_size[1] + above)
        box = x / width, y / height, panel_size[0] / width, panel_size[1] / height
        _draw_panel(figure, box, titles[place], image)
    if legend:
        _draw_legend(figure, legend, per_row)
    return write_whole(path, lambda file: save_figure(figure, file), force=force)


def map_with_legend(
    path: str | Path,
    title: str,
    label_map: NDArray[np.uint8],
    legend: Mapping[int, Entry],
    *,
    force: bool = False,
) -> Path:
    """Write a PNG of a map that says what its colours mean.

    Parameters
    ----------
    path : str or pathlib.Path
    title : str
        Stands above the map.
    label_map : ndarray of uint8, shape (H, W)
        0 is "no data" and stays white.
    legend : mapping of int to (name, (r, g, b))
        By label value. Those that the map holds stand below it, with their share of
        the pixels that are not 0.
    force : bool
        Replace the file if it exists.

    Raises
    ------
    ValueError
        If the map is not 2-D uint8 or is empty, or a value is not in the legend.
    InputError
        If the file exists and `force` is False, or cannot be written.
    """
    image = paint(label_map, {value: color for value, (_, color) in legend.items()})
    counts = np.bincount(label_map.ravel(), minlength=256)
    total = max(1, counts[1:].sum())
    entries = [
        (f"{100 * counts[value] / total:.1f} % · {name}", color)
        for value, (name, color) in legend.items()
        if counts[value]
    ]
    return side_by_side(path, [(title, image)], legend=entries, force=force)


def _wrap(title: str, inches: float) -> str:
    """Break a title into lines that fit above its panel."""
    return textwrap.fill(title, max(1, int(inches / _CHARACTER_INCHES)))


def _shorten(name: str, inches: float) -> str:
    """Cut a name to what fits beside its swatch."""
    room = int(inches / _CHARACTER_INCHES)
    return name if len(name) <= room else f"{name[: room - 1]}…"


def _legend_width(legend: Sequence[Entry]) -> float:
    """Inches that the longest name takes, with its swatch and some air."""
    longest = max((len(name) for name, _ in legend), default=0)
    return 0.75 + _CHARACTER_INCHES * longest


def _legend_shape(legend: Sequence[Entry], width: float) -> tuple[int, int]:
    """Entries per row, and rows, for a legend below a picture `width` inches wide."""
    if not legend:
        return 0, 0
    per_row = min(len(legend), max(1, int(width / _legend_width(legend))))
    return per_row, math.ceil(len(legend) / per_row)


def _draw_panel(
    figure: Figure,
    box: tuple[float, float, float, float],
    title: str,
    image: NDArray[np.uint8],
) -> None:
    axes = figure.add_axes(box)
    # Labels have no in-between: nearest, so that no colour is there but theirs.
    axes.imshow(image, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=9, pad=4, parse_math=False)


def _draw_legend(figure: Figure, legend: Sequence[Entry], per_row: int) -> None:
    patches = [
        Patch(facecolor=(r / 255, g / 255, b / 255), edgecolor="0.4", lw=0.5)
        for _, (r, g, b) in legend
    ]
    drawn = figure.legend(
        patches,
        ["-"] * len(patches),
        loc="lower center",
        ncols=per_row,
        fontsize=9,
        frameon=False,
        borderaxespad=0.3,
    )
    # Set afterwards: given above, a name such as "_x" would be left out.
    for text, (name, _) in zip(drawn.get_texts(), legend, strict=True):
        text.set_parse_math(False)  # "$" is a character like any other
        text.set_text(name)
