"""What preparing cubes is said to have done, and what follows for model and maps."""

from __future__ import annotations

from collections.abc import Sequence

from napari_dgc.cubes.describing import describe_counts
from napari_dgc.study.calibrating.preparing import PreparedCube

OUTDATED = {
    "": "",
    "mixed": "Some cubes are calibrated, others not: calibrate all or none.",
    "calibrated": "The map is of the raw cubes: press First map or Train.",
    "raw": "The map is of calibrated cubes: press First map or Train.",
    "bands": "The map is of other bands: press First map or Train.",
}
"""What to tell the user, by what `outdated` gives."""

SUMMARY = {
    "": "",
    "mixed": "not all cubes are calibrated",
    "calibrated": "the map is of the raw cubes",
    "raw": "the map is of calibrated cubes",
    "bands": "the map is of other bands",
}
"""The same in a few words."""


def word_prepared(why: str, done: Sequence[PreparedCube]) -> tuple[str, str]:
    """Say what was prepared and what follows, with the line's level.

    Parameters
    ----------
    why : str
        What `outdated` gives.
    done : sequence of PreparedCube
    """
    if not done:
        return "Nothing has changed.", "info"
    name = done[0].cube.name if len(done) == 1 else f"{len(done)} cubes"
    text = f"{name}: {_what(done[0])}{_lost(done)}. {OUTDATED[why]}"
    return text.strip(), "warning" if why else "good"


def _what(one: PreparedCube) -> str:
    """The step that was taken."""
    if one.cube.calibration is not one.before.calibration:
        return "raw counts again" if one.cube.calibration is None else "calibrated"
    good = one.cube.good_bands
    count = one.cube.bands if good is None else int(good.sum())
    return f"{count} of {one.cube.bands} bands count"


def _lost(done: Sequence[PreparedCube]) -> str:
    """Pixels that do not count, after a calibration."""
    if all(one.cube.calibration is one.before.calibration for one in done):
        return ""
    if all(one.counts.valid == one.counts.total for one in done):
        return ", all pixels valid"
    if len(done) == 1:
        return f", {describe_counts(done[0].counts)}"
    saturated = sum(one.counts.saturated for one in done)
    dead = sum(one.counts.dead for one in done)
    return f", {saturated} saturated and {dead} dead pixels"
