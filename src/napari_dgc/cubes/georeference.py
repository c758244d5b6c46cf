"""Where on Earth, and how large, a pixel is: ENVI's map info and GeoTIFF's tags."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tifffile

#: Code, TIFF type, number of values, values; as tifffile takes and the file holds them.
Tag = tuple[int, int, int, Any]

TAGS_FIELD = "geotiff tags"
"""Where a cube's metadata holds the tags of the GeoTIFF it was read from."""

_SCALE, _TIEPOINT, _TRANSFORM, _KEYS, _DOUBLES, _ASCII = (
    33550, 33922, 34264, 34735, 34736, 34737,
)  # fmt: skip
GEOTIFF_CODES = (_SCALE, _TIEPOINT, _TRANSFORM, _KEYS, _DOUBLES, _ASCII)
_TEXT, _SHORT, _DOUBLE = 2, 3, 12  # TIFF's types
_PROJECTED, _GEOGRAPHIC, _USER = 1, 2, 32767
_AREA = 1  # coordinates are those of pixels' corners, as ENVI's are

#: Millimetres in a unit, by how ENVI's headers spell it.
_UNITS = {
    "meters": 1e3, "meter": 1e3, "metres": 1e3, "metre": 1e3, "m": 1e3,
    "centimeters": 10.0, "centimetres": 10.0, "cm": 10.0,
    "millimeters": 1.0, "millimetres": 1.0, "mm": 1.0,
    "km": 1e6, "kilometers": 1e6, "feet": 304.8, "inches": 25.4,
}  # fmt: skip
_MAP_FIELDS = ("map info", "coordinate system string", "pixel size")


@dataclass(frozen=True, slots=True)
class MapInfo:
    """ENVI's ``map info``.

    Attributes
    ----------
    projection : str
    reference : tuple of float
        Pixel (x, y) that `position` belongs to; (1, 1) is the upper left corner of
        the image.
    position : tuple of float
        (easting, northing) or (longitude, latitude).
    size : tuple of float
        Pixel width and height.
    zone : int, optional
        Of UTM; negative on the southern half.
    datum : str
    units : str
        Lower case; "" where it does not say.
    rotation : float
        Degrees, counter-clockwise.
    """

    projection: str
    reference: tuple[float, float]
    position: tuple[float, float]
    size: tuple[float, float]
    zone: int | None = None
    datum: str = ""
    units: str = ""
    rotation: float = 0.0


def parse_map_info(metadata: Mapping[str, Any]) -> MapInfo | None:
    """Read ``map info`` of an ENVI header; None if there is none that can be read."""
    parts = _list(metadata.get("map info"))
    named = dict(p.split("=", 1) for p in parts if "=" in p)
    named = {key.strip().lower(): value.strip() for key, value in named.items()}
    plain = [p for p in parts if "=" not in p]
    try:
        rx, ry, x, y, width, height = (float(p) for p in plain[1:7])
        rotation = float(named.get("rotation", 0))
    except ValueError:
        return None
    if not all(map(math.isfinite, (rx, ry, x, y, width, height, rotation))):
        return None
    if width <= 0 or height <= 0:
        return None
    rest, zone = plain[7:], None
    if plain[0].strip().lower() == "utm" and len(rest) >= 2 and rest[0].isdigit():
        zone = int(rest[0]) * (-1 if rest[1].lower().startswith("s") else 1)
        rest = rest[2:]
    units = named.get("units", "").lower()
    if not units and zone is not None:
        units = "meters"
    return MapInfo(
        plain[0], (rx, ry), (x, y), (width, height), zone,
        rest[0] if rest else "", units, rotation,
    )  # fmt: skip


def pixel_area(metadata: Mapping[str, Any]) -> float | None:
    """Area of a pixel in mm², where the header tells its size; else None.

    ``pixel size`` comes before ``map info``. Degrees are no size.
    """
    parts = _list(metadata.get("pixel size"))
    units = next((p.split("=", 1)[1] for p in parts if "=" in p), "meters")
    factor = _UNITS.get(units.strip().lower())
    try:
        width, height = (float(p) for p in parts[:2])
    except ValueError:
        width = height = math.nan
    info = parse_map_info(metadata)
    if factor is None or not (width > 0 and height > 0):
        if info is None:
            return None
        (width, height), factor = info.size, _UNITS.get(info.units)
    area = width * height * factor**2 if factor is not None else math.nan
    return area if math.isfinite(area) and area > 0 else None


def envi_fields(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say where a cube lies, for a header of the same pixels."""
    return {field: metadata[field] for field in _MAP_FIELDS if field in metadata}


def geotiff_tags(metadata: Mapping[str, Any]) -> tuple[Tag, ...]:
    """GeoTIFF tags for a raster of the same pixels; none where nothing is known.

    Those of the GeoTIFF it was read from as they are, else made of ``map info``.
    """
    kept = metadata.get(TAGS_FIELD)
    if kept:
        return tuple(kept)
    info = parse_map_info(metadata)
    if info is None:
        return ()
    return (*_placement(info), *_keys(info, metadata))


def read_geotiff_tags(path: Path) -> tuple[Tag, ...]:
    """Read a TIFF's tags that say where it lies; none in a plain TIFF.

    Raises whatever tifffile raises for a file that is no TIFF.
    """
    with tifffile.TiffFile(path) as file:
        tags = file.pages[0].tags
        return tuple(
            (code, int(tags[code].dtype), int(tags[code].count), tags[code].value)
            for code in GEOTIFF_CODES
            if code in tags
        )


def _placement(info: MapInfo) -> tuple[Tag, ...]:
    (rx, ry), (x, y), (width, height) = info.reference, info.position, info.size
    if not info.rotation:
        return (
            (_SCALE, _DOUBLE, 3, (width, height, 0.0)),
            (_TIEPOINT, _DOUBLE, 6, (rx - 1, ry - 1, 0.0, x, y, 0.0)),
        )
    turn = -math.radians(info.rotation)
    a, b = math.cos(turn) * width, -math.sin(turn) * width
    d, e = -math.sin(turn) * height, -math.cos(turn) * height
    left = x - a * (rx - 1) - b * (ry - 1)
    top = y - d * (rx - 1) - e * (ry - 1)
    rows = (a, b, 0.0, left, d, e, 0.0, top, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    return ((_TRANSFORM, _DOUBLE, 16, rows),)


def _keys(info: MapInfo, metadata: Mapping[str, Any]) -> tuple[Tag, ...]:
    """The coordinate system: by its EPSG number, or by name where that is unknown."""
    code, kind = _epsg(info, metadata)
    citation = f"{info.projection} {info.datum}".strip()
    citation = citation.encode("ascii", "replace").decode().replace("|", "/") + "|"
    entries = [(1024, 0, 1, kind), (1025, 0, 1, _AREA)]
    if code is None or kind == _USER:
        entries.append((1026, _ASCII, len(citation), 0))
    else:
        entries.append((3072 if kind == _PROJECTED else 2048, 0, 1, code))
        if kind == _PROJECTED:
            entries.append((3073, _ASCII, len(citation), 0))
        else:
            entries.insert(2, (1026, _ASCII, len(citation), 0))
    flat = (1, 1, 0, len(entries), *(n for entry in entries for n in entry))
    return (
        (_KEYS, _SHORT, len(flat), flat),
        (_ASCII, _TEXT, len(citation) + 1, citation),
    )


def _epsg(info: MapInfo, metadata: Mapping[str, Any]) -> tuple[int | None, int]:
    """EPSG code and kind of the system; (None, user-defined) if it is not known."""
    wgs84 = re.sub(r"[^a-z0-9]", "", info.datum.lower()) in ("wgs84", "wgs1984")
    if info.zone is not None and 1 <= abs(info.zone) <= 60 and wgs84:
        return (32600 if info.zone > 0 else 32700) + abs(info.zone), _PROJECTED
    if info.projection.lower().startswith("geographic") and wgs84:
        return 4326, _GEOGRAPHIC
    text = metadata.get("coordinate system string", "")
    text = ",".join(text) if isinstance(text, list) else str(text)
    # The system's own number is the last; those inside it come before.
    found = re.search(r'AUTHORITY\["EPSG",\s*"?(\d{4,5})"?\]\s*\]\s*$', text)
    if found is None:
        return None, _USER
    projected = text.lstrip("{ ").upper().startswith("PROJCS")
    return int(found[1]), _PROJECTED if projected else _GEOGRAPHIC


def _list(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(part).strip() for part in value]
    return [part.strip() for part in str(value or "").strip("{} ").split(",")]
