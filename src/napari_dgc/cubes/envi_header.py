"""The text header of an ENVI file, parsed by SPy and then distrusted."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.checks import refusing, require_file
from napari_dgc.cubes.errors import InputError

_INTERLEAVES = ("bsq", "bil", "bip")
#: A header is text; beyond this something else bears its name. Bytes.
_LONGEST = 16 * 2**20
_MOST_LINES = 50_000  # a value a line, of thousands of bands; more take SPy long


def read_header(path: Path) -> dict[str, Any]:
    """Parse a header into lower-case fields.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict
        A string per field, a list of strings where it stands in braces.

    Raises
    ------
    InputError
        Where the file is missing or no ENVI header.
    """
    require_file(path)
    if path.stat().st_size > _LONGEST:
        raise InputError(path, "is too long for an ENVI header", "name the header")
    fault, remedy = "is not an ENVI header that can be read", "check its first line"
    with refusing(path, fault, remedy):
        # Imported here: SPy takes 0.15 s, which other formats need not wait for.
        from spectral.io.envi import read_envi_header

        raw = path.read_bytes()
        if raw.count(b"\n") > _MOST_LINES:
            raise InputError(
                path, "has too many lines for an ENVI header", "name the header"
            )
        if raw.isascii():
            return _lower(read_envi_header(str(path)))
        if b"\0" in raw:
            raise InputError(path, "is not an ENVI header (binary)", "name the header")
        # SPy reads in the machine's encoding; µ and ° come in several.
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "header.hdr"
            copy.write_bytes(_decode(raw).encode("ascii", "replace"))
            return _lower(read_envi_header(str(copy)))


def require_supported(path: Path, header: Mapping[str, Any]) -> None:
    """Refuse layouts this reader does not know."""
    interleave = header.get("interleave")
    if not isinstance(interleave, str):
        raise InputError(path, "lacks 'interleave'", "add 'interleave = bsq|bil|bip'")
    if interleave.strip().lower() not in _INTERLEAVES:
        raise InputError(
            path, f"'interleave = {interleave}' is unknown", "make it bsq, bil or bip"
        )
    if whole_number(path, header, "file compression", default=0):
        raise InputError(path, "its data is compressed", "save it uncompressed")
    for field in ("major frame offsets", "minor frame offsets"):
        if field in header and numbers(path, header, field).any():
            raise InputError(path, f"has {field}", "save it without them")


def whole_number(
    path: Path,
    header: Mapping[str, Any],
    field: str,
    *,
    default: int | None = None,
    least: int = 0,
) -> int:
    """Read a field as an integer.

    Raises
    ------
    InputError
        Where the field is missing and has no default, is no whole number,
        or lies below `least`.
    """
    text = header.get(field)
    if text is None:
        if default is not None:
            return default
        raise InputError(path, f"lacks {field!r}", "complete the header")
    try:
        value = int(str(text).strip())
    except ValueError:
        value = least - 1
    if value < least:
        raise InputError(
            path,
            f"'{field} = {text}' is no whole number of {least} or more",
            "correct the header",
        )
    return value


def numbers(path: Path, header: Mapping[str, Any], field: str) -> NDArray[np.float64]:
    """Read a field as a list of numbers, shape (n,) with n ≥ 1.

    Raises
    ------
    InputError
        Where an entry is no number.
    """
    value = header[field]
    entries = value if isinstance(value, list) else str(value).strip("{} ").split(",")
    entries = [entry.strip() for entry in entries if entry.strip()]
    try:
        if not entries:
            raise ValueError
        return np.array([float(entry) for entry in entries])
    except ValueError:
        raise InputError(
            path, f"{field!r} does not hold numbers", "correct the header"
        ) from None


def _lower(header: Mapping[str, Any]) -> dict[str, Any]:
    """Make field names lower case and their inner spaces single."""
    return {" ".join(str(name).lower().split()): v for name, v in header.items()}


def _decode(raw: bytes) -> str:
    """Decode a header's bytes and spell the micro signs with u."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace("µ", "u").replace("μ", "u")
