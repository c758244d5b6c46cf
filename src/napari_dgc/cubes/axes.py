"""Which axis of a stored array holds the bands: stated or asked, never guessed."""

from __future__ import annotations

from pathlib import Path

from napari_dgc.cubes.errors import InputError

#: Axis orders by the place of the bands; rows come before columns.
_BY_BAND_AXIS = ("byx", "ybx", "yxb")


def parse_axes(axes: str) -> str:
    """Check an axis order such as ``"yxb"`` and return it in lower case.

    Raises
    ------
    InputError
        Unless it is an order of the letters b (bands), y (rows), x (columns).
    """
    order = axes.strip().lower()
    if sorted(order) != ["b", "x", "y"]:
        raise InputError(
            "--axes",
            f"{axes!r} is not an order of the letters b (bands), y (rows) and "
            "x (columns)",
            "give one such as yxb or byx",
        )
    return order


def transposition(axes: str) -> tuple[int, int, int]:
    """Return the axes that bring an array stored in order `axes` to (C, H, W)."""
    return axes.index("b"), axes.index("y"), axes.index("x")


def choose_axes(
    path: Path,
    shape: tuple[int, ...],
    *,
    axes: str | None = None,
    wavelengths: int | None = None,
    bands_first: bool = False,
) -> str:
    """Settle the axis order of a cube.

    Parameters
    ----------
    path : pathlib.Path
        The file, for the message.
    shape : tuple of int
        Three lengths, as stored.
    axes : str, optional
        The order the user states; it wins.
    wavelengths : int, optional
        Length of the wavelength list beside the cube.
    bands_first : bool
        The array is the MATLAB variable ``cube``: (C, H, W) unless the
        wavelengths contradict it.

    Returns
    -------
    str
        The letters b, y, x in the order stored.

    Raises
    ------
    InputError
        Where more than one reading is possible; it names them.
    """
    if axes is not None:
        return parse_axes(axes)
    fitting = [axis for axis in range(3) if shape[axis] == wavelengths]
    if bands_first and (not fitting or 0 in fitting):
        return "byx"
    if len(fitting) == 1:
        return _BY_BAND_AXIS[fitting[0]]
    if fitting:
        why = f"{wavelengths} wavelengths fit more than one axis of"
        readings = [_BY_BAND_AXIS[axis] for axis in reversed(fitting)]
    else:
        why = "no wavelengths tell which axis holds the bands of"
        readings = ["yxb", "byx"]
    size = " x ".join(map(str, shape))
    described = " or ".join(_describe(shape, order) for order in readings)
    options = " or ".join(f"--axes {order}" for order in readings)
    raise InputError(
        path,
        f"{why} {size}: {described}",
        f'say which with {options} (in Python read_cube(path, axes="{readings[0]}"))',
    )


def _describe(shape: tuple[int, ...], order: str) -> str:
    """Say in words what a reading of `shape` would mean."""
    C, H, W = (shape[axis] for axis in transposition(order))
    return f"{order} reads {C} bands of {H} rows by {W} columns"
