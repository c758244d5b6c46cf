"""ENVI files: classifications with names and colours, and spectral libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.reports.classes import NO_DATA, MapClass
from napari_dgc.reports.masks import check_label_map
from napari_dgc.reports.spectra import Spectrum

_NO_COMMA = str.maketrans({",": " ", "{": "(", "}": ")"})


def write_classification(
    header: Path,
    label_map: NDArray[np.uint8],
    classes: Sequence[MapClass],
    *,
    place: Mapping[str, Any] | None = None,
) -> tuple[Path, Path]:
    """Write an ENVI classification: ``x.hdr``, and ``x.dat`` beside it.

    Parameters
    ----------
    header : pathlib.Path
        Written over where it exists, and so is the data: give a folder of `staged`.
    label_map : ndarray of uint8, shape (H, W)
        0 is "Unclassified", black.
    classes : sequence of MapClass
    place : mapping, optional
        Fields of the header that say where it lies; see `envi_fields`.

    Returns
    -------
    tuple of pathlib.Path
        The header and the data.

    Notes
    -----
    The format lists classes from 0 without a gap: values no group has are named
    "Unused". Commas and braces would end a name early; they become blanks and round
    brackets.
    """
    check_label_map(label_map)
    known = {one.value: one for one in classes}
    highest = max([int(label_map.max()), *known])
    listed = [known.get(value) for value in range(highest + 1)]
    names = ["Unused" if one is None else one.name for one in listed]
    names[0] = "Unclassified"
    colors = [NO_DATA if one is None else one.color for one in listed]
    H, W = label_map.shape
    fields: dict[str, Any] = {
        "description": ["Groups written by napari-dgc"],
        **_layout(samples=W, lines=H, data_type=1),
        "file type": "ENVI Classification",
        "classes": len(names),
        "class names": names,
        "class lookup": [channel for color in colors for channel in color],
        "band names": ["groups"],
        **(place or {}),
    }
    data = header.with_suffix(".dat")
    data.write_bytes(np.ascontiguousarray(label_map).tobytes())
    header.write_bytes(_encode(fields))
    return header, data


def write_spectral_library(
    header: Path,
    spectra: Sequence[Spectrum],
    wavelengths: NDArray[np.float64] | None = None,
    *,
    deviation: bool = False,
) -> tuple[Path, Path]:
    """Write an ENVI spectral library: ``x.hdr``, and ``x.sli`` beside it.

    Parameters
    ----------
    header : pathlib.Path
        Written over where it exists, and so is the data: give a folder of `staged`.
    spectra : sequence of Spectrum
        One at least.
    wavelengths : ndarray of float64, shape (C,), optional
        In nm.
    deviation : bool
        Write the standard deviations in place of the means.

    Notes
    -----
    float32; NaN where a band has no value. Spectra are called "cube: group"; the field
    ``spectra pixels`` holds n of each, for programs that read it.
    """
    if not spectra:
        raise ValueError("a spectral library needs at least one spectrum")
    rows = []
    for one in spectra:
        missing = np.full(len(one.mean), np.nan)
        values = (missing if one.std is None else one.std) if deviation else one.mean
        rows.append(np.asarray(values, np.float32))
    table = np.stack(rows)
    fields: dict[str, Any] = {
        "description": [f"{'Standard deviations' if deviation else 'Means'} of groups"],
        **_layout(samples=table.shape[1], lines=len(table), data_type=4),
        "file type": "ENVI Spectral Library",
        "data ignore value": "NaN",
        "spectra names": [f"{s.cube}: {s.name}" if s.cube else s.name for s in spectra],
        "spectra pixels": [one.n for one in spectra],
    }
    if wavelengths is not None:
        fields["wavelength units"] = "Nanometers"
        fields["wavelength"] = [f"{nm:.10g}" for nm in wavelengths]
    data = header.with_suffix(".sli")
    data.write_bytes(table.astype("<f4").tobytes())
    header.write_bytes(_encode(fields))
    return header, data


def _layout(*, samples: int, lines: int, data_type: int) -> dict[str, Any]:
    return {
        "samples": samples,
        "lines": lines,
        "bands": 1,
        "header offset": 0,
        "data type": data_type,
        "interleave": "bsq",
        "byte order": 0,
    }


def _encode(fields: Mapping[str, Any]) -> bytes:
    """Write a header; text that would break it is mended."""
    lines = ["ENVI"]
    for name, value in fields.items():
        if isinstance(value, (list, tuple)):
            value = "{" + ", ".join(_clean(part) for part in value) + "}"
        lines.append(f"{name} = {value}")
    return ("\n".join(lines) + "\n").encode()


def _clean(part: object) -> str:
    return " ".join(str(part).translate(_NO_COMMA).split()) or "-"
