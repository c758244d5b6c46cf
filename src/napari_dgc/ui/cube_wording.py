"""What the list says of a cube: its shares by role, and how strange it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dgc.cubes.cube import Cube
from napari_dgc.merging.grouping import ROLES, Grouping, Role
from napari_dgc.ui.wording import word_names

_IN_SHORT: tuple[Role, ...] = ("lesion", "healthy")  # what a row has room for
_LONGEST = 24  # letters of a name within a sentence
_SET_ROLES = "Give groups a role in the table, and their % of this cube stands here."
_SET_BOTH = (
    "With groups of both roles, healthy and lesion, the lesion's % of the tissue "
    "stands here."
)


class CubeWords(NamedTuple):
    """What a row shows and tells.

    Attributes
    ----------
    facts : str
        At the row's end.
    strange : bool
        Whether a warning stands before them.
    tip : str
    """

    facts: str
    strange: bool
    tip: str


def role_shares(
    counts: NDArray[np.int64], grouping: Grouping
) -> dict[Role | None, float]:
    """Give the share of a cube's valid pixels in % by role; None: without one.

    Parameters
    ----------
    counts : ndarray of int64, shape (R,)
        Pixels per cluster id, of one cube.
    grouping : Grouping

    Returns
    -------
    dict of role or None to float
        Roles in use alone; empty where no pixel is valid.

    Notes
    -----
    K additions: live while merging, for a hundred cubes too.
    """
    valid = int(counts[1:].sum())
    if not valid:
        return {}
    shares: dict[Role | None, float] = {}
    pixels = counts.tolist()  # a hundred cubes a step: plain numbers add up faster
    for group in grouping.groups:
        here = sum(pixels[c] for c in group.clusters if c < len(pixels))
        shares[group.role] = shares.get(group.role, 0.0) + 100 * here / valid
    return shares


def word_cube(
    cube: Cube,
    counts: NDArray[np.int64] | None,
    grouping: Grouping | None,
    *,
    missing: bool = False,
    departure: float | None = None,
    limit: float = math.inf,
) -> CubeWords:
    """Say of a cube what its row shows.

    Parameters
    ----------
    cube : Cube
    counts : ndarray of int64, shape (R,), optional
        Pixels per cluster id; None where it has no map.
    grouping : Grouping, optional
    missing : bool
        Whether its file was not found.
    departure : float, optional
        From what the model has seen, in noise units.
    limit : float
        Beyond which it is strange; see `napari_dgc.study.familiarity`.
    """
    C, H, W = cube.shape
    lines = [f"{cube.name}: {H} × {W} pixels, {C} bands"]
    lines.append(str(cube.path or "not from a file"))
    strange = departure is not None and departure > limit
    if counts is None or grouping is None:
        facts = f"{H} × {W}" if grouping is None else "no map yet"
        lines += [] if grouping is None else ["Press “Map new cubes” for its map."]
    else:
        shares = role_shares(counts, grouping)
        facts = _in_short(shares)
        lines += _at_length(shares)
    if departure is not None:
        lines.append(_word_departure(departure, limit))
    if missing:
        facts = "not found" if counts is None else f"not found  {facts}".rstrip()
    return CubeWords(facts, strange, "\n".join(lines))


def word_strange(names: Iterable[str], departure: float, limit: float) -> str:
    """Say which cubes lie outside what the model has seen, and what to do."""
    names = [_cut(name) for name in names]
    is_, it = ("is", "it") if len(names) == 1 else ("are", "them")
    return (
        f"{word_names(names)} {is_} unlike what the model has seen ({departure:.1f} "
        f"noise units, usual below {limit:.2f}): check calibration and light, or "
        f"train with {it}."
    )


def _cut(name: str) -> str:
    """Leave out the middle of a long name: a line could not be broken there."""
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half:]}"


def word_percent(share: float) -> str:
    """Give a share in %; what is there at all is never 0."""
    return "<0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"


def lesion_of_tissue(shares: Mapping[Role | None, float]) -> float | None:
    """Give lesion as a share of tissue (lesion and healthy) in %.

    As `napari_dgc.reports.severity` has it; None where groups have not both roles, or
    the cube has no pixel of either.
    """
    lesion, healthy = shares.get("lesion"), shares.get("healthy")
    if lesion is None or healthy is None or not lesion + healthy > 0:
        return None
    return 100 * lesion / (lesion + healthy)


def _in_short(shares: Mapping[Role | None, float]) -> str:
    lesion = lesion_of_tissue(shares)
    if lesion is not None:
        return f"lesion {word_percent(lesion)} of tissue"
    named = [f"{role} {word_percent(shares[role])}" for role in _IN_SHORT
             if role in shares]  # fmt: skip
    if len(named) == len(_IN_SHORT):
        return "no tissue"
    return f"{named[0]} of image" if named else ""


def _at_length(shares: Mapping[Role | None, float]) -> list[str]:
    if not set(shares) - {None}:
        return [_SET_ROLES]
    lines = []
    lesion = lesion_of_tissue(shares)
    if lesion is not None:
        lines.append(
            f"lesion {word_percent(lesion)} of the tissue: lesion as a share of lesion "
            "and healthy, as in the severity table"
        )
    lines += [f"{role} {word_percent(shares[role])} of all valid pixels"
              for role in ROLES if role in shares]  # fmt: skip
    if shares.get(None, 0.0) > 0:
        lines.append(f"without a role {word_percent(shares[None])}")
    if not {"lesion", "healthy"} <= set(shares):
        lines.append(_SET_BOTH)
    return lines


def _word_departure(departure: float, limit: float) -> str:
    units = f"{departure:.2f} noise units from what the model has seen"
    if departure > limit:
        return (
            f"⚠ Its spectra lie {units}; cubes like those trained on lie below "
            f"{limit:.2f}. Check calibration and light, or train with this cube too."
        )
    return f"Its spectra lie {units}: near enough (below {limit:.2f})."
