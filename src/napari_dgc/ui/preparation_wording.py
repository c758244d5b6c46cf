"""What preparing cubes is said to have done, and what follows for model and maps."""

from __future__ import annotations

from collections.abc import Sequence

from napari_dgc.cubes.describing import describe, describe_counts
from napari_dgc.study.preparing import PreparedCube

ANEW = "First map or Train makes new ones."
OUTDATED = {
    "": "",
    "calibrated": f"Map and groups are those of the uncalibrated cubes. {ANEW}",
    "raw": f"Map and groups are those of calibrated cubes. {ANEW}",
    "bands": f"Map and groups were made with other bands. {ANEW}",
}
"""What to tell the user, by what `outdated` gives."""


def word_outdated(why: str, done: Sequence[PreparedCube]) -> tuple[str, str]:
    """Say what was prepared and what follows, with the line's level."""
    if not done:
        return "Nothing has changed.", "info"
    text = _cube(done[0]) if len(done) == 1 else f"{len(done)} cubes: {_all(done)}"
    return f"{text} {OUTDATED[why]}".strip(), "warning" if why else "good"


def _cube(one: PreparedCube) -> str:
    text = f"{one.cube.name}: {_what(one)}"
    counts = one.counts
    if counts.valid == counts.total:
        return f"{text}; all pixels valid."
    return f"{text}; {describe_counts(counts)}."


def _all(done: Sequence[PreparedCube]) -> str:
    total = sum(one.counts.total for one in done)
    lost = [
        f"{number} {name}"
        for name in ("saturated", "dead")
        if (number := sum(getattr(one.counts, name) for one in done))
    ]
    text = _what(done[0])
    return f"{text}; {', '.join(lost)} of {total} pixels." if lost else f"{text}."


def _what(one: PreparedCube) -> str:
    """The step that was taken."""
    if one.cube.calibration is not one.before.calibration:
        if one.cube.calibration is None:
            return "raw counts again"
        return f"reflectance, by {describe(one.cube)}"
    good = one.cube.good_bands
    count = one.cube.bands if good is None else int(good.sum())
    return f"{count} of {one.cube.bands} bands count"
